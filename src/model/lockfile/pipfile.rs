//! What only `Pipfile.lock` has.

use crate::model::lockfile::Text;
use crate::model::sources::{Located, Location};

/// The rest of a `Pipfile.lock`.
#[derive(Clone, Debug, Default)]
pub struct Pipfile<'a> {
    /// `_meta.sources`.
    pub sources: Vec<PipfileSource<'a>>,
    /// `_meta.requires`: `python_version`, `python_full_version`.
    pub requires: Vec<(Text<'a>, Located<Text<'a>>)>,
    /// The categories, `default` and `develop` among them, in the order of the file.
    pub categories: Vec<Located<Text<'a>>>,
}

/// An index of a Pipfile.
#[derive(Clone, Debug)]
pub struct PipfileSource<'a> {
    /// The name by which packages refer to it.
    pub name: Text<'a>,
    /// Its URL.
    pub url: Located<Text<'a>>,
    /// Whether its certificate is checked.
    pub verify_ssl: bool,
    /// The entry.
    pub at: Location,
}
