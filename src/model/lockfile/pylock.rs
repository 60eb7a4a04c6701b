//! What only `pylock.toml` has (<https://packaging.python.org/en/latest/specifications/pylock-toml/>).

use crate::model::lockfile::Text;
use crate::model::sources::Located;

/// The rest of a `pylock.toml`.
#[derive(Clone, Debug, Default)]
pub struct Pylock<'a> {
    /// The extras that it knows.
    pub extras: Vec<Located<Text<'a>>>,
    /// The dependency groups that it knows.
    pub dependency_groups: Vec<Located<Text<'a>>>,
    /// The groups that are installed where none is named.
    pub default_groups: Vec<Located<Text<'a>>>,
    /// Whether it says of its packages what they declare, as PDM does in `[packages.tool.pdm]`.
    pub has_declared: bool,
    /// pdm's hash of the inputs, `[tool.pdm.hashes] sha256`.
    pub pdm_hash: Option<Located<Text<'a>>>,
}

/// The one kind that an entry of PEP 751 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PylockKind {
    /// `vcs`.
    Vcs,
    /// `directory`.
    Directory,
    /// `archive`.
    Archive,
    /// `sdist` and `wheels`.
    Distribution,
}
