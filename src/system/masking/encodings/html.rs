//! HTML and XML: characters by their names and by their numbers.

use super::escaped;

/// What each library writes for a character.
const STYLES: &[&[(char, &str)]] = &[
    // Markup alone: Python's `html.escape(…, quote=False)`, what stands between tags.
    &[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")],
    // Only double quotes besides: most attributes.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
    ],
    // .NET's `SecurityElement`, XML.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&apos;"),
    ],
    // Python's `html.escape`, Django.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#x27;"),
    ],
    // JavaScript, jq's `@html`, .NET's `HtmlEncode`.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#39;"),
    ],
    // PHP.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#039;"),
    ],
    // Go's `html`, Jinja.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&#34;"),
        ('\'', "&#39;"),
    ],
    // Go's `html/template`.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&#34;"),
        ('\'', "&#39;"),
        ('+', "&#43;"),
    ],
    // Mustache.
    &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#39;"),
        ('/', "&#x2F;"),
        ('`', "&#x60;"),
        ('=', "&#x3D;"),
    ],
];

/// How a character is written by its number.
const NUMBERS: &[fn(char) -> String] = &[
    |character| format!("&#{};", u32::from(character)),
    |character| format!("&#x{:x};", u32::from(character)),
    |character| format!("&#x{:X};", u32::from(character)),
];

/// The value as each library writes it.
pub(super) fn forms(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for style in STYLES {
        let named = |character: char| {
            style
                .iter()
                .find(|(from, _)| *from == character)
                .map(|(_, name)| *name)
        };
        forms.push(escaped(value, |character, text| {
            text.push_str(named(character).unwrap_or_default());
        }));
        for number in NUMBERS {
            forms.push(escaped(value, |character, text| match named(character) {
                Some(name) => text.push_str(name),
                None if !character.is_ascii() => text.push_str(&number(character)),
                None => {}
            }));
        }
    }
    let kinds: [fn(char) -> bool; 3] = [
        |character| "&<>\"'".contains(character),
        |character| !character.is_ascii_alphanumeric(),
        |_| true,
    ];
    for is_numbered in kinds {
        for number in NUMBERS {
            forms.push(escaped(value, |character, text| {
                if is_numbered(character) {
                    text.push_str(&number(character));
                }
            }));
        }
    }
    forms
}
