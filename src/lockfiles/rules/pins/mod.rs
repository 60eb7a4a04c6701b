//! Pins and hashes: everything is pinned to one version, and every file to its bytes.

mod algorithm;
mod hash_length;
mod hash_malformed;
mod hash_missing;
mod hash_weak;
mod hashes_off;
mod include_unread;
mod unpinned;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Pins and hashes",
    about: "Everything is pinned to one version, and every file to its bytes.",
    rules: &[
        &hash_missing::RULE,
        &hash_malformed::RULE,
        &hash_length::RULE,
        &hash_weak::RULE,
        &hashes_off::RULE,
        &include_unread::RULE,
        &unpinned::RULE,
    ],
};
