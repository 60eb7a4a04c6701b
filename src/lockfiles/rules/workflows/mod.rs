//! Workflow pins: actions and images that workflows use are pinned to their bytes.

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Workflow pins",
    about: "Actions and images that workflows use are pinned to their bytes.",
    rules: &[],
};
