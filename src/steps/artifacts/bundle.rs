//! A bundle: artifacts and their manifest in one folder, for another job that must have the very bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::digest::{Sha, hex};
use crate::model::pipeline::manifest::Content;
use crate::steps::artifacts::collect::leaves;
use crate::steps::artifacts::known::Known;
use crate::steps::artifacts::manifest::Manifest;
use crate::steps::artifacts::verify::verify;
use crate::system::files::{Workspace, write_atomically};

/// The manifest's name in a bundle.
const MANIFEST: &str = "manifest.json";

/// The folder of the files in a bundle.
const FILES: &str = "files";

/// Larger manifests are none.
const LIMIT: u64 = 256 << 20;

/// A bundle that was read and found whole.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What is in it; paths are relative to [`Bundle::files`].
    pub manifest: Manifest,
    /// The digest of the manifest, which stands for the whole bundle.
    pub digest: Sha,
    /// Where its files are.
    pub files: PathBuf,
}

/// Writes a bundle into `folder`, which must be empty or not be there; returns its digest.
pub fn write_bundle(
    folder: &Path,
    manifest: &Manifest,
    workspace: &Workspace,
    known: &Known,
) -> Result<Sha> {
    let unwritable = |error: io::Error| {
        Error::no_verdict(format!(
            "the bundle `{}` cannot be written",
            folder.display()
        ))
        .cause(error)
    };
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::usage(format!(
            "`bundle`: the folder `{}` is not empty",
            folder.display()
        ))
        .hint("name a folder that is empty, or one that is not there yet"));
    }
    let files = folder.join(FILES);
    std::fs::create_dir_all(&files).map_err(unwritable)?;
    for artifact in &manifest.artifacts {
        verify(artifact, workspace, known)?;
        for entry in &artifact.entries {
            let (from, to) = (workspace.root().join(&entry.path), files.join(&entry.path));
            place(&from, &to, &entry.content).map_err(unwritable)?;
        }
    }
    let document = manifest.to_json()?;
    let digest = Sha256::digest(&document).into();
    // Last: a bundle without a manifest is none.
    write_atomically(&folder.join(MANIFEST), &document).map_err(unwritable)?;
    // What was copied is what was promised, also where somebody wrote meanwhile.
    Bundle::read(folder, Some(digest))?;
    Ok(digest)
}

fn place(from: &Path, to: &Path, content: &Content) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Two outputs of one stage may name the same file.
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    match content {
        Content::File { .. } => std::fs::copy(from, to).map(drop),
        #[cfg(unix)]
        Content::Link { target } => std::os::unix::fs::symlink(target, to),
        #[cfg(not(unix))]
        Content::Link { .. } => std::fs::copy(from, to).map(drop),
    }
}

impl Bundle {
    /// Reads the bundle in `folder`: its manifest has the digest `expected` where one is given, each file in it has the
    /// digest of the manifest, and nothing else is there.
    pub fn read(folder: &Path, expected: Option<Sha>) -> Result<Self> {
        let shown = folder.display();
        let refused = |message: String| Error::refused(format!("the bundle `{shown}`: {message}"));
        let path = folder.join(MANIFEST);
        let document = read_limited(&path).map_err(|error| {
            refused(format!("`{MANIFEST}` cannot be read"))
                .cause(error)
                .hint("name the folder that `lockgate pipeline run --bundle DIR` wrote")
        })?;
        let digest: Sha = Sha256::digest(&document).into();
        if let Some(expected) = expected.filter(|expected| *expected != digest) {
            return Err(refused(format!(
                "its digest is `{}`, and `{}` was expected",
                hex(&digest),
                hex(&expected)
            ))
            .hint("use the bundle of the same run as its digest"));
        }
        let manifest = Manifest::from_json(&document)?;
        let files = folder.join(FILES);
        let workspace = Workspace::new(&files);
        let known = Known::default();
        for artifact in &manifest.artifacts {
            verify(artifact, &workspace, &known)?;
        }
        let artifacts = manifest.artifacts.iter();
        let expected: BTreeSet<&str> = artifacts
            .flat_map(|artifact| &artifact.entries)
            .map(|entry| &*entry.path)
            .collect();
        let found = leaves(&files, "", usize::MAX)
            .map_err(|error| refused(format!("`{FILES}` cannot be read")).cause(error))?;
        if let Some(other) = found.iter().find(|path| !expected.contains(path.as_str())) {
            return Err(refused(format!("`{FILES}/{other}` is not in its manifest")));
        }
        Ok(Self {
            manifest,
            digest,
            files,
        })
    }
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    File::open(path)?.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Place;
    use crate::steps::artifacts::{Promise, collect};

