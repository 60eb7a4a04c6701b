//! `[[package]]`: a package, its files and its edges.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::{entries, values};
use crate::model::lockfile::{Edge, GitReference, Name, Package, Section, Source, Text};
use crate::model::sources::{Located, Location};

/// Reads one entry; `None` where it has no name.
pub fn package<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Package<'a>> {
    let at = values::at(value, faults);
    let mut package = Package::new(entries::name(value, faults)?, at);
    let mut is_editable = false;
    let mut by_group = None;
    for entry in value.entries() {
        match &*entry.key() {
            "version" => package.version = values::text(entry, faults),
            "optional" => package.is_optional = values::boolean(entry, faults).unwrap_or(false),
            "develop" => is_editable = values::boolean(entry, faults).unwrap_or(false),
            "python-versions" => package.requires_python = values::text(entry, faults),
            "groups" => package.groups = values::texts(entry, faults),
            "category" => package.groups = values::text(entry, faults).into_iter().collect(),
            "markers" if entry.kind() == Kind::Table => {
                by_group = Some(values::at(entry, faults));
                package.group_markers = entry
                    .entries()
                    .filter_map(|group| Some((group.key(), values::text(group, faults)?)))
                    .collect();
            }
            "markers" | "marker" => package.marker = values::text(entry, faults),
            "files" => package.files = entries::files(entry, faults),
            "dependencies" => {
                for dependency in values::entries(entry, faults) {
                    edges(dependency, &mut package.dependencies, faults);
                }
            }
            "source" => {
                if let Some(source) = source(entry, faults) {
                    package.source = source;
                }
            }
            _ => {}
        }
    }
    if let Some(at) = by_group {
        package.marker = any(&package, at);
    }
    if is_editable && let Source::Directory(path) = &package.source.value {
        package.source.value = Source::Editable(path.clone());
    }
    if package.version.is_none() {
        let message = format!("`{}` has no `version`", package.name.written);
        faults.add(FaultKind::Syntax, package.name.at, message);
    }
    Some(package)
}

/// Markers by group as one, that of any of them. A group that is not named has the package everywhere.
fn any<'a>(package: &Package<'a>, at: Location) -> Option<Located<Text<'a>>> {
    let markers: Vec<String> = package
        .group_markers
        .iter()
        .map(|(_, marker)| format!("({})", marker.value))
        .collect();
    (markers.len() == package.groups.len()).then(|| Located::new(markers.join(" or ").into(), at))
}

/// `name = ">=1"`, `name = { version = ">=1", … }`, or a list of such.
fn edges<'a>(value: Value<'_, 'a>, edges: &mut Vec<Edge<'a>>, faults: &mut Faults) {
    let name = Name::new(value.key(), values::key_at(value, faults));
    if value.kind() == Kind::Array {
        edges.extend(
            value
                .entries()
                .filter_map(|item| edge(name.clone(), item, faults)),
        );
    } else {
        edges.extend(edge(name, value, faults));
    }
}

fn edge<'a>(name: Name<'a>, value: Value<'_, 'a>, faults: &mut Faults) -> Option<Edge<'a>> {
    let at = if value.key().is_empty() {
        values::at(value, faults)
    } else {
        name.at.to(values::at(value, faults))
    };
    let mut edge = Edge {
        section: Section::Dependencies,
        name,
        version: None,
        specifier: None,
        source: None,
        extras: Vec::new(),
        marker: None,
        is_optional: false,
        at,
    };
    match value.kind() {
        Kind::String => edge.specifier = values::text(value, faults),
        Kind::Table => {
            for entry in value.entries() {
                match &*entry.key() {
                    "version" => edge.specifier = values::text(entry, faults),
                    "extras" => edge.extras = values::texts(entry, faults),
                    "markers" => edge.marker = values::text(entry, faults),
                    "optional" => {
                        edge.is_optional = values::boolean(entry, faults).unwrap_or(false);
                    }
                    _ => {}
                }
            }
        }
        _ => {
            values::wrong(value, "a text or a table", faults);
            return None;
        }
    }
    Some(edge)
}

/// `[package.source]`.
fn source<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Source<'a>>> {
    let at = values::at(value, faults);
    let (mut kind, mut url, mut reference, mut commit, mut subdirectory) =
        (None, None, None, None, None);
    for entry in values::entries(value, faults) {
        let slot = match &*entry.key() {
            "type" => &mut kind,
            "url" => &mut url,
            "reference" => &mut reference,
            "resolved_reference" => &mut commit,
            "subdirectory" => &mut subdirectory,
            _ => continue,
        };
        *slot = values::text(entry, faults).map(|text| text.value);
    }
    let Some(url) = url else {
        faults.add(FaultKind::Syntax, at, "`source` names no `url`");
        return None;
    };
    // Without a type it is an index: so wrote the first releases.
    let source = match kind.as_deref() {
        Some("git") => Source::Git {
            url,
            reference: reference.map(GitReference::Revision),
            commit,
            subdirectory,
        },
        Some("url") => Source::Url { url, subdirectory },
        Some("file") => Source::Path(url),
        Some("directory") => Source::Directory(url),
        Some("legacy") | None => Source::Registry(url),
        Some(other) => {
            let message = format!(
                "`{other}` is no kind of source that Poetry knows: legacy, git, url, file, directory"
            );
            faults.add(FaultKind::Syntax, at, message);
            return None;
        }
    };
    Some(Located::new(source, at))
}
