//! Workflow pins: actions and images that workflows use are pinned to their bytes.

mod action_comment;
mod action_commit_unknown;
mod action_commit_wrong;
mod action_input;
mod action_two_commits;
mod action_unpinned;
mod image_unpinned;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "Workflow pins",
    about: "Actions and images that workflows use are pinned to their bytes. But for `action-input` these rules are off until \
            asked for; then every workflow below `.github/workflows` and every `action.yml` that git knows is read. Only \
            `action-check` needs the network: it asks each repository once for its tags and branches.",
    rules: &[
        &action_unpinned::RULE,
        &image_unpinned::RULE,
        &action_comment::RULE,
        &action_two_commits::RULE,
        &action_commit_wrong::RULE,
        &action_commit_unknown::RULE,
        &action_input::RULE,
    ],
};
