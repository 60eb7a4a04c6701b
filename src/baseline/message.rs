//! What a message says, without what changes when code moves: line numbers, columns, paths, and measured lengths.

/// Words before a number that is a place.
const PLACES: &[&str] = &[
    "line", "lines", "row", "column", "columns", "col", "offset", "position",
];

/// Endings of files that tools name.
const ENDINGS: &[&str] = &[".py", ".pyi", ".ipynb"];

/// The message as it is compared. What is left out:
///
/// - white space, but for one blank between words: pyright indents with no-break blanks;
/// - the number behind `line`, `column` and the like: ``Redefinition of unused `os` from line 12``;
/// - files, with the place behind them: `also at "./src/app.py:3:7"`;
/// - what was measured, as in `(92 > 88)`, `(92/88)` and `(12)`: the indentation is part of the length of a line;
/// - pylint's ranges of lines: `==app:[12:20]`.
pub(super) fn normalise(message: &str) -> String {
    let mut normal = String::with_capacity(message.len());
    let mut words = message.split_whitespace().peekable();
    let mut follows_place = false;
    while let Some(word) = words.next() {
        if !normal.is_empty() {
            normal.push(' ');
        }
        let (before, core, after) = split(word);
        let opens = before.chars().next_back();
        let is_compared = words.peek() == Some(&">");
        let replaced = if is_path(core, opens) {
            "…"
        } else if is_number(core)
            && (follows_place || is_compared || opens == Some('(') && after.starts_with([')', '%']))
        {
            "#"
        } else if (opens == Some('(') && is_pair(core, '/'))
            || (before.ends_with('[') && is_pair(core, ':'))
        {
            "#/#"
        } else {
            core
        };
        for piece in [before, replaced, after] {
            normal.push_str(piece);
        }
        follows_place = PLACES.contains(&core.to_ascii_lowercase().as_str())
            || (follows_place && matches!(core, "and" | "to" | "-"));
    }
    normal
}

/// The line of a message that says what is wrong; the others say where a tool looked, and compare types.
pub(super) fn first_line(message: &str) -> &str {
    message.trim_start().lines().next().unwrap_or_default()
}

/// What stands around a word, and the word. `==app:[12:20]` has its word in the brackets.
fn split(word: &str) -> (&str, &str, &str) {
    let is_edge = |character: char| {
        character.is_ascii_punctuation() && !matches!(character, '/' | '\\' | '_' | '-' | '*')
    };
    let start = match word.rfind(":[") {
        Some(at) if word.starts_with("==") => at + 2,
        _ => word.len() - word.trim_start_matches(is_edge).len(),
    };
    let (before, rest) = word.split_at_checked(start).unwrap_or((word, ""));
    let core = rest.trim_end_matches(is_edge);
    let (core, after) = rest.split_at_checked(core.len()).unwrap_or((rest, ""));
    // A relative path begins with what else is an edge.
    let dots = before.len() - before.trim_end_matches('.').len();
    if dots > 0 && core.starts_with(['/', '\\']) {
        let (before, _) = before.split_at(before.len() - dots);
        return (
            before,
            word.get(before.len()..word.len() - after.len())
                .unwrap_or(core),
            after,
        );
    }
    (before, core, after)
}

fn is_path(core: &str, opens: Option<char>) -> bool {
    let mut name = core;
    while let Some((head, tail)) = name.rsplit_once(':')
        && is_number(tail)
    {
        name = head;
    }
    let is_quoted = matches!(opens, Some('"' | '\'' | '`' | '“' | '‘'));
    let has_folder = name.contains(['/', '\\']) && name.contains(char::is_alphanumeric);
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || (is_quoted && has_folder)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_pair(text: &str, between: char) -> bool {
    text.split_once(between)
        .is_some_and(|(left, right)| is_number(left) && is_number(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_paths_and_measures_are_left_out() {
        for (message, normal) in [
            (
                "Redefinition of unused `os` from line 12: `os` redefined here",
                "Redefinition of unused `os` from line #: `os` redefined here",
            ),
            (
                "Name \"x\" already defined on line 7",
                "Name \"x\" already defined on line #",
            ),
            ("Line too long (92 > 88)", "Line too long (# > 88)"),
            (
                "line too long (101 > 79 characters)",
                "line too long (# > 79 characters)",
            ),
            ("Line too long (101/100)", "Line too long (#/#)"),
            ("'f' is too complex (12)", "'f' is too complex (#)"),
            (
                "unused import 'os' (90% confidence)",
                "unused import 'os' (#% confidence)",
            ),
            (
                "Duplicate module named \"a\" (also at \"./b/a.py\")",
                "Duplicate module named \"a\" (also at \"…\")",
            ),
            (
                "File `pkg/sub/a.py` is part of an implicit namespace package.",
                "File `…` is part of an implicit namespace package.",
            ),
            ("see src/app.py:12:3 and 'lib\\x'", "see … and '…'"),
            (
                "Similar lines in 2 files\n==app:[12:20]\n==lib.b:[3:9]",
                "Similar lines in 2 files ==app:[#/#] ==lib.b:[#/#]",
            ),
            ("a\n\u{a0}\u{a0}b", "a b"),
        ] {
            assert_eq!(normalise(message), normal);
        }
    }

    #[test]
    fn what_tells_findings_apart_stays() {
        for message in [
            "Argument 1 to \"f\" has incompatible type \"int\"; expected \"str\"",
            "Operator \"/\" not supported for types \"str\" and \"int\"",
            "Missing positional argument 2",
            "expected 2 blank lines, found 1",
            "Don't compare with == 'None'",
            "Magic value used in comparison, consider replacing `100` with a constant variable",
            "\u{201c}",
        ] {
            assert_eq!(normalise(message), message);
        }
    }
}
