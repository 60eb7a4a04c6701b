//! What is known of hash algorithms, and how findings about many hashes are told.

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::Findings;
use crate::model::lockfile::{Format, Hash, Package};
use crate::model::sources::Location;

/// A hash algorithm.
#[derive(Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// The name, as `hashlib` has it.
    pub name: &'static str,
    /// How many hexadecimal digits it has.
    pub digits: usize,
    /// Whether nobody can make two files with the same hash.
    pub is_strong: bool,
}

const fn algorithm(name: &'static str, digits: usize, is_strong: bool) -> Algorithm {
    Algorithm {
        name,
        digits,
        is_strong,
    }
}

/// All that any of the tools writes or reads.
const ALL: [Algorithm; 12] = [
    algorithm("sha256", 64, true),
    algorithm("sha384", 96, true),
    algorithm("sha512", 128, true),
    algorithm("blake2b", 128, true),
    algorithm("blake2s", 64, true),
    algorithm("sha3_224", 56, true),
    algorithm("sha3_256", 64, true),
    algorithm("sha3_384", 96, true),
    algorithm("sha3_512", 128, true),
    algorithm("sha224", 56, false),
    algorithm("sha1", 40, false),
    algorithm("md5", 32, false),
];

/// The algorithms that pip takes in requirements.
const OF_PIP: [&str; 3] = ["sha256", "sha384", "sha512"];

/// The algorithm of this name; `None` for one that no tool knows by it.
pub fn known(name: &str) -> Option<&'static Algorithm> {
    ALL.iter().find(|algorithm| algorithm.name == name)
}

/// The algorithm that a name in another spelling means: `SHA-256`.
pub fn meant(name: &str) -> Option<&'static Algorithm> {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|one| !matches!(one, '-' | '_' | ' '));
        kept.map(|one| one.to_ascii_lowercase()).collect()
    };
    let name = plain(name);
    ALL.iter().find(|algorithm| plain(algorithm.name) == name)
}

/// Whether these are hexadecimal digits. All of them are looked at whatever the first is: several at once.
pub fn is_hex(digits: &str) -> bool {
    let bytes = digits.bytes();
    bytes.fold(true, |is_hex, byte| is_hex & byte.is_ascii_hexdigit())
}

/// Whether a hash is one that ties a file to its bytes, in this format.
pub fn is_strong(hash: &Hash<'_>, format: Format) -> bool {
    known(&hash.algorithm).is_some_and(|algorithm| {
        algorithm.is_strong && (format != Format::Requirements || OF_PIP.contains(&algorithm.name))
    })
}

/// Where the digits of a hash stand; the whole of it where it is written with escapes.
pub fn digest_at(hash: &Hash<'_>, facts: &Facts<'_>) -> Location {
    let text = facts.sources.text(hash.at);
    let digits = u32::try_from(hash.digest.len()).unwrap_or_default();
    if text.ends_with(&*hash.digest) {
        let start = hash.at.end.saturating_sub(digits).max(hash.at.start);
        Location { start, ..hash.at }
    } else {
        hash.at
    }
}

/// Where the name of the algorithm stands; `None` where it is written with escapes.
pub fn name_at(hash: &Hash<'_>, facts: &Facts<'_>) -> Option<Location> {
    let text = facts.sources.text(hash.at);
    let length = u32::try_from(hash.algorithm.len()).ok()?;
    text.starts_with(&*hash.algorithm).then(|| Location {
        end: hash.at.start + length,
        ..hash.at
    })
}

/// The hashes of a package, each with the others of the same file.
pub fn hashes<'p, 'a>(
    package: &'p Package<'a>,
) -> impl Iterator<Item = (&'p Hash<'a>, &'p [Hash<'a>])> {
    let of_files = package.files.iter().map(|file| &file.hashes[..]);
    of_files
        .chain(std::iter::once(&package.hashes[..]))
        .flat_map(|all| all.iter().map(move |hash| (hash, all)))
}

/// So many packages are named one by one; more are one finding.
const FEW: usize = 20;

/// Something that is wrong with a hash.
#[derive(Debug)]
pub struct Wrong {
    /// Where.
    pub at: Location,
    /// What.
    pub message: String,
    /// What would mend it safely.
    pub edit: Option<(Location, &'static str)>,
}

impl Wrong {
    /// Something that nothing mends but writing the lock anew.
    pub fn new(at: Location, message: String) -> Self {
        Self {
            at,
            message,
            edit: None,
        }
    }
}

/// Looks at every hash of the lock and tells what is wrong with them, one finding a package. `look` is given a hash
/// and all of the same file.
pub fn tell<'f>(
    facts: &'f Facts<'_>,
    findings: &mut Findings<'_>,
    help: &str,
    look: impl Fn(&'f Hash<'f>, &'f [Hash<'f>]) -> Option<Wrong>,
) {
    let mut found: Vec<(&str, Wrong, Vec<Wrong>)> = Vec::new();
    for package in &facts.lock.packages {
        let mut wrong = hashes(package).filter_map(|(hash, all)| look(hash, all));
        if let Some(first) = wrong.next() {
            found.push((&package.name.normal, first, wrong.collect()));
        }
    }
    let is_many = found.len() > FEW;
    let all_edits: Vec<_> = found
        .iter()
        .flat_map(|(_, first, others)| std::iter::once(first).chain(others))
        .filter_map(|wrong| wrong.edit)
        .collect();
    let packages = count(found.len() as u64, "package");
    for (package, first, others) in found {
        if is_many {
            let message = format!(
                "{}; the first of {packages} with such hashes",
                first.message
            );
            let finding = findings.add(first.at, message).help(help);
            for (at, text) in all_edits {
                finding.fix(at, text);
            }
            return;
        }
        let message = match others.len() {
            0 => first.message,
            more => {
                let places = count(more as u64, "more place");
                format!("{}; `{package}` has {places} like that", first.message)
            }
        };
        let finding = findings.add(first.at, message);
        finding.about(package).help(help);
        let edits = std::iter::once(first.edit).chain(others.into_iter().map(|wrong| wrong.edit));
        for (at, text) in edits.flatten() {
            finding.fix(at, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_known_by_their_names_and_understood_in_others() {
        assert_eq!(known("sha256").map(|known| known.digits), Some(64));
        assert!(known("SHA256").is_none() && known("").is_none() && known("crc32").is_none());
        assert_eq!(meant("SHA-256").map(|meant| meant.name), Some("sha256"));
        assert_eq!(meant("sha3-512").map(|meant| meant.name), Some("sha3_512"));
        assert!(meant("").is_none() && meant("sha-25").is_none());
    }

    #[test]
    fn pip_takes_fewer_algorithms_than_others() {
        let hash = |algorithm: &'static str| Hash {
            algorithm: algorithm.into(),
            digest: "00".into(),
            at: Location::default(),
        };
        assert!(is_strong(&hash("blake2b"), Format::Uv));
        assert!(!is_strong(&hash("blake2b"), Format::Requirements));
        assert!(is_strong(&hash("sha512"), Format::Requirements));
        assert!(!is_strong(&hash("md5"), Format::Uv));
    }
}
