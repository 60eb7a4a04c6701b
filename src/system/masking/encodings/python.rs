//! Python: `repr()` of the value as text and as bytes, and `ascii()`.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup as Group};

use super::escaped;

/// The value as it stands between the quotes, whichever they are.
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for kind in [Kind::Text, Kind::Ascii, Kind::Bytes] {
        for quote in ["'", "\\'"] {
            for double in ["\"", "\\\""] {
                forms.push(repr(value, kind, quote, double));
            }
        }
    }
    forms
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Ascii,
    Bytes,
}

fn repr(value: &str, kind: Kind, quote: &str, double: &str) -> String {
    use std::fmt::Write as _;
    escaped(value, |character, text| {
        let code = u32::from(character);
        match character {
            '\'' => text.push_str(quote),
            '"' => text.push_str(double),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ if kind == Kind::Bytes && !character.is_ascii() => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "\\x{byte:02x}");
                }
            }
            _ if is_printable(character) && (kind == Kind::Text || character.is_ascii()) => {}
            _ => {
                let _ = match code {
                    0..=0xff => write!(text, "\\x{code:02x}"),
                    0x100..=0xffff => write!(text, "\\u{code:04x}"),
                    _ => write!(text, "\\U{code:08x}"),
                };
            }
        }
    })
}

/// As `str.isprintable()` has it: no other and no separator but the space.
pub(super) fn is_printable(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    character == ' ' || !Group::Other.contains(category) && !Group::Separator.contains(category)
}
