//! Platforms: every platform and Python that the project serves finds a file that it can install.

mod no_file_for_platform;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Platforms",
    about: "Every platform and Python that the project serves finds a file that it can install.",
    rules: &[&no_file_for_platform::RULE],
};
