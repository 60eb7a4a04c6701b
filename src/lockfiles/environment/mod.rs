//! What making an environment needs of a lock: its pins, who asks for them, and hashed requirements that pip installs,
//! whatever the format.

mod chosen;
mod graph;
mod pins;
mod render;

pub use crate::lockfiles::environment::chosen::{asked_for, is_complete};
pub use crate::lockfiles::environment::pins::{Pins, pins};
pub use crate::lockfiles::environment::render::{Requirements, requirements};
pub use crate::lockfiles::marker::Asked;

use crate::model::sources::Location;

/// Why no environment can be made from a lock: what stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The place.
    pub at: Location,
    /// What the entry there is or has, as the rest of a sentence: `has no hash`.
    pub what: String,
}

impl Refusal {
    fn new(at: Location, what: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
        }
    }
}

#[cfg(test)]
mod tests;
