//! Age: nothing is newer than the team wants it to be.

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Age",
    about: "Nothing is newer than the team wants it to be.",
    rules: &[],
};
