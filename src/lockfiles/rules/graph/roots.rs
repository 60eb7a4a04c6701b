//! From where a lock's graph is walked: the packages of the project itself.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::model::lockfile::{Manifest, Package, Requirement, Source, Text};
use crate::model::sources::{Located, Location};

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
    walked(facts, |_| true)
}

/// The same without what is asked for under a marker that no platform satisfies, by which people take a package out:
/// `torch ; sys_platform == 'never'`.
pub fn reached_somewhere(facts: &Facts<'_>) -> Option<HashSet<Location>> {
    walked(facts, |marker| !is_nowhere(marker))
}

/// Beginnings of what `sys.platform` is (<https://docs.python.org/3/library/sys.html#sys.platform>), and of what else
/// Python has been built for.
const PLATFORMS: [&str; 16] = [
    "aix",
    "android",
    "atheos",
    "cygwin",
    "darwin",
    "dragonfly",
    "emscripten",
    "freebsd",
    "ios",
    "java",
    "linux",
    "netbsd",
    "openbsd",
    "sunos",
    "wasi",
    "win32",
];

/// Whether a part of the marker that must hold names a platform that there is none of.
fn is_nowhere(marker: &str) -> bool {
    let names_none = |clause: &str| {
        let name = clause.trim().strip_prefix("sys_platform == ");
        name.is_some_and(|name| {
            let name = name.trim_matches(['\'', '"']);
            !PLATFORMS.iter().any(|platform| name.starts_with(platform))
        })
    };
    !marker.contains(" or ") && marker.split(" and ").any(names_none)
}

fn walked(facts: &Facts<'_>, is_followed: impl Fn(&str) -> bool) -> Option<HashSet<Location>> {
    let is_followed =
        |marker: Option<&Located<Text<'_>>>| marker.is_none_or(|marker| is_followed(&marker.value));
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
    todo.retain(|package| reached.insert(package.at));
    if todo.is_empty() {
        return None;
    }
    while let Some(package) = todo.pop() {
        let edges = package.dependencies.iter();
        for edge in edges.filter(|edge| is_followed(edge.marker.as_ref())) {
            let targets = facts.index.targets(edge);
            todo.extend(targets.filter(|target| reached.insert(target.at)));
        }
    }
    Some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_of_no_platform_is_told_from_one_of_some() {
        for marker in [
            "sys_platform == 'never'",
            "python_full_version < '3.12' and sys_platform == \"none\"",
        ] {
            assert!(is_nowhere(marker), "{marker}");
        }
        for marker in [
            "sys_platform == 'win32'",
            "sys_platform == 'freebsd14'",
            "sys_platform != 'never'",
            "sys_platform == 'never' or python_full_version < '3.12'",
            "(sys_platform == 'never' and extra == 'a') or extra == 'b'",
            "platform_machine == 'never'",
        ] {
            assert!(!is_nowhere(marker), "{marker}");
        }
    }
}
