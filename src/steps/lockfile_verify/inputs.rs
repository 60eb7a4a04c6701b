//! The files that locks are made from, besides `pyproject.toml`: what requirements include, and the `Pipfile`.

use crate::lockfiles::compiled::recipe;
use crate::lockfiles::{self, Format, declared};
use crate::model::sources::{FileId, Sources};
use crate::steps::read::{add, decode, follow, read};
use crate::system::files::Workspace;

/// Adds the inputs of a lock, as far as they are in the workspace. What leads out of it, and what is not there, is left
/// out; rules tell it.
pub fn gather(
    format: Format,
    lock: FileId,
    workspace: &Workspace,
    sources: &mut Sources,
) -> Vec<FileId> {
    match format {
        Format::Requirements => {
            let mut found = follow(lock, workspace, sources);
            for file in compiled_from(lock, workspace, sources) {
                found.push(file);
                found.extend(follow(file, workspace, sources));
            }
            found
        }
        Format::Pipfile => {
            let path = declared::beside(format, sources.path(lock));
            let pipfile = path.and_then(|path| read_beside(&path, workspace, sources));
            pipfile.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What a compiled file was made from, and the project whose settings count.
fn compiled_from(lock: FileId, workspace: &Workspace, sources: &mut Sources) -> Vec<FileId> {
    let reading = lockfiles::read(Format::Requirements, lock, sources);
    let is_file = |path: &str| {
        let file = workspace.confined(path);
        file.is_some_and(|file| file.is_file())
    };
    let recipe = reading
        .lockfile
        .and_then(|lock| recipe(&lock, sources, is_file));
    let Some(recipe) = recipe else {
        return Vec::new();
    };
    let settings = recipe.settings();
    recipe
        .files()
        .chain([settings.as_str()])
        .filter_map(|path| {
            let file = read_beside(path, workspace, sources);
            file.filter(|file| *file != lock)
        })
        .collect()
}

/// A file that a lock is made from, by its path from the root.
pub fn read_beside(path: &str, workspace: &Workspace, sources: &mut Sources) -> Option<FileId> {
    if path.starts_with("../") || path.starts_with('/') {
        return None;
    }
    sources.find(path).or_else(|| {
        // What leads out of the workspace is somebody else's.
        let file = workspace.confined(path)?;
        let bytes = read(&file).ok()?;
        let is_list = [".in", ".txt"].iter().any(|end| path.ends_with(end));
        add(sources, path, if is_list { decode(bytes) } else { bytes })
    })
}
