//! Locks that a change takes away.

use crate::lockfiles::Format;
use crate::model::sources::Location;

/// A lock that the base has and the change has not, though what it locks is still there.
#[derive(Clone, Debug)]
pub struct GoneLock<'a> {
    /// Where it was, from the root of the workspace.
    pub path: &'a str,
    /// What it was.
    pub format: Format,
    /// The beginning of the file that declares what it locked.
    pub declared: Location,
}
