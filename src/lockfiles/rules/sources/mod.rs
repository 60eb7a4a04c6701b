//! Sources: packages come from where they may come from, and nowhere else.

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Sources",
    about: "Packages come from where they may come from, and nowhere else.",
    rules: &[],
};
