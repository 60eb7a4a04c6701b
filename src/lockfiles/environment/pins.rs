//! The pins of a lock by name: what is looked up again and again without reading the lock again.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::normalise_name;
use crate::model::lockfile::{Format, Lockfile};

/// The pins of a lock.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    versions: BTreeMap<String, Vec<String>>,
    declared: BTreeSet<String>,
    /// Whether any of them has a hash, so that environments can be made.
    pub has_hashes: bool,
    /// How many packages of others there are.
    pub count: usize,
}

impl Pins {
    /// The pinned versions of a package: several where markers choose between them, none where it is not there.
    pub fn versions_of(&self, package: &str) -> Vec<String> {
        let found = self.versions.get(&normalise_name(package));
        found.cloned().unwrap_or_default()
    }

    /// Whether the project itself asks for the package: not only something that it asks for does. Where the lock does
    /// not say who asks for what (`Pipfile.lock`), nothing is.
    pub fn declares(&self, package: &str) -> bool {
        self.declared.contains(&normalise_name(package))
    }
}

/// The pins of a lock.
pub fn pins(lock: &Lockfile<'_>) -> Pins {
    let mut pins = Pins {
        declared: declared(lock),
        ..Pins::default()
    };
    for package in lock.third_party() {
        pins.count += 1;
        let files = package.files.iter().any(|file| !file.hashes.is_empty());
        pins.has_hashes |= files || !package.hashes.is_empty();
        let Some(version) = &package.version else {
            continue;
        };
        let versions = pins
            .versions
            .entry(package.name.normal.to_string())
            .or_default();
        // pdm has an entry of its own for each set of extras.
        if !versions.iter().any(|known| *known == version.value) {
            versions.push(version.value.to_string());
        }
    }
    pins
}

/// The names that the project itself asks for, as far as the lock tells.
fn declared(lock: &Lockfile<'_>) -> BTreeSet<String> {
    let all = || lock.third_party().map(|package| &*package.name.normal);
    let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    match lock.format {
        Format::Uv | Format::UvScript => {
            let mut projects = lock
                .packages
                .iter()
                .filter(|package| package.is_local())
                .peekable();
            let manifest = lock.uv().and_then(|uv| uv.manifest.as_ref());
            if projects.peek().is_none() && manifest.is_none() {
                // Nobody says who asks for what.
                return owned(all().collect());
            }
            let edges = projects.flat_map(|project| &project.dependencies);
            let asked = manifest
                .iter()
                .flat_map(|manifest| &manifest.value.requirements);
            let names = edges.map(|edge| &*edge.name.normal);
            owned(
                names
                    .chain(asked.map(|requirement| &*requirement.name.normal))
                    .collect(),
            )
        }
        Format::Requirements => {
            let names: BTreeSet<&str> = all().collect();
            let via = lock.requirements().map(|requirements| &requirements.via);
            let none = Vec::new();
            let asked = lock
                .packages
                .iter()
                .zip(via.into_iter().flatten().chain(std::iter::repeat(&none)));
            asked
                .filter(|(_, askers)| {
                    let is_pin = |asker: &str| names.contains(&*normalise_name(asker));
                    askers.is_empty() || !askers.iter().all(|asker| is_pin(&asker.value))
                })
                .map(|(package, _)| package.name.normal.to_string())
                .collect()
        }
        // What nothing else in the lock needs, somebody asked for.
        Format::Poetry | Format::Pdm | Format::Pylock => {
            let edges = lock.packages.iter().flat_map(|package| {
                let edges = package.dependencies.iter();
                edges.filter(|edge| edge.name.normal != package.name.normal)
            });
            let needed: BTreeSet<&str> = edges.map(|edge| &*edge.name.normal).collect();
            let knows_edges = !needed.is_empty() || lock.format != Format::Pylock;
            owned(
                all()
                    .filter(|name| knows_edges && !needed.contains(name))
                    .collect(),
            )
        }
        Format::Pipfile => BTreeSet::new(),
    }
}
