//! What a project declares in its `pyproject.toml`: everything that a lock is made from, and where each thing stands.

use crate::model::lockfile::{
    Conflict, GroupPythons, Name, Requirement, Scoped, Source, StaticMetadata, Text,
};
use crate::model::sources::{FileId, Located, Location};

/// A `pyproject.toml` that was read.
#[derive(Clone, Debug)]
pub struct Declarations<'a> {
    /// The file.
    pub file: FileId,
    /// Whether all of it could be read, so that what is not here is not declared.
    pub is_whole: bool,
    /// `[project]`.
    pub project: Option<Project<'a>>,
    /// `[dependency-groups]` (PEP 735), in the order of the file.
    pub groups: Vec<Group<'a>>,
    /// `[build-system] requires`; `None` where there is no such table.
    pub build_requires: Option<Located<Vec<Requirement<'a>>>>,
    /// `[tool.uv]`; `None` where there is no such table.
    pub uv: Option<Box<UvSettings<'a>>>,
    /// Whether there is a `[tool.poetry]`, and where.
    pub poetry: Option<Location>,
    /// Whether there is a `[tool.pdm]`, and where.
    pub pdm: Option<Location>,
}

/// `[project]` (<https://packaging.python.org/en/latest/specifications/pyproject-toml/>).
#[derive(Clone, Debug)]
pub struct Project<'a> {
    /// `name`.
    pub name: Option<Located<Text<'a>>>,
    /// `version`; none where it is dynamic.
    pub version: Option<Located<Text<'a>>>,
    /// The keys whose values a build backend computes.
    pub dynamic: Vec<Located<Text<'a>>>,
    /// `requires-python`.
    pub requires_python: Option<Located<Text<'a>>>,
    /// `dependencies`.
    pub dependencies: Vec<Requirement<'a>>,
    /// `optional-dependencies`, by extra.
    pub extras: Vec<(Located<Text<'a>>, Vec<Requirement<'a>>)>,
    /// The table.
    pub at: Location,
}

impl Project<'_> {
    /// Whether a build backend computes this key.
    pub fn is_dynamic(&self, key: &str) -> bool {
        self.dynamic.iter().any(|dynamic| dynamic.value == key)
    }
}

/// A dependency group.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// As written.
    pub name: Located<Text<'a>>,
    /// What it holds.
    pub items: Vec<GroupItem<'a>>,
}

/// An item of a dependency group.
#[derive(Clone, Debug)]
pub enum GroupItem<'a> {
    /// A requirement.
    Requirement(Box<Requirement<'a>>),
    /// `{ include-group = "…" }`.
    Include(Located<Text<'a>>),
}

/// `[tool.uv]` (<https://docs.astral.sh/uv/reference/settings/>), as far as it changes a lock.
#[derive(Clone, Debug, Default)]
pub struct UvSettings<'a> {
    /// `sources`: each name and its sources, in the order of the file.
    pub sources: Vec<(Located<Text<'a>>, Vec<UvSource<'a>>)>,
    /// `[[tool.uv.index]]`, and `index-url`, `extra-index-url` and `find-links` as such.
    pub indexes: Vec<UvIndex<'a>>,
    /// `workspace`; `None` where there is no such table.
    pub workspace: Option<Located<UvWorkspace<'a>>>,
    /// `package`.
    pub package: Option<Located<bool>>,
    /// `managed`.
    pub managed: Option<Located<bool>>,
    /// `dev-dependencies`, the older spelling of the group `dev`.
    pub dev_dependencies: Vec<Requirement<'a>>,
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
    /// `environments`.
    pub environments: Vec<Located<Text<'a>>>,
    /// `required-environments`.
    pub required_environments: Vec<Located<Text<'a>>>,
    /// `conflicts`.
    pub conflicts: Vec<Located<Vec<Conflict<'a>>>>,
    /// `dependency-metadata`.
    pub dependency_metadata: Vec<StaticMetadata<'a>>,
    /// `default-groups`.
    pub default_groups: Vec<Located<Text<'a>>>,
    /// `[tool.uv.dependency-groups]`: the Pythons that a group is for.
    pub group_pythons: GroupPythons<'a>,
    /// `resolution`, `prerelease`, `fork-strategy`, `exclude-newer` and other single texts, by their key.
    pub options: Vec<(Text<'a>, Located<Text<'a>>)>,
    /// `exclude-newer-package`.
    pub exclude_newer_package: Vec<(Name<'a>, Located<Text<'a>>)>,
    /// `prerelease-package`.
    pub prerelease_package: Vec<(Name<'a>, Located<Text<'a>>)>,
    /// The table.
    pub at: Location,
}

impl<'a> UvSettings<'a> {
    /// A single text of `[tool.uv]`: `resolution`, `exclude-newer`.
    pub fn option(&self, key: &str) -> Option<&Located<Text<'a>>> {
        let found = self.options.iter().find(|(own, _)| own == key)?;
        Some(&found.1)
    }
}

/// One source in `[tool.uv.sources]`.
#[derive(Clone, Debug)]
pub struct UvSource<'a> {
    /// What it is; `Registry` holds the name of an index.
    pub source: UvSourceKind<'a>,
    /// `marker`.
    pub marker: Option<Located<Text<'a>>>,
    /// `extra`.
    pub extra: Option<Located<Text<'a>>>,
    /// `group`.
    pub group: Option<Located<Text<'a>>>,
    /// `editable`.
    pub editable: Option<Located<bool>>,
    /// `package`.
    pub package: Option<Located<bool>>,
    /// The whole of it.
    pub at: Location,
}

/// What a source in `[tool.uv.sources]` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UvSourceKind<'a> {
    /// `workspace = true`, or false.
    Workspace(bool),
    /// Any other; `index` as a registry by the name of the index.
    Other(Source<'a>),
}

/// An index.
#[derive(Clone, Debug)]
pub struct UvIndex<'a> {
    /// Its name.
    pub name: Option<Located<Text<'a>>>,
    /// Its URL or path.
    pub url: Located<Text<'a>>,
    /// Whether only what names it uses it.
    pub is_explicit: bool,
    /// Whether it stands for the default index.
    pub is_default: bool,
    /// Whether it is a flat list of files (`find-links`).
    pub is_flat: bool,
    /// The entry.
    pub at: Location,
}

/// `[tool.uv.workspace]`.
#[derive(Clone, Debug, Default)]
pub struct UvWorkspace<'a> {
    /// Globs of members.
    pub members: Vec<Located<Text<'a>>>,
    /// Globs of folders that are none.
    pub exclude: Vec<Located<Text<'a>>>,
}
