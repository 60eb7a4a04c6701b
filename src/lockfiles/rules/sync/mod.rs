//! In sync: the lock was made from what the project declares now.

mod absent;
pub mod beside;
pub mod compiled;
pub mod direct;
mod drift;
mod package_requires_python;
pub mod pdm;
mod pipfile;
mod poetry;
pub mod pylock;
mod requirement_not_locked;
mod requirement_not_satisfied;
mod unverifiable;
mod uv;
pub mod wanted;

use crate::lockfiles::rules::Family;

/// The family.
pub const FAMILY: Family = Family {
    title: "In sync",
    about: "The lock was made from what the project declares now.",
    rules: &[
        &uv::requirements::RULE,
        &uv::groups::RULE,
        &uv::extras::RULE,
        &uv::version::RULE,
        &uv::dynamic::RULE,
        &uv::members::RULE,
        &uv::missing_member::RULE,
        &uv::virtual_project::RULE,
        &uv::editable::RULE,
        &uv::constraints::RULE,
        &uv::overrides::RULE,
        &uv::build_constraints::RULE,
        &uv::excludes::RULE,
        &uv::root_groups::RULE,
        &uv::script::RULE,
        &uv::static_metadata::RULE,
        &uv::index::RULE,
        &uv::requires_python::RULE,
        &uv::group_pythons::RULE,
        &uv::forks::RULE,
        &uv::resolution::RULE,
        &uv::prerelease::RULE,
        &uv::fork_strategy::RULE,
        &uv::exclude_newer::RULE,
        &uv::environments::RULE,
        &uv::required_environments::RULE,
        &uv::conflicts::RULE,
        &uv::unverifiable::RULE,
        &poetry::content_hash::RULE,
        &pdm::content_hash::RULE,
        &pipfile::hash::RULE,
        &pipfile::recorded::RULE,
        &compiled::via::RULE,
        &compiled::marker::RULE,
        &requirement_not_locked::RULE,
        &requirement_not_satisfied::RULE,
        &package_requires_python::RULE,
    ],
};
