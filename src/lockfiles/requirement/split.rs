//! The parts of a requirement (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/>), by where
//! they stand. What a specifier or a marker means is not looked at.

use std::ops::Range;

/// Where the parts of a requirement stand in its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The name.
    pub name: Range<usize>,
    /// The extras.
    pub extras: Vec<Range<usize>>,
    /// The specifiers, without parentheses.
    pub specifier: Option<Range<usize>>,
    /// What stands behind `@`.
    pub url: Option<Range<usize>>,
    /// What stands behind `;`.
    pub marker: Option<Range<usize>>,
}

/// Why a text is no requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The byte where it goes wrong.
    pub at: usize,
    /// What is wrong.
    pub message: &'static str,
}

/// Finds the parts of a requirement.
pub fn split(text: &str) -> Result<Split, Wrong> {
    let wrong = |at, message| Err(Wrong { at, message });
    let bytes = text.as_bytes();
    let mut at = skip(bytes, 0);
    let start = at;
    while bytes.get(at).is_some_and(|byte| is_name(*byte)) {
        at += 1;
    }
    let mut found = Split {
        name: start..at,
        ..Split::default()
    };
    let ends = text.get(found.name.clone()).unwrap_or_default();
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if !is_end(ends.as_bytes().first()) || !is_end(ends.as_bytes().last()) {
        return wrong(start, "a requirement begins with a name");
    }
    at = skip(bytes, at);
    if bytes.get(at) == Some(&b'[') {
        let Some(length) = text.get(at..).and_then(|rest| rest.find(']')) else {
            return wrong(at, "the extras have no end");
        };
        let mut from = at + 1;
        for part in text.get(from..at + length).unwrap_or_default().split(',') {
            let range = trimmed(text, from..from + part.len());
            from += part.len() + 1;
            let extra = text.get(range.clone()).unwrap_or_default();
            if !extra.is_empty() && extra.bytes().all(is_name) {
                found.extras.push(range);
            } else if length > 1 && !(extra.is_empty() && found.extras.is_empty()) {
                return wrong(range.start, "this is no name of an extra");
            }
        }
        at = skip(bytes, at + length + 1);
    }
    if bytes.get(at) == Some(&b'@') {
        at = skip(bytes, at + 1);
        let rest = text.get(at..).unwrap_or_default();
        // A semicolon is part of the URL unless a blank stands before it.
        let end = [" ;", "\t;"].iter().filter_map(|end| rest.find(end)).min();
        let url = trimmed(text, at..end.map_or(text.len(), |end| at + end));
        if url.is_empty() {
            return wrong(at, "no address stands behind `@`");
        }
        at = skip(bytes, url.end);
        found.url = Some(url);
    } else {
        let rest = text.get(at..).unwrap_or_default();
        let end = at + rest.find(';').unwrap_or(rest.len());
        let mut range = trimmed(text, at..end);
        let inner = text.get(range.clone()).unwrap_or_default();
        if inner.starts_with('(') && inner.ends_with(')') {
            range = trimmed(text, range.start + 1..range.end - 1);
        }
        if let Some(first) = bytes.get(range.start).filter(|_| !range.is_empty()) {
            if !matches!(first, b'<' | b'>' | b'=' | b'!' | b'~') {
                return wrong(range.start, "this is neither a specifier nor a marker");
            }
            found.specifier = Some(range);
        }
        at = end;
    }
    match bytes.get(at) {
        None => Ok(found),
        Some(b';') => {
            let marker = trimmed(text, at + 1..text.len());
            if marker.is_empty() {
                return wrong(at, "no marker stands behind `;`");
            }
            found.marker = Some(marker);
            Ok(found)
        }
        Some(_) => wrong(at, "this belongs to no part of a requirement"),
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn skip(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

/// The range without blanks at its ends.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let split = split(text).unwrap();
        let mut ranges = vec![split.name];
        ranges.extend(split.extras);
        ranges.extend(
            [split.specifier, split.url, split.marker]
                .into_iter()
                .flatten(),
        );
        ranges
            .into_iter()
            .map(|range| text[range].to_owned())
            .collect()
    }

    #[test]
    fn all_spellings_come_apart() {
        for (text, expected) in [
            ("SQLAlchemy >= 2.0", &["SQLAlchemy", ">= 2.0"][..]),
            (
                "a[b, c.d]>=1,<2; python_version < '3'",
                &["a", "b", "c.d", ">=1,<2", "python_version < '3'"],
            ),
            ("a (==1.0)", &["a", "==1.0"]),
            (
                "a @ https://h.example/a;b.whl ; extra == 'x'",
                &["a", "https://h.example/a;b.whl", "extra == 'x'"],
            ),
            ("  a\t", &["a"]),
            ("a[]", &["a"]),
            ("a ; os_name == ';'", &["a", "os_name == ';'"]),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_requirement_is_refused_at_its_place() {
        for (text, at) in [
            ("", 0),
            ("-a", 0),
            ("a b", 2),
            ("a[b", 1),
            ("a[b c]", 2),
            ("a @ ", 4),
            ("a>=1;", 4),
            ("é", 0),
        ] {
            assert_eq!(split(text).unwrap_err().at, at, "{text}");
        }
    }
}
