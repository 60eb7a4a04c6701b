//! What of a pattern is plain text, and plain text as a pattern.

/// White space and line ends of JavaScript, which `trim()` takes away and `\s` means.
pub(super) fn is_space(character: char) -> bool {
    character == '\u{feff}' || (character.is_whitespace() && character != '\u{85}')
}

/// The text without white space around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The text with one slash where there were several in a row.
pub(super) fn single_slashes(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}

/// The text without the slash at its end, unless it is all there is.
pub(super) fn without_last_slash(text: &str) -> &str {
    match text.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => text,
    }
}

/// The one name that a part of a pattern stands for, or `None` where it may stand for others as well. An escape `\x` and
/// a class of one letter `[x]` are that letter.
pub(super) fn of_part(part: &str) -> Option<String> {
    let letters: Vec<char> = part.chars().collect();
    let mut name = String::with_capacity(part.len());
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            '\\' if at < letters.len() => {
                name.extend(letters.get(at));
                at += 1;
            }
            '*' | '?' => return None,
            '[' => match class(letters.get(at..).unwrap_or_default()) {
                Class::Several => return None,
                Class::One(letter, length) => {
                    name.push(letter);
                    at += length;
                }
                Class::None => name.push(letter),
            },
            _ => name.push(letter),
        }
    }
    // A name of no letters would be a wildcard to the original as well.
    (!name.is_empty()).then_some(name)
}

enum Class {
    /// None: the bracket is not closed, or nothing is in it.
    None,
    /// One letter, and how many the whole class takes behind its bracket.
    One(char, usize),
    /// Several UTF-16 units, which is what the original counts.
    Several,
}

/// Reads what stands behind a `[`.
fn class(letters: &[char]) -> Class {
    let mut found: Vec<char> = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            '\\' if at < letters.len() => {
                found.extend(letters.get(at));
                at += 1;
            }
            ']' => {
                return match found[..] {
                    [] => Class::None,
                    [one] if one.len_utf16() == 1 => Class::One(one, at),
                    _ => Class::Several,
                };
            }
            _ => found.push(letter),
        }
    }
    Class::None
}

/// The path as a pattern that matches it alone.
pub(super) fn escape(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    let mut rest = path.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => pattern.push_str("\\\\"),
            '?' => pattern.push_str("[?]"),
            '*' => pattern.push_str("[*]"),
            '[' if is_closed(rest.as_str()) => pattern.push_str("[[]"),
            _ => pattern.push(character),
        }
    }
    pattern
}

/// Whether a `]` follows in the same part, but not at once.
fn is_closed(rest: &str) -> bool {
    let part = rest.split('/').next().unwrap_or_default();
    part.rfind(']').is_some_and(|at| at > 0)
}
