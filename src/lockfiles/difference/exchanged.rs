//! Files that took the place of others though the version is the same.

use std::collections::{HashMap, HashSet};

use crate::lockfiles::difference::version::VersionKey;
use crate::model::lockfile::{File, FileKind, Lockfile, Package};

/// A package whose files of one kind are all other ones than before.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The package now.
    pub package: &'a Package<'a>,
    /// What was exchanged.
    pub kind: FileKind,
    /// The first of the new files.
    pub file: &'a File<'a>,
    /// How many there are.
    pub now: usize,
    /// The name of one that was there before.
    pub was: &'a str,
    /// How many there were.
    pub before: usize,
}

/// The packages that have only new files of a kind, wheels or source distributions, where they had others at the same
/// version: an index adds files to a version and takes some away, but does not replace them all.
pub fn exchanges<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<Exchange<'a>> {
    let mut known: HashMap<_, Vec<&'a File<'a>>> = HashMap::new();
    for package in &before.packages {
        for file in named(package) {
            known.entry(key(package, file.kind)).or_default().push(file);
        }
    }
    let mut now: HashMap<_, (&'a Package<'a>, Vec<&'a File<'a>>)> = HashMap::new();
    for package in &after.packages {
        for file in named(package) {
            let (_, files) = now
                .entry(key(package, file.kind))
                .or_insert((package, Vec::new()));
            files.push(file);
        }
    }
    let mut found: Vec<Exchange<'a>> = now
        .into_iter()
        .filter_map(|(key, (package, files))| {
            let known = known.get(&key)?;
            let names: HashSet<&str> = known.iter().map(|file| &*file.name).collect();
            let digests: HashSet<&str> = digests(known).collect();
            let is_kept = files.iter().any(|file| names.contains(&*file.name))
                || self::digests(&files).any(|digest| digests.contains(digest));
            (!is_kept).then_some(Exchange {
                package,
                kind: key.2,
                file: files.first()?,
                now: files.len(),
                was: &known.first()?.name,
                before: known.len(),
            })
        })
        .collect();
    found.sort_by_key(|exchange| exchange.file.at);
    found
}

/// The files of known name and kind.
fn named<'a>(package: &'a Package<'a>) -> impl Iterator<Item = &'a File<'a>> {
    let is_named = |file: &&File<'_>| file.kind != FileKind::Other && !file.name.is_empty();
    package.files.iter().filter(is_named)
}

fn key<'a>(package: &'a Package<'_>, kind: FileKind) -> (&'a str, VersionKey<'a>, FileKind) {
    (&*package.name.normal, VersionKey::of(package), kind)
}

fn digests<'a>(files: &[&'a File<'a>]) -> impl Iterator<Item = &'a str> {
    let hashes = files.iter().flat_map(|file| &file.hashes);
    hashes.map(|hash| &*hash.digest)
}
