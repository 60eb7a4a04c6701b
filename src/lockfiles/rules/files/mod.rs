//! Files: file names, package names, versions, URLs and hashes agree with each other.

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Files",
    about: "File names, package names, versions, URLs and hashes agree with each other.",
    rules: &[],
};
