//! What a stage depends on, gathered: the files that it reads, its programs, what it needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::digest::Sha;
use crate::model::pipeline::Stage;
use crate::model::pipeline::manifest::Entry;
use crate::steps::artifacts::Known;
use crate::system::files::Workspace;
use crate::system::hash_files;

/// Where a stage reads files, absolute.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Where it runs.
    pub own: PathBuf,
    /// The folders of the members of the workspace that its own depends on.
    pub others: Vec<PathBuf>,
}

/// The files that a stage reads, with their digests, by path. Fails where a pattern matches nothing: it is misspelt, or
/// the stage that makes the file is not needed.
pub fn inputs(
    stage: &Stage,
    folders: &Folders,
    workspace: &Workspace,
    known: &Known,
) -> Result<Vec<Entry>> {
    let Some(first) = stage.inputs.first() else {
        return Ok(Vec::new());
    };
    let lines: Vec<&str> = stage.inputs.iter().map(|input| &*input.value).collect();
    let find = |folder: &Path| {
        let patterns = hash_files::read_patterns("inputs", &lines.join("\n"), folder, None)
            .map_err(|error| error.at(first.place.clone()))?;
        hash_files::find(&patterns, workspace.root(), false)
    };
    let mut found = find(&folders.own)?;
    if let Some(pattern) = found.unmatched.first() {
        let place = stage.inputs.iter().find(|input| input.value == *pattern);
        return Err(Error::refused(format!(
            "input `{pattern}` of `{}` matches no file",
            stage.name
        ))
        .at(place.unwrap_or(first).place.clone())
        .hint("mend the pattern, or let the stage need the one that makes the file"));
    }
    for folder in &folders.others {
        found.files.extend(find(folder)?.files);
    }
    let mut entries = found
        .files
        .iter()
        .map(|path| {
            let unreadable = |error| {
                Error::no_verdict(format!("the input `{}` cannot be read", path.display()))
                    .cause(error)
            };
            // A link counts by what it leads to.
            let content = known
                .file(&path.canonicalize().map_err(unreadable)?)
                .map_err(unreadable)?;
            let shown = path.strip_prefix(workspace.root()).unwrap_or(path);
            Ok(Entry {
                path: shown.to_string_lossy().into_owned(),
                content,
            })
        })
        .collect::<Result<Vec<Entry>>>()?;
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    entries.dedup();
    Ok(entries)
}

/// The folders of a search path that are absolute.
pub fn folders(path: Option<&std::ffi::OsStr>) -> Vec<PathBuf> {
    std::env::split_paths(path.unwrap_or_default())
        .filter(|folder| folder.is_absolute())
        .collect()
}

/// What a stage needs, as its key knows it: the digest of each output of a needed stage; of one that promises none, its
/// own key, for nobody knows what it does to what. One that has no key either is a gate, which runs each time.
pub fn needs<'s>(
    needed: impl Iterator<Item = (&'s Stage, Option<Sha>, Vec<(String, Sha)>)>,
) -> BTreeMap<String, Sha> {
    let mut needs = BTreeMap::new();
    for (stage, key, outputs) in needed {
        if stage.outputs.is_empty() {
            needs.extend(key.map(|key| (stage.name.clone(), key)));
        }
        let outputs = outputs.into_iter();
        needs.extend(outputs.map(|(output, digest)| (format!("{}.{output}", stage.name), digest)));
    }
    needs
}
