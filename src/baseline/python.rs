//! The tokens of Python, as far as formatters must not matter. Total: whatever the bytes are, there are tokens.

/// A piece of source that is neither white space nor a continued line's backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte offsets.
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// A string, with its prefix and its quotes.
    String,
    /// One byte of an operator or a bracket.
    Operator(u8),
    /// From `#` to the end of the line.
    Comment,
    /// A line break that is in no string.
    LineBreak,
}

/// The tokens from an offset on.
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Whether a number without a digit before its point is next.
    fn is_fraction(&self) -> bool {
        self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|byte| byte.is_ascii_digit())
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            match self.peek(0)? {
                b' ' | b'\t' | b'\x0c' => self.at += 1,
                b'\\' if matches!(self.peek(1), Some(b'\n')) => self.at += 2,
                b'\\' if self.peek(1) == Some(b'\r') => {
                    self.at += if self.peek(2) == Some(b'\n') { 3 } else { 2 };
                }
                _ => break,
            }
        }
        let start = self.at;
        let (kind, end) = match self.peek(0)? {
            b'\r' if self.peek(1) == Some(b'\n') => (Kind::LineBreak, start + 2),
            b'\n' | b'\r' => (Kind::LineBreak, start + 1),
            b'#' => (Kind::Comment, line_end(self.bytes, start)),
            b'"' | b'\'' => (Kind::String, string_end(self.bytes, start, false, 0)),
            byte if is_word(byte) || self.is_fraction() => {
                let end = run(self.bytes, start, |byte| {
                    is_word(byte)
                        || (byte == b'.' && matches!(self.bytes[start], b'0'..=b'9' | b'.'))
                });
                let word = self.bytes.get(start..end).unwrap_or_default();
                match self.bytes.get(end) {
                    Some(b'"' | b'\'') if is_prefix(word) => (
                        Kind::String,
                        string_end(self.bytes, end, is_formatted(word), 0),
                    ),
                    _ => (Kind::Word, end),
                }
            }
            byte => (Kind::Operator(byte), start + 1),
        };
        self.at = end;
        Some(Token { kind, start, end })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn run(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|byte| belongs(**byte)).count()
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    run(bytes, start, |byte| byte != b'\n' && byte != b'\r')
}

/// Whether the word can stand before a string: `r`, `Rb`, `f`.
fn is_prefix(word: &[u8]) -> bool {
    word.len() <= 2
        && word
            .iter()
            .all(|byte| b"rbuft".contains(&byte.to_ascii_lowercase()))
}

fn is_formatted(prefix: &[u8]) -> bool {
    prefix
        .iter()
        .any(|byte| matches!(byte.to_ascii_lowercase(), b'f' | b't'))
}

/// Strings in replacement fields of strings, deeper than this, are text.
const DEPTH: u8 = 16;

/// Behind the string whose opening quote is at `open`. One that is not closed ends with its line, or with the file.
fn string_end(bytes: &[u8], open: usize, formatted: bool, depth: u8) -> usize {
    let Some(&quote) = bytes.get(open) else {
        return bytes.len();
    };
    let closing = [quote; 3];
    let is_long = bytes.get(open..open + 3) == Some(&closing);
    let closing = if is_long { &closing[..] } else { &closing[..1] };
    let mut at = open + closing.len();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if bytes.get(at + 1..at + 3) == Some(b"\r\n") => at += 3,
            b'\\' => at += 2,
            b'\n' | b'\r' if !is_long => return at,
            b'{' if formatted && bytes.get(at + 1) == Some(&b'{') => at += 2,
            b'{' if formatted && depth < DEPTH => at = field_end(bytes, at + 1, closing, depth + 1),
            _ if bytes[at..].starts_with(closing) => return at + closing.len(),
            _ => at += 1,
        }
    }
    at.min(bytes.len())
}

/// Behind the replacement field that begins at `at`; or where its string ends, if the field is not closed.
fn field_end(bytes: &[u8], mut at: usize, closing: &[u8], depth: u8) -> usize {
    let mut open = 0_u32;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' | b'\r' if closing.len() == 1 => return at,
            b'}' if open == 0 => return at + 1,
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b':' if open == 0 => return specification_end(bytes, at + 1, closing, depth),
            b'"' | b'\'' => {
                let prefix = bytes[..at].iter().rev().take_while(|byte| is_word(**byte));
                let formatted = prefix
                    .take(2)
                    .any(|byte| matches!(byte.to_ascii_lowercase(), b'f' | b't'));
                at = if depth < DEPTH {
                    string_end(bytes, at, formatted, depth + 1)
                } else {
                    at + 1
                };
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// Behind the field of a format specification: quotes in it are fill characters, unless they end the string.
fn specification_end(bytes: &[u8], mut at: usize, closing: &[u8], depth: u8) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' | b'\r' if closing.len() == 1 => return at,
            b'}' => return at + 1,
            b'{' if depth < DEPTH => at = field_end(bytes, at + 1, closing, depth + 1),
            _ if bytes[at..].starts_with(closing) => return at,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        Tokens::new(source.as_bytes(), 0)
            .map(|token| &source[token.start..token.end])
            .collect()
    }

    #[test]
    fn words_strings_operators_and_comments() {
        assert_eq!(
            texts("x1 = f(a.b, 1.5e3)  # é\r\n"),
            [
                "x1", "=", "f", "(", "a", ".", "b", ",", "1.5e3", ")", "# é", "\r\n"
            ]
        );
        assert_eq!(
            texts("a = 1 + \\\n  2\\\r\n3"),
            ["a", "=", "1", "+", "2", "3"]
        );
        assert_eq!(
            texts("rb'\\'' u\"\" bat'x'"),
            ["rb'\\''", "u\"\"", "bat", "'x'"]
        );
    }

    #[test]
    fn strings_hold_what_looks_like_code() {
        assert_eq!(texts("'''a\n'b' # c\n''' d"), ["'''a\n'b' # c\n'''", "d"]);
        assert_eq!(texts("'not closed\nx"), ["'not closed", "\n", "x"]);
        assert_eq!(texts("'a\\\nb' c"), ["'a\\\nb'", "c"]);
    }

    #[test]
    fn fields_hold_strings() {
        for string in [
            r#"f"{x["a"]}""#,
            r#"f"{x['a']:>{w["b"]}}""#,
            r#"f"{x:'^10}""#,
            r#"f"{{'" "#.trim_end(),
            r#"f"{f"{f"{1}"}"}""#,
            r#"f"""{x["a"]}
            """"#,
            r#"f"{(lambda: "}")()}""#,
        ] {
            let source = format!("{string} + y");
            assert_eq!(texts(&source), [string, "+", "y"]);
        }
    }

    #[test]
    fn every_byte_is_survived() {
        let mut random = 7_u64;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..24)
                .map(|_| {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let pick = (random >> 33) as usize;
                    b"f\"'{}\\\n\r#:[a( \t\xff"[pick % 16]
                })
                .collect();
            let mut at = 0;
            for token in Tokens::new(&bytes, 0) {
                assert!(
                    token.start >= at && token.end > token.start && token.end <= bytes.len(),
                    "{bytes:?}"
                );
                at = token.end;
            }
        }
    }
}
