//! What is written about a release: the record, which never changes, and the pointer of an environment.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::deploy::{Release, Standing, earlier};
use crate::model::digest::{hex, unhex};
use crate::model::untrusted;
use crate::stores::bucket::name::{check, encode};
use crate::system::environment::Environment;
use crate::targets::object_store::{digest_of, short};

/// The longest record or pointer, bytes.
pub(super) const LONGEST: u64 = 16 << 20;

/// The format of the pointer.
const POINTER: &str = "lockgate.current/1";

/// The format of the record.
const RECORD: &str = "lockgate.release/1";

/// A file of a release in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct File {
    /// Its name in the release.
    pub name: String,
    /// Its name in the store.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Whether its owner may execute it.
    pub executable: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    schema: String,
    version: Option<String>,
    digest: String,
    files: Vec<File>,
}

/// What a release consists of.
pub(super) struct Record {
    version: Option<String>,
    digest: String,
    pub files: Vec<File>,
    key: String,
    bytes: Bytes,
}

impl Record {
    /// Of a release; refused where it has no file, or one that no store can name.
    pub fn of(release: &Release) -> Result<Self> {
        if release.files.is_empty() {
            return Err(Error::refused(
                "there is nothing to deploy: the release has no file",
            ));
        }
        let mut files = Vec::with_capacity(release.files.len());
        for file in &release.files {
            let sha256 = hex(&file.digest);
            let parts: Vec<String> = file.name.split('/').map(encode).collect();
            let key = format!("sha256/{sha256}/{}", parts.join("/"));
            if check(&key).is_err() {
                return Err(Error::refused(format!(
                    "`{}` cannot be the name of an object",
                    untrusted::line(&file.name)
                ))
                .hint("give it a shorter one, without empty folders in it"));
            }
            files.push(File {
                name: file.name.clone(),
                key,
                size: file.size,
                sha256,
                executable: file.executable,
            });
        }
        let written = Written {
            schema: RECORD.to_owned(),
            version: release.version.clone(),
            digest: digest_of(release),
            files,
        };
        let bytes = serde_json::to_vec_pretty(&written)
            .map_err(|error| Error::bug("a record was not written").cause(error))?;
        Ok(Self::from(written, bytes.into()))
    }

    fn from(written: Written, bytes: Bytes) -> Self {
        let own = hex(&Sha256::digest(&bytes));
        Self {
            version: written.version,
            digest: written.digest,
            files: written.files,
            key: format!("sha256/{own}/release.json"),
            bytes,
        }
    }

    /// The record of these bytes, whose digest its name holds; fails with a reason.
    pub fn read(bytes: &Bytes, digest: &str) -> std::result::Result<Self, String> {
        if hex(&Sha256::digest(bytes)) != digest {
            return Err("its record was changed: it is not the content of its name".to_owned());
        }
        let written: Written = serde_json::from_slice(bytes)
            .map_err(|error| format!("its record cannot be read: {error}"))?;
        if written.schema != RECORD {
            return Err("its record is of another format".to_owned());
        }
        Ok(Self::from(written, bytes.clone()))
    }

    /// The digest in the name of a record.
    pub fn digest_in(key: &str) -> Option<String> {
        let digest = key.strip_prefix("sha256/")?.strip_suffix("/release.json")?;
        unhex(digest).map(|_| digest.to_owned())
    }

    /// Its name in the store.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its content.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The release for people.
    pub fn told(&self) -> String {
        told(self.version.as_deref(), &self.digest)
    }
}

/// What an environment has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Pointer {
    schema: String,
    version: Option<String>,
    digest: String,
    /// The name of the record.
    pub release: String,
    /// The run that wrote it, where there was one.
    #[serde(default)]
    run: Option<String>,
    /// Of this writing alone: two writers of the same never write the same bytes.
    #[serde(default)]
    written: String,
    /// What it was before.
    #[serde(default)]
    previous: Option<Earlier>,
    /// What stood before, newest first, without what was gone back from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Earlier>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Earlier {
    version: Option<String>,
    digest: String,
    release: String,
}

impl Pointer {
    /// To a release.
    pub fn to(
        record: &Record,
        previous: Option<&Self>,
        is_back: bool,
        environment: &Environment,
    ) -> Self {
        let now = Earlier {
            version: record.version.clone(),
            digest: record.digest.clone(),
            release: record.key.clone(),
        };
        let known = previous.map(|previous| &*previous.earlier);
        let before = previous.map(Self::earlier);
        let known = earlier(&now, before.as_ref(), known.unwrap_or_default(), is_back);
        let random = [0; 2].map(|_: u8| getrandom::u64().unwrap_or_default());
        let mut written = String::new();
        for number in random {
            let _ = write!(written, "{number:016x}");
        }
        Self {
            schema: POINTER.to_owned(),
            version: record.version.clone(),
            digest: record.digest.clone(),
            release: record.key.clone(),
            run: run(environment),
            written,
            previous: before,
            earlier: known,
        }
    }

    fn earlier(&self) -> Earlier {
        Earlier {
            version: self.version.clone(),
            digest: self.digest.clone(),
            release: self.release.clone(),
        }
    }

    /// What stood there before, newest first.
    pub fn stood(&self) -> Vec<Standing> {
        let stood = self.earlier.iter().map(|earlier| Standing {
            version: earlier.version.clone(),
            digest: unhex(&earlier.digest),
            reference: earlier.release.clone(),
        });
        stood.collect()
    }

    /// Fails with a reason.
    pub fn read(bytes: &[u8]) -> std::result::Result<Self, String> {
        let pointer: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is none of ours: {error}"))?;
        if pointer.schema != POINTER {
            return Err(format!(
                "its format is `{}`, and only `{POINTER}` is known",
                untrusted::line(&pointer.schema)
            ));
        }
        Ok(pointer)
    }

    /// As it is written.
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// What stands there.
    pub fn standing(&self) -> Standing {
        Standing {
            version: self.version.clone(),
            digest: unhex(&self.digest),
            reference: self.release.clone(),
        }
    }

    /// The release, and who wrote it, for people.
    pub fn told(&self) -> String {
        let mut text = told(self.version.as_deref(), &self.digest);
        if let Some(run) = &self.run {
            let _ = write!(text, " by {}", untrusted::excerpt(run, 200));
        }
        text
    }
}

fn told(version: Option<&str>, digest: &str) -> String {
    let digest = untrusted::excerpt(short(digest), 12);
    match version {
        Some(version) => format!("version {} ({digest})", untrusted::excerpt(version, 100)),
        None => digest,
    }
}

/// The run of a workflow, as one finds it again.
fn run(environment: &Environment) -> Option<String> {
    let repository = environment.get("GITHUB_REPOSITORY")?;
    let run = environment.get("GITHUB_RUN_ID")?;
    let attempt = environment.get("GITHUB_RUN_ATTEMPT").unwrap_or("1");
    let server = environment
        .get("GITHUB_SERVER_URL")
        .map_or("", |server| server.trim_end_matches('/'));
    let slash = if server.is_empty() { "" } else { "/" };
    Some(format!(
        "{server}{slash}{repository}/actions/runs/{run}/attempts/{attempt}"
    ))
}
