//! Graph: every dependency that is recorded leads to a package, and every package is needed by something.

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Graph",
    about: "Every dependency that is recorded leads to a package, and every package is needed by something.",
    rules: &[],
};
