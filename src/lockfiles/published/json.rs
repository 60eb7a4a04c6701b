//! The simple API in JSON (PEP 691).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lockfiles::published::PublishedFile;

#[derive(Deserialize)]
struct Answer {
    meta: Meta,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    version: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    hashes: BTreeMap<String, String>,
    yanked: Option<Yanked>,
    #[serde(rename = "upload-time")]
    uploaded: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Yanked {
    Is(bool),
    Because(String),
}

pub(super) fn read(text: &str) -> Result<Vec<PublishedFile>, String> {
    let answer: Answer = serde_json::from_str(text)
        .map_err(|error| format!("it is no answer of the simple API: {error}"))?;
    is_known(&answer.meta.version)?;
    let files = answer.files.into_iter();
    Ok(files
        .map(|file| PublishedFile {
            name: file.filename,
            hashes: file.hashes.into_iter().collect(),
            yanked: match file.yanked {
                Some(Yanked::Because(reason)) => Some(reason),
                Some(Yanked::Is(true)) => Some(String::new()),
                Some(Yanked::Is(false)) | None => None,
            },
            uploaded: file.uploaded,
        })
        .collect())
}

/// Whether a version of the API is one that may be read: clients must refuse another major version.
pub(super) fn is_known(version: &str) -> Result<(), String> {
    match version.trim().split('.').next() {
        Some("1") => Ok(()),
        _ => Err(format!(
            "it is of version `{}` of the simple API, and only 1 is known",
            version.chars().take(20).collect::<String>()
        )),
    }
}
