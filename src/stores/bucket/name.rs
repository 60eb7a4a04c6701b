//! Names of objects that mean the same in every store and lead nowhere else in a folder.

use std::fmt::Write as _;

use crate::error::Error;
use crate::stores::fault::{Fault, excerpt};

/// The longest name; S3 takes no more.
const LONGEST: usize = 1024;

/// The longest part between slashes; most file systems take 255, less what a temporary name needs.
pub const LONGEST_PART: usize = 200;

/// Whether every store can keep an object of this name: parts of plain letters between slashes, none of which starts with a
/// dot.
pub fn check(name: &str) -> Result<(), Fault> {
    if name.len() <= LONGEST && name.split('/').all(is_part) {
        return Ok(());
    }
    let message = format!("`{}` cannot be the name of an object", excerpt(name));
    let hint = "use letters, digits and `._~=+@-` between slashes; no part starts with a dot";
    Err(Fault::Usage(Box::new(Error::usage(message).hint(hint))))
}

/// Whether it can stand between slashes.
pub fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part.len() <= LONGEST_PART
        && !part.starts_with('.')
        && part
            .bytes()
            .all(|byte| is_plain(byte) || matches!(byte, b'~' | b'='))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'@' | b'-')
}

/// A text as a part: every other byte, and a dot in front, is `~` and two digits. Texts that start the same have parts that
/// start the same.
pub fn encode(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        if is_plain(byte) && !(at == 0 && byte == b'.') {
            part.push(char::from(byte));
        } else {
            let _ = write!(part, "~{byte:02x}");
        }
    }
    part
}

/// The text of a part that [`encode`] made.
pub fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part;
    while let Some(first) = rest.chars().next() {
        if first == '~' {
            bytes.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
            rest = rest.get(3..)?;
        } else {
            let end = first.len_utf8();
            bytes.extend_from_slice(rest.get(..end)?.as_bytes());
            rest = rest.get(end..)?;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["a", "a/b.json", "v1/0f~2f=x/k+@_-", "a/b~"] {
            assert!(check(name).is_ok(), "{name}");
        }
        let long = "a".repeat(LONGEST_PART + 1);
        for name in [
            "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", ".hidden", "a/.b", "a\\b",
            "a\0b", "a b", "C:", "é", "a\n", "%2e%2e", &long,
        ] {
            let fault = check(name).unwrap_err();
            assert!(matches!(fault, Fault::Usage(_)), "{name}");
        }
        assert!(check(&vec!["a"; 600].join("/")).is_err());
    }

    #[test]
    fn any_text_can_be_a_part_and_comes_back() {
        for text in [
            "",
            "Linux-uv",
            ".x",
            "a/b c",
            "été ~ =",
            "..",
            "\u{1F600}\n",
            "~2f",
        ] {
            let part = encode(text);
            assert_eq!(decode(&part).as_deref(), Some(text), "{part}");
            assert!(text.is_empty() || is_part(&part), "{part}");
        }
        for broken in ["~", "~2", "~zz", "~ff", "~é"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
        assert!(encode("a/b-c").starts_with(&encode("a/b")));
    }
}
