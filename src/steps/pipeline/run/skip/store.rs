//! Results of stages on this machine: by key, what a stage made and printed.
//!
//! `results/<key>.json` says what came of a key; `objects/<digest>` holds the bytes, once for each content.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::digest::{Sha, hex};
use crate::model::pipeline::manifest::{Artifact, Content, Entry, Kind, Source};
use crate::steps::artifacts::{Known, Manifest, leaves, sha};
use crate::steps::pipeline::run::skip::exchange::ARRIVING;
use crate::system::files::{Workspace, write_atomically};

/// Results that nobody has asked for so long are forgotten.
const FORGOTTEN: Duration = Duration::from_hours(24 * 30);

/// How many bytes are kept.
const BUDGET: u64 = 10 << 30;

/// What came of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// What the stage made.
    pub artifacts: Vec<Artifact>,
    /// The digest of its masked output.
    pub log: Sha,
    /// How long it took.
    pub duration: Duration,
    /// What it depended on.
    pub components: BTreeMap<String, String>,
    /// Where it was made, or what it was made from.
    pub source: Source,
}

/// What is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Made<'m> {
    /// What the stage made.
    pub artifacts: &'m [Artifact],
    /// Its masked output.
    pub log: &'m Path,
    /// How long it took.
    pub duration: Duration,
    /// What it depended on.
    pub components: &'m BTreeMap<String, String>,
    /// Whether something that it was made from comes from a store that others write to.
    pub is_shared: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    manifest: String,
    log: String,
    duration_ms: u64,
    components: BTreeMap<String, String>,
    /// Whether it, or something that it was made from, comes from a store that others write to.
    #[serde(default)]
    pub(super) shared: bool,
}

/// Larger documents are none of ours, bytes.
const LIMIT: u64 = 256 << 20;

/// A store below a folder. All faults of it are `io::Error`s: who asks goes on without it.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) folder: PathBuf,
}

impl Store {
    /// The store in `folder`, which need not be there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What came of this key, if anything is kept. What cannot be read is nothing.
    pub fn get(&self, key: &Sha) -> Option<Saved> {
        let path = self.result(key);
        let document: Document = serde_json::from_slice(&read_limited(&path).ok()?).ok()?;
        let source = if document.shared {
            Source::Shared
        } else {
            Source::Local
        };
        let mut artifacts = Manifest::from_json(document.manifest.as_bytes())
            .ok()?
            .artifacts;
        for artifact in &mut artifacts {
            artifact.source = source;
        }
        let saved = Saved {
            artifacts,
            source,
            log: sha(&document.log)?,
            duration: Duration::from_millis(document.duration_ms),
            components: document.components,
        };
        // It was of use: it is kept for longer.
        let touched = File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        touched.ok().map(|()| saved)
    }

