//! Finds what a stage promised.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::{Error, Place, Result};
use crate::model::pipeline::manifest::{Artifact, Content, Entry, Kind, Source};
use crate::steps::artifacts::known::Known;
use crate::system::files::Workspace;
use crate::system::hash_files;

/// The letters that make a pattern of a path.
const WILD: &[char] = &['*', '?', '['];

/// How many files one output may hold; who has more packs them.
const MOST: usize = 100_000;

/// One output that a stage promised.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'p> {
    /// The stage.
    pub stage: &'p str,
    /// The name of the output.
    pub output: &'p str,
    /// A path or a pattern.
    pub pattern: &'p str,
    /// Where it was promised.
    pub place: &'p Place,
    /// What the pattern is relative to, absolute.
    pub directory: &'p Path,
}

impl Promise<'_> {
    fn broken(&self, message: impl std::fmt::Display) -> Error {
        Error::refused(format!(
            "output `{}` of `{}`: {message}",
            self.output, self.stage
        ))
        .at(self.place.clone())
    }
}

/// The artifact that was promised, with the digest of each of its files. Fails where it is missing, leads out of the
/// root, or holds what is neither file, folder nor link.
pub fn collect(promise: &Promise<'_>, workspace: &Workspace, known: &Known) -> Result<Artifact> {
    let collector = Collector {
        promise,
        workspace,
        known,
    };
    let artifact = |kind, entries: BTreeSet<String>| {
        let entries = entries.into_iter().map(|path| collector.entry(path));
        Ok(Artifact {
            stage: promise.stage.to_owned(),
            output: promise.output.to_owned(),
            kind,
            entries: entries.collect::<Result<_>>()?,
            source: Source::Run,
        })
    };
    let pattern = promise.pattern;
    if pattern.contains(WILD) {
        return artifact(Kind::Files, collector.matches()?);
    }
    let path = collector.inside(pattern)?;
    let metadata = std::fs::symlink_metadata(workspace.root().join(&path)).map_err(|error| {
        match error.kind() {
            ErrorKind::NotFound => promise
                .broken(format!("`{path}` is not there"))
                .hint("let the stage make it, or take it out of `outputs`"),
            _ => promise
                .broken(format!("`{path}` cannot be read"))
                .cause(error),
        }
    })?;
    if metadata.is_dir() {
        let paths = leaves(workspace.root(), &path, MOST).map_err(|error| {
            promise
                .broken(format!("the folder `{path}` cannot be read"))
                .cause(error)
        })?;
        collector.not_too_many(paths.len())?;
        if paths.is_empty() {
            return Err(promise
                .broken(format!("the folder `{path}` is empty"))
                .hint("let the stage put something into it"));
        }
        return artifact(Kind::Folder(path), paths);
    }
    artifact(Kind::Files, BTreeSet::from([path]))
}

/// All files and links in a folder, relative to `root` with `/`; no more than one above `most`.
pub fn leaves(root: &Path, folder: &str, most: usize) -> io::Result<BTreeSet<String>> {
    let mut paths = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| {
                io::Error::other(format!("the name `{}` is not UTF-8", name.display()))
            })?;
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                paths.insert(path);
                if paths.len() > most {
                    return Ok(paths);
                }
            }
        }
    }
    Ok(paths)
}

struct Collector<'c> {
    promise: &'c Promise<'c>,
    workspace: &'c Workspace,
    known: &'c Known,
}

impl Collector<'_> {
    /// The path relative to the root.
    fn inside(&self, path: &str) -> Result<String> {
        let inside = self.workspace.relative(path, self.promise.directory);
        inside.ok_or_else(|| {
            self.promise
                .broken(format!("`{path}` leads out of the workspace"))
                .hint("promise a path below the workspace")
        })
    }

    /// What the pattern matches.
    fn matches(&self) -> Result<BTreeSet<String>> {
        let promise = self.promise;
        let patterns =
            hash_files::read_patterns("outputs", promise.pattern, promise.directory, None)
                .map_err(|error| error.at(promise.place.clone()))?;
        let found = hash_files::find(&patterns, self.workspace.root(), false)?;
        let paths = found.files.iter().map(|path| {
            let path = path.to_str().unwrap_or_default();
            self.inside(path)
        });
        let paths: BTreeSet<String> = paths.collect::<Result<_>>()?;
        if paths.is_empty() {
            return Err(promise
                .broken(format!("`{}` matches no file", promise.pattern))
                .hint("let the stage make one, or take it out of `outputs`"));
        }
        self.not_too_many(paths.len())?;
        Ok(paths)
    }

    fn not_too_many(&self, files: usize) -> Result<()> {
        if files <= MOST {
            return Ok(());
        }
        Err(self
            .promise
            .broken(format!("it has more than {MOST} files"))
            .hint("let the stage pack them into one"))
    }

    /// What is at a path.
    fn entry(&self, path: String) -> Result<Entry> {
        let absolute = self.workspace.root().join(&path);
        let unreadable = |error| {
            self.promise
                .broken(format!("`{path}` cannot be used"))
                .cause(error)
        };
        let metadata = std::fs::symlink_metadata(&absolute).map_err(unreadable)?;
        let content = if metadata.is_symlink() {
            let target = std::fs::read_link(&absolute).map_err(unreadable)?;
            let target = target.to_str().ok_or_else(|| {
                self.promise
                    .broken(format!("what the link `{path}` leads to is not UTF-8"))
            })?;
            if target.starts_with('/') || self.workspace.confined(&path).is_none() {
                return Err(self
                    .promise
                    .broken(format!(
                        "the link `{path}` leads to `{target}`, which is missing or out of the workspace"
                    ))
                    .hint("make a relative link to something inside, or a copy"));
            }
            Content::Link {
                target: target.to_owned(),
            }
        } else {
            self.known.file(&absolute).map_err(unreadable)?
        };
        Ok(Entry { path, content })
    }
}
