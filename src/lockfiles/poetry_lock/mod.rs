//! `poetry.lock`, written by Poetry 1 and 2.
//!
//! A lock of version 1.x may have its files in `[metadata.files]`; they belong to the packages in the model all the same.

mod entry;
#[cfg(test)]
mod tests;

use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::{entries, values};
use crate::model::lockfile::{File, Hash, Lockfile, Name, Package, Poetry, Specific, Text};
use crate::model::sources::{FileId, Located, Sources};

/// The major versions of the format that Poetry reads.
const MAJORS: std::ops::RangeInclusive<u64> = 1..=2;

/// The newest version whose meaning is known here.
const NEWEST: (u64, u64) = (2, 1);

/// Reads the lock `file` of `sources`.
///
/// `None` where its text cannot be read at all, or is of another version; otherwise everything that can be read, with a
/// fault for what cannot.
pub fn read<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Lockfile<'a>> {
    let bytes = sources.bytes(file);
    let document = Document::read(bytes, faults)?;
    entries::refuse_byte_order_mark(bytes, "Poetry", faults);
    let root = document.root();
    let Some(metadata) = root.get("metadata") else {
        let start = faults.at(0..0);
        faults.add(
            FaultKind::Syntax,
            start,
            "this is no lock of Poetry: it has no `[metadata]`",
        );
        return None;
    };
    let version = version(metadata, faults)?;
    let mut lockfile = Lockfile {
        format: faults.format(),
        file,
        version: Some(version),
        generator: entries::generator(file, sources, "Poetry", faults),
        requires_python: None,
        content_hash: None,
        resolution_markers: Vec::new(),
        packages: Vec::new(),
        specific: Specific::Poetry(Box::default()),
    };
    let mut poetry = Poetry::default();
    for value in root.entries() {
        match &*value.key() {
            "package" => {
                lockfile.packages = values::read_items(value, faults, entry::package);
            }
            "extras" => poetry.extras = extras(value, faults),
            _ => {}
        }
    }
    for value in metadata.entries() {
        match &*value.key() {
            "python-versions" => lockfile.requires_python = values::text(value, faults),
            "content-hash" => lockfile.content_hash = content_hash(value, faults),
            "files" => {
                poetry.has_metadata_files = true;
                metadata_files(value, &mut lockfile.packages, faults);
            }
            _ => {}
        }
    }
    lockfile.specific = Specific::Poetry(Box::new(poetry));
    Some(lockfile)
}

/// The version, if it is one that can be read.
fn version<'a>(metadata: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let Some(value) = metadata.get("lock-version") else {
        let at = values::at(metadata, faults);
        faults.add(
            FaultKind::UnknownVersion,
            at,
            "`[metadata]` names no `lock-version`; Poetry 2 refuses such a lock",
        );
        return None;
    };
    let version = values::text(value, faults)?;
    let mut numbers = version.value.split('.').map(str::parse::<u64>);
    let major = numbers.next().and_then(Result::ok);
    let minor = numbers.next().and_then(Result::ok).unwrap_or_default();
    match major {
        Some(major) if MAJORS.contains(&major) => {
            if (major, minor) > NEWEST {
                faults.add_with_help(
                    FaultKind::UnknownRevision,
                    version.at,
                    format!(
                        "version `{}` of the format is newer than {}.{}, the newest that is known here",
                        version.value, NEWEST.0, NEWEST.1
                    ),
                    "use a newer release of Lockgate, so that nothing in it is overlooked",
                );
            }
            Some(version)
        }
        _ => {
            faults.add_with_help(
                FaultKind::UnknownVersion,
                version.at,
                format!(
                    "version `{}` of the format is not known; Poetry reads 1.x and 2.x",
                    version.value
                ),
                "write the lock with a release of Poetry that your team uses, or use a newer release of Lockgate",
            );
            None
        }
    }
}

/// SHA-256 without its name.
fn content_hash<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Hash<'a>> {
    let digest = values::text(value, faults)?.value;
    let at = values::part_at(value, &digest, 0..digest.len(), faults);
    Some(Hash {
        algorithm: Text::Borrowed("sha256"),
        digest,
        at,
    })
}

fn extras<'a>(
    value: Value<'_, 'a>,
    faults: &mut Faults,
) -> Vec<(Located<Text<'a>>, Vec<Located<Text<'a>>>)> {
    values::entries(value, faults)
        .map(|entry| {
            let name = Located::new(entry.key(), values::key_at(entry, faults));
            (name, values::texts(entry, faults))
        })
        .collect()
}

/// `[metadata.files]`: the files of all versions of a name in one list. Where there are several, a file belongs to the
/// version in its name.
fn metadata_files<'a>(value: Value<'_, 'a>, packages: &mut [Package<'a>], faults: &mut Faults) {
    for entry in values::entries(value, faults) {
        let at = values::key_at(entry, faults);
        let name = Name::new(entry.key(), at);
        let files = entries::files(entry, faults);
        let mut named: Vec<&mut Package<'a>> = packages
            .iter_mut()
            .filter(|package| package.name.normal == name.normal)
            .collect();
        if let [package] = named.as_mut_slice() {
            package.files.extend(files);
            continue;
        }
        for package in named {
            let version = package.version.as_ref().map(|version| &*version.value);
            let own = files
                .iter()
                .filter(|file| version.is_some_and(|version| is_of_version(file, version)));
            package.files.extend(own.cloned());
        }
    }
}

fn is_of_version(file: &File<'_>, version: &str) -> bool {
    let version = format!("-{version}");
    file.name
        .match_indices(version.as_str())
        .filter_map(|(at, found)| file.name.get(at + found.len()..))
        // A wheel goes on with its tags, a source distribution with its suffix and no further number.
        .any(|rest| {
            let suffix = rest.strip_prefix('.');
            rest.starts_with('-')
                || suffix.is_some_and(|suffix| {
                    suffix.starts_with(|first: char| first.is_ascii_alphabetic())
                })
        })
}
