//! Workflow pins: actions and images that workflows use are pinned to their bytes.

mod action_comment;
mod action_two_commits;
mod action_unpinned;
mod image_unpinned;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Workflow pins",
    about: "Actions and images that workflows use are pinned to their bytes. These rules are off until asked for; then every \
            workflow below `.github/workflows` and every `action.yml` that git knows is read, without the network.",
    rules: &[
        &action_unpinned::RULE,
        &image_unpinned::RULE,
        &action_comment::RULE,
        &action_two_commits::RULE,
    ],
};
