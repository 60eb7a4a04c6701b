//! `pylock.toml` and `pylock.<name>.toml` (<https://packaging.python.org/en/latest/specifications/pylock-toml/>).
//!
//! Every rule of the specification that the file alone can break is a fault.

use crate::lockfiles::fault::{FaultKind, Faults};
use crate::model::lockfile::Lockfile;
use crate::model::sources::{FileId, Sources};

/// Reads the lock `file` of `sources`.
///
/// `None` where its text cannot be read at all; otherwise everything that can be read, with a fault for what cannot.
pub fn read<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Lockfile<'a>> {
    let end = sources.bytes(file).len().min(1);
    let at = faults.at(0..end);
    faults.add_with_help(
        FaultKind::Syntax,
        at,
        "this format cannot be read yet",
        "leave the file out with `exclude`",
    );
    None
}
