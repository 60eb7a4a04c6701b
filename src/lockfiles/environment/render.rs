//! Hashed requirements (<https://pip.pypa.io/en/stable/topics/secure-installs/>), written from any lock.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::lockfiles::address::Address;
use crate::lockfiles::environment::Refusal;
use crate::lockfiles::environment::chosen::{chosen, is_complete, too_large};
use crate::lockfiles::marker::{Asked, Condition};
use crate::lockfiles::public_index;
use crate::lockfiles::requirement::Version;
use crate::model::lockfile::{Format, Hash, Lockfile, Package, Source};
use crate::model::sources::Location;

/// The hashes that pip takes, and how many digits each has.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// A list for `pip install --require-hashes --no-deps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// The list.
    pub text: String,
    /// How many entries it has.
    pub count: usize,
}

/// What is asked for by one line.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    name: String,
    /// `==1.0`, or ` @ https://…`.
    what: String,
}

/// The hashed requirements of everything that a lock installs for these groups and extras; the projects of the
/// workspace themselves are left out, and folders on this machine. Fails where something cannot be installed by its
/// hash.
pub fn requirements(lock: &Lockfile<'_>, asked: &Asked) -> Result<Requirements, Refusal> {
    if !is_complete(lock) {
        let at = Location {
            file: lock.file,
            ..Location::default()
        };
        let at = lock.version.as_ref().map_or(at, |version| version.at);
        return Err(Refusal::new(
            at,
            "does not say what is installed where: the tool resolves that anew",
        ));
    }
    let mut lines: BTreeMap<Head, (Condition, BTreeSet<String>)> = BTreeMap::new();
    let mut indexes: BTreeSet<String> = BTreeSet::new();
    for (package, condition) in chosen(lock, asked)? {
        if package.is_local() || condition.is_never() {
            continue;
        }
        if is_for_others(package, &condition, lock) {
            let head = Head {
                name: name(package)?,
                what: String::new(),
            };
            lines.insert(head, (condition, BTreeSet::new()));
            continue;
        }
        let head = head(package)?;
        let hashes = hashes(package)?;
        indexes.extend(index(package, lock));
        let line = lines.entry(head).or_default();
        line.0 = line.0.or(&condition).ok_or_else(|| too_large(package))?;
        line.1.extend(hashes);
    }
    let mut text = String::new();
    for index in indexes {
        let _ = writeln!(text, "--extra-index-url {index}");
    }
    let count = lines.len();
    for (Head { name, what }, (condition, hashes)) in lines {
        let _ = write!(text, "{name}{what}");
        let marker = condition.marker();
        if !marker.is_empty() {
            let _ = write!(text, " ; {marker}");
        }
        for hash in hashes {
            let _ = write!(text, " \\\n    --hash={hash}");
        }
        text.push('\n');
    }
    Ok(Requirements { text, count })
}

/// pipenv pins nothing for what its own machine does not need. pip passes over such a line where its marker does not
/// hold, and refuses it where it does.
fn is_for_others(package: &Package<'_>, condition: &Condition, lock: &Lockfile<'_>) -> bool {
    let is_bare = package.version.is_none() && package.hashes.is_empty();
    let is_indexed = matches!(package.source.value, Source::Unstated | Source::Registry(_));
    lock.format == Format::Pipfile && is_bare && is_indexed && !condition.marker().is_empty()
}

fn refuse(package: &Package<'_>, what: &str) -> Refusal {
    Refusal::new(package.at, format!("`{}` {what}", package.name.normal))
}

/// The name, which pip takes for nothing else.
fn name(package: &Package<'_>) -> Result<String, Refusal> {
    let name = package.name.normal.to_string();
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(is_inner) {
        return Err(refuse(package, "is no name of a package"));
    }
    Ok(name)
}

/// Name and version, or name and address. What pip would take for something else is refused.
fn head(package: &Package<'_>) -> Result<Head, Refusal> {
    let refuse = |what: &str| refuse(package, what);
    let name = name(package)?;
    let what = match &package.source.value {
        Source::Git { .. } => return Err(refuse("comes from a repository, which has no hash")),
        Source::Path(_) => return Err(refuse("is a file on the machine that wrote the lock")),
        Source::Url { url, subdirectory } => {
            if subdirectory.is_some() || !is_plain_address(url) {
                return Err(refuse(
                    "comes from an address that pip would read otherwise",
                ));
            }
            format!(" @ {url}")
        }
        _ => {
            let version = package.version.as_ref();
            let version = version.ok_or_else(|| refuse("is not pinned to a version"))?;
            if Version::parse(&version.value).is_none() {
                return Err(refuse("is pinned to something that is no version"));
            }
            format!("=={}", version.value.trim())
        }
    };
    Ok(Head { name, what })
}

/// An address that means itself: pip puts the environment's variables into what it reads.
fn is_plain_address(url: &str) -> bool {
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '$' | '\\' | '"' | '\'' | '#' | '`' | ';');
    url.chars().all(is_plain)
        && Address::parse(url).is_some_and(|address| {
            address.user.is_none() && matches!(address.scheme, "https" | "http")
        })
}

fn hashes(package: &Package<'_>) -> Result<Vec<String>, Refusal> {
    let files = package.files.iter().flat_map(|file| &file.hashes);
    let is_known = |hash: &&Hash<'_>| {
        let is_hex = hash.digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex && ALGORITHMS.contains(&(&*hash.algorithm, hash.digest.len()))
    };
    let hashes: Vec<String> = files
        .chain(&package.hashes)
        .filter(is_known)
        .map(|hash| format!("{}:{}", hash.algorithm, hash.digest.to_ascii_lowercase()))
        .collect();
    if hashes.is_empty() {
        return Err(refuse(package, "has no hash that pip takes"));
    }
    Ok(hashes)
}

/// The index of a package, where it is neither the default nor the public one. The hashes say what may come from it.
fn index(package: &Package<'_>, lock: &Lockfile<'_>) -> Option<String> {
    let Source::Registry(place) = &package.source.value else {
        return None;
    };
    let sources = lock.pipfile().map(|pipfile| &pipfile.sources);
    let named = sources
        .into_iter()
        .flatten()
        .find(|source| source.name == *place);
    let url = named.map_or(&**place, |source| &*source.url.value);
    (is_plain_address(url) && !public_index::is_public(url)).then(|| url.to_owned())
}
