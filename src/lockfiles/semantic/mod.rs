//! What a lock says about what is installed, and nothing else, as a digest: the packages of others with version, source,
//! hashes, markers and extras, and what the project asks for of them.
//!
//! Left out are the project's own version and metadata, the version and revision of the format, who wrote it, hashes of
//! its inputs, sizes and times of files, comments, and the order of everything.

mod asked;
mod package;

use std::collections::HashSet;

use crate::model::cache_key::{Lock, Pinned};
use crate::model::digest::{Pieces, Sha, hex};
use crate::model::lockfile::{Lockfile, Package};

/// How many bytes of a digest tell a part of a package: enough to say which one is not the same.
const BYTES: usize = 4;

/// The digest of a lock, and of each thing that it is made from. `path` is how the lock is called; `constraints` are those
/// of requirements, which decide about packages that nothing else names.
pub fn semantic(lockfile: &Lockfile<'_>, constraints: &[Package<'_>], path: &str) -> Lock {
    let own: HashSet<&str> = lockfile
        .packages
        .iter()
        .filter(|package| package.is_local())
        .map(|package| &*package.name.normal)
        .collect();
    let mut packages: Vec<(Pinned, Sha)> = lockfile
        .third_party()
        .chain(constraints)
        .map(|package| package::digest(package, &own))
        .collect();
    packages.sort_unstable();
    packages.dedup();
    let asked = asked::digest(lockfile, &own);
    let mut whole = Pieces::default();
    whole.add(lockfile.format.name());
    whole.add(asked);
    whole.add_list(packages.iter().map(|(_, digest)| digest));
    Lock {
        path: path.to_owned(),
        format: lockfile.format.name().to_owned(),
        digest: hex(&whole.finish()),
        asked: short(&asked),
        packages: packages.into_iter().map(|(pinned, _)| pinned).collect(),
    }
}

fn short(digest: &Sha) -> String {
    hex(digest.get(..BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests;
