//! `[[packages]]`: a package of one kind, and its files.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::pdm_lock;
use crate::lockfiles::pylock::{normal, specifiers};
use crate::lockfiles::requirement::Version;
use crate::lockfiles::values;
use crate::model::lockfile::{
    Edge, File, FileKind, Format, GitReference, Hash, Name, Package, PylockKind, Section, Source,
    Text,
};
use crate::model::sources::{Located, Location};

/// Reads one entry; `None` where it has no name.
pub fn package<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Package<'a>> {
    let at = values::at(value, faults);
    if value.kind() != Kind::Table {
        values::wrong(value, "a table", faults);
        return None;
    }
    let Some(name) = value.get("name") else {
        faults.add(FaultKind::Syntax, at, "this package has no `name`");
        return None;
    };
    let name = values::text(name, faults)?;
    normal(&name, faults);
    let mut package = Package::new(Name::new(name.value, name.at), at);
    let mut index = None;
    let mut kinds: Vec<(PylockKind, Location)> = Vec::new();
    for entry in value.entries() {
        let key_at = values::key_at(entry, faults);
        match &*entry.key() {
            "version" => package.version = version(entry, faults),
            "marker" => package.marker = values::text(entry, faults),
            "requires-python" => package.requires_python = specifiers(entry, faults),
            "dependencies" => {
                package.dependencies = values::items(entry, faults)
                    .filter_map(|item| edge(item, faults))
                    .collect();
            }
            "index" => index = values::text(entry, faults),
            "vcs" => {
                kinds.push((PylockKind::Vcs, key_at));
                package.source = Located::new(repository(entry, faults), values::at(entry, faults));
            }
            "directory" => {
                kinds.push((PylockKind::Directory, key_at));
                package.source = Located::new(folder(entry, faults), values::at(entry, faults));
            }
            "archive" => {
                kinds.push((PylockKind::Archive, key_at));
                archive(entry, &mut package, faults);
            }
            "sdist" => {
                kinds.push((PylockKind::Distribution, key_at));
                package.files.extend(file(entry, FileKind::Sdist, faults));
            }
            "wheels" => {
                let before = package.files.len();
                package.files.extend(
                    values::items(entry, faults)
                        .filter_map(|wheel| file(wheel, FileKind::Wheel, faults)),
                );
                // An empty list is as good as none.
                if package.files.len() > before {
                    kinds.push((PylockKind::Distribution, key_at));
                }
            }
            "attestation-identities" => identities(entry, faults),
            "tool" => {
                let _ = values::entries(entry, faults);
                let declared = declared(value).into_iter().flat_map(Value::entries);
                let declared = declared.filter_map(|item| declared_edge(item, faults));
                package.dependencies.extend(declared);
            }
            _ => {}
        }
    }
    package.pylock = one_kind(&package, &kinds, faults);
    if let (Some(index), Source::Unstated) = (index, &package.source.value) {
        package.source = Located::new(Source::Registry(index.value), index.at);
    }
    Some(package)
}

/// The kind of the entry; there must be one, and one only.
fn one_kind(
    package: &Package<'_>,
    kinds: &[(PylockKind, Location)],
    faults: &mut Faults,
) -> Option<PylockKind> {
    let Some((first, _)) = kinds.first() else {
        faults.add(
            FaultKind::Syntax,
            package.name.at,
            format!(
                "`{}` has nothing to install: neither `vcs`, `directory`, `archive`, `sdist` nor `wheels`",
                package.name.written
            ),
        );
        return None;
    };
    if let Some((_, at)) = kinds.iter().find(|(kind, _)| kind != first) {
        faults.add(
            FaultKind::Syntax,
            *at,
            format!(
                "`{}` has two kinds: only one of `vcs`, `directory`, `archive`, and `sdist` with `wheels`, may be there",
                package.name.written
            ),
        );
    }
    Some(*first)
}

fn version<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Located<Text<'a>>> {
    let text = values::text(value, faults)?;
    if Version::parse(&text.value).is_none() {
        let message = format!("`{}` is no version (PEP 440)", text.value);
        faults.add(FaultKind::Syntax, text.at, message);
    }
    Some(text)
}

/// `{ name = "x", version = "1" }`: as much as tells the package from others.
fn edge<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Edge<'a>> {
    let at = values::at(value, faults);
    if value.kind() != Kind::Table {
        values::wrong(value, "a table", faults);
        return None;
    }
    let name = values::name(value.get("name")?, faults)?;
    let version = value
        .get("version")
        .and_then(|version| values::text(version, faults));
    let marker = value
        .get("marker")
        .and_then(|marker| values::text(marker, faults));
    Some(Edge {
        section: Section::Dependencies,
        name,
        version,
        specifier: None,
        source: None,
        extras: Vec::new(),
        marker,
        is_optional: false,
        at,
    })
}

/// What PDM records of a package in place of `dependencies`: its requirements, PEP 508.
pub fn declared<'d, 'a>(package: Value<'d, 'a>) -> Option<Value<'d, 'a>> {
    package.path(&["tool", "pdm", "dependencies"])
}

/// One of them; `None` for what is none, since the table is the tool's own.
fn declared_edge<'a>(value: Value<'_, 'a>, faults: &Faults) -> Option<Edge<'a>> {
    let mut own = Faults::new(Format::Pylock, faults.file());
    pdm_lock::edge(value, &mut own)
}

