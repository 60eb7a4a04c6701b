//! What names may be.

use crate::pipeline::keys::LONGEST_NAME;

/// What is wrong with the name of a stage; `None` where it is fine.
pub(crate) fn fault_of_stage(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.trim() != name {
        return Some("there is white space around it".to_owned());
    }
    if name.chars().count() > LONGEST_NAME {
        return Some(format!("it is longer than {LONGEST_NAME} letters"));
    }
    if name.starts_with('-') {
        return Some("it starts with `-`, as options do".to_owned());
    }
    if name.contains('/') || name.contains('\\') {
        return Some("it has a slash, as paths do".to_owned());
    }
    if name == "." || name == ".." {
        return Some("it is the name of a folder".to_owned());
    }
    // Directional marks and separators of lines are no control characters, and show one thing for another.
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            )
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    if name.chars().any(is_hidden) {
        return Some("it has characters that one does not see".to_owned());
    }
    if name.contains("${{") || name.contains("}}") {
        return Some("it has the signs of a reference".to_owned());
    }
    None
}

/// Whether a text is the name of a variable, as a shell can name it.
pub(crate) fn is_variable(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a text names an output or a part of a matrix: letters, digits, `_` and `-`.
pub(crate) fn is_word(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_people_write_and_nothing_that_deceives() {
        for fine in [
            "test",
            "unit tests",
            "prüfen",
            "测试",
            "a (3.12, x)",
            "a.b",
            "🚀",
        ] {
            assert_eq!(fault_of_stage(fine), None, "{fine}");
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        for wrong in [
            "",
            " ",
            " a",
            "-a",
            "a/b",
            "a\\b",
            "..",
            "a\nb",
            "a\u{1b}[1m",
            "a\u{202e}b",
            "a\u{2028}",
            "${{ a",
            &long,
        ] {
            assert!(fault_of_stage(wrong).is_some(), "{wrong:?}");
        }
        assert!(
            is_variable("A_1") && !is_variable("1A") && !is_variable("A-B") && !is_variable("")
        );
        assert!(is_word("whl-x_1") && !is_word("a.b") && !is_word("-a"));
    }
}
