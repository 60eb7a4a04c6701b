//! The name of a file from the two lines that head its part of a diff.

/// What programs put before the name on the old and on the new side.
const PREFIXES: &[(&str, &str)] = &[
    ("a/", "b/"),
    // `diff.mnemonicPrefix` of git.
    ("i/", "w/"),
    ("c/", "w/"),
    ("c/", "i/"),
    ("o/", "w/"),
    // autopep8
    ("original/", "fixed/"),
];

/// What programs put behind it.
const SUFFIXES: &[(&str, &str)] = &[
    // isort
    (":before", ":after"),
    // shfmt, gofmt
    (".orig", ""),
    // clang-format-diff
    (" (before formatting)", " (after formatting)"),
];

/// One side of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::linters) enum Side {
    /// `/dev/null`: there is no file on this side.
    Nothing,
    /// The name as it is written.
    File(String),
}

/// Reads what follows `--- ` or `+++ `: a name, be it quoted in the style of C, then perhaps a tab and a time.
pub(in crate::linters) fn side(rest: &[u8]) -> Side {
    let name = if rest.starts_with(b"\"") {
        unquote(rest)
    } else {
        let end = memchr::memchr(b'\t', rest).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_vec()
    };
    if name == b"/dev/null" {
        Side::Nothing
    } else {
        Side::File(String::from_utf8_lossy(&name).into_owned())
    }
}

/// The file that the change is about: the old side's name where there is one, since that is what the tree has.
pub(in crate::linters) fn path(old: &Side, new: &Side) -> Option<String> {
    match (old, new) {
        (Side::Nothing, Side::Nothing) => None,
        (Side::File(name), Side::Nothing) => Some(without(name, "a/")),
        (Side::Nothing, Side::File(name)) => Some(without(name, "b/")),
        (Side::File(old), Side::File(new)) => Some(common(old, new)),
    }
}

fn without(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

/// What both names share, once the marks of old and new are taken off; a file below `a/` has its folder on both sides.
fn common(old: &str, new: &str) -> String {
    if old == new {
        return old.to_owned();
    }
    let bare = PREFIXES.iter().find_map(|(before, after)| {
        let pair = (old.strip_prefix(before)?, new.strip_prefix(after)?);
        // A file that is renamed as well has two names: only git tells of that.
        (pair.0 == pair.1 || *before == "a/").then_some(pair)
    });
    let (old, new) = bare.unwrap_or((old, new));
    let marked = SUFFIXES.iter().find_map(|(before, after)| {
        let pair = (old.strip_suffix(before)?, new.strip_suffix(after)?);
        (pair.0 == pair.1).then_some(pair.0)
    });
    marked.unwrap_or(old).to_owned()
}

/// A name as git quotes it.
fn unquote(quoted: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(quoted.len());
    let mut rest = quoted.iter().copied().skip(1).peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => break,
            b'\\' => {}
            _ => {
                name.push(byte);
                continue;
            }
        }
        let Some(escaped) = rest.next() else { break };
        name.push(match escaped {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            b'0'..=b'7' => {
                let mut value = u32::from(escaped - b'0');
                for _ in 0..2 {
                    if let Some(digit) = rest.next_if(|next| (b'0'..=b'7').contains(next)) {
                        value = value * 8 + u32::from(digit - b'0');
                    }
                }
                u8::try_from(value & 0xff).unwrap_or(b'?')
            }
            other => other,
        });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(old: &str, new: &str) -> Option<String> {
        path(&side(old.as_bytes()), &side(new.as_bytes()))
    }

    #[test]
    fn the_marks_of_old_and_new_are_taken_off() {
        for (old, new, expected) in [
            ("a/x.py", "b/x.py", "x.py"),
            ("a/x.py", "a/x.py", "a/x.py"),
            ("b/x.py\t2026-01-01", "b/x.py\t2026-01-02", "b/x.py"),
            ("i/x y.py\t", "w/x y.py\t", "x y.py"),
            ("i/x.py", "w/y.py", "i/x.py"),
            ("a/old.py", "b/new.py", "old.py"),
            ("/w/x.py:before\t2026", "/w/x.py:after\t2026", "/w/x.py"),
            ("x.sh.orig", "x.sh", "x.sh"),
            ("original/x.py", "fixed/x.py", "x.py"),
            ("x.c (before formatting)", "x.c (after formatting)", "x.c"),
            ("/dev/null", "b/x.py", "x.py"),
            ("a/x.py", "/dev/null", "x.py"),
            (
                "\"a/na\\303\\257ve \\\"\\t\\\\.py\"",
                "\"b/na\\303\\257ve \\\"\\t\\\\.py\"",
                "naïve \"\t\\.py",
            ),
        ] {
            assert_eq!(name(old, new).as_deref(), Some(expected), "{old} {new}");
        }
        assert_eq!(name("/dev/null", "/dev/null"), None);
    }
}
