//! The key of a cache: its named components, how they become a key and the ladder of keys to restore from, and what
//! tells two keys apart.

mod difference;
mod document;
mod ladder;
mod python;
mod segment;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::model::cache_key::difference::{Change, differences, explain};
pub use crate::model::cache_key::document::Document;
pub use crate::model::cache_key::ladder::{KEYS, LIMIT};
pub use crate::model::cache_key::python::Python;

/// Everything that a key is made from, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Components {
    /// What the user puts in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What the user adds, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// The image of the runner, where it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Whose cache it is: package managers and tools, each with the version of the layout of its cache.
    #[serde(default)]
    pub caches: BTreeMap<String, Option<String>>,
    /// The operating system, `ubuntu`.
    pub os: String,
    /// Its version, `24.04`; empty where it has none.
    #[serde(default)]
    pub os_version: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// The C library and its version, `glibc-2.39`; empty where programs do not choose between several.
    #[serde(default)]
    pub libc: String,
    /// The Python; none where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Python>,
    /// The versions of tools, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, String>,
    /// The digest of locks and files, hexadecimal; none where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the user puts behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// What the digest is made from: locks, by path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// What the digest is made from: files of which every byte counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
}

/// A lock, as far as it decides what is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Lock {
    /// Relative to the workspace root, with `/`.
    pub path: String,
    /// The name of its format.
    pub format: String,
    /// The digest of what it pins, hexadecimal.
    pub digest: String,
    /// The beginning of the digest of what the project asks for: groups, extras, indexes.
    pub asked: String,
    /// What it pins of others. Empty where the list had no room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Pinned>,
}

/// A package, by the beginnings of the digests of what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    from = "(String, String, String, String, String)",
    into = "(String, String, String, String, String)"
)]
pub struct Pinned {
    /// The name, normalised.
    pub name: String,
    /// The version; empty where there is none.
    pub version: String,
    /// Of where it comes from.
    pub source: String,
    /// Of its files and their hashes.
    pub hashes: String,
    /// Of everything else: markers, extras, groups, what it needs.
    pub rest: String,
}

impl From<(String, String, String, String, String)> for Pinned {
    fn from(
        (name, version, source, hashes, rest): (String, String, String, String, String),
    ) -> Self {
        Self {
            name,
            version,
            source,
            hashes,
            rest,
        }
    }
}

impl From<Pinned> for (String, String, String, String, String) {
    fn from(pinned: Pinned) -> Self {
        (
            pinned.name,
            pinned.version,
            pinned.source,
            pinned.hashes,
            pinned.rest,
        )
    }
}

/// A file of which every byte counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct File {
    /// Relative to the workspace root, with `/`.
    pub path: String,
    /// The beginning of the SHA-256 of its content, hexadecimal.
    pub digest: String,
}
