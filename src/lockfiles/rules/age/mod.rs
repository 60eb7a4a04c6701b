//! Age: nothing is newer than the team wants it to be.

mod exclude_newer;
mod min_age;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Age",
    about: "Nothing is newer than the team wants it to be.",
    rules: &[&min_age::RULE, &exclude_newer::RULE],
};
