//! Which indexes a project declares.

use crate::lockfiles::address::{Address, same};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::public_index::is_public;
use crate::lockfiles::rules::sources::project_indexes;
use crate::model::declared::Declarations;
use crate::model::lockfile::Format;

/// The declarations that a lock was made from, its members' among them; `None` where not all of them are known.
pub fn declarations<'a>(facts: &Facts<'a>) -> Option<Vec<&'a Declarations<'a>>> {
    let uv = facts.lock.uv()?;
    let root = facts.declared?;
    // The lock of a script is made from the script, not from the project beside it.
    let name = facts.sources.path(root.file).rsplit('/').next();
    let is_project = name == Some("pyproject.toml");
    if is_project == (facts.lock.format == Format::UvScript) {
        return None;
    }
    let members = uv
        .manifest
        .as_ref()
        .map_or(0, |manifest| manifest.value.members.len());
    let has_project = usize::from(root.project.is_some());
    if members > facts.members.len() + has_project {
        return None;
    }
    Some(std::iter::once(root).chain(facts.members).collect())
}

/// Whether an index may be used; `None` where that cannot be known.
pub fn is_allowed(index: &str, facts: &Facts<'_>) -> Option<bool> {
    let allowed = &facts.policy.indexes;
    if !allowed.is_empty() {
        return Some(allowed.iter().any(|allowed| same(allowed, index)));
    }
    // Names of indexes, as poetry and pipenv write them, and folders are not judged without being asked.
    Address::parse(index)?;
    if is_public(index) {
        return Some(true);
    }
    if let Some(declared) = project_indexes::indexes(facts) {
        return Some(declared.iter().any(|declared| same(declared, index)));
    }
    let declarations = declarations(facts)?;
    let mut declared = declarations
        .iter()
        .copied()
        .chain(facts.configuration)
        .filter_map(|declarations| declarations.uv.as_ref())
        .flat_map(|uv| &uv.indexes);
    Some(declared.any(|declared| same(&declared.url.value, index)))
}
