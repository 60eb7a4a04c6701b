//! Where packages come from, and whether anything came from there before.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::lockfiles::difference::hashes::hash_changes;
use crate::lockfiles::difference::pairs::{Kind, changes};
use crate::lockfiles::difference::version::VersionKey;
use crate::lockfiles::public_index::{host, is_public};
use crate::model::lockfile::{Hash, Lockfile, Package, Source};
use crate::model::sources::Location;

/// A place that packages come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin<'a> {
    /// An index by its URL without the last slash, its name or its folder; empty for the default index.
    Index(&'a str),
    /// A repository.
    Repository(&'a str),
    /// The host of archives that are named by their URL.
    ArchiveHost(&'a str),
    /// The host of an index's files.
    FileHost(&'a str),
}

impl Origin<'_> {
    /// For people: ``the index `https://…` ``.
    pub fn describe(&self) -> String {
        match self {
            Self::Index("") => "the default index".to_owned(),
            Self::Index(index) => format!("the index `{index}`"),
            Self::Repository(url) => format!("the repository `{url}`"),
            Self::ArchiveHost(host) | Self::FileHost(host) => format!("the host `{host}`"),
        }
    }
}

/// The one spelling of an index: the public one is the default of every tool.
fn index<'a>(source: &'a Source<'_>) -> Option<&'a str> {
    match source {
        Source::Unstated => Some(""),
        Source::Registry(index) if is_public(index) => Some(""),
        Source::Registry(index) => Some(index.trim_end_matches('/')),
        _ => None,
    }
}

/// Whether both are the same place, whatever its spelling.
pub(super) fn is_same_source(left: &Source<'_>, right: &Source<'_>) -> bool {
    left == right || (index(left).is_some() && index(left) == index(right))
}

/// Where a package comes from; none for what is on this machine.
fn origin<'a>(package: &'a Package<'_>) -> Option<Origin<'a>> {
    match &package.source.value {
        source @ (Source::Unstated | Source::Registry(_)) => index(source).map(Origin::Index),
        Source::Git { url, .. } => Some(Origin::Repository(url)),
        Source::Url { url, .. } => host(url).map(Origin::ArchiveHost),
        Source::Path(_) | Source::Directory(_) | Source::Editable(_) | Source::Virtual(_) => None,
    }
}

/// The hosts of the files that an index serves, and where each is named.
fn file_hosts<'a>(package: &'a Package<'_>) -> impl Iterator<Item = (&'a str, Location)> {
    let is_indexed = index(&package.source.value).is_some();
    package
        .files
        .iter()
        .filter(move |_| is_indexed)
        .filter_map(|file| {
            let url = file.url.as_ref().filter(|_| !file.is_path)?;
            Some((host(&url.value)?, url.at))
        })
}

/// A place that nothing came from before.
#[derive(Clone, Debug)]
pub struct NewOrigin<'a> {
    /// The place.
    pub origin: Origin<'a>,
    /// Where it is named first.
    pub at: Location,
    /// The first package that comes from there.
    pub package: &'a Package<'a>,
    /// How many packages come from there.
    pub packages: usize,
}

/// The places that packages come from now, and nothing came from before. A new index brings its hosts with it.
pub fn new_origins<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<NewOrigin<'a>> {
    let mut known: HashSet<Origin<'a>> = HashSet::new();
    for package in &before.packages {
        known.extend(origin(package));
        known.extend(file_hosts(package).map(|(host, _)| Origin::FileHost(host)));
    }
    let mut found: BTreeMap<Origin<'a>, NewOrigin<'a>> = BTreeMap::new();
    for package in &after.packages {
        let Some(own) = origin(package) else { continue };
        let mut new: Vec<(Origin<'a>, Location)> = Vec::new();
        if known.contains(&own) {
            let mut hosts = HashSet::new();
            new.extend(
                file_hosts(package)
                    .map(|(host, at)| (Origin::FileHost(host), at))
                    .filter(|(host, _)| !known.contains(host) && hosts.insert(host.clone())),
            );
        } else {
            new.push((own, package.source.at));
        }
        for (origin, at) in new {
            found
                .entry(origin.clone())
                .and_modify(|one| one.packages += 1)
                .or_insert(NewOrigin {
                    origin,
                    at,
                    package,
                    packages: 1,
                });
        }
    }
    found.into_values().collect()
}

/// A package of the same version from elsewhere, and nothing shows that it is the same.
#[derive(Clone, Copy, Debug)]
pub struct SourceChange<'a> {
    /// The entry before.
    pub before: &'a Package<'a>,
    /// The entry now.
    pub after: &'a Package<'a>,
}

