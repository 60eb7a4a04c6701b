//! One part of a key, between two slashes: escaped so that no two values look the same and none reaches into the next
//! part, shortened where it is too long.

use crate::model::digest::{Pieces, hex};

/// What stands between two parts. No part holds it.
pub const SEPARATOR: char = '/';

/// How many hexadecimal digits of a digest stand for what has no room.
const DIGITS: usize = 16;

/// The value as one part of a key of at most `limit` characters.
pub fn segment(value: &str, limit: usize) -> String {
    present(shortened(escaped(value, false), limit))
}

/// `name=value`. Only such texts hold `=`.
pub fn named(name: &str, value: &str) -> String {
    format!("{}={}", escaped(name, false), escaped(value, true))
}

/// `name@version`. Only such texts hold `@`.
pub fn versioned(name: &str, version: Option<&str>) -> String {
    let name = escaped(name, false);
    match version {
        Some(version) => format!("{name}@{}", escaped(version, false)),
        None => name,
    }
}

/// Several of these as one part of a key. Only such parts hold `+`.
pub fn joined(parts: impl IntoIterator<Item = String>, limit: usize) -> String {
    let parts: Vec<String> = parts.into_iter().collect();
    present(shortened(parts.join("+"), limit))
}

/// No part is empty, so that none is missing: `none` stands for nothing, and nothing else does.
fn present(text: String) -> String {
    match text.as_str() {
        "" => "none".to_owned(),
        "none" => "~none".to_owned(),
        _ => text,
    }
}

/// Everything but what is plain in a key is `~` with the two digits of each byte. A comma would end a key, a blank or a
/// line break would be trimmed or split by whoever reads it.
fn escaped(value: &str, with_equals: bool) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                text.push(char::from(byte));
            }
            b'=' if with_equals => text.push('='),
            other => {
                let _ = write!(text, "~{other:02x}");
            }
        }
    }
    text
}

/// The beginning, and the digest of the whole, where it is longer than `limit`. All of it is ASCII.
fn shortened(text: String, limit: usize) -> String {
    if text.len() <= limit {
        return text;
    }
    let mut pieces = Pieces::default();
    pieces.add(&text);
    let digest = hex(&pieces.finish());
    let digest = digest.get(..DIGITS).unwrap_or_default();
    // Two tildes are in no escaped value.
    let kept = limit.saturating_sub(DIGITS + 2);
    let kept = text.get(..kept).unwrap_or_default();
    format!("{kept}~~{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_stay_apart() {
        assert_eq!(segment("24.04", 20), "24.04");
        assert_eq!(segment("", 20), "none");
        assert_eq!(segment("none", 20), "~none");
        assert_eq!(versioned("uv", Some("0.6@x")), "uv@0.6~40x");
        assert_eq!(segment("a/b,c\n", 20), "a~2fb~2cc~0a");
        assert_ne!(segment("a~2fb", 20), segment("a/b", 20));
        assert_eq!(named("cuda", "12.4=x"), "cuda=12.4=x");
        assert_eq!(segment("a=b", 20), "a~3db");
    }

    #[test]
    fn what_is_too_long_ends_in_a_digest_of_the_whole() {
        let long = |end: char| segment(&format!("{}{end}", "x".repeat(60)), 40);
        assert_eq!(long('a').len(), 40);
        assert_ne!(long('a'), long('b'));
        assert_eq!(segment(&"x".repeat(40), 40), "x".repeat(40));
    }
}
