//! Which indexes a project of Poetry names, and any project whose lock of PEP 751 does not say what made it.

use crate::lockfiles::document::Value;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::pylock;

/// Where Poetry and PDM name them.
const SOURCES: [[&str; 3]; 2] = [["tool", "poetry", "source"], ["tool", "pdm", "source"]];

/// The indexes that a project names, by their URLs; `None` where that cannot be known, and for locks of uv.
pub fn indexes(facts: &Facts<'_>) -> Option<Vec<String>> {
    let is_pylock = pylock::wants(facts).is_some();
    let project = Project::of(facts).filter(|_| is_pylock || facts.lock.poetry().is_some())?;
    let tables = SOURCES.iter().take(if is_pylock { 2 } else { 1 });
    let sources = tables.filter_map(|keys| project.document.root().path(keys));
    let urls = sources.flat_map(Value::entries);
    let urls = urls.filter_map(|source| Some(source.get("url")?.as_str()?.into_owned()));
    let of_uv = facts.declared.into_iter().chain(facts.configuration);
    let of_uv = of_uv.filter(|_| is_pylock);
    let of_uv = of_uv.filter_map(|declared| declared.uv.as_ref());
    let of_uv = of_uv.flat_map(|uv| &uv.indexes);
    Some(
        urls.chain(of_uv.map(|index| index.url.value.to_string()))
            .collect(),
    )
}
