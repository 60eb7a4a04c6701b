//! Files: file names, package names, versions, URLs and hashes agree with each other.

mod duplicate_file;
mod fact_missing;
mod file_conflict;
mod file_name_mismatch;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Files",
    about: "File names, package names, versions, URLs and hashes agree with each other.",
    rules: &[
        &file_name_mismatch::RULE,
        &file_conflict::RULE,
        &duplicate_file::RULE,
        &fact_missing::RULE,
    ],
};
