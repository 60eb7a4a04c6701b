//! Names of distributions (<https://packaging.python.org/en/latest/specifications/name-normalization/>).

use std::borrow::Cow;

use crate::model::lockfile::Text;
use crate::model::sources::Location;

/// A distribution's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// As it was written.
    pub written: Text<'a>,
    /// As PEP 503 normalises it.
    pub normal: Text<'a>,
    /// Where it stands.
    pub at: Location,
}

impl<'a> Name<'a> {
    /// A name at its place.
    pub fn new(written: Text<'a>, at: Location) -> Self {
        let normal = match &written {
            Cow::Borrowed(written) => normalise(written),
            Cow::Owned(written) => Cow::Owned(normalise(written).into_owned()),
        };
        Self {
            written,
            normal,
            at,
        }
    }
}

/// A distribution's name, or that of an extra or a group, as PEP 503 normalises it.
pub fn normalise(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_normal = name
        .as_bytes()
        .split(|byte| *byte == b'-')
        .all(|part| !part.is_empty() && part.iter().all(is_plain));
    if is_normal {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(character.to_ascii_lowercase());
        }
    }
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_and_normal_ones_are_not_copied() {
        for (written, normal) in [
            ("Jinja2", "jinja2"),
            ("zope.interface", "zope-interface"),
            ("a__b.-c", "a-b-c"),
            ("ruff", "ruff"),
            ("", ""),
        ] {
            assert_eq!(normalise(written), normal);
        }
        assert!(matches!(normalise("typing-extensions"), Cow::Borrowed(_)));
    }
}
