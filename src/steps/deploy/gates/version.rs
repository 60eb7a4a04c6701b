//! `version`: everything that names a version names the same one.

use std::path::Path;

use toml::de::DeTable;

use crate::deploy::version::{self, Named, Rules};
use crate::steps::deploy::gates::{Looked, Said};

/// What it says, and the version that all agree on.
pub fn ask(looked: &Looked<'_>) -> (Said, Option<String>) {
    let named = named(looked);
    let rules = Rules {
        last: looked.last,
        downgrade: looked.environment.gates.downgrade,
        prereleases: looked.environment.prereleases,
    };
    let judged = version::judge(&named, rules);
    if !looked.environment.gates.version {
        // Whoever is first: the user's own word, then the tag.
        let first = named.first().map(|named| named.version.clone());
        return (Said::Off, judged.ok().flatten().or(first));
    }
    match judged {
        Ok(Some(version)) => {
            let by: Vec<&str> = named.iter().map(|named| named.by.as_str()).collect();
            (
                Said::Yes(format!("{version}: {}", by.join(", "))),
                Some(version),
            )
        }
        Ok(None) => (Said::Yes("nothing names a version".to_owned()), None),
        Err(reasons) => {
            let hint =
                "make them the same, or turn the gate off with `gates = { version = false }`";
            (Said::No(reasons, Some(hint.to_owned())), None)
        }
    }
}

/// Everything that names a version.
fn named(looked: &Looked<'_>) -> Vec<Named> {
    let mut all = Vec::new();
    let mut add = |by: String, version: String| all.push(Named { by, version });
    let project = project(looked.folder);
    if let Some(version) = &looked.arguments.release_version {
        add("`release-version`".to_owned(), version.clone());
    }
    let context = &looked.world.context;
    if context.ref_type == "tag"
        && let Some(version) = version::of_tag(&context.ref_name, project.0.as_deref())
    {
        add(format!("the tag `{}`", context.ref_name), version);
    }
    if let Some(version) = project.1 {
        add("`pyproject.toml`".to_owned(), version);
    }
    for file in &looked.found.release.files {
        if let Some((_, version)) = version::of_file(&file.name) {
            add(format!("`{}`", file.name), version);
        }
    }
    all
}

/// Name and version of the project in a folder, as far as its `pyproject.toml` says them itself.
fn project(folder: &Path) -> (Option<String>, Option<String>) {
    let text = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap_or_default();
    let Ok(document) = DeTable::parse(&text) else {
        return (None, None);
    };
    let project = document.get_ref().get("project");
    let value = |name: &str| {
        let value = project?.get_ref().get(name)?;
        Some(value.get_ref().as_str()?.to_owned())
    };
    (value("name"), value("version"))
}
