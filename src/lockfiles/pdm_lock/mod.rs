//! `pdm.lock`.
//!
//! An entry with extras repeats its package: both stay entries of their own.

mod entry;
#[cfg(test)]
mod tests;

use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
pub use crate::lockfiles::pdm_lock::entry::edge;
use crate::lockfiles::{entries, values};
use crate::model::lockfile::{Lockfile, Package, Pdm, PdmTarget, Specific, Text};
use crate::model::sources::{FileId, Located, Sources};

/// The only major version of the format that PDM reads.
const MAJOR: u64 = 4;

/// The newest minor version whose meaning is known here.
const MINOR: u64 = 5;

/// Reads the lock `file` of `sources`.
///
/// `None` where its text cannot be read at all, or is of another version; otherwise everything that can be read, with a
/// fault for what cannot.
pub fn read<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Lockfile<'a>> {
    let bytes = sources.bytes(file);
    let document = Document::read(bytes, faults)?;
    entries::refuse_byte_order_mark(bytes, "PDM", faults);
    let root = document.root();
    let Some(metadata) = root.get("metadata") else {
        let start = faults.at(0..0);
        faults.add(
            FaultKind::Syntax,
            start,
            "this is no lock of PDM: it has no `[metadata]`",
        );
        return None;
    };
    let version = version(metadata, faults)?;
    let mut lockfile = Lockfile {
        format: faults.format(),
        file,
        version: Some(version),
        generator: entries::generator(file, sources, "PDM", faults),
        requires_python: None,
        content_hash: None,
        resolution_markers: Vec::new(),
        packages: Vec::new(),
        specific: Specific::Pdm(Box::default()),
    };
    if let Some(packages) = root.get("package") {
        lockfile.packages = values::read_items(packages, faults, entry::package);
    }
    let mut pdm = Pdm::default();
    for value in metadata.entries() {
        match &*value.key() {
            "groups" => pdm.groups = values::texts(value, faults),
            "strategy" => pdm.strategy = values::texts(value, faults),
            "requires_python" => lockfile.requires_python = values::text(value, faults),
            "targets" => {
                pdm.targets = values::items(value, faults)
                    .map(|item| PdmTarget {
                        requires_python: item
                            .get("requires_python")
                            .and_then(|pythons| values::text(pythons, faults)),
                        is_narrow: item.entries().any(|entry| entry.key() != "requires_python"),
                    })
                    .collect();
            }
            "content_hash" => lockfile.content_hash = entries::hash(value, faults),
            "lock_inputs" => pdm.lock_inputs = Some(values::at(value, faults)),
            "files" => metadata_files(value, &mut lockfile.packages, faults),
            _ => {}
        }
    }
    lockfile.specific = Specific::Pdm(Box::new(pdm));
    Some(lockfile)
}

/// The version, if it is one that can be read.
fn version<'a>(metadata: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let Some(value) = metadata.get("lock_version") else {
        let at = values::at(metadata, faults);
        faults.add(
            FaultKind::UnknownVersion,
            at,
            "`[metadata]` names no `lock_version`; PDM refuses such a lock",
        );
        return None;
    };
    let version = values::text(value, faults)?;
    let mut numbers = version.value.split('.').map(str::parse::<u64>);
    let major = numbers.next().and_then(Result::ok);
    let minor = numbers.next().and_then(Result::ok).unwrap_or_default();
    if major != Some(MAJOR) {
        faults.add_with_help(
            FaultKind::UnknownVersion,
            version.at,
            format!(
                "version `{}` of the format is not known; PDM itself refuses all but {MAJOR}.x",
                version.value
            ),
            "write the lock with a release of PDM that your team uses, or use a newer release of Lockgate",
        );
        return None;
    }
    if minor > MINOR {
        faults.add_with_help(
            FaultKind::UnknownRevision,
            version.at,
            format!(
                "version `{}` of the format is newer than {MAJOR}.{MINOR}, the newest that is known here",
                version.value
            ),
            "use a newer release of Lockgate, so that nothing in it is overlooked",
        );
    }
    Some(version)
}

/// `[metadata.files]` of the first 4.x: `"name version" = [files]`.
fn metadata_files<'a>(value: Value<'_, 'a>, packages: &mut [Package<'a>], faults: &mut Faults) {
    for entry in values::entries(value, faults) {
        let key = entry.key();
        let files = entries::files(entry, faults);
        for package in packages.iter_mut() {
            let version = package.version.as_ref().map_or("", |text| &*text.value);
            if key.split_once(' ') == Some((&*package.name.written, version)) {
                package.files.extend(files.iter().cloned());
            }
        }
    }
}
