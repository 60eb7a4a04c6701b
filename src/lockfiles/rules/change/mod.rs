//! Change: what a change does to the lock, seen against its base.

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Change",
    about: "What a change does to the lock, seen against its base.",
    rules: &[],
};
