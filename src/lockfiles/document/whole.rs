//! Reads any TOML with the crate `toml`, which says what is wrong where something is.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::lockfiles::document::{Document, KEY_IS_DECODED, Kind, NONE, Node, VALUE_IS_DECODED};
use crate::lockfiles::fault::{FaultKind, Faults};

/// Larger files are not read this way: it takes fifteen times their size.
const LIMIT: usize = 64 << 20;

/// Reads a document; notes at least one fault where it cannot.
pub fn read<'a>(text: &'a str, faults: &mut Faults) -> Option<Document<'a>> {
    if text.len() > LIMIT {
        let at = faults.at(0..0);
        faults.add(
            FaultKind::Syntax,
            at,
            format!(
                "the file has {} bytes and is not laid out as its tool writes it",
                text.len()
            ),
        );
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let end = text.trim_end().len();
        let range = error.span().unwrap_or(end..end);
        // A file that was cut off is wrong at its very end.
        let is_cut = range.end >= end && !text.ends_with('\n');
        let (kind, message) = if is_cut {
            (FaultKind::Truncated, "the file ends in the middle")
        } else {
            (FaultKind::Syntax, "this is not valid TOML")
        };
        let at = faults.at(range);
        faults.add(kind, at, format!("{message}: {}", error.message()));
    }
    if !errors.is_empty() {
        return None;
    }
    let mut document = Document::empty(text);
    fill(&mut document, 0, table.get_ref());
    Some(document)
}

fn fill(document: &mut Document<'_>, parent: u32, table: &DeTable<'_>) {
    let mut entries: Vec<(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        add(document, parent, Some(key), value);
    }
}

fn add(
    document: &mut Document<'_>,
    parent: u32,
    key: Option<&Spanned<DeString<'_>>>,
    value: &Spanned<DeValue<'_>>,
) {
    let mut flags = 0;
    let key_span = key.map_or((0, 0), |key| span(&key.span()));
    if let Some(key) = key {
        document
            .decoded
            .insert(key_span.0, key.get_ref().as_ref().into());
        flags |= KEY_IS_DECODED;
    }
    let value_span = span(&value.span());
    let kind = match value.get_ref() {
        DeValue::String(text) => {
            document.decoded.insert(value_span.0, text.as_ref().into());
            flags |= VALUE_IS_DECODED;
            Kind::String
        }
        DeValue::Integer(_) => Kind::Integer,
        DeValue::Float(_) => Kind::Float,
        DeValue::Boolean(_) => Kind::Boolean,
        DeValue::Datetime(_) => Kind::Datetime,
        DeValue::Array(_) => Kind::Array,
        DeValue::Table(_) => Kind::Table,
    };
    let node = Node {
        key: key_span,
        value: value_span,
        first: NONE,
        last: NONE,
        next: NONE,
        kind,
        flags,
    };
    let Some(index) = document.add(parent, node) else {
        return;
    };
    match value.get_ref() {
        DeValue::Array(items) => {
            for item in items {
                add(document, index, None, item);
            }
        }
        DeValue::Table(table) => fill(document, index, table),
        _ => {}
    }
}

fn span(range: &std::ops::Range<usize>) -> (u32, u32) {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    (offset(range.start), offset(range.end))
}