    fn made(root: &Path, patterns: &[(&str, &str)]) -> (Manifest, Workspace, Known) {
        let (workspace, known) = (Workspace::new(root), Known::default());
        let place = Place::in_text("pyproject.toml", "", 0..0);
        let artifacts = patterns.iter().map(|(output, pattern)| {
            let promise = Promise {
                stage: "build",
                output,
                pattern,
                place: &place,
                directory: root,
            };
            collect(&promise, &workspace, &known).unwrap()
        });
        let manifest = Manifest {
            artifacts: artifacts.collect(),
        };
        (manifest, workspace, known)
    }

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("dist/site/a")).unwrap();
        std::fs::write(root.join("dist/x-1.0.whl"), "wheel").unwrap();
        std::fs::write(root.join("dist/site/a/index.html"), "<p>").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("a/index.html", root.join("dist/site/latest")).unwrap();
        folder
    }

    #[test]
    fn another_job_has_the_very_bytes_or_an_error() {
        let folder = project();
        let (manifest, workspace, known) = made(
            folder.path(),
            &[("wheel", "dist/*.whl"), ("site", "dist/site")],
        );
        let bundle = folder.path().join("bundle");
        let digest = write_bundle(&bundle, &manifest, &workspace, &known).unwrap();
        let read = Bundle::read(&bundle, Some(digest)).unwrap();
        assert_eq!(read.manifest, manifest);
        assert!(write_bundle(&bundle, &manifest, &workspace, &known).is_err());

        let wrong = Bundle::read(&bundle, Some([1; 32])).unwrap_err();
        assert!(wrong.message.contains("was expected"), "{}", wrong.message);
        std::fs::write(bundle.join("files/dist/extra"), "").unwrap();
        let extra = Bundle::read(&bundle, Some(digest)).unwrap_err();
        assert!(
            extra.message.contains("not in its manifest"),
            "{}",
            extra.message
        );
        std::fs::remove_file(bundle.join("files/dist/extra")).unwrap();
        std::fs::write(bundle.join("files/dist/x-1.0.whl"), "whe1l").unwrap();
        let changed = Bundle::read(&bundle, Some(digest)).unwrap_err();
        assert!(
            changed.message.contains("has changed"),
            "{}",
            changed.message
        );
        std::fs::remove_file(bundle.join("files/dist/x-1.0.whl")).unwrap();
        let gone = Bundle::read(&bundle, Some(digest)).unwrap_err();
        assert!(gone.message.contains("is gone"), "{}", gone.message);
    }

    #[test]
    fn what_was_promised_and_is_not_there_is_an_error() {
        let folder = project();
        let root = folder.path();
        let (workspace, known) = (Workspace::new(root), Known::default());
        let place = Place::in_text("pyproject.toml", "", 0..0);
        std::fs::create_dir(root.join("empty")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", root.join("dist/site/out")).unwrap();
        for (pattern, expected) in [
            ("dist/*.tar.gz", "matches no file"),
            ("coverage.xml", "is not there"),
            ("../x", "leads out"),
            ("empty", "is empty"),
            #[cfg(unix)]
            ("dist/site", "out of the workspace"),
        ] {
            let promise = Promise {
                stage: "build",
                output: "it",
                pattern,
                place: &place,
                directory: root,
            };
            let error = collect(&promise, &workspace, &known).unwrap_err();
            assert!(error.message.contains(expected), "{}", error.message);
        }
    }

    #[test]
    fn a_folder_that_gains_a_file_has_changed() {
        let folder = project();
        let (manifest, workspace, known) = made(folder.path(), &[("site", "dist/site")]);
        let artifact = &manifest.artifacts[0];
        verify(artifact, &workspace, &known).unwrap();
        std::fs::write(folder.path().join("dist/site/more"), "").unwrap();
        assert!(verify(artifact, &workspace, &known).is_err());
    }
}
