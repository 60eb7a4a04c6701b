//! What a project of PDM asks for.

use crate::lockfiles::document::Value;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::Pythons;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::direct::{Direct, listed};
use crate::lockfiles::rules::sync::pdm::members;
use crate::model::lockfile::{Pdm, normalise};

/// The group of what is always installed.
const DEFAULT: &str = "default";

/// All that is declared, of the groups that the lock is for; with what the members of a workspace need.
pub fn direct(project: &Project<'_>, facts: &Facts<'_>) -> Vec<Direct> {
    let mut found = Vec::new();
    let Some(pdm) = facts.lock.pdm() else {
        return found;
    };
    let is_locked = |group: &str| {
        let group = normalise(group);
        pdm.groups.iter().any(|own| normalise(&own.value) == group)
    };
    let root = project.document.root();
    let resolution = root.path(&["tool", "pdm", "resolution"]);
    if is_locked(DEFAULT) {
        listed(root.path(&["project", "dependencies"]), project, &mut found);
    }
    for keys in [
        &["project", "optional-dependencies"][..],
        &["dependency-groups"],
        &["tool", "pdm", "dev-dependencies"],
    ] {
        for group in root.path(keys).into_iter().flat_map(Value::entries) {
            if is_locked(&group.key()) {
                listed(Some(group), project, &mut found);
            }
        }
    }
    for member in members(project, facts) {
        let declared = member.document.root().path(&["project", "dependencies"]);
        listed(declared, &member, &mut found);
    }
    let list = |key| {
        let list = resolution.and_then(|resolution| resolution.get(key));
        list.into_iter().flat_map(Value::entries)
    };
    // What is excluded is locked nowhere.
    let excludes =
        list("excludes").filter_map(|name| Some(normalise(&name.as_str()?).into_owned()));
    let excludes: Vec<String> = excludes.collect();
    found.retain(|direct| !excludes.iter().any(|name| *name == direct.name.normal));
    // An override counts in place of what is asked for, and may name another place.
    for other in list("overrides") {
        let name = normalise(&other.key()).into_owned();
        for direct in found
            .iter_mut()
            .filter(|direct| direct.name.normal == *name)
        {
            direct.constraint = None;
            direct.is_elsewhere = true;
        }
    }
    found
}

/// The Pythons that a lock is for; `None` where it is for some platforms only, or does not say.
pub fn pythons(pdm: &Pdm<'_>) -> Option<Pythons> {
    let mut targets = pdm.targets.iter().map(|target| {
        let requires = target.requires_python.as_ref()?;
        Pythons::parse(&requires.value).filter(|_| !target.is_narrow)
    });
    let first = targets.next()??;
    targets.try_fold(first, |all, one| all.or(&one?))
}
