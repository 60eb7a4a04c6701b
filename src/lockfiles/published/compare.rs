//! What is new in a lock, beside what the indexes publish.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::filename::{WheelName, is_name, is_version, sdist_stem, sdist_version};
use crate::lockfiles::published::{Asked, Page, Place, Published, PublishedFile, asked};
use crate::model::lockfile::{File, Hash, Lockfile, Package, Source};
use crate::model::sources::Location;

/// What the comparison of one thing gave; what agrees gives nothing.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The package.
    pub package: &'a Package<'a>,
    /// The line of the lock.
    pub at: Location,
    /// What it is.
    pub kind: Kind,
}

/// How a lock and an index disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The index publishes another hash of the file.
    OtherHash {
        /// The file.
        file: String,
        /// The hash that it publishes.
        published: String,
    },
    /// No file of the version has the hash.
    NoSuchHash {
        /// Another file that has it.
        of: Option<String>,
    },
    /// The index has no such file.
    NoSuchFile(String),
    /// The index has no file of the version.
    NoSuchVersion,
    /// The index has no such project.
    NoSuchProject(String),
    /// It was withdrawn; the reason, which may be empty.
    Yanked(String),
    /// It could not be compared; the reason.
    Unseen(String),
}

/// The packages of indexes that have a hash which the base has not.
pub(super) fn subjects<'a>(facts: &Facts<'a>) -> Vec<&'a Package<'a>> {
    let known = known(facts);
    let packages = facts.lock.third_party();
    packages
        .filter(|package| matches!(package.source.value, Source::Unstated | Source::Registry(_)))
        .filter(|package| all_hashes(package).any(|hash| known.is_new(package, hash)))
        .collect()
}

/// The hashes of the base, by the names of their packages.
struct Known<'a>(HashSet<(&'a str, String)>);

impl Known<'_> {
    fn is_new(&self, package: &Package<'_>, hash: &Hash<'_>) -> bool {
        let key = (&*package.name.normal, hash.digest.to_ascii_lowercase());
        !self.0.contains(&key)
    }
}

fn known<'a>(facts: &Facts<'a>) -> Known<'a> {
    let lock: Option<&'a Lockfile<'a>> = facts.base.and_then(|base| base.lock);
    let packages = lock.iter().flat_map(|lock| &lock.packages);
    Known(
        packages
            .flat_map(|package| {
                all_hashes(package)
                    .map(|hash| (&*package.name.normal, hash.digest.to_ascii_lowercase()))
            })
            .collect(),
    )
}

fn all_hashes<'p, 'a>(package: &'p Package<'a>) -> impl Iterator<Item = &'p Hash<'a>> {
    let of_files = package.files.iter().flat_map(|file| &file.hashes);
    of_files.chain(&package.hashes)
}

/// Compares what is new in a lock with what its indexes publish, in the order of the lock; nothing where nobody was asked.
pub fn compare<'a>(facts: &Facts<'a>) -> Vec<Outcome<'a>> {
    let Some(published) = facts.published else {
        return Vec::new();
    };
    let known = known(facts);
    let mut found = Vec::new();
    for package in subjects(facts) {
        let mut add = |at, kind| found.push(Outcome { package, at, kind });
        let places = match asked(package, facts) {
            Asked::Places(places) => places,
            Asked::Nobody => continue,
            Asked::Unknown(why) => {
                add(package.name.at, Kind::Unseen(why));
                continue;
            }
        };
        let pages = match pages(&places, published) {
            Ok(pages) => pages,
            Err(why) => {
                add(package.name.at, Kind::Unseen(why));
                continue;
            }
        };
        if pages.iter().all(|page| page.is_missing) {
            let indexes: Vec<String> = places
                .iter()
                .map(|place| format!("`{}`", place.index))
                .collect();
            add(package.name.at, Kind::NoSuchProject(indexes.join(", ")));
            continue;
        }
        let files: Vec<&PublishedFile> = pages.iter().flat_map(|page| &page.files).collect();
        let mut yanked = None;
        for file in &package.files {
            let is_meant = !file.is_path && !file.name.is_empty();
            let is_new = file.hashes.iter().any(|hash| known.is_new(package, hash));
            if is_meant && is_new {
                of_file(file, &files, &mut yanked, &mut add);
            }
        }
        if let Some(version) = &package.version {
            let is_own = |file: &&&PublishedFile| is_file_of(&file.name, package, &version.value);
            let own: Vec<&PublishedFile> = files.iter().filter(is_own).copied().collect();
            let new = |hash: &&Hash<'_>| known.is_new(package, hash);
            let hashes: Vec<&Hash<'_>> = package.hashes.iter().filter(new).collect();
            if own.is_empty() && !hashes.is_empty() {
                add(version.at, Kind::NoSuchVersion);
                continue;
            }
            for hash in hashes {
                of_version(hash, &own, &files, &mut yanked, &mut add);
            }
        }
        if let Some(reason) = yanked {
            let version = package.version.as_ref();
            let at = version.map_or(package.name.at, |version| version.at);
            add(at, Kind::Yanked(reason));
        }
    }
    found
}

