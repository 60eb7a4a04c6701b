//! What indexes publish of a package: the pages of the simple API
//! (<https://packaging.python.org/en/latest/specifications/simple-repository-api/>), and how a lock compares with them.

mod asked;
mod compare;
mod html;
mod json;

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::facts::Facts;
pub use crate::lockfiles::published::asked::{Asked, Place, asked};
pub use crate::lockfiles::published::compare::{Kind, Outcome, compare};

/// What a client understands, the best first.
pub const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// A file of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its name.
    pub name: String,
    /// Algorithms and digests.
    pub hashes: Vec<(String, String)>,
    /// Why it was withdrawn; empty where no reason is given, `None` where it was not.
    pub yanked: Option<String>,
    /// When it was uploaded, RFC 3339, where the index says so.
    pub uploaded: Option<String>,
}

/// The page of a project, or a flat list of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its files.
    pub files: Vec<PublishedFile>,
    /// Whether the index knows no such project.
    pub is_missing: bool,
}

/// What the indexes answered, by the address of the page; or why one could not be had.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The answers.
    pub pages: BTreeMap<String, Result<Page, String>>,
}

/// Reads a page; fails with a reason. What type the server calls it does not count: a folder of files has no types.
pub fn read(body: &[u8]) -> Result<Page, String> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let files = if text.trim_start().starts_with('{') {
        json::read(text)?
    } else {
        html::read(text)?
    };
    Ok(Page {
        files,
        is_missing: false,
    })
}

/// The pages that say whether what is new in a lock is published.
pub fn pages(facts: &Facts<'_>) -> BTreeSet<String> {
    compare::subjects(facts)
        .into_iter()
        .filter_map(|package| match asked(package, facts) {
            Asked::Places(places) => Some(places),
            Asked::Nobody | Asked::Unknown(_) => None,
        })
        .flatten()
        .map(|place| place.page)
        .collect()
}

#[cfg(test)]
mod tests;
