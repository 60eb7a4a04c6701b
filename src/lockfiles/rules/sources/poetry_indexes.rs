//! What a project of Poetry asks for from which index.

use crate::lockfiles::document::Value;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sync::beside::Project;

/// The indexes that a project of Poetry names, by their URLs; `None` where that cannot be known.
pub fn indexes(facts: &Facts<'_>) -> Option<Vec<String>> {
    let project = Project::of(facts).filter(|_| facts.lock.poetry().is_some())?;
    let sources = project.document.root().path(&["tool", "poetry", "source"]);
    let urls = sources.into_iter().flat_map(Value::entries);
    let urls = urls.filter_map(|source| Some(source.get("url")?.as_str()?.into_owned()));
    Some(urls.collect())
}
