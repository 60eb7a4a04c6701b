//! Patterns for names of packages: `acme-*`, normalised as names are.

use crate::model::lockfile::normalise;

/// Reads a pattern, normalised; says what is wrong with one that is none.
pub fn parse(text: &str) -> Result<String, String> {
    let is_known = |sign: char| sign.is_ascii_alphanumeric() || "-_.*".contains(sign);
    if let Some(other) = text.chars().find(|sign| !is_known(*sign)) {
        let other = other.escape_debug();
        return Err(format!(
            "has `{other}` where only letters, digits, `-`, `_`, `.` and `*` belong"
        ));
    }
    if !text.contains(|sign: char| sign.is_ascii_alphanumeric()) {
        return Err("names no letter or digit, and would mean every package".to_owned());
    }
    Ok(normalise(text).into_owned())
}

/// Whether a normalised pattern means this normalised name.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    true
}

/// Whether one of the normalised patterns means this normalised name.
pub fn any<'p>(patterns: &'p [String], name: &str) -> Option<&'p str> {
    let found = patterns.iter().find(|pattern| matches(pattern, name));
    found.map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_the_names_that_they_look_like() {
        for (pattern, name, expected) in [
            ("Acme_Core", "acme-core", true),
            ("acme-core", "acme-core-x", false),
            ("acme-*", "acme-core", true),
            ("acme-*", "acme", false),
            ("*-internal", "a-internal", true),
            ("*-internal", "a-internal-b", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("a**", "a", true),
        ] {
            assert_eq!(
                matches(&parse(pattern).unwrap(), name),
                expected,
                "{pattern} {name}"
            );
        }
        for (text, what) in [
            ("acme core", "has ` `"),
            ("acme\u{0}", "has `\\0`"),
            ("acme[", "has `[`"),
            ("*", "every package"),
            ("", "every package"),
        ] {
            assert!(parse(text).unwrap_err().contains(what), "{text}");
        }
    }
}
