//! What the entries of poetry's and pdm's locks have in common: files with their hashes, and what both tools refuse.

use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::fault::{FaultKind, Faults};
use crate::lockfiles::values;
use crate::model::lockfile::{File, FileKind, Hash, Name, Text};
use crate::model::sources::{FileId, Located, Sources};

/// The byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Notes a byte order mark: both tools read with Python's `tomllib`, which refuses it.
pub fn refuse_byte_order_mark(bytes: &[u8], tool: &str, faults: &mut Faults) {
    if bytes.starts_with(BYTE_ORDER_MARK) {
        let at = faults.at(0..BYTE_ORDER_MARK.len());
        faults.add_with_help(
            FaultKind::Syntax,
            at,
            format!("the file begins with a byte order mark, and {tool} cannot read it"),
            "save it as UTF-8 without a byte order mark",
        );
    }
}

/// The name of an entry; `None`, with a fault, where it has none.
pub fn name<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Name<'a>> {
    if let Some(name) = value.get("name") {
        return values::name(name, faults);
    }
    let message = match value.kind() {
        Kind::Table => "this package has no `name`".to_owned(),
        other => format!("a package must be a table, and is {}", other.name()),
    };
    let at = values::at(value, faults);
    faults.add(FaultKind::Syntax, at, message);
    None
}

/// `{ file = "…", hash = "sha256:…" }`, each; pdm may have `url` in place of `file`.
pub fn files<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Vec<File<'a>> {
    values::read_items(value, faults, file)
}

fn file<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<File<'a>> {
    let mut file = File {
        kind: FileKind::Other,
        name: Text::Borrowed(""),
        url: None,
        is_path: false,
        hashes: Vec::new(),
        size: None,
        upload_time: None,
        at: values::at(value, faults),
    };
    let mut has_name = false;
    for entry in values::entries(value, faults) {
        match &*entry.key() {
            "file" => {
                has_name = true;
                file.name = values::text(entry, faults)?.value;
            }
            "url" => {
                let url = values::text(entry, faults)?;
                if !has_name {
                    has_name = true;
                    file.name = values::file_name(&url.value);
                }
                file.url = Some(url);
            }
            "hash" => file.hashes = hash(entry, faults).into_iter().collect(),
            _ => {}
        }
    }
    if !has_name {
        if value.kind() == Kind::Table {
            faults.add(FaultKind::Syntax, file.at, "this file has no name");
        }
        return None;
    }
    file.kind = FileKind::of_name(&file.name);
    Some(file)
}

/// `sha256:…`.
pub fn hash<'a>(value: Value<'_, 'a>, faults: &mut Faults) -> Option<Hash<'a>> {
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

/// The words behind a marker in the comments at the top: the tool, and its version where it says one.
pub fn generator<'a>(
    file: FileId,
    sources: &'a Sources,
    tool: &'static str,
    faults: &Faults,
) -> Option<Located<Text<'a>>> {
    let bytes = sources.bytes(file);
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let line = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let comment = line.trim_start_matches('\u{feff}').strip_prefix('#')?;
    let start = comment.find(tool)?;
    let found = comment.get(start..)?;
    let rest = found.get(tool.len()..)?;
    let version = rest.strip_prefix(' ').map_or(0, |rest| {
        let word = rest.split([' ', '\r']).next().unwrap_or_default();
        let is_version = word.starts_with(|first: char| first.is_ascii_digit());
        if is_version { word.len() + 1 } else { 0 }
    });
    let text = found.get(..tool.len() + version)?;
    let start = line.len() - comment.len() + start;
    let at = faults.at(start..start + text.len());
    Some(Located::new(Text::Borrowed(text), at))
}
