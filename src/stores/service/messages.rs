//! The messages of the service, `CacheService` of `github.actions.results.api.v1`, in JSON with the names of the protocol.

use serde::{Deserialize, Serialize};

/// `CreateCacheEntryRequest`.
#[derive(Serialize)]
pub struct Reserve<'a> {
    pub key: &'a str,
    pub version: &'a str,
}

/// `CreateCacheEntryResponse`.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Created {
    pub ok: bool,
    pub signed_upload_url: String,
    pub message: String,
}

/// `FinalizeCacheEntryUploadRequest`.
#[derive(Serialize)]
pub struct Seal<'a> {
    pub key: &'a str,
    /// An `int64` is a string in JSON.
    pub size_bytes: String,
    pub version: &'a str,
}

/// `FinalizeCacheEntryUploadResponse`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Finalised {
    pub ok: bool,
    pub entry_id: Number,
    pub message: String,
}

/// `GetCacheEntryDownloadURLRequest`.
#[derive(Serialize)]
pub struct Seek<'a> {
    pub key: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restore_keys: Vec<&'a str>,
    pub version: &'a str,
}

/// `GetCacheEntryDownloadURLResponse`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Found {
    pub ok: bool,
    pub signed_download_url: String,
    pub matched_key: String,
}

/// The error of a Twirp server.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct TwirpError {
    pub code: String,
    pub msg: String,
}

/// An `int64`: a string in the JSON of the protocol, a number in that of careless servers.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Number {
    Text(String),
    Plain(u64),
}

impl Default for Number {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Number {
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Plain(number) => Some(*number),
        }
    }
}
