//! What only `uv.lock` has.

use crate::model::lockfile::{Name, Requirement, Text};
use crate::model::sources::Located;

/// The rest of a `uv.lock`.
#[derive(Clone, Debug, Default)]
pub struct Uv<'a> {
    /// The revision of the format's version; 0 where the lock names none.
    pub revision: Option<Located<u64>>,
    /// The markers of environments that it must not lose: `supported-markers`.
    pub supported_markers: Vec<Located<Text<'a>>>,
    /// The markers of environments that must have wheels: `required-markers`.
    pub required_markers: Vec<Located<Text<'a>>>,
    /// Sets of extras and groups that exclude each other.
    pub conflicts: Vec<Located<Vec<Conflict<'a>>>>,
    /// How it was resolved.
    pub options: UvOptions<'a>,
    /// What it was made from, besides the members' own metadata; none where the lock has no `[manifest]`.
    pub manifest: Option<Located<Manifest<'a>>>,
    /// Keys at the top that we do not know.
    pub unknown: Vec<Located<Text<'a>>>,
}

/// One of several extras, groups or projects that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict<'a> {
    /// The member.
    pub package: Option<Text<'a>>,
    /// Its extra.
    pub extra: Option<Text<'a>>,
    /// Its group.
    pub group: Option<Text<'a>>,
}

/// `[options]`.
#[derive(Clone, Debug, Default)]
pub struct UvOptions<'a> {
    /// `resolution-mode`.
    pub resolution_mode: Option<Located<Text<'a>>>,
    /// `prerelease-mode`.
    pub prerelease_mode: Option<Located<Text<'a>>>,
    /// `fork-strategy`.
    pub fork_strategy: Option<Located<Text<'a>>>,
    /// `exclude-newer`, a moment. A dummy where there is a span.
    pub exclude_newer: Option<Located<Text<'a>>>,
    /// `exclude-newer-span`, ISO 8601: `P3W`.
    pub exclude_newer_span: Option<Located<Text<'a>>>,
    /// `[options.exclude-newer-package]`: a moment each, or `false`; the span where there is one.
    pub exclude_newer_package: Vec<(Name<'a>, Located<Text<'a>>)>,
    /// `[options.prerelease-package]`: a mode each.
    pub prerelease_package: Vec<(Name<'a>, Located<Text<'a>>)>,
}

/// The Pythons that groups are for, by the name of the group.
pub type GroupPythons<'a> = Vec<(Located<Text<'a>>, Located<Text<'a>>)>;

/// `[manifest]`.
#[derive(Clone, Debug, Default)]
pub struct Manifest<'a> {
    /// The members of the workspace.
    pub members: Vec<Name<'a>>,
    /// Requirements without a project: of a script, or a workspace without one.
    pub requirements: Vec<Requirement<'a>>,
    /// `constraint-dependencies`.
    pub constraints: Vec<Requirement<'a>>,
    /// `override-dependencies` that count everywhere.
    pub overrides: Vec<Requirement<'a>>,
    /// `override-dependencies` that count for what one package requires.
    pub scoped_overrides: Vec<Scoped<'a, Requirement<'a>>>,
    /// `exclude-dependencies` that count everywhere.
    pub excludes: Vec<Name<'a>>,
    /// `exclude-dependencies` that count for what one package requires.
    pub scoped_excludes: Vec<Scoped<'a, Name<'a>>>,
    /// `build-constraint-dependencies`.
    pub build_constraints: Vec<Requirement<'a>>,
    /// Groups of a workspace whose root is no project.
    pub dependency_groups: Vec<(Located<Text<'a>>, Vec<Requirement<'a>>)>,
    /// `[manifest.group-requires-python]`: the Pythons of those groups.
    pub group_pythons: GroupPythons<'a>,
    /// `[[manifest.dependency-metadata]]`: what the user states of packages.
    pub dependency_metadata: Vec<StaticMetadata<'a>>,
}

/// What counts only for the requirements of one package: `{ package = { name = "a" }, dependencies = […] }`.
#[derive(Clone, Debug)]
pub struct Scoped<'a, T> {
    /// The package.
    pub package: Name<'a>,
    /// Its version; any where there is none.
    pub version: Option<Located<Text<'a>>>,
    /// What of its requirements is replaced or left out.
    pub dependencies: Vec<T>,
}

/// Metadata that the user states for a package.
#[derive(Clone, Debug)]
pub struct StaticMetadata<'a> {
    /// The package.
    pub name: Name<'a>,
    /// Its version.
    pub version: Option<Located<Text<'a>>>,
    /// Its requirements, PEP 508.
    pub requires_dist: Vec<Located<Text<'a>>>,
    /// The Pythons that it is for.
    pub requires_python: Option<Located<Text<'a>>>,
    /// Its extras.
    pub provides_extras: Vec<Located<Text<'a>>>,
}

/// `[package.metadata]` of a source tree: what it declared.
#[derive(Clone, Debug, Default)]
pub struct PackageMetadata<'a> {
    /// `requires-dist`, optional ones with `extra == '…'` in their marker.
    pub requires_dist: Vec<Requirement<'a>>,
    /// `provides-extras`.
    pub provides_extras: Vec<Located<Text<'a>>>,
    /// `[package.metadata.requires-dev]`: the dependency groups, flattened.
    pub requires_dev: Vec<(Located<Text<'a>>, Vec<Requirement<'a>>)>,
}
