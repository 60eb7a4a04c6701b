//! What stages make, as contracts: found where it was promised, told by its bytes, and the same bytes when it is used.

mod bundle;
mod collect;
mod known;
mod manifest;
mod verify;

pub use bundle::{Bundle, write_bundle};
pub use collect::{Promise, collect, leaves};
pub use known::Known;
pub use manifest::{Manifest, SCHEMA, sha};
pub use verify::verify;
