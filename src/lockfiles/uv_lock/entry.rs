//! `[[package]]`: a package, its files and its edges.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::uv_lock::{inputs, origin};
use crate::lockfiles::values;
use crate::model::lockfile::{Edge, File, FileKind, Hash, Package, Section, Text};

/// Reads one entry; `None` where it has no name.
pub fn package<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Package<'a>> {
    let at = values::at(value, faults);
    let Some(name) = value.get("name") else {
        let message = match value.kind() {
            Kind::Table => "this package has no `name`".to_owned(),
            other => format!("a package must be a table, and is {}", other.name()),
        };
        faults.add(FaultKind::Syntax, at, message);
        return None;
    };
    let name = values::name(name, faults)?;
    let mut package = Package::new(name, at);
    let mut has_source = false;
    for entry in value.entries() {
        match &*entry.key() {
            "version" => package.version = values::text(entry, faults),
            "source" => {
                has_source = true;
                if let Some(source) = origin::source(entry, faults) {
                    package.source = source;
                }
            }
            "resolution-markers" | "environment-markers" | "fork-markers" => {
                package.resolution_markers = values::texts(entry, faults);
            }
            "dependencies" => {
                edges(
                    entry,
                    &Section::Dependencies,
                    &mut package.dependencies,
                    faults,
                );
            }
            "optional-dependencies" => sections(entry, Section::Extra, &mut package, faults),
            "dev-dependencies" => sections(entry, Section::Group, &mut package, faults),
            "sdist" => package.files.extend(file(entry, FileKind::Sdist, faults)),
            "wheels" => {
                package.files.reserve_exact(entry.entries().count());
                package.files.extend(
                    values::items(entry, faults)
                        .filter_map(|wheel| file(wheel, FileKind::Wheel, faults)),
                );
            }
            "group-requires-python" => package.group_pythons = inputs::group_pythons(entry, faults),
            "metadata" => {
                package.metadata = Some(Box::new(inputs::package_metadata(entry, faults)));
            }
            _ => {}
        }
    }
    if !has_source {
        let message = format!("`{}` names no `source`", package.name.written);
        faults.add(FaultKind::Syntax, package.name.at, message);
    }
    Some(package)
}

fn sections<'a>(
    value: Value<'_, 'a>,
    section: fn(Text<'a>) -> Section<'a>,
    package: &mut Package<'a>,
    faults: &mut Faults,
) {
    for entry in values::entries(value, faults) {
        let section = section(entry.key());
        edges(entry, &section, &mut package.dependencies, faults);
    }
}

fn edges<'a>(
    value: Value<'_, 'a>,
    section: &Section<'a>,
    edges: &mut Vec<Edge<'a>>,
    faults: &mut Faults,
) {
    edges.extend(values::items(value, faults).filter_map(|item| edge(item, section, faults)));
}

/// `{ name = "x", version = "1", source = { … }, extra = ["y"], marker = "…" }`.
fn edge<'a>(value: Value<'_, 'a>, section: &Section<'a>, faults: &mut Faults) -> Option<Edge<'a>> {
    let at = values::at(value, faults);
    let Some(name) = value.get("name") else {
        faults.add(FaultKind::Syntax, at, "this dependency has no `name`");
        return None;
    };
    let mut edge = Edge {
        section: section.clone(),
        name: values::name(name, faults)?,
        version: None,
        specifier: None,
        source: None,
        extras: Vec::new(),
        marker: None,
        is_optional: false,
        at,
    };
    for entry in value.entries() {
        match &*entry.key() {
            "version" => edge.version = values::text(entry, faults),
            "source" => edge.source = origin::source(entry, faults),
            "extra" => edge.extras = values::texts(entry, faults),
            "marker" => edge.marker = values::text(entry, faults),
            _ => {}
        }
    }
    Some(edge)
}

/// `{ url = "…", hash = "sha256:…", size = 1, upload-time = "…" }`.
fn file<'a>(value: Value<'_, 'a>, kind: FileKind, faults: &mut Faults) -> Option<File<'a>> {
    let mut file = File {
        kind,
        name: Text::Borrowed(""),
        url: None,
        is_path: false,
        hashes: Vec::new(),
        size: None,
        upload_time: None,
        at: values::at(value, faults),
    };
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            key @ ("url" | "path") => {
                file.is_path = key == "path";
                file.url = values::text(entry, faults);
            }
            "filename" => {
                if let Some(name) = values::text(entry, faults) {
                    file.name = name.value;
                }
            }
            "hash" => file.hashes = hash(entry, faults).into_iter().collect(),
            "size" => file.size = values::number(entry, faults).map(|size| size.value),
            "upload-time" | "upload_time" => file.upload_time = values::text(entry, faults),
            _ => {}
        }
    }
    if let (true, Some(url)) = (file.name.is_empty(), &file.url) {
        file.name = values::file_name(&url.value);
    }
    (value.kind() == Kind::Table).then_some(file)
}

/// `sha256:…`.
fn hash<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Hash<'a>> {
    let text = values::text(value, faults)?.value;
    let at = values::part_at(value, &text, 0..text.len(), faults);
    let (algorithm, digest) = match text {
        Text::Borrowed(text) => {
            let (algorithm, digest) = text.split_once(':').unwrap_or(("", text));
            (Text::Borrowed(algorithm), Text::Borrowed(digest))
        }
        Text::Owned(text) => {
            let (algorithm, digest) = text.split_once(':').unwrap_or(("", &text));
            (algorithm.to_owned().into(), digest.to_owned().into())
        }
    };
    Some(Hash {
        algorithm,
        digest,
        at,
    })
}
