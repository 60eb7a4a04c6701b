//! What stages make, as contracts: found where it was promised, told by its bytes, and the same bytes when it is used.

mod bundle;
mod collect;
mod known;
mod manifest;
mod verify;

pub use crate::model::digest::sha;
pub use bundle::{Bundle, write_bundle};
pub use collect::{Promise, collect, leaves};
pub use known::Known;
pub use manifest::{Manifest, SCHEMA};
pub use verify::verify;

/// The variables by which a pipeline hands the manifest of its run to a step of ours: its path, and its SHA-256, which
/// nobody else can set.
pub const HANDED: [&str; 2] = ["LOCKGATE_MANIFEST", "LOCKGATE_MANIFEST_DIGEST"];