    /// Keeps what came of a key.
    pub fn put(&self, key: &Sha, made: &Made<'_>, workspace: &Workspace) -> io::Result<()> {
        for entry in made.artifacts.iter().flat_map(|artifact| &artifact.entries) {
            if let Content::File { digest, .. } = &entry.content {
                self.keep(&workspace.root().join(&entry.path), Some(digest))?;
            }
        }
        let log = self.keep(made.log, None)?;
        let manifest = Manifest {
            artifacts: made.artifacts.to_vec(),
        };
        let document = Document {
            manifest: manifest
                .to_json()
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| io::Error::other("the manifest cannot be written"))?,
            log: hex(&log),
            duration_ms: u64::try_from(made.duration.as_millis()).unwrap_or(u64::MAX),
            components: made.components.clone(),
            shared: made.is_shared,
        };
        write_atomically(&self.result(key), &serde_json::to_vec(&document)?)
    }

    /// Puts what was saved where the stage would have made it, each file checked before it is there. Files that have
    /// their bytes already are not touched. Fails before it writes anything where a folder that was promised whole holds
    /// other files: they may be somebody's own, and the artifact would be another one with them.
    pub fn restore(
        &self,
        saved: &Saved,
        workspace: &Workspace,
        known: &Known,
        log: &Path,
    ) -> io::Result<()> {
        for artifact in &saved.artifacts {
            refuse_others(artifact, workspace)?;
        }
        for entry in saved
            .artifacts
            .iter()
            .flat_map(|artifact| &artifact.entries)
        {
            self.place(entry, workspace, known)?;
        }
        self.copy_out(&saved.log, log, false)
    }

    fn place(&self, entry: &Entry, workspace: &Workspace, known: &Known) -> io::Result<()> {
        let path = workspace.root().join(&entry.path);
        let parent = path.parent().unwrap_or(workspace.root());
        std::fs::create_dir_all(parent)?;
        let above = entry.path.rsplit_once('/').map_or("", |(above, _)| above);
        if workspace.confined(above).is_none() {
            return Err(io::Error::other(format!(
                "`{}` leads out of the workspace",
                entry.path
            )));
        }
        match &entry.content {
            Content::File {
                digest, executable, ..
            } => {
                if known.file(&path).is_ok_and(|now| now == entry.content) {
                    return Ok(());
                }
                self.copy_out(digest, &path, *executable)
            }
            Content::Link { target } => link(target, &path),
        }
    }

    /// Writes an object to `path` whole, or not at all.
    fn copy_out(&self, digest: &Sha, path: &Path, executable: bool) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let object = self.object(digest);
        if copy(&mut File::open(&object)?, file.as_file_mut())? != *digest {
            // Nobody is to meet it again.
            let _ = std::fs::remove_file(&object);
            return Err(io::Error::other("what was kept has other bytes"));
        }
        set_mode(file.as_file(), executable)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Takes a file in; fails where its bytes are not the expected ones any more.
    pub(super) fn keep(&self, path: &Path, expected: Option<&Sha>) -> io::Result<Sha> {
        if let Some(digest) = expected.filter(|digest| self.object(digest).is_file()) {
            return Ok(*digest);
        }
        let objects = self.folder.join("objects");
        std::fs::create_dir_all(&objects)?;
        let mut file = tempfile::NamedTempFile::new_in(&objects)?;
        let digest = copy(&mut File::open(path)?, file.as_file_mut())?;
        if expected.is_some_and(|expected| *expected != digest) {
            return Err(io::Error::other(format!(
                "`{}` changes while it is kept",
                path.display()
            )));
        }
        file.persist(self.object(&digest))
            .map_err(|error| error.error)?;
        Ok(digest)
    }

    pub(super) fn object(&self, digest: &Sha) -> PathBuf {
        self.folder.join("objects").join(hex(digest))
    }

    pub(super) fn result(&self, key: &Sha) -> PathBuf {
        self.folder
            .join("results")
            .join(format!("{}.json", hex(key)))
    }

    /// Forgets what nobody has asked for in a month, and the oldest results while more is kept than there is room for.
    pub fn prune(&self) -> io::Result<()> {
        let list = |name: &str| -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
            let entries = match std::fs::read_dir(self.folder.join(name)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let entries = entries.map(|entry| {
                let entry = entry?;
                let metadata = entry.metadata()?;
                Ok((metadata.modified()?, metadata.len(), entry.path()))
            });
            entries.collect()
        };
        for (made, _, path) in list("")? {
            let name = path.file_name().and_then(|name| name.to_str());
            let is_arrival = name.is_some_and(|name| name.starts_with(ARRIVING));
            // What a run left that was killed while something arrived.
            if is_arrival && age(made) > Duration::from_hours(1) {
                std::fs::remove_dir_all(&path)?;
            }
        }
        let mut results = list("results")?;
        results.sort();
        results.reverse();
        let mut wanted = HashSet::new();
        let mut bytes = 0;
        for (used, _, path) in results {
            let objects = std::fs::read(&path).ok().and_then(|bytes| objects(&bytes));
            let Some(objects) = objects.filter(|_| age(used) < FORGOTTEN && bytes < BUDGET) else {
                std::fs::remove_file(&path)?;
                continue;
            };
            for (name, size) in objects {
                if wanted.insert(name) {
                    bytes += size;
                }
            }
        }
        for (made, _, path) in list("objects")? {
            let name = path.file_name().and_then(|name| name.to_str());
            let is_wanted = name.is_some_and(|name| wanted.contains(name));
            // Another run may be about to name what it has just kept.
            let is_fresh = age(made) < Duration::from_hours(1);
            if !is_wanted && !is_fresh {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// How long ago something was.
fn age(then: SystemTime) -> Duration {
    then.elapsed().unwrap_or_default()
}

/// The bytes of a document.
pub(super) fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A folder that was promised whole holds nothing but what it held.
fn refuse_others(artifact: &Artifact, workspace: &Workspace) -> io::Result<()> {
    let Kind::Folder(folder) = &artifact.kind else {
        return Ok(());
    };
    let found = match leaves(workspace.root(), folder, usize::MAX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let entries = artifact.entries.iter().map(|entry| &entry.path);
    let expected: HashSet<&String> = entries.collect();
    match found.iter().find(|path| !expected.contains(path)) {
        Some(other) => Err(io::Error::other(format!("`{other}` is not part of it"))),
        None => Ok(()),
    }
}

/// The objects that a result names, with their bytes.
pub(super) fn objects(result: &[u8]) -> Option<Vec<(String, u64)>> {
    let document: Document = serde_json::from_slice(result).ok()?;
    let manifest = Manifest::from_json(document.manifest.as_bytes()).ok()?;
    let entries = manifest
        .artifacts
        .iter()
        .flat_map(|artifact| &artifact.entries);
    let files = entries.filter_map(|entry| match &entry.content {
        Content::File { size, digest, .. } => Some((hex(digest), *size)),
        Content::Link { .. } => None,
    });
    Some(files.chain([(document.log, 0)]).collect())
}

/// Copies to the end; the digest of what was copied.
fn copy(from: &mut File, to: &mut File) -> io::Result<Sha> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
    }
}

#[cfg(unix)]
fn set_mode(file: &File, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = if executable { 0o755 } else { 0o644 };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_file: &File, _executable: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> io::Result<()> {
    if std::fs::read_link(path).is_ok_and(|now| now == Path::new(target)) {
        return Ok(());
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => std::os::unix::fs::symlink(target, path),
    }
}

#[cfg(not(unix))]
fn link(_target: &str, _path: &Path) -> io::Result<()> {
    Err(io::Error::other("links are not restored on this system"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use crate::steps::artifacts::{Promise, collect, verify};

    fn made(root: &Path, pattern: &str, workspace: &Workspace, known: &Known) -> Artifact {
        let place = Place::in_text("pyproject.toml", "", 0..0);
        let promise = Promise {
            stage: "build",
            output: "it",
            pattern,
            place: &place,
            directory: root,
        };
        collect(&promise, workspace, known).unwrap()
    }

    #[test]
    fn what_was_kept_comes_back_and_what_is_damaged_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        std::fs::create_dir_all(root.join("dist/site")).unwrap();
        std::fs::write(root.join("dist/site/a"), "first").unwrap();
        std::fs::write(folder.path().join("log"), "said").unwrap();
        let (workspace, known) = (Workspace::new(&root), Known::default());
        let artifact = made(&root, "dist/site", &workspace, &known);
        let store = Store::new(folder.path().join("store"));
        let components = BTreeMap::from([("command".to_owned(), "0".to_owned())]);
        let key = [1; 32];
        assert_eq!(store.get(&key), None);
        store
            .put(
                &key,
                &Made {
                    artifacts: std::slice::from_ref(&artifact),
                    log: &folder.path().join("log"),
                    duration: Duration::from_millis(1500),
                    components: &components,
                    is_shared: false,
                },
                &workspace,
            )
            .unwrap();
        let saved = store.get(&key).unwrap();
        assert_eq!(saved.components, components);

        std::fs::write(root.join("dist/site/a"), "other").unwrap();
        std::fs::write(root.join("dist/site/b"), "somebody's own").unwrap();
        let log = folder.path().join("restored");
        assert!(store.restore(&saved, &workspace, &known, &log).is_err());
        assert_eq!(
            std::fs::read_to_string(root.join("dist/site/a")).unwrap(),
            "other"
        );
        std::fs::remove_file(root.join("dist/site/b")).unwrap();
        store.restore(&saved, &workspace, &known, &log).unwrap();
        verify(&artifact, &workspace, &known).unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "said");

        store.prune().unwrap();
        assert!(store.get(&key).is_some());
        let Content::File { digest, .. } = &artifact.entries[0].content else {
            panic!("a file")
        };
        std::fs::write(store.object(digest), "fourth").unwrap();
        std::fs::remove_dir_all(root.join("dist")).unwrap();
        assert!(store.restore(&saved, &workspace, &known, &log).is_err());
        assert!(!root.join("dist/site/a").exists());
    }
}
