//! `pylock.toml` and `pylock.<name>.toml` (<https://packaging.python.org/en/latest/specifications/pylock-toml/>).
//!
//! Every rule of the specification that the file alone can break is a fault, but for two that have a rule of their own:
//! files without a hash, and names of files that disagree with their package.

mod entry;
#[cfg(test)]
mod tests;

use crate::lockfiles::document::{Document, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::requirement::{Specifiers, Version};
use crate::lockfiles::values;
use crate::model::lockfile::{Format, Lockfile, Pylock, Specific, Text, normalise};
use crate::model::sources::{FileId, Located, Sources};

/// The major version that is known.
const MAJOR: u64 = 1;

/// Reads the lock `file` of `sources`.
///
/// `None` where it is no TOML or of another major version; otherwise everything that can be read, with a fault for what
/// cannot.
pub fn read<'a>(file: FileId, sources: &'a Sources, faults: &mut Faults) -> Option<Lockfile<'a>> {
    let document = Document::read(sources.bytes(file), faults)?;
    let root = document.root();
    let version = version(root, faults)?;
    let mut lockfile = Lockfile {
        format: Format::Pylock,
        file,
        version: Some(version),
        generator: None,
        requires_python: None,
        content_hash: None,
        resolution_markers: Vec::new(),
        packages: Vec::new(),
        specific: Specific::Pylock(Box::default()),
    };
    let mut pylock = Pylock::default();
    for value in root.entries() {
        top(value, &mut lockfile, &mut pylock, faults);
    }
    for key in ["created-by", "packages"] {
        if root.get(key).is_none() {
            let start = faults.at(0..0);
            faults.add(FaultKind::Syntax, start, format!("the lock has no `{key}`"));
        }
    }
    lockfile.specific = Specific::Pylock(Box::new(pylock));
    Some(lockfile)
}

/// One key at the top.
fn top<'a>(
    value: Value<'_, 'a>,
    lockfile: &mut Lockfile<'a>,
    pylock: &mut Pylock<'a>,
    faults: &mut Faults,
) {
    match &*value.key() {
        "created-by" => lockfile.generator = values::text(value, faults),
        "requires-python" => lockfile.requires_python = specifiers(value, faults),
        "environments" => lockfile.resolution_markers = values::texts(value, faults),
        "extras" => {
            pylock.extras = values::texts(value, faults);
            for extra in &pylock.extras {
                normal(extra, faults);
            }
        }
        "dependency-groups" => pylock.dependency_groups = values::texts(value, faults),
        "default-groups" => pylock.default_groups = values::texts(value, faults),
        "packages" => {
            pylock.has_declared = value
                .entries()
                .any(|package| entry::declared(package).is_some());
            lockfile.packages = values::read_items(value, faults, entry::package);
        }
        "tool" => {
            let mut tables = values::entries(value, faults);
            pylock.pdm_hash = tables
                .find(|tool| tool.key() == "pdm")
                .and_then(|pdm| pdm.path(&["hashes", "sha256"]))
                .and_then(|hash| values::text(hash, faults));
        }
        _ => {}
    }
}

/// The version, if its major part is known.
fn version<'a>(root: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let Some(value) = root.get("lock-version") else {
        let start = faults.at(0..0);
        faults.add(
            FaultKind::Syntax,
            start,
            "this is no lock of PEP 751: it names no `lock-version`",
        );
        return None;
    };
    let version = values::text(value, faults)?;
    let Some(parsed) = Version::parse(&version.value) else {
        let message = format!("`{}` is no version", version.value);
        faults.add(FaultKind::Syntax, version.at, message);
        return None;
    };
    if parsed.epoch() != 0 || parsed.release().first() != Some(&MAJOR) {
        faults.add_with_help(
            FaultKind::UnknownVersion,
            version.at,
            format!("version {} of the format is not known; installers must refuse it", version.value),
            "write the lock with a release that your installers read, or use a newer release of Lockgate",
        );
        return None;
    }
    if parsed.release().iter().skip(1).any(|number| *number > 0) {
        faults.add_with_help(
            FaultKind::UnknownRevision,
            version.at,
            format!(
                "version {} is newer than {MAJOR}.0, the newest that is known here",
                version.value
            ),
            "use a newer release of Lockgate, so that nothing in it is overlooked",
        );
    }
    Some(version)
}

/// A text that must be specifiers of versions.
fn specifiers<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let text = values::text(value, faults)?;
    let is_empty = text.value.trim().is_empty();
    if !is_empty && Specifiers::parse(&text.value).is_none() {
        let message = format!("`{}` is no specifier of versions", text.value);
        faults.add(FaultKind::Syntax, text.at, message);
    }
    Some(text)
}

/// Notes a name that is not normalised, as the specification wants it.
fn normal(name: &Located<Text<'_>>, faults: &mut Faults) {
    let normal = normalise(&name.value);
    let is_name = name.value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.value.ends_with(|c: char| c.is_ascii_alphanumeric());
    if normal != name.value || !is_name {
        let message = format!("the name `{}` must be written `{normal}`", name.value);
        faults.add(FaultKind::Syntax, name.at, message);
    }
}
