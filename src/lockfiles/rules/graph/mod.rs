//! Graph: every dependency that is recorded leads to a package, and every package is needed by something.

mod ambiguous_edge;
mod dangling_edge;
mod loose;
mod missing_edge;
mod orphan_package;
pub mod roots;

use crate::lockfiles::rules::Family;

pub use loose::EVERYWHERE;

/// The family.
pub const FAMILY: Family = Family {
    title: "Graph",
    about: "Every dependency that is recorded leads to a package, and every package is needed by something.",
    rules: &[
        &dangling_edge::RULE,
        &ambiguous_edge::RULE,
        &orphan_package::RULE,
        &missing_edge::RULE,
    ],
};
