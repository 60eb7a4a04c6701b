//! What a project of Poetry asks for.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::Marker;
use crate::lockfiles::requirement::{Constraint, Version};
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::direct::{Direct, listed};
use crate::lockfiles::rules::sync::poetry::content_hash::release;
use crate::model::lockfile::{Lockfile, Name, normalise};

/// All that is declared in the tables that the release which wrote the lock reads; `None` where Poetry 1 wrote it and the
/// project has the tables of Poetry 2.
pub fn direct(project: &Project<'_>, facts: &Facts<'_>) -> Option<Vec<Direct>> {
    let release = release(facts.lock);
    let is_at_least = |version: &str| {
        let version = Version::parse(version);
        release
            .as_ref()
            .is_some_and(|release| version.is_some_and(|version| *release >= version))
    };
    let is_two = is_two(facts.lock);
    let root = project.document.root();
    let mut found = Vec::new();
    let lists = [
        &["project", "dependencies"][..],
        &["project", "optional-dependencies"],
    ];
    let is_standard = lists.iter().any(|keys| root.path(keys).is_some());
    let dependencies = root.path(&["tool", "poetry", "dependencies"]);
    // Poetry 1 does not read `[project]`, and what it has in common with `[tool.poetry]` only completes it.
    if is_standard && !is_two {
        return None;
    }
    if is_standard {
        for keys in lists {
            listed(root.path(keys), project, &mut found);
        }
        completed(dependencies, &mut found);
    } else {
        keyed(dependencies, project, &mut found);
    }
    keyed(
        root.path(&["tool", "poetry", "dev-dependencies"]),
        project,
        &mut found,
    );
    let groups = root.path(&["tool", "poetry", "group"]);
    let groups = groups
        .into_iter()
        .flat_map(Value::entries)
        .map(|group| group.get("dependencies"));
    if let Some(standard) = root.get("dependency-groups") {
        if is_at_least("2.2") {
            let before = found.len();
            listed(Some(standard), project, &mut found);
            for group in groups {
                completed(group, found.get_mut(before..).unwrap_or_default());
            }
        }
    } else {
        for group in groups {
            keyed(group, project, &mut found);
        }
    }
    Some(found)
}

/// Whether Poetry 2 or newer wrote a lock.
pub fn is_two(lock: &Lockfile<'_>) -> bool {
    let two = Version::parse("2");
    match release(lock) {
        Some(release) => two.is_some_and(|two| release >= two),
        // Poetry 1 writes version 2.0 at most.
        None => lock
            .version
            .as_ref()
            .is_some_and(|version| Version::parse(&version.value) >= Version::parse("2.1")),
    }
}

/// What `[tool.poetry]` adds to a requirement of `[project]`: a source, or where it is asked for.
fn completed(table: Option<Value<'_, '_>>, found: &mut [Direct]) {
    for entry in table.into_iter().flat_map(Value::entries) {
        let name = normalise(&entry.key()).into_owned();
        for direct in found
            .iter_mut()
            .filter(|direct| direct.name.normal == *name)
        {
            direct.constraint = None;
            direct.is_elsewhere |= is_elsewhere(entry);
            if marker(entry) != Some(Marker::TRUE) {
                direct.marker = None;
            }
        }
    }
}

/// A table of names, each with a constraint, a table or several of these.
fn keyed(table: Option<Value<'_, '_>>, project: &Project<'_>, found: &mut Vec<Direct>) {
    for entry in table.into_iter().flat_map(Value::entries) {
        let at = project.key_at(entry);
        let name = Name::new(entry.key().into_owned().into(), at);
        if name.normal == "python" {
            continue;
        }
        if entry.kind() == Kind::Array {
            let tables = entry.entries();
            found.extend(tables.map(|table| one(name.clone(), table, project.key_at(table))));
        } else {
            found.push(one(name, entry, at));
        }
    }
}

fn one(name: Name<'static>, entry: Value<'_, '_>, at: crate::model::sources::Location) -> Direct {
    let version = match entry.kind() {
        Kind::String => entry.as_str(),
        _ => entry.get("version").and_then(Value::as_str),
    };
    let extras = entry.get("extras").into_iter().flat_map(Value::entries);
    Direct {
        shown: match &version {
            Some(version) => format!("{} {version}", name.written),
            None => name.written.clone().into_owned(),
        },
        name,
        extras: extras
            .filter_map(Value::as_str)
            .map(std::borrow::Cow::into_owned)
            .collect(),
        constraint: version
            .filter(|_| !is_elsewhere(entry))
            .and_then(|version| Constraint::poetry(&version)),
        marker: marker(entry),
        is_elsewhere: is_elsewhere(entry),
        at,
    }
}

/// Whether an entry, or one of several, names a repository, an address or a path.
fn is_elsewhere(entry: Value<'_, '_>) -> bool {
    let is_named = |entry: Value<'_, '_>| {
        let mut keys = ["git", "url", "path", "file"].iter();
        keys.any(|key| entry.get(key).is_some())
    };
    is_named(entry) || (entry.kind() == Kind::Array && entry.entries().any(is_named))
}

/// Where something is asked for; `None` where that cannot be told.
fn marker(entry: Value<'_, '_>) -> Option<Marker> {
    if entry.kind() == Kind::Array || entry.get("platform").is_some() {
        return None;
    }
    let mut marker = Marker::TRUE;
    if let Some(markers) = entry.get("markers") {
        marker = Marker::parse(&markers.as_str()?)?;
    }
    if let Some(python) = entry.get("python") {
        let pythons = Constraint::poetry(&python.as_str()?)?.pythons()?;
        marker = marker.and(pythons.marker());
    }
    Some(marker)
}
