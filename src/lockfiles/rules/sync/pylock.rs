//! Locks of PEP 751, which do not say what they were made from: the project beside one says what it must not contradict.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::wanted::{Scope, Wanted, Wants, sourced};
use crate::model::declared::GroupItem;
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{Requirement, Text};
use crate::model::sources::Located;

/// The lock of a project, in contrast to `pylock.<name>.toml`, which may be for anything.
const NAME: &str = "pylock.toml";

/// What the project asks for, with the extras and groups that the lock knows; `None` where the lock has none of it, so
/// that it is another project's.
pub fn wants<'a>(facts: &Facts<'a>) -> Option<Wants<'a>> {
    let lock = facts.lock.pylock()?;
    let name = facts.sources.path(facts.lock.file).rsplit('/').next();
    let declared = facts.declared.filter(|declared| declared.is_whole)?;
    let project = declared.project.as_ref()?;
    if name != Some(NAME) || project.is_dynamic("dependencies") {
        return None;
    }
    let is_known = |known: &[Located<Text<'_>>], name: &str| {
        let mut known = known.iter();
        known.any(|known| normalise_name(&known.value) == normalise_name(name))
    };
    let extras = project.extras.iter();
    let extras = extras
        .filter(|(extra, _)| is_known(&lock.extras, &extra.value))
        .flat_map(|(_, requirements)| requirements);
    let groups = declared.groups.iter();
    let groups = groups
        .filter(|group| is_known(&lock.dependency_groups, &group.name.value))
        .flat_map(|group| &group.items)
        .filter_map(|item| match item {
            GroupItem::Requirement(requirement) => Some(&**requirement),
            GroupItem::Include(_) => None,
        });
    let is_locked = |one: &&Requirement<'_>| !facts.index.named(&one.name.normal).is_empty();
    if !project.dependencies.iter().any(|one| is_locked(&one)) {
        return None;
    }
    let all = project.dependencies.iter().chain(extras).chain(groups);
    let own = project
        .name
        .as_ref()
        .map(|name| normalise_name(&name.value));
    let mut passed_over: HashSet<String> = own.into_iter().collect();
    if let Some(uv) = &declared.uv {
        let overrides = uv.overrides.iter().map(|one| one.name.normal.to_string());
        let excludes = uv
            .excludes
            .iter()
            .map(|exclude| exclude.normal.clone().into_owned());
        let sources = uv
            .sources
            .iter()
            .map(|(name, _)| normalise_name(&name.value));
        passed_over.extend(overrides.chain(excludes).chain(sources));
    }
    let all = all.map(|requirement| Wanted {
        requirement: requirement.clone(),
        category: None,
        is_constraint: false,
    });
    let pythons = facts.lock.requires_python.as_ref();
    let all: Vec<Wanted<'a>> = all.collect();
    let requirements = all.iter().map(|wanted| &wanted.requirement);
    Some(Wants {
        sourced: sourced(requirements, &facts.lock.packages),
        all,
        scope: Scope::one(pythons.map(|pythons| &*pythons.value)),
        keeps_extras: false,
        passed_over,
        most: Severity::Warning,
    })
}
