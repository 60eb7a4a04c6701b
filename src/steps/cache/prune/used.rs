//! Which packages locks need. Pure.

use std::collections::{HashMap, HashSet};

use crate::model::lockfile::normalise;

/// The packages of some locks, by normalised name and version.
#[derive(Clone, Debug, Default)]
pub struct Used {
    packages: HashMap<String, HashSet<String>>,
}

impl Used {
    /// Whether this version of it is needed. A version may be written with other characters in the name of a file:
    /// `1.0+cpu` as `1.0_cpu` (<https://packaging.python.org/specifications/binary-distribution-format/>).
    pub fn has(&self, package: &str, version: &str) -> bool {
        let versions = self.packages.get(&*normalise(package));
        versions.is_some_and(|versions| versions.contains("") || versions.contains(&plain(version)))
    }

    /// Whether any version of it is needed.
    pub fn has_package(&self, package: &str) -> bool {
        self.packages.contains_key(&*normalise(package))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Used {
    /// From names and versions; an empty version is any.
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pinned: I) -> Self {
        let mut used = Self::default();
        for (name, version) in pinned {
            let versions = used
                .packages
                .entry(normalise(name).into_owned())
                .or_default();
            versions.insert(plain(version));
        }
        used
    }
}

fn plain(version: &str) -> String {
    let version = version.to_ascii_lowercase();
    version.replace(['+', '-', '_'], ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_known_in_any_spelling() {
        let pinned = [
            ("zope-interface", "6.0"),
            ("torch", "2.9.0+cpu"),
            ("mine", ""),
        ];
        let used: Used = pinned.into_iter().collect();
        assert!(used.has("zope.interface", "6.0"));
        assert!(used.has("Zope__Interface", "6.0"));
        assert!(used.has("torch", "2.9.0_cpu"));
        assert!(!used.has("torch", "2.9.0"));
        assert!(used.has("mine", "7"));
        assert!(used.has_package("Torch"));
        assert!(!used.has_package("numpy"));
        assert!(!used.has("numpy", ""));
    }
}
