//! The members of PDM's workspaces: their `pyproject.toml` are in the hash of the lock.

use std::path::Path;

use crate::lockfiles::Format;
use crate::lockfiles::declared::pdm;
use crate::lockfiles::document::Document;
use crate::lockfiles::fault::Faults;
use crate::model::sources::{FileId, Sources};
use crate::steps::walk::{files, is_foreign};
use crate::system::files::Workspace;

/// Adds the `pyproject.toml` of each member that a project names. What leads out of the workspace is not read.
pub fn add(
    project: FileId,
    root: &Path,
    sources: &mut Sources,
    read: impl Fn(&Path) -> Option<Vec<u8>>,
) {
    let mut faults = Faults::new(Format::Pdm, project);
    let Some(members) = Document::read(sources.bytes(project), &mut faults)
        .and_then(|document| pdm::members(&document))
    else {
        return;
    };
    let path = sources.path(project);
    let folder = path
        .rfind('/')
        .and_then(|slash| path.get(..=slash))
        .unwrap_or("");
    let folder = folder.to_owned();
    let workspace = Workspace::new(root);
    let found: Vec<String> = files(&root.join(&folder), |inside| !is_foreign(inside))
        .filter(|file| {
            file.file_name()
                .is_some_and(|name| name == "pyproject.toml")
        })
        .filter_map(|file| {
            let inside = file.parent()?.strip_prefix(root.join(&folder)).ok()?;
            let inside = inside.to_str()?.replace('\\', "/");
            pdm::is_member(&members, &inside).then(|| format!("{folder}{inside}/pyproject.toml"))
        })
        .collect();
    for path in found {
        if sources.find(&path).is_none()
            && let Some(file) = workspace.confined(&path)
            && let Some(bytes) = read(&file)
        {
            sources.add(path, bytes);
        }
    }
}
