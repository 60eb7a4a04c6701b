//! The manifest as a document.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::digest::{hex, sha};
use crate::model::pipeline::manifest::{Artifact, Content, Entry, Kind, Source};

/// The name of the form, in each manifest.
pub const SCHEMA: &str = "lockgate.manifest/1";

/// All artifacts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// In the order in which they were made.
    pub artifacts: Vec<Artifact>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    artifacts: Vec<DocumentArtifact>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentArtifact {
    stage: String,
    output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    #[serde(default, skip_serializing_if = "DocumentSource::is_run")]
    source: DocumentSource,
    files: Vec<DocumentEntry>,
}

/// Absent where the run made it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DocumentSource {
    #[default]
    Run,
    Local,
    Shared,
}

impl DocumentSource {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_run(&self) -> bool {
        *self == Self::Run
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum DocumentEntry {
    File {
        path: String,
        size: u64,
        sha256: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        executable: bool,
    },
    Link {
        path: String,
        link: String,
    },
}

impl Manifest {
    /// The document, indented, with a line's end; the same manifest gives the same bytes.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let document = Document {
            schema: SCHEMA.to_owned(),
            artifacts: self.artifacts.iter().map(written).collect(),
        };
        let mut bytes = serde_json::to_vec_pretty(&document)
            .map_err(|error| Error::bug("the manifest cannot be written").cause(error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a document that may come from a stranger: every path in it stays below the root it is joined to, none
    /// stands there twice, and none is below a file or link of another.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let broken = || {
            Error::refused("the manifest is none")
                .hint("make the bundle anew with `lockgate pipeline run --bundle DIR`")
        };
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| broken().cause(error))?;
        if document.schema != SCHEMA {
            return Err(broken().cause(format!(
                "its schema is `{}`, and `{SCHEMA}` is known",
                document.schema
            )));
        }
        let artifacts = document.artifacts.into_iter().map(read);
        let artifacts: Vec<Artifact> = artifacts
            .collect::<std::result::Result<_, String>>()
            .map_err(|cause| broken().cause(cause))?;
        check(&artifacts).map_err(|cause| broken().cause(cause))?;
        Ok(Self { artifacts })
    }
}

fn written(artifact: &Artifact) -> DocumentArtifact {
    let entries = artifact.entries.iter().map(|entry| {
        let path = entry.path.clone();
        match &entry.content {
            Content::File {
                size,
                digest,
                executable,
            } => DocumentEntry::File {
                path,
                size: *size,
                sha256: hex(digest),
                executable: *executable,
            },
            Content::Link { target } => DocumentEntry::Link {
                path,
                link: target.clone(),
            },
        }
    });
    DocumentArtifact {
        stage: artifact.stage.clone(),
        output: artifact.output.clone(),
        folder: match &artifact.kind {
            Kind::Folder(path) => Some(path.clone()),
            Kind::Files => None,
        },
        source: match artifact.source {
            Source::Run => DocumentSource::Run,
            Source::Local => DocumentSource::Local,
            Source::Shared => DocumentSource::Shared,
        },
        files: entries.collect(),
    }
}

fn read(artifact: DocumentArtifact) -> std::result::Result<Artifact, String> {
    let entries = artifact.files.into_iter().map(|entry| {
        Ok(match entry {
            DocumentEntry::File {
                path,
                size,
                sha256,
                executable,
            } => Entry {
                content: Content::File {
                    size,
                    digest: sha(&sha256).ok_or_else(|| format!("`{sha256}` is no SHA-256"))?,
                    executable,
                },
                path,
            },
            DocumentEntry::Link { path, link } => Entry {
                path,
                content: Content::Link { target: link },
            },
        })
    });
    Ok(Artifact {
        stage: artifact.stage,
        output: artifact.output,
        kind: artifact.folder.map_or(Kind::Files, Kind::Folder),
        source: match artifact.source {
            DocumentSource::Run => Source::Run,
            DocumentSource::Local => Source::Local,
            DocumentSource::Shared => Source::Shared,
        },
        entries: entries.collect::<std::result::Result<_, String>>()?,
    })
}

