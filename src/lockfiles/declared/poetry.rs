//! The hash of what Poetry locks (`content-hash`), as each release computes it.
//!
//! It is made of the values in the order of the file, spelling and all: a blank in a requirement changes it.

use std::collections::BTreeMap;

use crate::lockfiles::document::{Document, Kind, Value};
use crate::lockfiles::python_json::{Json, sha256};

/// The releases that compute the hash in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// 2.3 and newer: `[project]`, `[dependency-groups]` and `[tool.poetry]`.
    Groups,
    /// 2.0 to 2.2: `[project]` and `[tool.poetry]`.
    Project,
    /// 1.x: `[tool.poetry]`.
    Legacy,
}

impl Form {
    /// All of them, the newest first.
    pub const ALL: [Self; 3] = [Self::Groups, Self::Project, Self::Legacy];

    /// The releases: `Poetry 2.0 to 2.2`.
    pub fn releases(self) -> &'static str {
        match self {
            Self::Groups => "Poetry 2.3 and newer",
            Self::Project => "Poetry 2.0 to 2.2",
            Self::Legacy => "Poetry 1.x",
        }
    }
}

/// The keys of `[project]` that count.
const PROJECT: [&str; 3] = ["requires-python", "dependencies", "optional-dependencies"];

/// The keys of `[tool.poetry]` that count; an absent one is `null` where nothing but this table counts.
const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// A key of `[tool.poetry]` that counts where it is there.
const GROUP: &str = "group";

/// The hash of a `pyproject.toml`; `None` where Poetry itself computes none: a table is of another type, a value is a
/// date.
pub fn content_hash(document: &Document<'_>, form: Form) -> Option<String> {
    let root = document.root();
    let project = table(root.get("project"))?;
    let groups =
        table(root.get("dependency-groups"))?.filter(|groups| groups.entries().next().is_some());
    let tool = table(root.get("tool"))?;
    let poetry = table(tool.and_then(|tool| tool.get("poetry")))?;

    let mut content = BTreeMap::new();
    if form != Form::Legacy {
        let relevant: BTreeMap<String, Json<'_, '_>> = PROJECT
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), Json::Toml(project?.get(key)?))))
            .collect();
        if !relevant.is_empty() {
            content.insert("project".to_owned(), Json::Table(relevant));
        }
    }
    if let Some(groups) = groups.filter(|_| form == Form::Groups) {
        content.insert("dependency-groups".to_owned(), Json::Toml(groups));
    }
    let mut relevant: BTreeMap<String, Json<'_, '_>> = BTreeMap::new();
    for key in LEGACY.into_iter().chain([GROUP]) {
        if let Some(value) = poetry.and_then(|poetry| poetry.get(key)) {
            relevant.insert(key.to_owned(), Json::Toml(value));
        } else if key != GROUP && content.is_empty() {
            relevant.insert(key.to_owned(), Json::Null);
        }
    }
    if content.is_empty() {
        return sha256(&Json::Table(relevant));
    }
    content.insert(
        "tool".to_owned(),
        Json::table([("poetry", Json::Table(relevant))]),
    );
    sha256(&Json::Table(content))
}

/// A table that may be missing; `None` where there is something else.
#[expect(
    clippy::option_option,
    reason = "a table may be missing, or be something else"
)]
fn table<'d, 'a>(value: Option<Value<'d, 'a>>) -> Option<Option<Value<'d, 'a>>> {
    let is_other = value.is_some_and(|value| value.kind() != Kind::Table);
    (!is_other).then_some(value)
}
