//! Files whose hash is another one though version and name are the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::lockfiles::difference::version::VersionKey;
use crate::model::lockfile::{File, Hash, Lockfile, Package};
use crate::model::sources::Location;

/// What the base has instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Was<'a> {
    /// Another digest.
    Digest(&'a Hash<'a>),
    /// A digest of another algorithm, so that nothing shows that it is the same file.
    Algorithm(&'a Hash<'a>),
    /// A digest, and now there is none.
    Hashed(&'a Hash<'a>),
}

/// A package with a hash that is another one.
#[derive(Clone, Debug)]
pub struct HashChange<'a> {
    /// The package now.
    pub package: &'a Package<'a>,
    /// The file; none where hashes are of the package as a whole.
    pub file: Option<&'a File<'a>>,
    /// Where it stands now.
    pub at: Location,
    /// What the base has instead.
    pub was: Was<'a>,
    /// How many files more of the package.
    pub more: usize,
}

/// The packages of which a file has another hash than before, by name; each once.
pub fn hash_changes<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<HashChange<'a>> {
    let mut found: BTreeMap<&str, HashChange<'a>> = BTreeMap::new();
    let all = of_files(before, after)
        .into_iter()
        .chain(of_packages(before, after));
    for change in all {
        found
            .entry(&change.package.name.normal)
            .and_modify(|first| first.more += 1)
            .or_insert(change);
    }
    found.into_values().collect()
}

type FileKey<'a> = (&'a str, VersionKey<'a>, &'a str);

fn of_files<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<HashChange<'a>> {
    let mut known: HashMap<FileKey<'a>, Vec<&'a Hash<'a>>> = HashMap::new();
    for (key, file) in files(before) {
        known.entry(key).or_default().extend(&file.hashes);
    }
    let mut found = Vec::new();
    for package in &after.packages {
        let version = VersionKey::of(package);
        for file in package.files.iter().filter(|file| !file.name.is_empty()) {
            let key = (&*package.name.normal, version.clone(), &*file.name);
            let Some(was) = known.get(&key).and_then(|known| was(known, &file.hashes)) else {
                continue;
            };
            found.push(HashChange {
                package,
                file: Some(file),
                at: file.hashes.first().map_or(file.at, |hash| hash.at),
                was,
                more: 0,
            });
        }
    }
    found
}

fn files<'a>(lock: &'a Lockfile<'a>) -> impl Iterator<Item = (FileKey<'a>, &'a File<'a>)> {
    lock.packages.iter().flat_map(|package| {
        let version = VersionKey::of(package);
        package
            .files
            .iter()
            .filter(|file| !file.name.is_empty())
            .map(move |file| ((&*package.name.normal, version.clone(), &*file.name), file))
    })
}

/// What is wrong with the hashes of a file for which these were known.
fn was<'a>(known: &[&'a Hash<'a>], now: &[Hash<'_>]) -> Option<Was<'a>> {
    let first = known.first()?;
    if now.is_empty() {
        return Some(Was::Hashed(first));
    }
    let mut is_comparable = false;
    for hash in now {
        let mut same = known.iter().filter(|known| is_same_algorithm(known, hash));
        let Some(one) = same.next() else { continue };
        is_comparable = true;
        let is_known = is_same_digest(one, hash) || same.any(|known| is_same_digest(known, hash));
        if !is_known {
            return Some(Was::Digest(one));
        }
    }
    (!is_comparable).then_some(Was::Algorithm(first))
}

fn is_same_algorithm(left: &Hash<'_>, right: &Hash<'_>) -> bool {
    left.algorithm.eq_ignore_ascii_case(&right.algorithm)
}

fn is_same_digest(left: &Hash<'_>, right: &Hash<'_>) -> bool {
    left.digest.eq_ignore_ascii_case(&right.digest)
}

/// Hashes that are said of a package as a whole: one that went while another came is a file that was exchanged. That one
/// only came is a file that was uploaded later.
fn of_packages<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<HashChange<'a>> {
    let known = of_each(before);
    let now = of_each(after);
    let mut found = Vec::new();
    let mut told = HashSet::new();
    for package in &after.packages {
        let key = (&*package.name.normal, VersionKey::of(package));
        let Some(known) = known.get(&key).filter(|known| !known.is_empty()) else {
            continue;
        };
        let Some(now) = now.get(&key) else { continue };
        let gone = known.iter().find(|(digest, _)| !now.contains_key(*digest));
        let come = now.iter().find(|(digest, _)| !known.contains_key(*digest));
        let (at, was) = match (gone, come) {
            (Some((_, old)), Some((_, new))) => (new.at, Was::Digest(old)),
            (Some((_, old)), None) if now.is_empty() && package.files.is_empty() => {
                (package.name.at, Was::Hashed(old))
            }
            _ => continue,
        };
        if told.insert(key) {
            found.push(HashChange {
                package,
                file: None,
                at,
                was,
                more: 0,
            });
        }
    }
    found
}

type Digests<'a> = BTreeMap<(String, String), &'a Hash<'a>>;

fn of_each<'a>(lock: &'a Lockfile<'a>) -> HashMap<(&'a str, VersionKey<'a>), Digests<'a>> {
    let mut all: HashMap<_, Digests<'a>> = HashMap::new();
    for package in &lock.packages {
        let digests = all
            .entry((&*package.name.normal, VersionKey::of(package)))
            .or_default();
        for hash in &package.hashes {
            let key = (
                hash.algorithm.to_ascii_lowercase(),
                hash.digest.to_ascii_lowercase(),
            );
            digests.entry(key).or_insert(hash);
        }
    }
    all
}
