//! Whether an artifact is still what it was.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use crate::error::{Error, Result};
use crate::model::pipeline::manifest::{Artifact, Content, Kind};
use crate::steps::artifacts::collect::leaves;
use crate::steps::artifacts::known::Known;
use crate::system::files::Workspace;

/// Fails where a file of the artifact is missing or has other bytes, or where its folder holds more than it did.
pub fn verify(artifact: &Artifact, workspace: &Workspace, known: &Known) -> Result<()> {
    let changed = |message: String| {
        Error::refused(format!(
            "output `{}` of `{}` is no longer what it was: {message}",
            artifact.output, artifact.stage
        ))
        .hint("let only the stage that promises a file write it")
    };
    for entry in &artifact.entries {
        let path = workspace.root().join(&entry.path);
        let now = match &entry.content {
            Content::File { .. } => known.file(&path),
            Content::Link { .. } => std::fs::read_link(&path).map(|target| Content::Link {
                target: target.to_string_lossy().into_owned(),
            }),
        };
        match now {
            Ok(now) if now == entry.content => {}
            Ok(_) => return Err(changed(format!("`{}` has changed", entry.path))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(changed(format!("`{}` is gone", entry.path)));
            }
            Err(error) => {
                return Err(
                    changed(format!("`{}` cannot be read as it was", entry.path)).cause(error),
                );
            }
        }
    }
    if let Kind::Folder(folder) = &artifact.kind {
        let now = leaves(workspace.root(), folder, usize::MAX).map_err(|error| {
            changed(format!("the folder `{folder}` cannot be read")).cause(error)
        })?;
        let then: BTreeSet<&str> = artifact.entries.iter().map(|entry| &*entry.path).collect();
        if let Some(more) = now.iter().find(|path| !then.contains(path.as_str())) {
            return Err(changed(format!("`{more}` is new")));
        }
    }
    Ok(())
}
