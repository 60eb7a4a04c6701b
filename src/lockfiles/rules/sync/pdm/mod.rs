//! Locks of PDM.

pub mod content_hash;
mod lock_inputs;
pub mod requirements;
mod workspace;

use crate::lockfiles::declared::pdm::{self, is_member};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sync::beside::{Project, read};

/// The members of a project's workspace that were read, each with its folder from that of the project.
pub fn members<'a>(project: &Project<'_>, facts: &Facts<'a>) -> Vec<Project<'a>> {
    let Some(named) = pdm::members(&project.document) else {
        return Vec::new();
    };
    let members = facts.sources.iter().filter_map(|(file, source)| {
        let folder = source
            .path
            .strip_prefix(project.folder)?
            .strip_suffix("/pyproject.toml")?;
        let document = is_member(&named, folder).then(|| read(file, facts))??;
        Some(Project {
            file,
            folder,
            document,
        })
    });
    members.collect()
}
