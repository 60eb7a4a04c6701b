//! Text of strangers, made harmless: tool output, file names, messages, branch names.
//!
//! The runner reads every line that a step prints. It trims leading white space and takes a line that starts with
//! `::` for a command; it finds the older `##[name]` anywhere in a line; it ends lines at CR as well as at LF
//! (actions/runner, `ActionCommand.cs`). A terminal obeys control characters. None of this may happen.

use std::borrow::Cow;

/// Breaks a command without changing what one sees: ZERO WIDTH SPACE.
const BREAK: char = '\u{200b}';

/// One line: no line breaks, control characters shown as pictures, no live workflow command.
pub fn line(text: &str) -> Cow<'_, str> {
    let tame = || {
        !text.chars().any(is_control)
            && !text.contains("##[")
            && !text.trim_start().starts_with("::")
    };
    if is_plain(text) || tame() {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 8);
    let text = text.replace("##[", &format!("##{BREAK}["));
    let body = text.trim_start();
    visible.extend(text[..text.len() - body.len()].chars().map(picture));
    if body.starts_with("::") {
        visible.push(BREAK);
    }
    visible.extend(body.chars().map(picture));
    Cow::Owned(visible)
}

/// One line of at most so many characters of the text, with a mark where it is cut.
pub fn excerpt(text: &str, longest: usize) -> String {
    let text = text.trim();
    let short: String = text.chars().take(longest).collect();
    let dots = if short.len() < text.len() { " …" } else { "" };
    format!("{}{dots}", line(&short))
}

/// Several lines, each made harmless, joined by LF. CRLF and CR count as line breaks.
pub fn lines(text: &str) -> String {
    if are_plain(text) {
        return text.to_owned();
    }
    let mut tame = String::with_capacity(text.len());
    for (index, piece) in text.split('\n').enumerate() {
        if index > 0 {
            tame.push('\n');
        }
        tame.push_str(&line(piece.strip_suffix('\r').unwrap_or(piece)));
    }
    tame
}

/// Text for HTML and GitHub's Markdown outside code spans: nothing of it is markup.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in line(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Entities, not backslashes: inside a table or HTML block a backslash would show.
            '|' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '!' | '~' | '\\' | '@' | ':'
            | '$' => {
                use std::fmt::Write as _;
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Whether the line is nothing but ASCII that one sees and starts no command, as most are: a look without a branch
/// for each byte, since every line of every report passes here.
fn is_plain(line: &str) -> bool {
    let is_harmless = |byte: u8| matches!(byte, b'\t' | b' '..=b'"' | b'$'..=b'~');
    line.bytes()
        .fold(true, |plain, byte| plain & is_harmless(byte))
        && !line.trim_ascii_start().starts_with("::")
}

/// The same of several lines at once, for whole reports.
fn are_plain(lines: &str) -> bool {
    let is_harmless = |byte: u8| matches!(byte, b'\t' | b'\n' | b' '..=b'"' | b'$'..=b'~');
    lines
        .bytes()
        .fold(true, |plain, byte| plain & is_harmless(byte))
        && memchr::memmem::find_iter(lines.as_bytes(), "::").all(|at| {
            let before = lines.get(..at).unwrap_or_default();
            let before = before.trim_end_matches([' ', '\t']);
            !before.is_empty() && !before.ends_with('\n')
        })
}

fn is_control(character: char) -> bool {
    matches!(character,
        '\0'..='\x08' | '\n'..='\x1f' | '\x7f'..='\u{9f}'
        // Line and paragraph separators, and what turns the direction of text (CVE-2021-42574).
        | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn picture(character: char) -> char {
    match character {
        '\t' => '\t',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('␀'),
        '\x7f' => '␡',
        other if is_control(other) => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        for text in [
            "::error::x",
            "  \u{3000}::add-mask::y",
            "a ##[add-mask]z",
            "x\r::error::y",
            "##[[",
            "\u{200b}::x",
        ] {
            let tame = line(text);
            assert!(!tame.trim_start().starts_with("::"), "{tame:?}");
            assert!(!tame.contains("##["), "{tame:?}");
            assert!(!tame.contains(['\r', '\n']), "{tame:?}");
        }
    }

    #[test]
    fn harmless_text_stays_as_it_is() {
        let text = "\tdef naïve(): # 😀 a::b ## [x]";
        assert!(matches!(line(text), Cow::Borrowed(_)));
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(line("\x1b[31mred\x07\u{202e}"), "␛[31mred␇\u{fffd}");
        assert_eq!(lines("a\r\nb\rc\n"), "a\nb␍c\n");
    }

    #[test]
    fn lines_are_looked_at_together_as_they_are_one_by_one() {
        for text in [
            "a::b\n c :: d\n",
            "::error::x",
            "a\n::error::x",
            "a\n \t ::error::x\nb",
            "\n\n::x",
            " ::x",
            "a\n:\n:x ::y",
            "a ##[x]\nb",
            "",
            "\n",
            "a\r\n::b",
        ] {
            let single: Vec<String> = text
                .split('\n')
                .map(|piece| line(piece.strip_suffix('\r').unwrap_or(piece)).into_owned())
                .collect();
            assert_eq!(lines(text), single.join("\n"), "{text:?}");
        }
        assert!(are_plain("a::b\n c :: d\n") && !are_plain("a\n \t ::b"));
    }

    #[test]
    fn markdown_shows_what_was_written() {
        assert_eq!(
            markdown("<b>|`@user`"),
            "&lt;b&gt;&#124;&#96;&#64;user&#96;"
        );
    }
}
