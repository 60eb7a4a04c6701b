//! The requirements whose packages Poetry always locks.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::requirement::Version;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::direct::{Direct, listed};
use crate::lockfiles::rules::sync::poetry::content_hash::release;
use crate::model::lockfile::Name;

/// All that are declared without a condition, of the tables that the release which wrote the lock reads.
pub fn direct<'d>(project: &'d Project<'_>, facts: &Facts<'_>) -> Vec<Direct<'d>> {
    let release = release(facts.lock);
    let is_at_least = |version: &str| {
        let version = Version::parse(version);
        release
            .as_ref()
            .is_some_and(|release| version.is_some_and(|version| *release >= version))
    };
    // Poetry 1 writes 2.0 at most.
    let is_two = is_at_least("2")
        || release.is_none()
            && facts
                .lock
                .version
                .as_ref()
                .is_some_and(|version| Version::parse(&version.value) >= Version::parse("2.1"));
    let root = project.document.root();
    let mut found = Vec::new();
    let lists = [
        &["project", "dependencies"][..],
        &["project", "optional-dependencies"],
    ];
    let is_standard = lists.iter().any(|keys| root.path(keys).is_some());
    // Poetry 1 does not read `[project]`, and what it has in common with `[tool.poetry]` only completes it.
    if is_standard && is_two {
        for keys in lists {
            listed(root.path(keys), project, &mut found);
        }
    }
    if !is_standard {
        keyed(
            root.path(&["tool", "poetry", "dependencies"]),
            project,
            &mut found,
        );
    }
    keyed(
        root.path(&["tool", "poetry", "dev-dependencies"]),
        project,
        &mut found,
    );
    if let Some(groups) = root.get("dependency-groups") {
        if is_at_least("2.2") {
            listed(Some(groups), project, &mut found);
        }
    } else {
        let groups = root.path(&["tool", "poetry", "group"]);
        for group in groups.into_iter().flat_map(Value::entries) {
            keyed(group.get("dependencies"), project, &mut found);
        }
    }
    found
}

/// A table of names: texts, and tables that name no condition.
fn keyed<'d>(table: Option<Value<'d, '_>>, project: &'d Project<'_>, found: &mut Vec<Direct<'d>>) {
    for entry in table.into_iter().flat_map(Value::entries) {
        let is_plain = match entry.kind() {
            Kind::String => true,
            Kind::Table => ["markers", "python", "platform"]
                .iter()
                .all(|key| entry.get(key).is_none()),
            _ => false,
        };
        let at = project.key_at(entry);
        let name = Name::new(entry.key().into_owned().into(), at);
        if is_plain && name.normal != "python" {
            found.push(Direct { name, at });
        }
    }
}
