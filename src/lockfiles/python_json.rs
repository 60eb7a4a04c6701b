//! TOML values as Python's `json.dumps(…, sort_keys=True)` writes them, byte for byte: what content hashes are made of.
//!
//! Keys are sorted by code points, which is the order of their UTF-8. All but printable ASCII is escaped, as UTF-16.
//! Numbers are written as Python shows them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::lockfiles::document::{Kind, Value};

/// A value that can be dumped: of a document, or put together.
#[derive(Clone, Debug)]
pub enum Json<'d, 'a> {
    /// `null`.
    Null,
    /// A value of a document.
    Toml(Value<'d, 'a>),
    /// A text that is in no document.
    Text(&'static str),
    /// A list.
    List(Vec<Json<'d, 'a>>),
    /// A table.
    Table(BTreeMap<String, Json<'d, 'a>>),
}

impl<'d, 'a> Json<'d, 'a> {
    /// A table of these entries.
    pub fn table(entries: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let own = |(key, value): (&str, Self)| (key.to_owned(), value);
        Self::Table(entries.into_iter().map(own).collect())
    }

    /// A value of a document, or another where it is missing.
    pub fn of(value: Option<Value<'d, 'a>>, default: Self) -> Self {
        value.map_or(default, Self::Toml)
    }
}

/// Deeper values are not dumped; Python itself gives up at about a thousand levels.
const DEPTH: usize = 200;

/// How Python sets what it dumps: `json.dumps(…, separators=…)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Separators {
    /// Between items.
    item: &'static str,
    /// Between a key and its value.
    key: &'static str,
}

impl Separators {
    /// Those that Python uses by itself.
    pub const SPACED: Self = Self {
        item: ", ",
        key: ": ",
    };

    /// `separators=(",", ":")`.
    pub const COMPACT: Self = Self {
        item: ",",
        key: ":",
    };
}

/// The SHA-256 of what Python dumps, in hexadecimal digits; `None` where Python has no JSON for a value (dates).
pub fn sha256(value: &Json<'_, '_>) -> Option<String> {
    sha256_with(value, Separators::SPACED)
}

/// The same with other separators.
pub fn sha256_with(value: &Json<'_, '_>, separators: Separators) -> Option<String> {
    let mut text = String::new();
    dump(value, separators, &mut text, DEPTH)?;
    Some(digest(text.as_bytes()))
}

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn dump(value: &Json<'_, '_>, set: Separators, out: &mut String, depth: usize) -> Option<()> {
    let inner = depth.checked_sub(1)?;
    match value {
        Json::Null => out.push_str("null"),
        Json::Toml(value) => toml(*value, set, out, inner)?,
        Json::Text(value) => text(value, out),
        Json::List(items) => list(items.iter(), set, out, |item, out| {
            dump(item, set, out, inner)
        })?,
        Json::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str(), value));
            table(entries, set, out, |value, out| dump(value, set, out, inner))?;
        }
    }
    Some(())
}

fn toml(value: Value<'_, '_>, set: Separators, out: &mut String, depth: usize) -> Option<()> {
    let inner = depth.checked_sub(1)?;
    match value.kind() {
        Kind::String => text(&value.as_str()?, out),
        Kind::Integer => integer(value.raw(), out)?,
        Kind::Float => float(value.raw(), out)?,
        Kind::Boolean => out.push_str(if value.as_bool()? { "true" } else { "false" }),
        Kind::Datetime => return None,
        Kind::Null => out.push_str("null"),
        Kind::Array => list(value.entries(), set, out, |item, out| {
            toml(item, set, out, inner)
        })?,
        Kind::Table => {
            let entries: BTreeMap<String, Value<'_, '_>> = value
                .entries()
                .map(|entry| (entry.key().into_owned(), entry))
                .collect();
            let entries = entries.iter().map(|(key, value)| (key.as_str(), *value));
            table(entries, set, out, |value, out| toml(value, set, out, inner))?;
        }
    }
    Some(())
}

fn list<T>(
    items: impl Iterator<Item = T>,
    set: Separators,
    out: &mut String,
    mut each: impl FnMut(T, &mut String) -> Option<()>,
) -> Option<()> {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(set.item);
        }
        each(item, out)?;
    }
    out.push(']');
    Some(())
}

fn table<'k, T>(
    entries: impl Iterator<Item = (&'k str, T)>,
    set: Separators,
    out: &mut String,
    mut each: impl FnMut(T, &mut String) -> Option<()>,
) -> Option<()> {
    out.push('{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            out.push_str(set.item);
        }
        text(key, out);
        out.push_str(set.key);
        each(value, out)?;
    }
    out.push('}');
    Some(())
}

