//! Locks of uv beside what their workspace, or script, declares. The order is that in which uv itself compares.

mod build_constraints;
mod compare;
mod conflicts;
mod constraints;
mod dynamic;
mod editable;
mod environments;
mod exclude_newer;
mod excludes;
mod extras;
mod fork_strategy;
mod groups;
mod index;
mod lower;
mod members;
mod missing_member;
mod moment;
mod options;
mod overrides;
mod prerelease;
mod recorded;
mod required_environments;
mod requirements;
mod requires_python;
mod resolution;
mod root_groups;
mod script;
mod static_metadata;
mod unverifiable;
mod version;
mod view;
mod virtual_project;

use crate::lockfiles::rules::Rule;

/// The rules.
pub const RULES: &[&Rule] = &[
    &requirements::RULE,
    &groups::RULE,
    &extras::RULE,
    &version::RULE,
    &dynamic::RULE,
    &members::RULE,
    &missing_member::RULE,
    &virtual_project::RULE,
    &editable::RULE,
    &constraints::RULE,
    &overrides::RULE,
    &build_constraints::RULE,
    &excludes::RULE,
    &root_groups::RULE,
    &script::RULE,
    &static_metadata::RULE,
    &index::RULE,
    &requires_python::RULE,
    &resolution::RULE,
    &prerelease::RULE,
    &fork_strategy::RULE,
    &exclude_newer::RULE,
    &environments::RULE,
    &required_environments::RULE,
    &conflicts::RULE,
    &unverifiable::RULE,
];
