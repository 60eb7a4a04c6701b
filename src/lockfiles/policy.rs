//! What the user allows and asks for: everything that rules take from outside of the files.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::diagnostic::Severity;

/// How much a rule counts; the looser, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It is not run.
    Off,
    /// For information.
    Note,
    /// May be wrong.
    Warning,
    /// Wrong.
    Error,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Note, Self::Warning, Self::Error];

    /// The name in inputs and documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The severity of its findings; none where the rule is off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// A kind of source that is refused unless it is allowed or declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A repository.
    Git,
    /// An archive at a URL.
    Url,
    /// An archive or folder on this machine.
    Path,
    /// A folder that is installed in place.
    Editable,
    /// An address without TLS.
    Http,
}

impl SourceKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Git, Self::Url, Self::Path, Self::Editable, Self::Http];

    /// The name in inputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Url => "url",
            Self::Path => "path",
            Self::Editable => "editable",
            Self::Http => "http",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What the user allows and asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Levels instead of the rules' own, by rule.
    pub levels: BTreeMap<&'static str, Level>,
    /// URLs of indexes that may be used; none for those that the project declares, and the public one.
    pub indexes: Vec<String>,
    /// Hosts that may serve files; none for those that belong to the indexes.
    pub hosts: Vec<String>,
    /// Kinds of sources that need no declaration.
    pub sources: Vec<SourceKind>,
    /// Names, or patterns with `*`, that only a private index may serve.
    pub private_names: Vec<String>,
    /// Platforms that must be served: `linux-x86_64`, `musllinux-aarch64`, `macos-arm64`, `windows-amd64`.
    pub platforms: Vec<String>,
    /// Pythons that must be served: `3.11`.
    pub pythons: Vec<String>,
    /// How long a file must have been on its index.
    pub min_age: Option<Duration>,
    /// Names that need not be that old.
    pub min_age_exceptions: Vec<String>,
    /// Whether hashes are compared with what the indexes publish.
    pub index_check: bool,
    /// Whether the repositories of actions are asked what their commits are.
    pub action_check: bool,
    /// The index that is asked in place of the public one.
    pub index_url: Option<String>,
}
