//! What only requirements have (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).

use crate::model::lockfile::Text;
use crate::model::sources::{FileId, Located, Location};

/// The rest of a `requirements.txt`.
#[derive(Clone, Debug, Default)]
pub struct RequirementsFile<'a> {
    /// The options, in the order in which pip meets them, those of included files among them.
    pub options: Vec<RequirementsOption<'a>>,
    /// Files that were included by `-r` or `-c`, each once.
    pub included: Vec<FileId>,
    /// Files that are included and were not given to the reader: missing, remote, or outside of the workspace.
    pub unread: Vec<Located<Text<'a>>>,
    /// The command that the header names: `uv pip compile requirements.in -o requirements.txt`.
    pub command: Option<Located<Text<'a>>>,
    /// The Python that the header names, with which it was made: `3.11` (pip-compile).
    pub python: Option<Located<Text<'a>>>,
    /// For each package of the lock, by its index: who asks for it, as the comments say (`-r requirements.in`, `flask`).
    pub via: Vec<Vec<Located<Text<'a>>>>,
}

/// An option of a file, not of a requirement.
#[derive(Clone, Debug)]
pub struct RequirementsOption<'a> {
    /// The long name: `--index-url`.
    pub name: &'static str,
    /// Its value; empty where it takes none.
    pub value: Text<'a>,
    /// Where it stands.
    pub at: Location,
}