/// The pages of these places; the first reason where one could not be had.
fn pages<'p>(places: &[Place], published: &'p Published) -> Result<Vec<&'p Page>, String> {
    places
        .iter()
        .map(|place| match published.pages.get(&place.page) {
            Some(Ok(page)) => Ok(page),
            Some(Err(why)) => Err(why.clone()),
            None => Err(format!("`{}` was not asked", place.page)),
        })
        .collect()
}

/// A file with a name: that of the index must have the same hash.
fn of_file(
    file: &File<'_>,
    files: &[&PublishedFile],
    yanked: &mut Option<String>,
    add: &mut impl FnMut(Location, Kind),
) {
    let own: Vec<&PublishedFile> = files
        .iter()
        .filter(|published| published.name == *file.name)
        .copied()
        .collect();
    let Some(first) = own.first() else {
        add(file.at, Kind::NoSuchFile(file.name.to_string()));
        return;
    };
    if own.iter().all(|file| file.yanked.is_some()) && yanked.is_none() {
        yanked.clone_from(&first.yanked);
    }
    for hash in &file.hashes {
        let mut published = own.iter().flat_map(|file| digests(file, hash)).peekable();
        let Some(other) = published.peek().copied() else {
            add(hash.at, unhashed(first, hash));
            continue;
        };
        if !published.any(|digest| digest.eq_ignore_ascii_case(&hash.digest)) {
            let kind = Kind::OtherHash {
                file: file.name.to_string(),
                published: short(&hash.algorithm, other),
            };
            add(hash.at, kind);
        }
    }
}

/// A hash of a package as a whole: one of the files of its version must have it.
fn of_version(
    hash: &Hash<'_>,
    own: &[&PublishedFile],
    all: &[&PublishedFile],
    yanked: &mut Option<String>,
    add: &mut impl FnMut(Location, Kind),
) {
    let has = |file: &&&PublishedFile| {
        digests(file, hash).any(|digest| digest.eq_ignore_ascii_case(&hash.digest))
    };
    if let Some(file) = own.iter().find(has) {
        if yanked.is_none() {
            yanked.clone_from(&file.yanked);
        }
    } else if let Some(file) = own.iter().find(|file| digests(file, hash).next().is_none()) {
        add(hash.at, unhashed(file, hash));
    } else {
        let of = all.iter().find(has).map(|file| file.name.clone());
        add(hash.at, Kind::NoSuchHash { of });
    }
}

fn unhashed(file: &PublishedFile, hash: &Hash<'_>) -> Kind {
    let others: Vec<&str> = file
        .hashes
        .iter()
        .map(|(name, _)| &**name)
        .take(4)
        .collect();
    let others = match others.as_slice() {
        [] => "and no other".to_owned(),
        names => format!("only {}", names.join(", ")),
    };
    Kind::Unseen(format!(
        "the index publishes no {} hash of `{}`, {others}: let it publish such, or leave this lock out of a run with `index-check`",
        hash.algorithm, file.name
    ))
}

/// The digests that an index publishes of a file, by the algorithm of this hash.
fn digests<'f>(file: &'f PublishedFile, hash: &Hash<'_>) -> impl Iterator<Item = &'f str> {
    file.hashes
        .iter()
        .filter(move |(algorithm, _)| algorithm.eq_ignore_ascii_case(&hash.algorithm))
        .map(|(_, digest)| digest.as_str())
}

/// Enough of a hash to know it again.
fn short(algorithm: &str, digest: &str) -> String {
    let digits: String = digest.chars().take(12).collect();
    format!("{algorithm}:{digits}…")
}

/// Whether a file is of this version of a package, by its name.
fn is_file_of(file: &str, package: &Package<'_>, version: &str) -> bool {
    let normal = &*package.name.normal;
    if let Some(wheel) = WheelName::parse(file) {
        return is_name(wheel.distribution, normal) && is_version(wheel.version, version);
    }
    sdist_stem(file)
        .and_then(|stem| sdist_version(stem, normal))
        .is_some_and(|own| is_version(own, version))
}
