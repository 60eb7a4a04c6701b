//! What a project declares: reads `pyproject.toml`.

pub mod configuration;
pub mod pdm;
pub mod pipfile;
pub mod places;
pub mod poetry;
pub mod script;
mod uv;
pub mod workspace;

use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::fault::{Fault, FaultKind, Faults};
use crate::lockfiles::uv_lock::inputs;
use crate::lockfiles::{Format, normal, requirement, values};
use crate::model::declared::{Declarations, Group, GroupItem, Project};
use crate::model::lockfile::{Requirement, Text};
use crate::model::sources::{FileId, Located, Sources};

/// What reading gave: the declarations as far as they can be read, and what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Reading<'a> {
    /// The declarations; `None` where the file cannot be read at all.
    pub declarations: Option<Declarations<'a>>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// The file that a lock is made from, by the lock's own path; `None` where any file may be.
pub fn beside(format: Format, lock: &str) -> Option<String> {
    let folder = lock.rsplit_once('/').map_or("", |(folder, _)| folder);
    match format {
        Format::Uv | Format::Poetry | Format::Pdm => Some(normal::join(folder, "pyproject.toml")),
        Format::Pipfile => Some(normal::join(folder, "Pipfile")),
        Format::UvScript => lock.strip_suffix(".lock").map(str::to_owned),
        Format::Pylock | Format::Requirements => None,
    }
}

/// Reads a `pyproject.toml`.
pub fn read(file: FileId, sources: &Sources) -> Reading<'_> {
    let mut faults = Faults::new(Format::Uv, file);
    let declarations = Document::read(sources.bytes(file), &mut faults)
        .map(|document| declarations(document.root(), file, &mut faults));
    finish(declarations, faults)
}

/// Reads the metadata of a script, as [`script::block`] cuts it out: its keys are those of a project without a name.
pub fn read_script(file: FileId, sources: &Sources) -> Reading<'_> {
    let mut faults = Faults::new(Format::UvScript, file);
    let found = Document::read(sources.bytes(file), &mut faults).map(|document| {
        let root = document.root();
        let mut found = declarations(root, file, &mut faults);
        let mut script = project(root, &mut faults);
        (script.name, script.version) = (None, None);
        found.project = Some(script);
        found
    });
    finish(found, faults)
}

fn finish(declarations: Option<Declarations<'_>>, faults: Faults) -> Reading<'_> {
    let is_whole = faults.is_empty();
    Reading {
        declarations: declarations.map(|found| Declarations { is_whole, ..found }),
        faults: faults.finish(),
    }
}

fn declarations<'a>(root: Value<'_, 'a>, file: FileId, faults: &mut Faults) -> Declarations<'a> {
    let mut found = Declarations {
        file,
        is_whole: true,
        project: None,
        groups: Vec::new(),
        build_requires: None,
        uv: None,
        poetry: root
            .path(&["tool", "poetry"])
            .map(|poetry| values::at(poetry, faults)),
        pdm: root
            .path(&["tool", "pdm"])
            .map(|pdm| values::at(pdm, faults)),
    };
    for entry in root.entries() {
        match &*entry.key() {
            "project" => found.project = Some(project(entry, faults)),
            "dependency-groups" => {
                found.groups = values::entries(entry, faults)
                    .map(|entry| group(entry, faults))
                    .collect();
            }
            "build-system" => {
                if let Some(requires) = entry.get("requires") {
                    let at = values::at(requires, faults);
                    found.build_requires = Some(Located::new(requirements(requires, faults), at));
                }
            }
            _ => {}
        }
    }
    if let Some(settings) = root.path(&["tool", "uv"]) {
        found.uv = Some(Box::new(uv::settings(settings, faults)));
    }
    found
}

fn project<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Project<'a> {
    let mut project = Project {
        name: None,
        version: None,
        dynamic: Vec::new(),
        requires_python: None,
        dependencies: Vec::new(),
        extras: Vec::new(),
        at: values::at(value, faults),
    };
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "name" => project.name = values::text(entry, faults),
            "version" => project.version = values::text(entry, faults),
            "dynamic" => project.dynamic = values::texts(entry, faults),
            "requires-python" => project.requires_python = values::text(entry, faults),
            "dependencies" => project.dependencies = requirements(entry, faults),
            "optional-dependencies" => project.extras = by_key(entry, faults),
            _ => {}
        }
    }
    project
}

fn group<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Group<'a> {
    let name = Located::new(value.key(), values::key_at(value, faults));
    let mut items = Vec::new();
    for item in values::items(value, faults) {
        if item.kind() == Kind::Table {
            let included = item.get("include-group");
            items.extend(
                included
                    .and_then(|name| values::text(name, faults))
                    .map(GroupItem::Include),
            );
        } else {
            items.extend(
                one_requirement(item, faults)
                    .map(|requirement| GroupItem::Requirement(Box::new(requirement))),
            );
        }
    }
    Group { name, items }
}

/// Lists of requirements by a key each.
fn by_key<'a>(
    value: Value<'_, 'a>,
    faults: &mut Faults,
) -> Vec<(Located<Text<'a>>, Vec<Requirement<'a>>)> {
    values::entries(value, faults)
        .map(|entry| {
            let name = Located::new(entry.key(), values::key_at(entry, faults));
            (name, requirements(entry, faults))
        })
        .collect()
}

/// A list of requirements.
fn requirements<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<Requirement<'a>> {
    values::items(value, faults)
        .filter(|item| !inputs::is_scoped(*item))
        .filter_map(|item| one_requirement(item, faults))
        .collect()
}

fn one_requirement<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Requirement<'a>> {
    let text = values::text(value, faults)?;
    let read = requirement::requirement(&text.value, text.at, |part| {
        values::part_at(value, &text.value, part, faults)
    });
    match read {
        Ok(requirement) => Some(requirement),
        Err(wrong) => {
            let end = text.value.len().max(wrong.at);
            let at = values::part_at(value, &text.value, wrong.at..end, faults);
            faults.add_with_help(
                FaultKind::Syntax,
                at,
                format!("`{}` is no requirement: {}", text.value, wrong.message),
                "write it as PEP 508 says: `name[extra]>=1.0; marker`",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests;