fn text(value: &str, out: &mut String) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// A whole number of any size: TOML's spelling has signs, `_`, and three prefixes.
fn integer(raw: &str, out: &mut String) -> Option<()> {
    let plain: String = raw.chars().filter(|digit| *digit != '_').collect();
    let radix = |prefix: &str, radix| {
        let digits = plain.strip_prefix(prefix)?;
        u128::from_str_radix(digits, radix).ok()
    };
    let prefixed = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2));
    if let Some(number) = prefixed {
        let _ = write!(out, "{number}");
        return Some(());
    }
    let (sign, digits) = match plain.strip_prefix('-') {
        Some("0") => ("", "0"),
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| {
        out.push_str(sign);
        out.push_str(digits);
    })
}

/// A float as Python's `repr` shows it: the shortest digits, with an exponent below 1e-4 and from 1e16.
fn float(raw: &str, out: &mut String) -> Option<()> {
    let plain: String = raw.chars().filter(|digit| *digit != '_').collect();
    let number = match plain.as_str() {
        "inf" | "+inf" => f64::INFINITY,
        "-inf" => f64::NEG_INFINITY,
        "nan" | "+nan" | "-nan" => f64::NAN,
        plain => plain.parse().ok()?,
    };
    if number.is_nan() {
        out.push_str("NaN");
        return Some(());
    }
    if number.is_infinite() {
        out.push_str(if number < 0.0 {
            "-Infinity"
        } else {
            "Infinity"
        });
        return Some(());
    }
    // Rust writes the same shortest digits: `1.5e-7`.
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if (-4..16).contains(&exponent) {
        let _ = write!(out, "{number}");
        if !out.ends_with(|last: char| last.is_ascii_digit()) || !format!("{number}").contains('.')
        {
            out.push_str(".0");
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::Format;
    use crate::lockfiles::document::Document;
    use crate::lockfiles::fault::Faults;
    use crate::model::sources::FileId;

    fn dumped(text: &str) -> Option<String> {
        let mut faults = Faults::new(Format::Poetry, FileId::default());
        let document = Document::read(text.as_bytes(), &mut faults).unwrap();
        let mut out = String::new();
        dump(
            &Json::Toml(document.root()),
            Separators::SPACED,
            &mut out,
            DEPTH,
        )?;
        Some(out)
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        // Each from `python3 -c 'import json, tomllib; print(json.dumps(tomllib.loads(…), sort_keys=True))'`.
        for (toml, json) in [
            ("b = [1, 2]\na = {}\n", r#"{"a": {}, "b": [1, 2]}"#),
            (
                r#"x = "é\u0007\b\u007F\\\"/😀""#,
                r#"{"x": "\u00e9\u0007\b\u007f\\\"/\ud83d\ude00"}"#,
            ),
            (
                "\"é\" = true\nz = false\n",
                r#"{"z": false, "\u00e9": true}"#,
            ),
            (
                "x = [1_000, 0xff, 0o17, 0b11, -0, +7, -3]\n",
                r#"{"x": [1000, 255, 15, 3, 0, 7, -3]}"#,
            ),
            (
                "x = [1.0, 1e16, 1e15, 0.0001, 0.00001, -0.0, 1.5e300, 0.1, 1_0.5]\n",
                r#"{"x": [1.0, 1e+16, 1000000000000000.0, 0.0001, 1e-05, -0.0, 1.5e+300, 0.1, 10.5]}"#,
            ),
            (
                "x = [inf, -inf, nan]\n",
                r#"{"x": [Infinity, -Infinity, NaN]}"#,
            ),
            (
                "[a.b]\nc.d = 1\n[[e]]\n[[e]]\nf = ''\n",
                r#"{"a": {"b": {"c": {"d": 1}}}, "e": [{}, {"f": ""}]}"#,
            ),
        ] {
            assert_eq!(dumped(toml).as_deref(), Some(json), "{toml}");
        }
        assert_eq!(dumped("x = 2026-01-01\n"), None);
    }

    #[test]
    fn deep_values_are_not_followed_for_ever() {
        let deep = format!("x = {}{}\n", "[".repeat(DEPTH), "]".repeat(DEPTH));
        let mut faults = Faults::new(Format::Poetry, FileId::default());
        if let Some(document) = Document::read(deep.as_bytes(), &mut faults) {
            assert_eq!(sha256(&Json::Toml(document.root())), None);
        }
    }
}
