//! Pins and hashes: everything is pinned to one version, and every file to its bytes.

mod hash_missing;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Pins and hashes",
    about: "Everything is pinned to one version, and every file to its bytes.",
    rules: &[&hash_missing::RULE],
};
