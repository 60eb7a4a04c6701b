//! One entry of a lockfile: a package at one version, its files and what it needs.

use crate::model::lockfile::{GroupPythons, Name, PackageMetadata, PylockKind, Text};
use crate::model::sources::{Located, Location};

/// A pinned package.
#[derive(Clone, Debug)]
pub struct Package<'a> {
    /// The name.
    pub name: Name<'a>,
    /// The version as written; none for a source tree with a dynamic version, and for an unpinned requirement.
    pub version: Option<Located<Text<'a>>>,
    /// What was written instead of a plain version: the specifier of an unpinned requirement, `>=1.0`.
    pub specifier: Option<Located<Text<'a>>>,
    /// Where it comes from.
    pub source: Located<Source<'a>>,
    /// Its files.
    pub files: Vec<File<'a>>,
    /// Hashes that are said of the package as a whole (requirements, Pipfile), not of one file.
    pub hashes: Vec<Hash<'a>>,
    /// What it needs.
    pub dependencies: Vec<Edge<'a>>,
    /// Extras that the entry itself stands for: `name[extra]==1.0`, pdm's entries with extras.
    pub extras: Vec<Located<Text<'a>>>,
    /// Groups or categories that bring it in, where the lock says (poetry, pdm, Pipfile).
    pub groups: Vec<Located<Text<'a>>>,
    /// Where it is installed.
    pub marker: Option<Located<Text<'a>>>,
    /// Where it is installed for single groups, where that differs (poetry).
    pub group_markers: Vec<(Text<'a>, Located<Text<'a>>)>,
    /// The Pythons that it is for.
    pub requires_python: Option<Located<Text<'a>>>,
    /// The forks of the resolution that it belongs to (uv).
    pub resolution_markers: Vec<Located<Text<'a>>>,
    /// Whether it is there only for extras (poetry).
    pub is_optional: bool,
    /// What a package of the workspace declared when the lock was made (uv).
    pub metadata: Option<Box<PackageMetadata<'a>>>,
    /// The Pythons that its groups are for (uv).
    pub group_pythons: GroupPythons<'a>,
    /// The kind of its entry, where there may be one only (PEP 751).
    pub pylock: Option<PylockKind>,
    /// The entry's head: `[[package]]`, the line of a requirement.
    pub at: Location,
}

impl<'a> Package<'a> {
    /// An entry that says nothing but its name.
    pub fn new(name: Name<'a>, at: Location) -> Self {
        Self {
            name,
            version: None,
            specifier: None,
            source: Located::new(Source::Unstated, at),
            files: Vec::new(),
            hashes: Vec::new(),
            dependencies: Vec::new(),
            extras: Vec::new(),
            groups: Vec::new(),
            marker: None,
            group_markers: Vec::new(),
            requires_python: None,
            resolution_markers: Vec::new(),
            is_optional: false,
            metadata: None,
            group_pythons: Vec::new(),
            pylock: None,
            at,
        }
    }

    /// Whether it is a source tree on this machine: the project itself, a member of its workspace, a folder.
    pub fn is_local(&self) -> bool {
        matches!(
            self.source.value,
            Source::Directory(_) | Source::Editable(_) | Source::Virtual(_)
        )
    }

    /// What the entry asks for, where it stands in a list of wishes: `Pipfile`, `requirements.in`.
    pub fn asked(&self) -> Requirement<'a> {
        let is_direct = !matches!(self.source.value, Source::Unstated | Source::Registry(_));
        let exact = self.version.as_ref().map(|version| {
            let text = Text::Owned(format!("=={}", version.value));
            Located::new(text, version.at)
        });
        let specifier = exact
            .or_else(|| self.specifier.clone())
            .filter(|specifier| !is_direct && specifier.value != "*");
        Requirement {
            name: self.name.clone(),
            extras: self.extras.clone(),
            specifier,
            marker: self.marker.clone(),
            source: is_direct.then(|| self.source.clone()),
            at: self.at,
        }
    }

    /// `requests 2.32.0`, for messages.
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {}", self.name.normal, version.value),
            None => self.name.normal.clone().into_owned(),
        }
    }
}

