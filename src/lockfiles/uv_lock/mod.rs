//! `uv.lock` and the locks of scripts, all revisions of version 1
//! (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
//!
//! uv itself ignores keys that it does not know and any newer revision, and refuses another version; so do we.

mod entry;
pub mod inputs;
mod origin;
#[cfg(test)]
mod tests;

use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::values;
use crate::model::lockfile::{Format, Lockfile, Specific, Text, Uv};
use crate::model::sources::{FileId, Located, Sources};

/// The version of the format that uv reads and writes.
const VERSION: u64 = 1;

/// The newest revision whose meaning is known here.
const REVISION: u64 = 5;

/// Reads a lock of uv.
///
/// `None` where it is no TOML or of another version; otherwise everything that can be read, with a fault for what
/// cannot.
pub fn read<'a>(
    format: Format,
    file: FileId,
    sources: &'a Sources,
    faults: &mut Faults,
) -> Option<Lockfile<'a>> {
    let document = Document::read(sources.bytes(file), faults)?;
    let root = document.root();
    let version = version(root, faults)?;
    let mut lockfile = Lockfile {
        format,
        file,
        version: Some(version),
        generator: None,
        requires_python: None,
        content_hash: None,
        resolution_markers: Vec::new(),
        packages: Vec::new(),
        specific: Specific::Uv(Box::default()),
    };
    let mut uv = Uv::default();
    for value in root.entries() {
        top(value, &mut lockfile, &mut uv, faults);
    }
    lockfile.specific = Specific::Uv(Box::new(uv));
    Some(lockfile)
}

/// One key at the top.
fn top<'a>(
    value: Value<'_, 'a>,
    lockfile: &mut Lockfile<'a>,
    uv: &mut Uv<'a>,
    faults: &mut Faults,
) {
    match &*value.key() {
        "version" => {}
        "revision" => {
            uv.revision = values::number(value, faults);
            if let Some(revision) = uv.revision.filter(|revision| revision.value > REVISION) {
                faults.add_with_help(
                    FaultKind::UnknownRevision,
                    revision.at,
                    format!(
                        "revision {} is newer than {REVISION}, the newest that is known here",
                        revision.value
                    ),
                    "use a newer release of Lockgate, so that nothing in it is overlooked",
                );
            }
        }
        "requires-python" => lockfile.requires_python = values::text(value, faults),
        // Both names: `environment-markers` in the first releases.
        "resolution-markers" | "environment-markers" => {
            lockfile.resolution_markers = values::texts(value, faults);
        }
        "supported-markers" => uv.supported_markers = values::texts(value, faults),
        "required-markers" => uv.required_markers = values::texts(value, faults),
        "conflicts" => uv.conflicts = inputs::conflicts(value, faults),
        "options" => uv.options = inputs::options(value, faults),
        "manifest" => {
            let at = values::at(value, faults);
            uv.manifest = Some(Located::new(inputs::manifest(value, faults), at));
        }
        "package" | "distribution" => {
            lockfile.packages = values::read_items(value, faults, entry::package);
        }
        _ => uv
            .unknown
            .push(Located::new(value.key(), values::key_at(value, faults))),
    }
}

/// The version, if it is the one that is known.
fn version<'a>(root: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let Some(value) = root.get("version") else {
        let start = faults.at(0..0);
        faults.add(
            FaultKind::Syntax,
            start,
            "this is no lock of uv: it names no `version`",
        );
        return None;
    };
    let version = values::number(value, faults)?;
    if version.value != VERSION {
        faults.add_with_help(
            FaultKind::UnknownVersion,
            version.at,
            format!(
                "version {} of the format is not known; uv itself refuses all but {VERSION}",
                version.value
            ),
            "write the lock with a release of uv that your team uses, or use a newer release of Lockgate",
        );
        return None;
    }
    Some(Located::new(Text::Borrowed(value.raw()), version.at))
}
