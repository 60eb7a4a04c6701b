//! Platforms: every platform and Python that the project serves finds a file that it can install.

mod kinds;
mod no_file_for_platform;
mod python_excluded;
mod sdist_only;
mod supported;
mod wheel_only;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Platforms",
    about: "Every platform and Python that the project serves finds a file that it can install.",
    rules: &[
        &no_file_for_platform::RULE,
        &python_excluded::RULE,
        &sdist_only::RULE,
        &wheel_only::RULE,
    ],
};
