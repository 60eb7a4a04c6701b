//! `Pipfile.lock` (<https://pipenv.pypa.io/en/latest/pipfile.html>).
//!
//! It is JSON. Categories become [groups](crate::model::lockfile::Package::groups): a package that several categories
//! have, the same to the last hash, is one package.

pub mod entry;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::values;
use crate::model::lockfile::{
    Format, Hash, Lockfile, Package, Pipfile, PipfileSource, Specific, Text,
};
use crate::model::sources::{FileId, Located, Sources};

/// The version of the format that pipenv reads and writes.
const SPEC: u64 = 6;

/// Reads the lock `file` of `sources`.
///
/// `None` where it is no JSON or of another version; otherwise everything that can be read, with a fault for what
/// cannot.
pub fn read<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Lockfile<'a>> {
    let document = Document::read_json(sources.bytes(file), faults)?;
    let root = document.root();
    let Some(meta) = root.get("_meta") else {
        let start = faults.at(0..0);
        let message = "this is no lock of pipenv: it has no `_meta`";
        faults.add(FaultKind::Syntax, start, message);
        return None;
    };
    let mut lockfile = Lockfile {
        format: Format::Pipfile,
        file,
        version: None,
        generator: None,
        requires_python: None,
        content_hash: None,
        resolution_markers: Vec::new(),
        packages: Vec::new(),
        specific: Specific::Pipfile(Box::default()),
    };
    let mut pipfile = Pipfile::default();
    for value in values::entries(meta, faults) {
        about(value, &mut lockfile, &mut pipfile, faults)?;
    }
    if lockfile.content_hash.is_none() {
        let at = values::key_at(meta, faults);
        faults.add(
            FaultKind::Syntax,
            at,
            "the lock has no hash of the Pipfile: `_meta.hash.sha256`",
        );
    }
    let mut known = HashMap::new();
    for category in root.entries().filter(|entry| entry.key() != "_meta") {
        let name = Located::new(category.key(), values::key_at(category, faults));
        for value in values::entries(category, faults) {
            let package = entry::package(value, &name, faults);
            add(package, &mut lockfile.packages, &mut known);
        }
        pipfile.categories.push(name);
    }
    lockfile.specific = Specific::Pipfile(Box::new(pipfile));
    Some(lockfile)
}

/// One key of `_meta`. `None` where the version is not known.
fn about<'a>(
    value: Value<'_, 'a>,
    lockfile: &mut Lockfile<'a>,
    pipfile: &mut Pipfile<'a>,
    faults: &mut Faults,
) -> Option<()> {
    match &*value.key() {
        "hash" => {
            let hash = values::entries(value, faults).find(|entry| entry.key() == "sha256");
            if let Some(hash) = hash
                && let Some(digest) = values::text(hash, faults)
            {
                lockfile.content_hash = Some(Hash {
                    algorithm: hash.key(),
                    at: values::part_at(hash, &digest.value, 0..digest.value.len(), faults),
                    digest: digest.value,
                });
            }
        }
        "pipfile-spec" => {
            let spec = values::number(value, faults)?;
            if spec.value != SPEC {
                faults.add(
                    FaultKind::UnknownVersion,
                    spec.at,
                    format!(
                        "version {} of the format is not known; pipenv writes {SPEC}",
                        spec.value
                    ),
                );
                return None;
            }
            lockfile.version = Some(Located::new(Text::Borrowed(value.raw()), spec.at));
        }
        "requires" => {
            for entry in values::entries(value, faults) {
                if let Some(text) = values::text(entry, faults) {
                    pipfile.requires.push((entry.key(), text));
                }
            }
        }
        "sources" => {
            for item in values::items(value, faults) {
                pipfile.sources.extend(source(item, faults));
            }
        }
        _ => {}
    }
    Some(())
}

/// `{"name": "pypi", "url": "https://…", "verify_ssl": true}`.
fn source<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<PipfileSource<'a>> {
    let at = values::at(value, faults);
    let (mut name, mut url, mut verify_ssl) = (None, None, true);
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "name" => name = values::text(entry, faults),
            "url" => url = values::text(entry, faults),
            "verify_ssl" => verify_ssl = values::boolean(entry, faults).unwrap_or(true),
            _ => {}
        }
    }
    let Some(url) = url else {
        faults.add(FaultKind::Syntax, at, "this source has no `url`");
        return None;
    };
    Some(PipfileSource {
        name: name.map(|name| name.value).unwrap_or_default(),
        url,
        verify_ssl,
        at,
    })
}

/// Where the packages of a name are.
type Known<'a> = HashMap<Text<'a>, Vec<usize>>;

/// Adds a package, or its category to the one that is the same.
fn add<'a>(package: Package<'a>, packages: &mut Vec<Package<'a>>, known: &mut Known<'a>) {
    let text =
        |located: &Option<Located<Text<'a>>>| located.as_ref().map(|text| text.value.clone());
    let digests = |package: &Package<'a>| -> Vec<(Text<'a>, Text<'a>)> {
        let of = |hash: &Hash<'a>| (hash.algorithm.clone(), hash.digest.clone());
        package.hashes.iter().map(of).collect()
    };
    let named = known.entry(package.name.normal.clone()).or_default();
    let is_same = |other: &Package<'a>| {
        text(&other.version) == text(&package.version)
            && text(&other.marker) == text(&package.marker)
            && other.source.value == package.source.value
            && other.groups != package.groups
            && digests(other) == digests(&package)
    };
    let mut same = named.iter().copied();
    let same = same.find(|index| packages.get(*index).is_some_and(is_same));
    if let Some(same) = same.and_then(|index| packages.get_mut(index)) {
        same.groups.extend(package.groups);
    } else {
        named.push(packages.len());
        packages.push(package);
    }
}
