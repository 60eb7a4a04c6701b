//! Python environments: what one is made from.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// What installs a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installer {
    /// `uv sync --frozen` with the project's default groups and these.
    Uv {
        /// Dependency groups (PEP 735).
        groups: BTreeSet<String>,
        /// Extras.
        extras: BTreeSet<String>,
        /// The folder of the project, where it is installed itself, so that its code is that of the checkout. The
        /// environment is then its own.
        project: Option<PathBuf>,
    },
    /// `pip install --require-hashes` of the lock itself into a fresh venv.
    Pip,
    /// The same, of a list that was written from the lock: it is whole, so that nothing is resolved.
    List(String),
}

/// An environment that a lock describes: the same lock, Python, groups and platform give the same environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The lockfile, absolute.
    pub lock: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// What installs it.
    pub installer: Installer,
    /// A version of Python, such as `3.12`, where the one on PATH or in `.python-version` is not meant.
    pub python: Option<String>,
    /// How many packages it pins, for the progress line.
    pub packages: usize,
}