/// Where a package comes from. Paths are as written, relative to the lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source<'a> {
    /// The format or the entry does not say: the default index.
    Unstated,
    /// An index by its URL; a folder of files by its path, or an index by its name (poetry, pipenv).
    Registry(Text<'a>),
    /// A single archive.
    Url {
        /// Its address.
        url: Text<'a>,
        /// The folder in it.
        subdirectory: Option<Text<'a>>,
    },
    /// A repository.
    Git {
        /// Its address, without query and fragment.
        url: Text<'a>,
        /// What was asked for.
        reference: Option<GitReference<'a>>,
        /// The commit that it was.
        commit: Option<Text<'a>>,
        /// The folder in it.
        subdirectory: Option<Text<'a>>,
    },
    /// An archive on this machine.
    Path(Text<'a>),
    /// A source tree.
    Directory(Text<'a>),
    /// A source tree that is installed in place.
    Editable(Text<'a>),
    /// A project that is not installed itself.
    Virtual(Text<'a>),
}

impl Source<'_> {
    /// The word for people: `index`, `git repository`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unstated | Self::Registry(_) => "index",
            Self::Url { .. } => "URL",
            Self::Git { .. } => "git repository",
            Self::Path(_) => "file",
            Self::Directory(_) => "folder",
            Self::Editable(_) => "editable folder",
            Self::Virtual(_) => "virtual project",
        }
    }
}

/// What was asked for of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GitReference<'a> {
    /// A tag.
    Tag(Text<'a>),
    /// A branch.
    Branch(Text<'a>),
    /// A commit or anything else (uv's `rev`, poetry's and pdm's `reference`).
    Revision(Text<'a>),
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A built distribution.
    Wheel,
    /// A source distribution.
    Sdist,
    /// The lock does not say and the name does not show it.
    Other,
}

impl FileKind {
    /// What the name of a file says.
    pub fn of_name(name: &str) -> Self {
        let ends = |suffix: &str| {
            let start = name.len().checked_sub(suffix.len());
            let end = start.and_then(|start| name.get(start..));
            end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        };
        if ends(".whl") {
            Self::Wheel
        } else if [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar"]
            .into_iter()
            .any(ends)
        {
            Self::Sdist
        } else {
            Self::Other
        }
    }
}

/// A file of a package.
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// What the lock says it is.
    pub kind: FileKind,
    /// Its name: as the lock has it, else the last part of URL or path, percent signs decoded.
    pub name: Text<'a>,
    /// Its address, or its path on this machine.
    pub url: Option<Located<Text<'a>>>,
    /// Whether `url` is a path on this machine.
    pub is_path: bool,
    /// Its hashes; none where the lock has none.
    pub hashes: Vec<Hash<'a>>,
    /// Bytes.
    pub size: Option<u64>,
    /// When the index got it, RFC 3339.
    pub upload_time: Option<Located<Text<'a>>>,
    /// The entry.
    pub at: Location,
}

/// A hash as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash<'a> {
    /// `sha256`; empty where none is named.
    pub algorithm: Text<'a>,
    /// The digits.
    pub digest: Text<'a>,
    /// Where it stands, without quotes.
    pub at: Location,
}

/// The table of a package in which a dependency stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section<'a> {
    /// Always needed.
    Dependencies,
    /// Needed for an extra.
    Extra(Text<'a>),
    /// Of a dependency group (PEP 735) or a group of the tool's.
    Group(Text<'a>),
}

/// A dependency of a locked package.
#[derive(Clone, Debug)]
pub struct Edge<'a> {
    /// In which table it stands.
    pub section: Section<'a>,
    /// What is needed.
    pub name: Name<'a>,
    /// Which version of it, where the lock has several (uv), exactly.
    pub version: Option<Located<Text<'a>>>,
    /// Which versions would do (poetry, pdm).
    pub specifier: Option<Located<Text<'a>>>,
    /// Which source of it, where the lock has several.
    pub source: Option<Located<Source<'a>>>,
    /// With which extras.
    pub extras: Vec<Located<Text<'a>>>,
    /// Where.
    pub marker: Option<Located<Text<'a>>>,
    /// Whether it is for extras only (poetry).
    pub is_optional: bool,
    /// The entry.
    pub at: Location,
}

/// A requirement: declared by a project, or recorded by a lock as declared.
#[derive(Clone, Debug)]
pub struct Requirement<'a> {
    /// What is asked for.
    pub name: Name<'a>,
    /// Extras.
    pub extras: Vec<Located<Text<'a>>>,
    /// Versions that would do, as written; none for any.
    pub specifier: Option<Located<Text<'a>>>,
    /// Where.
    pub marker: Option<Located<Text<'a>>>,
    /// From where, if not from any index.
    pub source: Option<Located<Source<'a>>>,
    /// The whole of it.
    pub at: Location,
}
