//! From where a lock's graph is walked: the packages of the project itself.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::model::lockfile::{Manifest, Package, Requirement, Source};
use crate::model::sources::Location;

/// Whether the format names of each dependency exactly which entry it means.
pub fn is_exact(facts: &Facts<'_>) -> bool {
    facts.lock.uv().is_some()
}

/// What a lock of uv records besides its packages, where it records it.
pub fn manifest<'f>(facts: &'f Facts<'_>) -> Option<&'f Manifest<'f>> {
    let manifest = facts.lock.uv()?.manifest.as_ref();
    manifest.map(|manifest| &manifest.value)
}

/// The requirements that stand in the lock without a package that has them: of a script, or a workspace whose root is
/// no project.
pub fn requirements<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = &'f Requirement<'f>> {
    manifest(facts).into_iter().flat_map(|manifest| {
        let groups = manifest.dependency_groups.iter();
        let of_groups = groups.flat_map(|(_, requirements)| requirements);
        manifest.requirements.iter().chain(of_groups)
    })
}

/// The project's own packages: those of its workspace, or the one beside the lock.
#[derive(Debug)]
pub struct Members<'f> {
    named: HashSet<&'f str>,
}

impl<'f> Members<'f> {
    /// Those of a lock.
    pub fn new(facts: &'f Facts<'_>) -> Self {
        let members = manifest(facts)
            .into_iter()
            .flat_map(|manifest| &manifest.members);
        Self {
            named: members.map(|member| &*member.normal).collect(),
        }
    }

    /// Whether a package is one of them.
    pub fn have(&self, package: &Package<'_>) -> bool {
        if !self.named.is_empty() {
            return package.is_local() && self.named.contains(&*package.name.normal);
        }
        match &package.source.value {
            Source::Directory(path) | Source::Editable(path) | Source::Virtual(path) => path == ".",
            _ => false,
        }
    }
}

/// The places of the packages that are reached from the project's own, whatever markers and extras say. `None` where
/// the lock has nothing of the project's.
pub fn reached(facts: &Facts<'_>) -> Option<HashSet<Location>> {
    walked(facts, false)
}

/// The places of the packages that are reached from the project's own on every platform and Python, whatever extras
/// say. `None` where the lock has nothing of the project's.
pub fn reached_everywhere(facts: &Facts<'_>) -> Option<HashSet<Location>> {
    walked(facts, true)
}

fn walked(facts: &Facts<'_>, is_everywhere: bool) -> Option<HashSet<Location>> {
    let is_followed = |marker: Option<&_>| !is_everywhere || marker.is_none();
    let is_kept = |package: &Package<'_>| !is_everywhere || package.resolution_markers.is_empty();
    let members = Members::new(facts);
    let mut todo: Vec<&Package<'_>> = facts
        .lock
        .packages
        .iter()
        .filter(|package| members.have(package))
        .collect();
    for requirement in requirements(facts).filter(|one| is_followed(one.marker.as_ref())) {
        todo.extend(facts.index.named(&requirement.name.normal));
    }
    let mut reached: HashSet<Location> = HashSet::with_capacity(facts.lock.packages.len());
    todo.retain(|package| is_kept(package) && reached.insert(package.at));
    if todo.is_empty() {
        return None;
    }
    while let Some(package) = todo.pop() {
        let edges = package.dependencies.iter();
        for edge in edges.filter(|edge| is_followed(edge.marker.as_ref())) {
            let targets = facts.index.targets(edge);
            todo.extend(targets.filter(|target| is_kept(target) && reached.insert(target.at)));
        }
    }
    Some(reached)
}
