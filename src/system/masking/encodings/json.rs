//! JSON, once and twice: libraries differ in what they write as `\u`.

use super::escaped;

/// The characters that are written as `\u` although JSON needs it not: nobody, Go, Rails, .NET.
const HIDDEN: &[&str] = &["", "<>&", "<>&'", "<>&'\"+`"];

/// The value as it stands between the quotes, and as it stands in JSON that is a value of JSON.
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for hidden in HIDDEN {
        for is_ascii in [false, true] {
            for has_escaped_slash in [false, true] {
                for digits in [Digits::Small, Digits::Capital] {
                    for hides_delete in [false, true] {
                        let style = Style {
                            hidden,
                            is_ascii,
                            has_escaped_slash,
                            digits,
                            hides_delete,
                        };
                        forms.push(style.write(value));
                    }
                }
            }
        }
    }
    forms.sort();
    forms.dedup();
    let plain = Style::default();
    let twice: Vec<String> = forms.iter().map(|form| plain.write(form)).collect();
    forms.extend(twice);
    forms
}

#[derive(Clone, Copy, Default)]
enum Digits {
    #[default]
    Small,
    Capital,
}

#[derive(Default)]
struct Style {
    hidden: &'static str,
    /// Whether all else than ASCII is `\u`, as in Python.
    is_ascii: bool,
    /// PHP.
    has_escaped_slash: bool,
    digits: Digits,
    /// jq.
    hides_delete: bool,
}

impl Style {
    fn write(&self, value: &str) -> String {
        escaped(value, |character, text| match character {
            character if self.hidden.contains(character) => self.number(character, text),
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '/' if self.has_escaped_slash => text.push_str("\\/"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\u{7f}' if self.hides_delete => self.number(character, text),
            character if character < ' ' => self.number(character, text),
            character if self.is_ascii && !character.is_ascii() => self.number(character, text),
            _ => {}
        })
    }

    fn number(&self, character: char, text: &mut String) {
        use std::fmt::Write as _;
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = match self.digits {
                Digits::Small => write!(text, "\\u{unit:04x}"),
                Digits::Capital => write!(text, "\\u{unit:04X}"),
            };
        }
    }
}
