//! A `pyproject.toml` as an input of a compiled file.

use crate::lockfiles::declared;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::absent::whole;
use crate::lockfiles::rules::sync::beside::read;
use crate::lockfiles::rules::sync::compiled::{Asked, View};
use crate::model::declared::{Declarations, GroupItem, Project};
use crate::model::lockfile::Requirement;
use crate::model::sources::FileId;

/// Groups include each other no deeper.
const DEPTH: usize = 32;

impl<'a> View<'a> {
    /// What a project asks for, with the extras that the command names.
    pub(super) fn project(&mut self, file: FileId, facts: &Facts<'a>) {
        let path = facts.sources.path(file).to_owned();
        let declared = declared::read(file, facts.sources).declarations;
        let Some(declared) = declared.filter(|declared| declared.is_whole) else {
            let why = "this cannot be read, so that the lock cannot be compared with it";
            self.unknown.push((whole(file), why.to_owned()));
            return;
        };
        let Some(project) = declared.project else {
            let why = "the lock cannot be compared with this: it declares no `[project]`";
            self.unknown.push((whole(file), why.to_owned()));
            return;
        };
        if let Some(dynamic) = project.dynamic.iter().find(|key| is_asked(&key.value)) {
            let why = format!(
                "the lock cannot be compared with this: a build backend computes `{}`",
                dynamic.value
            );
            self.unknown.push((dynamic.at, why));
            return;
        }
        let command = self.recipe.command.as_ref();
        let has_build = command.is_some_and(|command| command.has_build_requirements);
        if has_build {
            let why = "the lock cannot be compared with this: it has what the build needs";
            self.unknown.push((whole(file), why.to_owned()));
            return;
        }
        let has_settings = self.has_settings(facts);
        let is_chosen = |extra: &str| {
            command.is_some_and(|command| {
                command.has_all_extras
                    || command
                        .extras
                        .iter()
                        .any(|own| normalise_name(own) == extra)
            })
        };
        let mut chosen: Vec<String> = project
            .extras
            .iter()
            .map(|(name, _)| normalise_name(&name.value))
            .filter(|extra| is_chosen(extra))
            .collect();
        include_own(&project, &mut chosen);
        self.whole.push(path.clone());
        let mut add = |requirements: &[Requirement<'a>], is_certain, is_of_extra| {
            let requirements = requirements.iter().filter(|one| !is_own(&project, one));
            self.asked.extend(requirements.map(|requirement| Asked {
                requirement: requirement.clone(),
                path: path.clone(),
                is_constraint: false,
                group: None,
                is_certain,
                is_of_extra,
            }));
        };
        add(&project.dependencies, true, false);
        for (name, requirements) in &project.extras {
            let is_certain = chosen.contains(&normalise_name(&name.value));
            // What a setting may choose is neither surely asked for nor surely not.
            if is_certain || has_settings || command.is_none() {
                add(requirements, is_certain, true);
            }
        }
    }

    /// Whether settings of the project choose what the command does not show.
    fn has_settings(&self, facts: &Facts<'a>) -> bool {
        let file = facts.sources.find(&self.recipe.settings());
        let document = file.and_then(|file| read(file, facts));
        document.is_some_and(|document| {
            let root = document.root();
            root.path(&["tool", "uv", "pip"]).is_some()
        })
    }

    /// What the groups ask for that the command names.
    pub(super) fn groups(&mut self, facts: &Facts<'a>) {
        for (path, group) in self.recipe.groups.clone() {
            let file = facts.sources.find(&path);
            let declared = file.and_then(|file| declared::read(file, facts.sources).declarations);
            let Some(declared) = declared else {
                continue;
            };
            let mut found = Vec::new();
            collect(&declared, &group, DEPTH, &mut found);
            self.asked
                .extend(found.into_iter().map(|requirement| Asked {
                    requirement,
                    path: path.clone(),
                    is_constraint: false,
                    group: Some(group.clone()),
                    is_certain: true,
                    is_of_extra: false,
                }));
            if !self.whole.contains(&path) && declared.is_whole {
                self.whole.push(path);
            }
        }
    }
}

fn is_asked(key: &str) -> bool {
    matches!(key, "dependencies" | "optional-dependencies")
}

/// Whether a project asks for itself, with extras of its own.
fn is_own(project: &Project<'_>, requirement: &Requirement<'_>) -> bool {
    let name = project
        .name
        .as_ref()
        .map(|name| normalise_name(&name.value));
    name.is_some_and(|name| name == requirement.name.normal)
}

/// Adds the extras that chosen ones include by the project's own name.
fn include_own(project: &Project<'_>, chosen: &mut Vec<String>) {
    let mut next = 0;
    let mut open: Vec<&Requirement<'_>> = project.dependencies.iter().collect();
    loop {
        for requirement in open.drain(..).filter(|one| is_own(project, one)) {
            for extra in &requirement.extras {
                let extra = normalise_name(&extra.value);
                if !chosen.contains(&extra) {
                    chosen.push(extra);
                }
            }
        }
        let Some(extra) = chosen.get(next) else {
            return;
        };
        next += 1;
        let mut extras = project.extras.iter();
        let found = extras.find(|(name, _)| normalise_name(&name.value) == *extra);
        open.extend(found.into_iter().flat_map(|(_, requirements)| requirements));
    }
}

/// The requirements of a group, and of those that it includes.
fn collect<'a>(
    declared: &Declarations<'a>,
    name: &str,
    depth: usize,
    found: &mut Vec<Requirement<'a>>,
) {
    let mut groups = declared.groups.iter();
    let group = groups.find(|group| normalise_name(&group.name.value) == name);
    let Some((group, depth)) = group.zip(depth.checked_sub(1)) else {
        return;
    };
    for item in &group.items {
        match item {
            GroupItem::Requirement(requirement) => found.push((**requirement).clone()),
            GroupItem::Include(other) => {
                collect(declared, &normalise_name(&other.value), depth, found);
            }
        }
    }
}