fn check(artifacts: &[Artifact]) -> std::result::Result<(), String> {
    let mut leaves = HashSet::new();
    for artifact in artifacts {
        if artifact.entries.is_empty() {
            return Err(format!(
                "output `{}` of `{}` has no file",
                artifact.output, artifact.stage
            ));
        }
        let inside = match &artifact.kind {
            Kind::Folder(folder) => {
                plain(folder)?;
                format!("{folder}/")
            }
            Kind::Files => String::new(),
        };
        for entry in &artifact.entries {
            plain(&entry.path)?;
            if !entry.path.starts_with(&inside) {
                return Err(format!("`{}` is not in `{inside}`", entry.path));
            }
            if let Content::Link { target } = &entry.content {
                stays(&entry.path, target)?;
            }
            leaves.insert(entry.path.as_str());
        }
    }
    for path in &leaves {
        let mut above = *path;
        while let Some((folder, _)) = above.rsplit_once('/') {
            if leaves.contains(folder) {
                return Err(format!("`{path}` is below `{folder}`, which is no folder"));
            }
            above = folder;
        }
    }
    Ok(())
}

/// Whether a path names something below the root, without detours.
fn plain(path: &str) -> std::result::Result<(), String> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    let has_odd = path.contains(|c: char| c == '\\' || c == ':' || c.is_control());
    if path.split('/').all(is_plain) && !(cfg!(windows) && has_odd) && !path.contains('\0') {
        return Ok(());
    }
    Err(format!("`{path}` is no path below the root"))
}

/// Whether a relative link at `path` leads to something below the root. After a name no `..` may follow: the name may
/// be a link itself, and above it is not what the letters say.
fn stays(path: &str, target: &str) -> std::result::Result<(), String> {
    let mut depth = path.matches('/').count();
    let leads_out = || format!("the link `{path}` leads out, to `{target}`");
    let mut is_up = true;
    for part in target.split('/') {
        match part {
            ".." if is_up => depth = depth.checked_sub(1).ok_or_else(leads_out)?,
            "" | "." | ".." => return Err(leads_out()),
            _ => is_up = false,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            content: Content::File {
                size: 3,
                digest: [7; 32],
                executable: path.contains("run"),
            },
        }
    }

    fn manifest(kind: Kind, entries: Vec<Entry>) -> Manifest {
        Manifest {
            artifacts: vec![Artifact {
                stage: "build it".to_owned(),
                output: "wheel".to_owned(),
                kind,
                entries,
                source: Source::Shared,
            }],
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let link = Entry {
            path: "site/latest".to_owned(),
            content: Content::Link {
                target: "1.0/x".to_owned(),
            },
        };
        let whole = manifest(
            Kind::Folder("site".to_owned()),
            vec![file("site/run.sh"), file("site/1.0/x"), link],
        );
        let bytes = whole.to_json().unwrap();
        assert_eq!(Manifest::from_json(&bytes).unwrap(), whole);
    }

    #[test]
    fn paths_of_strangers_stay_inside() {
        let leads = |path: &str, target: &str| Entry {
            path: path.to_owned(),
            content: Content::Link {
                target: target.to_owned(),
            },
        };
        for entries in [
            vec![file("../x")],
            vec![file("/etc/passwd")],
            vec![file("a//b")],
            vec![file("a/./b")],
            vec![file("")],
            vec![leads("a/b", "../../c")],
            vec![leads("a", "/etc")],
            vec![leads("d/l", ".."), leads("m", "d/l/../..")],
            vec![leads("a", "b"), file("a/passwd")],
            vec![],
        ] {
            let bytes = manifest(Kind::Files, entries.clone()).to_json().unwrap();
            assert!(Manifest::from_json(&bytes).is_err(), "{entries:?}");
        }
        let outside = manifest(Kind::Folder("site".to_owned()), vec![file("other/x")]);
        assert!(Manifest::from_json(&outside.to_json().unwrap()).is_err());
    }
}
