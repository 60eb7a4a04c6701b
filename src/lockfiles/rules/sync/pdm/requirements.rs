//! The requirements whose packages PDM always locks.

use crate::lockfiles::document::Value;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::direct::{Direct, listed};
use crate::model::lockfile::normalise;

/// The group of what is always installed.
const DEFAULT: &str = "default";

/// All that are declared without a condition, of the groups that the lock is for.
pub fn direct<'d>(project: &'d Project<'_>, facts: &Facts<'_>) -> Vec<Direct<'d>> {
    let mut found = Vec::new();
    let Some(pdm) = facts.lock.pdm() else {
        return found;
    };
    let is_locked = |group: &str| {
        let group = normalise(group);
        pdm.groups.iter().any(|own| normalise(&own.value) == group)
    };
    let root = project.document.root();
    // What is excluded is locked nowhere.
    if root
        .path(&["tool", "pdm", "resolution", "excludes"])
        .is_some()
    {
        return found;
    }
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
    found
}
