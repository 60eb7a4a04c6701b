//! What a project of Poetry or PDM asks for from elsewhere than an index.

use std::collections::BTreeSet;

use crate::lockfiles::document::Value;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::direct::{declared, own_name};
use crate::lockfiles::rules::sync::pdm;
use crate::model::lockfile::Source;

/// The normalised names of what it asks for so itself, of its own packages, and of what these need in their turn; `None`
/// where that cannot be known.
pub fn names(facts: &Facts<'_>) -> Option<BTreeSet<String>> {
    let project = Project::of(facts)?;
    let asked = declared(&project, facts)?;
    let members = pdm::members(&project, facts);
    let own = members.iter().chain(std::iter::once(&project));
    let mut names: BTreeSet<String> = own.filter_map(own_name).collect();
    names.extend(
        asked
            .into_iter()
            .filter(|direct| direct.is_elsewhere)
            .map(|direct| direct.name.normal.into_owned()),
    );
    let mut open: Vec<String> = names.iter().cloned().collect();
    while let Some(name) = open.pop() {
        let packages = facts.index.named(&name).iter().filter(|package| {
            !matches!(package.source.value, Source::Unstated | Source::Registry(_))
        });
        for edge in packages.flat_map(|package| &package.dependencies) {
            let needed = &*edge.name.normal;
            if !names.contains(needed) {
                names.insert(needed.to_owned());
                open.push(needed.to_owned());
            }
        }
    }
    Some(names)
}

/// The indexes that a project of Poetry names, by their URLs; `None` where that cannot be known.
pub fn indexes(facts: &Facts<'_>) -> Option<Vec<String>> {
    let project = Project::of(facts).filter(|_| facts.lock.poetry().is_some())?;
    let sources = project.document.root().path(&["tool", "poetry", "source"]);
    let urls = sources.into_iter().flat_map(Value::entries);
    let urls = urls.filter_map(|source| Some(source.get("url")?.as_str()?.into_owned()));
    Some(urls.collect())
}
