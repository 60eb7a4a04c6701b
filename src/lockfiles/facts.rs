//! Everything that is known about one lock when it is judged.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::lockfiles::policy::Policy;
use crate::lockfiles::published::Published;
use crate::model::declared::Declarations;
use crate::model::lockfile::{Edge, Lockfile, Package};
use crate::model::sources::{FileId, Sources};

/// One lock and all that it is judged by.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The files that were read.
    pub sources: &'a Sources,
    /// The lock.
    pub lock: &'a Lockfile<'a>,
    /// Its packages by their normalised names.
    pub index: Index<'a>,
    /// What the project beside the lock declares, or the script that it is for; `None` where there is neither.
    pub declared: Option<&'a Declarations<'a>>,
    /// What the members of its workspace declare, the root excepted, and the folders that `[tool.uv.sources]` names.
    pub members: &'a [Declarations<'a>],
    /// The file that uv takes its options from where that is not the project's own: `uv.toml`, or a `pyproject.toml`
    /// further up.
    pub configuration: Option<&'a Declarations<'a>>,
    /// The `pyproject.toml` of the workspace whose lock uv reads in place of this one; `None` where uv reads this one.
    pub workspace: Option<FileId>,
    /// The state before the change; `None` where there is no base to compare with.
    pub base: Option<Before<'a>>,
    /// What the user allows and asks for.
    pub policy: &'a Policy,
    /// Now, in seconds since 1970.
    pub now: u64,
    /// What the indexes publish; `None` where they were not asked.
    pub published: Option<&'a Published>,
}

/// The same lock before the change.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The files of the base.
    pub sources: &'a Sources,
    /// The lock; `None` where there was none, or none that could be read.
    pub lock: Option<&'a Lockfile<'a>>,
    /// What the project declared.
    pub declared: Option<&'a Declarations<'a>>,
}

/// The packages of a lock by name.
#[derive(Clone, Debug, Default)]
pub struct Index<'a> {
    by_name: Packages<'a>,
    /// Those of names with [many](MANY) entries, by name and then by version as written.
    by_version: HashMap<&'a str, Packages<'a>, RandomState>,
}

type Packages<'a> = HashMap<&'a str, Vec<&'a Package<'a>>, RandomState>;

/// A name with more entries than this is looked up by its version, so that an absurd lock takes no time.
const MANY: usize = 8;

impl<'a> Index<'a> {
    /// Indexes a lock.
    pub fn new(lock: &'a Lockfile<'a>) -> Self {
        let mut by_name =
            Packages::with_capacity_and_hasher(lock.packages.len(), RandomState::default());
        for package in &lock.packages {
            by_name
                .entry(&*package.name.normal)
                .or_default()
                .push(package);
        }
        let mut by_version = HashMap::default();
        for (name, packages) in by_name.iter().filter(|(_, own)| own.len() > MANY) {
            let mut own = Packages::default();
            for package in packages {
                let version = package.version.as_ref();
                let version = version.map_or("", |version| &*version.value);
                own.entry(version).or_default().push(package);
            }
            by_version.insert(*name, own);
        }
        Self {
            by_name,
            by_version,
        }
    }

    /// The packages of a normalised name, in the order of the file.
    pub fn named(&self, normal: &str) -> &[&'a Package<'a>] {
        self.by_name.get(normal).map_or(&[], Vec::as_slice)
    }

    /// Those that an edge to this name and version can mean; others may be among them.
    fn candidates(&self, normal: &str, version: Option<&str>) -> &[&'a Package<'a>] {
        let named = self.named(normal);
        match version {
            Some(version) if named.len() > MANY => {
                let versions = self.by_version.get(normal);
                let found = versions.and_then(|versions| versions.get(version));
                found.map_or(&[], Vec::as_slice)
            }
            _ => named,
        }
    }

    /// The packages that an edge means: those of its name, version and source, as far as it names them.
    pub fn targets(&self, edge: &Edge<'_>) -> impl Iterator<Item = &'a Package<'a>> {
        let version = edge.version.as_ref().map(|version| &version.value);
        let source = edge.source.as_ref().map(|source| &source.value);
        self.candidates(&edge.name.normal, version.map(|version| &**version))
            .iter()
            .copied()
            .filter(move |package| {
                let own = package.version.as_ref().map(|own| &own.value);
                (version.is_none() || own == version)
                    && source.is_none_or(|source| package.source.value == *source)
            })
    }
}

impl<'a> Facts<'a> {
    /// The facts about a lock of which nothing else is known.
    pub fn of_lock(sources: &'a Sources, lock: &'a Lockfile<'a>, policy: &'a Policy) -> Self {
        Self {
            sources,
            lock,
            index: Index::new(lock),
            declared: None,
            members: &[],
            configuration: None,
            workspace: None,
            base: None,
            policy,
            now: 0,
            published: None,
        }
    }
}