/// The packages that come from elsewhere at the same version without a hash or a commit that shows them to be the same.
/// Those with a file that has another hash are left to [`hash_changes`].
pub fn source_changes<'a>(
    before: &'a Lockfile<'a>,
    after: &'a Lockfile<'a>,
) -> Vec<SourceChange<'a>> {
    let mut told: Option<HashSet<&str>> = None;
    let mut found = Vec::new();
    for change in changes(before, after) {
        let (Kind::Source, Some(old), Some(new)) = (change.kind, change.before, change.after)
        else {
            continue;
        };
        let told = told.get_or_insert_with(|| {
            let others = hash_changes(before, after).into_iter();
            others.map(|one| &*one.package.name.normal).collect()
        });
        if !is_proved(old, new) && !told.contains(&*new.name.normal) {
            found.push(SourceChange {
                before: old,
                after: new,
            });
        }
    }
    found
}

/// Whether hash or commit show that both are the same.
fn is_proved(before: &Package<'_>, after: &Package<'_>) -> bool {
    if let (
        Source::Git {
            commit: Some(old), ..
        },
        Source::Git {
            commit: Some(new), ..
        },
    ) = (&before.source.value, &after.source.value)
    {
        return old == new;
    }
    let known: HashSet<(&str, &str)> = hashes(before)
        .map(|hash| (&*hash.algorithm, &*hash.digest))
        .collect();
    hashes(after).any(|hash| known.contains(&(&*hash.algorithm, &*hash.digest)))
}

fn hashes<'p>(package: &'p Package<'_>) -> impl Iterator<Item = &'p Hash<'p>> {
    let of_files = package.files.iter().flat_map(|file| &file.hashes);
    of_files
        .chain(&package.hashes)
        .map(|hash| -> &'p Hash<'p> { hash })
}

/// Packages that come from elsewhere, with the hashes that they had.
#[derive(Clone, Debug)]
pub struct Moved<'a> {
    /// From where.
    pub from: Origin<'a>,
    /// To where.
    pub to: Origin<'a>,
    /// Where the new place is named first.
    pub at: Location,
    /// The first package.
    pub package: &'a Package<'a>,
    /// How many packages.
    pub packages: usize,
}

/// The moves from one place to another that leave the bytes as they were: each once, with the number of packages.
pub fn moved<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<Moved<'a>> {
    let mut found: BTreeMap<(Origin<'a>, Origin<'a>), Moved<'a>> = BTreeMap::new();
    let mut add = |from: Origin<'a>, to: Origin<'a>, at, package| {
        found
            .entry((from.clone(), to.clone()))
            .and_modify(|one| one.packages += 1)
            .or_insert(Moved {
                from,
                to,
                at,
                package,
                packages: 1,
            });
    };
    let mut told = HashSet::new();
    for change in changes(before, after) {
        let (Kind::Source, Some(old), Some(new)) = (change.kind, change.before, change.after)
        else {
            continue;
        };
        if let (Some(from), Some(to)) = (origin(old), origin(new))
            && is_proved(old, new)
        {
            told.insert(&*new.name.normal);
            add(from, to, new.source.at, new);
        }
    }
    let mut hosts: HashMap<(&str, VersionKey<'a>, &str), (&str, &[Hash<'a>])> = HashMap::new();
    for package in &before.packages {
        for file in &package.files {
            if let Some(host) = file.url.as_ref().and_then(|url| host(&url.value)) {
                let key = (&*package.name.normal, VersionKey::of(package), &*file.name);
                hosts.insert(key, (host, &file.hashes));
            }
        }
    }
    for package in &after.packages {
        if told.contains(&*package.name.normal) {
            continue;
        }
        let mut seen = HashSet::new();
        for file in &package.files {
            let key = (&*package.name.normal, VersionKey::of(package), &*file.name);
            let Some(url) = &file.url else { continue };
            if let (Some((from, known)), Some(to)) = (hosts.get(&key), host(&url.value))
                && !from.eq_ignore_ascii_case(to)
                && file.hashes.iter().any(|hash| {
                    known.iter().any(|known| {
                        known.digest == hash.digest && known.algorithm == hash.algorithm
                    })
                })
                && seen.insert((*from, to))
            {
                add(
                    Origin::FileHost(from),
                    Origin::FileHost(to),
                    url.at,
                    package,
                );
            }
        }
    }
    found.into_values().collect()
}
