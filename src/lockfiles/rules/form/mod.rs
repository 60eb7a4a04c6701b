//! Form: the file is what its format says, and agrees with itself.

mod conflict_marker;
mod duplicate_package;
mod lock_not_read;
mod repeated;
mod syntax;
mod truncated;
mod unknown_revision;
mod unknown_version;
mod version_invalid;
mod version_missing;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Form",
    about: "The file is what its format says, whole, and agrees with itself.",
    rules: &[
        &syntax::RULE,
        &conflict_marker::RULE,
        &truncated::RULE,
        &unknown_version::RULE,
        &unknown_revision::RULE,
        &duplicate_package::RULE,
        &version_invalid::RULE,
        &version_missing::RULE,
        &lock_not_read::RULE,
    ],
};
