//! `uv.lock` (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>): what environments need of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::lockfiles::normalise_name;

/// The part of the lock that is read here.
#[derive(Clone, Debug, Deserialize)]
pub struct UvLock {
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
}

#[derive(Clone, Debug, Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(default)]
    source: BTreeMap<String, toml::Value>,
    #[serde(default)]
    dependencies: Vec<Named>,
    #[serde(default, rename = "dev-dependencies")]
    groups: BTreeMap<String, Vec<Named>>,
    #[serde(default, rename = "optional-dependencies")]
    extras: BTreeMap<String, Vec<Named>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Named {
    name: String,
}

/// Which groups and extras of the project bring a package in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection {
    /// Names of dependency groups (PEP 735).
    pub groups: BTreeSet<String>,
    /// Names of extras.
    pub extras: BTreeSet<String>,
}

/// Reads a lock; fails with a message that names line and column.
pub fn read(text: &str) -> Result<UvLock, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

impl UvLock {
    /// The pinned versions: several where markers choose between them.
    pub fn versions_of(&self, package: &str) -> Vec<String> {
        let wanted = normalise_name(package);
        let named = self
            .packages
            .iter()
            .filter(|package| package.name == wanted);
        named
            .filter_map(|package| package.version.clone())
            .collect()
    }

    /// Whether the project itself asks for the package: not only something that it asks for does.
    pub fn declares(&self, package: &str) -> bool {
        let wanted = normalise_name(package);
        if !self.packages.iter().any(Package::is_local) {
            // Nobody says who asks for what.
            return !self.versions_of(package).is_empty();
        }
        self.packages
            .iter()
            .filter(|package| package.is_local())
            .any(|project| {
                let tables = project.groups.values().chain(project.extras.values());
                std::iter::once(&project.dependencies)
                    .chain(tables)
                    .flatten()
                    .any(|named| named.name == wanted)
            })
    }

    /// How many third-party packages it pins.
    pub fn len(&self) -> usize {
        self.packages
            .iter()
            .filter(|package| !package.is_local())
            .count()
    }

    /// Whether it pins nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The groups, or else the extras, of the project that name the package directly.
    pub fn selection_for(&self, package: &str) -> Selection {
        let wanted = normalise_name(package);
        let naming = |tables: &BTreeMap<String, Vec<Named>>| -> BTreeSet<String> {
            let has = |names: &&Vec<Named>| names.iter().any(|named| named.name == wanted);
            tables
                .iter()
                .filter(|(_, names)| has(names))
                .map(|(table, _)| table.clone())
                .collect()
        };
        let mut selection = Selection::default();
        for project in self.packages.iter().filter(|package| package.is_local()) {
            selection.groups.extend(naming(&project.groups));
            selection.extras.extend(naming(&project.extras));
        }
        if !selection.groups.is_empty() {
            selection.extras.clear();
        }
        selection
    }
}

impl Package {
    fn is_local(&self) -> bool {
        ["editable", "virtual", "directory"]
            .iter()
            .any(|kind| self.source.contains_key(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 1
[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
[package.dev-dependencies]
lint = [{ name = "ruff" }]
[package.optional-dependencies]
types = [{ name = "mypy" }, { name = "ruff" }]
[[package]]
name = "ruff"
version = "0.17.6"
source = { registry = "https://index.example/simple" }
[[package]]
name = "numpy"
version = "1.0"
source = { registry = "https://index.example/simple" }
[[package]]
name = "numpy"
version = "2.0"
source = { registry = "https://index.example/simple" }
"#;

    #[test]
    fn versions_and_groups() {
        let lock = read(LOCK).unwrap();
        assert_eq!(lock.versions_of("Ruff"), ["0.17.6"]);
        assert!(lock.versions_of("mypy").is_empty());
        assert_eq!(lock.versions_of("numpy"), ["1.0", "2.0"]);
        assert_eq!(lock.len(), 3);
        assert!(lock.declares("ruff") && lock.declares("mypy"));
        assert!(!lock.declares("numpy"));
        assert_eq!(
            lock.selection_for("ruff").groups,
            BTreeSet::from(["lint".into()])
        );
        assert!(lock.selection_for("ruff").extras.is_empty());
        assert_eq!(
            lock.selection_for("mypy").extras,
            BTreeSet::from(["types".into()])
        );
    }

    #[test]
    fn a_broken_lock_says_where() {
        assert!(
            read("[[package]]\nname = 1\n")
                .unwrap_err()
                .contains("line 2")
        );
    }
}
