//! Shells and command lines.

use super::escaped;
use super::python::is_printable;

/// What Bash's `printf %q` writes a backslash before.
const SPECIAL: &str = " !\"$&'()*,;<>?[\\]^`{|}";

/// A shorter part of a value that PowerShell cut in two is not looked for by the runner. Characters.
const SHORTEST_PART: usize = 6;

/// The value as it stands between quotes, with backslashes, and as PowerShell reports its parts.
pub(super) fn forms(value: &str) -> Vec<String> {
    let before = |special: &'static str| {
        escaped(value, move |character, text| {
            if special.contains(character) {
                text.extend(['\\', character]);
            }
        })
    };
    let mut forms = vec![
        // Bash and `set -x`; Python's `shlex.quote`; PowerShell, YAML, SQL and the expressions of workflows.
        value.replace('\'', "'\\''"),
        value.replace('\'', "'\"'\"'"),
        value.replace('\'', "''"),
        // Within double quotes; a command line of Windows.
        before("\"\\$`"),
        before("\"\\$`!"),
        before("\""),
        before(SPECIAL),
        as_words(value),
    ];
    let kept: [fn(char) -> bool; 4] = [
        // In a locale of UTF-8 as the GNU C library has it, with our tables, with none; in that of ASCII.
        |character| !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}'),
        is_printable,
        |character| !character.is_control(),
        |character| character.is_ascii() && !character.is_control(),
    ];
    for is_kept in kept {
        for quote in ["\\'", "'"] {
            forms.push(in_dollar_quotes(value, is_kept, quote));
        }
    }
    forms.extend(unquoted(value).map(str::to_owned));
    forms.extend(parts_of_power_shell(value));
    forms
}

/// With backslashes, also where a word may begin with a comment or a home.
fn as_words(value: &str) -> String {
    let mut last = None;
    escaped(value, |character, text| {
        let is_special = SPECIAL.contains(character)
            || character == '#' && last.is_none()
            || character == '~' && matches!(last, None | Some('=' | ':'));
        if is_special {
            text.extend(['\\', character]);
        }
        last = Some(character);
    })
}

/// As between `$'` and `'`.
fn in_dollar_quotes(value: &str, is_kept: fn(char) -> bool, quote: &str) -> String {
    use std::fmt::Write as _;
    escaped(value, |character, text| match character {
        '\u{7}' => text.push_str("\\a"),
        '\u{8}' => text.push_str("\\b"),
        '\u{1b}' => text.push_str("\\E"),
        '\u{c}' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\u{b}' => text.push_str("\\v"),
        '\\' => text.push_str("\\\\"),
        '\'' => text.push_str(quote),
        character if !is_kept(character) => {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
        _ => {}
    })
}

/// The value without double quotes around it.
fn unquoted(value: &str) -> Option<&str> {
    value
        .strip_prefix('"')?
        .strip_suffix('"')
        .filter(|_| value.len() > 8)
}

/// PowerShell's error messages cut a command at `&`, and colour the parts.
fn parts_of_power_shell(value: &str) -> Vec<String> {
    let Some(at) = value.find('&') else {
        return Vec::new();
    };
    let (before, after) = value.split_at(at);
    let after = match after.strip_prefix("&+") {
        Some(after) => {
            let mut characters = after.chars();
            characters.next();
            characters.as_str()
        }
        None => &after[1..],
    };
    [before, after]
        .into_iter()
        .filter(|part| part.chars().count() >= SHORTEST_PART)
        .map(str::to_owned)
        .collect()
}
