//! Which kinds of files a package has.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::model::lockfile::{FileKind, Package};

/// The packages of which every file is of one kind, each version once. Where a lock does not name its files, nothing is
/// known of them.
pub fn only<'a>(facts: &Facts<'a>, kind: FileKind) -> Vec<&'a Package<'a>> {
    let mut seen: HashSet<(&str, Option<&str>)> = HashSet::new();
    facts
        .lock
        .packages
        .iter()
        .filter(|package| {
            !package.files.is_empty() && package.files.iter().all(|file| file.kind == kind)
        })
        // An entry for an extra repeats its package.
        .filter(|package| {
            let version = package.version.as_ref().map(|version| &*version.value);
            seen.insert((&package.name.normal, version))
        })
        .collect()
}
