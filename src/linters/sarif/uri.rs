//! From the URI of an artifact to a path, as RFC 3986 and section 3.4 of the standard say.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Base URIs may refer to one another; this many steps are no honest chain.
const MAX_CHAIN: u32 = 16;

/// No path is longer, in bytes: bases that make one longer are not followed.
const MAX_PATH: usize = 32 << 10;

/// An `artifactLocation` that is kept: of a base, or of the table of artifacts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    pub(super) uri: Option<String>,
    pub(super) uri_base_id: Option<String>,
}

/// `originalUriBaseIds` of a run.
pub(super) type Bases = BTreeMap<String, Location>;

/// Where an artifact is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A path, absolute or relative to the tool's directory.
    Path(String),
    /// A URI that names no file.
    Elsewhere(String),
}

/// Settles a URI. A base that is unknown, or has no URI of its own (`%SRCROOT%`), leaves the path relative.
pub(super) fn resolve(uri: &str, base: Option<&str>, bases: &Bases) -> Place {
    let mut joined = uri.to_owned();
    let mut base = base;
    for _ in 0..MAX_CHAIN {
        let Some(location) = base
            .filter(|_| joined.len() <= MAX_PATH && !is_absolute(&joined))
            .and_then(|base| bases.get(base))
        else {
            break;
        };
        if let Some(front) = &location.uri {
            let slash = if front.is_empty() || front.ends_with('/') {
                ""
            } else {
                "/"
            };
            joined = format!("{front}{slash}{joined}");
        }
        base = location.uri_base_id.as_deref();
    }
    let Some((scheme, rest)) = scheme(&joined) else {
        return Place::Path(decode(&joined));
    };
    if scheme.len() == 1 {
        // Not a URI but a Windows path, as some tools write it.
        return Place::Path(decode(&joined).replace('\\', "/"));
    }
    if !scheme.eq_ignore_ascii_case("file") {
        return Place::Elsewhere(joined);
    }
    Place::Path(file_path(rest))
}

/// The path of a URI behind `file:`.
fn file_path(rest: &str) -> String {
    let Some(authority) = rest.strip_prefix("//") else {
        return decode(rest);
    };
    let (host, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
    if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
        return decode(&format!("//{host}{path}"));
    }
    let path = decode(path);
    let is_drive =
        matches!(path.as_bytes(), [b'/', letter, b':', ..] if letter.is_ascii_alphabetic());
    if is_drive { path[1..].to_owned() } else { path }
}

fn is_absolute(uri: &str) -> bool {
    uri.starts_with('/') || scheme(uri).is_some()
}

fn scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}

/// Percent decoding. What is no escape, and an escaped NUL, stays as it is; bytes that are not UTF-8 are replaced.
fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        if let Some(byte) = escaped.filter(|&byte| byte != 0) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(uri: &str) -> String {
        match resolve(uri, None, &Bases::new()) {
            Place::Path(path) => path,
            Place::Elsewhere(uri) => format!("elsewhere: {uri}"),
        }
    }

    #[test]
    fn uris_become_paths() {
        for (uri, expected) in [
            ("src/a.py", "src/a.py"),
            ("./a%20b.py", "./a b.py"),
            ("file:///w/a.py", "/w/a.py"),
            ("file://localhost/w/a.py", "/w/a.py"),
            ("FILE:/w/a.py", "/w/a.py"),
            ("file:///C:/w/a.py", "C:/w/a.py"),
            ("file:///c%3A/w/a.py", "c:/w/a.py"),
            ("file://server/share/a.py", "//server/share/a.py"),
            ("C:\\w\\a.py", "C:/w/a.py"),
            ("caf%C3%A9.py", "café.py"),
            ("100%.py", "100%.py"),
            ("a%00b", "a%00b"),
            ("bad%FF.py", "bad\u{fffd}.py"),
            ("a/b:c.py", "a/b:c.py"),
            (
                "https://host.example/a.py",
                "elsewhere: https://host.example/a.py",
            ),
            ("file:", ""),
        ] {
            assert_eq!(path(uri), expected, "{uri}");
        }
    }

    #[test]
    fn bases_are_followed_to_the_end() {
        let location = |uri: Option<&str>, base: Option<&str>| Location {
            uri: uri.map(str::to_owned),
            uri_base_id: base.map(str::to_owned),
        };
        let bases = Bases::from([
            ("ROOT".to_owned(), location(Some("file:///w"), None)),
            ("SRC".to_owned(), location(Some("src/"), Some("ROOT"))),
            ("OPEN".to_owned(), location(None, None)),
            ("LOOP".to_owned(), location(Some("x/"), Some("LOOP"))),
        ]);
        let path = |uri, base| resolve(uri, Some(base), &bases);
        assert_eq!(path("a.py", "SRC"), Place::Path("/w/src/a.py".to_owned()));
        assert_eq!(
            path("file:///v/a.py", "SRC"),
            Place::Path("/v/a.py".to_owned())
        );
        assert_eq!(path("a.py", "OPEN"), Place::Path("a.py".to_owned()));
        assert_eq!(path("a.py", "UNKNOWN"), Place::Path("a.py".to_owned()));
        assert!(matches!(path("a.py", "LOOP"), Place::Path(path) if path.ends_with("x/a.py")));
    }
}
