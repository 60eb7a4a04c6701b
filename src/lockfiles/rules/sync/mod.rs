//! In sync: the lock was made from what the project declares now.

mod uv;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "In sync",
    about: "The lock was made from what the project declares now.",
    rules: uv::RULES,
};