/// `{ type = "git", url = "…", requested-revision = "main", commit-id = "…", subdirectory = "…" }`.
fn repository<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Source<'a> {
    let (mut url, mut path, mut reference) = (None, None, None);
    let (mut commit, mut subdirectory) = (None, None);
    for entry in values::entries(value, faults) {
        let mut text = || values::text(entry, faults).map(|text| text.value);
        match &*entry.key() {
            "type" => {
                text();
            }
            "url" => url = text(),
            "path" => path = text(),
            "requested-revision" => reference = text(),
            "commit-id" => commit = text(),
            "subdirectory" => subdirectory = text(),
            _ => {}
        }
    }
    require(value, &["type", "commit-id"], faults);
    require_address(value, faults);
    Source::Git {
        url: url.or(path).unwrap_or_default(),
        reference: reference.map(GitReference::Revision),
        commit,
        subdirectory,
    }
}

/// `{ path = ".", editable = true }`.
fn folder<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Source<'a> {
    let mut path = None;
    let mut is_editable = false;
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "path" => path = values::text(entry, faults),
            "editable" => is_editable = values::boolean(entry, faults).unwrap_or_default(),
            "subdirectory" => {
                values::text(entry, faults);
            }
            _ => {}
        }
    }
    require(value, &["path"], faults);
    let path = path.map(|path| path.value).unwrap_or_default();
    if is_editable {
        Source::Editable(path)
    } else {
        Source::Directory(path)
    }
}

/// `{ url = "…", hashes = { … }, subdirectory = "…" }`.
fn archive<'a>(value: Value<'_, 'a>, package: &mut Package<'a>, faults: &mut Faults) {
    let subdirectory = match value.kind() {
        Kind::Table => value.get("subdirectory"),
        _ => None,
    };
    let subdirectory = subdirectory.and_then(|text| values::text(text, faults));
    let Some(file) = file(value, FileKind::Other, faults) else {
        return;
    };
    if let Some(url) = &file.url {
        let source = if file.is_path {
            Source::Path(url.value.clone())
        } else {
            Source::Url {
                url: url.value.clone(),
                subdirectory: subdirectory.map(|text| text.value),
            }
        };
        package.source = Located::new(source, url.at);
    }
    package.files.push(file);
}

/// `{ name = "…", url = "…", path = "…", size = 1, upload-time = …, hashes = { sha256 = "…" } }`.
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
    if value.kind() != Kind::Table {
        values::wrong(value, "a table", faults);
        return None;
    }
    for entry in value.entries() {
        match &*entry.key() {
            "name" => {
                if let Some(name) = values::text(entry, faults) {
                    file.name = name.value;
                }
            }
            "url" => {
                file.is_path = false;
                file.url = values::text(entry, faults);
            }
            // Where both are there, the URL tells more.
            "path" => {
                if let Some(path) = values::text(entry, faults).filter(|_| file.url.is_none()) {
                    file.is_path = true;
                    file.url = Some(path);
                }
            }
            "size" => file.size = values::number(entry, faults).map(|size| size.value),
            "upload-time" => {
                if entry.kind() == Kind::Datetime {
                    let time = Text::Borrowed(entry.raw());
                    file.upload_time = Some(Located::new(time, values::at(entry, faults)));
                } else {
                    values::wrong(entry, "a date with time", faults);
                }
            }
            "hashes" => {
                file.hashes = values::entries(entry, faults)
                    .filter_map(|hash| digest(hash, faults))
                    .collect();
            }
            _ => {}
        }
    }
    require_address(value, faults);
    if let (true, Some(url)) = (file.name.is_empty(), &file.url) {
        file.name = values::file_name(&url.value);
    }
    Some(file)
}

/// `sha256 = "…"`; its place is that of both.
fn digest<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Hash<'a>> {
    let digest = values::text(value, faults)?;
    let inner = values::part_at(value, &digest.value, 0..digest.value.len(), faults);
    Some(Hash {
        algorithm: value.key(),
        digest: digest.value,
        at: inner,
    })
}

fn identities(value: Value<'_, '_>, faults: &mut Faults) {
    for identity in values::items(value, faults) {
        if identity.kind() != Kind::Table {
            values::wrong(identity, "a table", faults);
            continue;
        }
        require(identity, &["kind"], faults);
        if let Some(kind) = identity.get("kind") {
            values::text(kind, faults);
        }
    }
}

/// Notes keys that are missing.
fn require(value: Value<'_, '_>, keys: &[&str], faults: &mut Faults) {
    for key in keys {
        if value.kind() == Kind::Table && value.get(key).is_none() {
            let at = values::key_at(value, faults);
            faults.add(FaultKind::Syntax, at, format!("`{key}` is missing here"));
        }
    }
}

/// Notes that nothing says where it is.
fn require_address(value: Value<'_, '_>, faults: &mut Faults) {
    let has = |key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    if value.kind() == Kind::Table && !has("url") && !has("path") {
        let at = values::key_at(value, faults);
        faults.add(
            FaultKind::Syntax,
            at,
            "neither `url` nor `path` says where this is",
        );
    }
}
