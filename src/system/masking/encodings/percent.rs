//! Percent encodings: libraries differ in what they leave as it is.

/// What is left as it is besides letters, digits and `_`, and whether a space becomes `+`.
const STYLES: &[(&str, bool)] = &[
    // RFC 3986: `Uri.EscapeDataString`, `jq @uri`, curl.
    ("-.~", false),
    // Python's `quote`.
    ("-.~/", false),
    // Python's `quote_plus`, Go's `QueryEscape`.
    ("-.~", true),
    // HTML forms: <https://url.spec.whatwg.org/#concept-urlencoded-serializer>.
    ("-.*", true),
    // PHP's `urlencode`.
    ("-.", true),
    // JavaScript's `encodeURIComponent` and `encodeURI`.
    ("-.~!*'()", false),
    ("-.~!*'();/?:@&=+$,#", false),
    // Go's `PathEscape`.
    ("-.~$&+=:@", false),
    // The user, path and query of <https://url.spec.whatwg.org/#percent-encoded-bytes>.
    ("-.~!$%&'()*+,", false),
    ("-.~!$%&'()*+,/:;=@[\\]|", false),
    ("-.~!$%&'()*+,/:;=@[\\]^|", false),
    ("-.~!$%&()*+,/:;=?@[\\]^`{|}", false),
    ("-.~!$%&'()*+,/:;=?@[\\]^`{|}", false),
];

/// The value as each library writes it, with capital and small digits.
pub(super) fn forms(value: &str) -> impl Iterator<Item = String> {
    let styles = STYLES.iter().map(|(kept, plus)| {
        let kept = kept.as_bytes();
        encoded(value, *plus, |byte| {
            byte.is_ascii_alphanumeric() || byte == b'_' || kept.contains(&byte)
        })
    });
    let all = std::iter::once(encoded(value, false, |_| false));
    styles
        .chain(all)
        .flat_map(|text| [small_digits(&text), text])
}

fn encoded(value: &str, plus: bool, is_kept: impl Fn(u8) -> bool) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(value.len() * 3 / 2);
    for byte in value.bytes() {
        if plus && byte == b' ' {
            text.push('+');
        } else if byte.is_ascii() && is_kept(byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The digits after each percent sign in small letters. Where the value's own sign was left, no program writes this
/// form, and it does no harm.
fn small_digits(text: &str) -> String {
    let mut digits = 0;
    text.chars()
        .map(|character| {
            let is_digit = digits > 0;
            digits = if character == '%' {
                2
            } else {
                (digits - 1).max(0)
            };
            if is_digit {
                character.to_ascii_lowercase()
            } else {
                character
            }
        })
        .collect()
}
