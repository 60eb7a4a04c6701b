//! `[[package]]`: a package, its files and its edges.

use crate::lockfiles::document::Value;
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::{entries, requirement, values};
use crate::model::lockfile::{Edge, FileKind, GitReference, Package, Section, Source};
use crate::model::sources::Located;

/// Reads one entry; `None` where it has no name.
pub fn package<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Package<'a>> {
    let at = values::at(value, faults);
    let mut package = Package::new(entries::name(value, faults)?, at);
    for entry in value.entries() {
        match &*entry.key() {
            "version" => package.version = values::text(entry, faults),
            "extras" => package.extras = values::texts(entry, faults),
            "requires_python" => package.requires_python = values::text(entry, faults),
            "groups" => package.groups = values::texts(entry, faults),
            "marker" => package.marker = values::text(entry, faults),
            "files" => package.files = entries::files(entry, faults),
            "dependencies" => {
                package.dependencies = values::items(entry, faults)
                    .filter_map(|item| edge(item, faults))
                    .collect();
            }
            _ => {}
        }
    }
    if let Some(source) = source(value, faults) {
        package.source = source;
    }
    Some(package)
}

/// A requirement, PEP 508.
pub fn edge<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Edge<'a>> {
    let text = values::text(value, faults)?;
    let read = requirement::requirement(&text.value, text.at, |part| {
        values::part_at(value, &text.value, part, faults)
    });
    match read {
        Ok(read) => Some(Edge {
            section: Section::Dependencies,
            name: read.name,
            version: None,
            specifier: read.specifier,
            source: read.source,
            extras: read.extras,
            marker: read.marker,
            is_optional: false,
            at: read.at,
        }),
        Err(wrong) => {
            let message = format!("`{}` is no requirement: {}", text.value, wrong.message);
            faults.add(FaultKind::Syntax, text.at, message);
            None
        }
    }
}

/// Where it comes from, from the keys that say so; `None` for the index, which the lock does not name.
fn source<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Source<'a>>> {
    let mut texts = |key| {
        let entry = value.get(key)?;
        values::text(entry, faults)
    };
    // The model has one kind of repository; the other systems have the same keys.
    let repository = ["git", "hg", "svn", "bzr"].into_iter().find_map(&mut texts);
    let (path, url) = (texts("path"), texts("url"));
    let (reference, revision) = (texts("ref"), texts("revision"));
    let subdirectory = texts("subdirectory").map(|text| text.value);
    let is_editable = value
        .get("editable")
        .and_then(|editable| values::boolean(editable, faults))
        .unwrap_or(false);
    if let Some(repository) = repository {
        let source = Source::Git {
            url: repository.value,
            reference: reference.map(|text| GitReference::Revision(text.value)),
            commit: revision.map(|text| text.value),
            subdirectory,
        };
        return Some(Located::new(source, repository.at));
    }
    if let Some(path) = path {
        let source = if is_editable {
            Source::Editable(path.value)
        } else if FileKind::of_name(&path.value) == FileKind::Other {
            Source::Directory(path.value)
        } else {
            Source::Path(path.value)
        };
        return Some(Located::new(source, path.at));
    }
    url.map(|url| {
        let source = Source::Url {
            url: url.value,
            subdirectory,
        };
        Located::new(source, url.at)
    })
}
