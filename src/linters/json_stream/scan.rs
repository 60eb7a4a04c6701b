//! Reading JSON without building anything: from string to string and bracket to bracket.

use std::io::BufRead;

use memchr::{memchr2, memchr3};

use super::error::{ErrorKind, Fault};

/// Arrays or objects in one another.
const MAX_DEPTH: u32 = 128;
/// No member that is looked for has a longer name.
const MAX_NAME: usize = 64;

/// A reader that knows where it is.
pub(in crate::linters) struct Skimmer<'r, R> {
    pub(in crate::linters) input: &'r mut R,
    /// In bytes.
    pub(in crate::linters) offset: u64,
    /// The format's name.
    pub(in crate::linters) format: &'static str,
}

/// Keeps a member. Two of one name mean different things to different readers: refused.
pub(in crate::linters) fn once<T>(
    slot: &mut Option<T>,
    value: Option<T>,
    name: &'static str,
    offset: u64,
) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(Fault::new(ErrorKind::Duplicate(name), offset));
    }
    *slot = value;
    Ok(())
}

impl<R: BufRead> Skimmer<'_, R> {
    pub(in crate::linters) fn fault(&self, kind: ErrorKind) -> Fault {
        Fault::new(kind, self.offset)
    }

    fn fill(&mut self) -> Result<&[u8], Fault> {
        // Interrupted reads are tried again by nobody else.
        loop {
            match self.input.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.input.fill_buf()?)
    }

    pub(in crate::linters) fn consume(&mut self, length: usize) {
        self.input.consume(length);
        self.offset += length as u64;
    }

    /// Goes to the first byte of the text, which must be there and be no XML.
    pub(in crate::linters) fn begin(&mut self, expected: &'static str) -> Result<u8, Fault> {
        self.byte_order_mark(expected)?;
        match self.next_token()? {
            None => Err(self.fault(ErrorKind::Empty { expected })),
            Some(b'<') => Err(self.fault(ErrorKind::Xml { expected })),
            Some(byte) => Ok(byte),
        }
    }

    /// Skips a UTF-8 byte order mark; the other ones have their own message.
    fn byte_order_mark(&mut self, expected: &'static str) -> Result<(), Fault> {
        let rest: &[u8] = match self.fill()?.first() {
            Some(0xfe | 0xff) => return Err(self.fault(ErrorKind::Utf16)),
            Some(0xef) => b"\xef\xbb\xbf",
            _ => return Ok(()),
        };
        for &byte in rest {
            if self.fill()?.first() != Some(&byte) {
                return Err(Fault::expected(expected, self.offset));
            }
            self.consume(1);
        }
        Ok(())
    }

    /// The first byte behind white space; `None` at the end.
    pub(in crate::linters) fn next_token(&mut self) -> Result<Option<u8>, Fault> {
        loop {
            let available = self.fill()?;
            if available.is_empty() {
                return Ok(None);
            }
            let blank = available
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
            let (length, found) = match blank {
                Some(length) => (length, Some(available[length])),
                None => (available.len(), None),
            };
            self.consume(length);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// The first byte behind white space, which must be there.
    pub(in crate::linters) fn token(&mut self) -> Result<u8, Fault> {
        self.next_token()?
            .ok_or_else(|| self.fault(ErrorKind::Truncated))
    }

    pub(in crate::linters) fn expect(&mut self, wanted: u8, what: &str) -> Result<(), Fault> {
        if self.token()? != wanted {
            return Err(Fault::expected(what, self.offset));
        }
        self.consume(1);
        Ok(())
    }

    /// Calls `member` in front of each value, which it must read or skip.
    pub(in crate::linters) fn object(
        &mut self,
        what: &str,
        mut member: impl FnMut(&mut Self, &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.expect(b'{', what)?;
        if self.token()? == b'}' {
            self.consume(1);
            return Ok(());
        }
        loop {
            if self.token()? != b'"' {
                return Err(Fault::expected("the name of a member", self.offset));
            }
            let name = self.string(MAX_NAME)?;
            self.expect(b':', "`:`")?;
            self.token()?;
            member(self, &name)?;
            match self.token()? {
                b',' => self.consume(1),
                b'}' => break self.consume(1),
                _ => return Err(Fault::expected("`,` or `}`", self.offset)),
            }
        }
        Ok(())
    }

    /// A string without escapes, and where it starts.
    pub(in crate::linters) fn text(&mut self) -> Result<(u64, Vec<u8>), Fault> {
        let start = self.offset;
        if self.token()? != b'"' {
            return Err(Fault::expected("a string", start));
        }
        Ok((start, self.string(MAX_NAME)?))
    }

    /// The string that starts here, unescaped; empty if it is longer than the limit.
    fn string(&mut self, limit: usize) -> Result<Vec<u8>, Fault> {
        let mut raw = vec![b'"'];
        self.skip_string(|part| {
            if raw.len() <= limit {
                raw.extend_from_slice(part);
            }
        })?;
        if raw.len() > limit {
            return Ok(Vec::new());
        }
        if !raw.contains(&b'\\') {
            raw.pop();
            raw.remove(0);
            return Ok(raw);
        }
        let text = serde_json::from_slice::<String>(&raw)
            .map_err(|error| Fault::json(self.format, &error, &raw, self.offset))?;
        Ok(text.into_bytes())
    }

    /// Passes everything behind the opening quote, the closing one included, to `part`.
    fn skip_string(&mut self, mut part: impl FnMut(&[u8])) -> Result<(), Fault> {
        self.consume(1);
        let mut escaped = false;
        loop {
            let available = self.fill()?;
            if available.is_empty() {
                return Err(self.fault(ErrorKind::Truncated));
            }
            let (length, done) = end_of_string(available, &mut escaped);
            part(&available[..length]);
            self.consume(length);
            if done {
                return Ok(());
            }
        }
    }

    /// Skips the value that starts here.
    pub(in crate::linters) fn skip(&mut self) -> Result<(), Fault> {
        match self.token()? {
            b'"' => self.skip_string(|_| {}),
            b'{' => self.skip_nested(b'{', b'}'),
            b'[' => self.skip_nested(b'[', b']'),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.skip_scalar(),
            _ => Err(Fault::expected("a value", self.offset)),
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Fault> {
        loop {
            let available = self.fill()?;
            let inside =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            let length = available
                .iter()
                .position(|byte| !inside(byte))
                .unwrap_or(available.len());
            let is_end = length < available.len() || available.is_empty();
            self.consume(length);
            if is_end {
                return Ok(());
            }
        }
    }

    /// Counts brackets of one sort outside of strings: enough to find the end in well-formed text, and text that is
    /// not well-formed fails later or was not needed.
    fn skip_nested(&mut self, open: u8, close: u8) -> Result<(), Fault> {
        let mut depth = 0_u32;
        let mut in_string = false;
        let mut escaped = false;
        loop {
            let available = self.fill()?;
            if available.is_empty() {
                return Err(self.fault(ErrorKind::Truncated));
            }
            let mut at = 0;
            while at < available.len() {
                if in_string {
                    let (length, done) = end_of_string(&available[at..], &mut escaped);
                    at += length;
                    in_string = !done;
                    continue;
                }
                let Some(found) = memchr3(b'"', open, close, &available[at..]) else {
                    at = available.len();
                    break;
                };
                let byte = available[at + found];
                at += found + 1;
                if byte == b'"' {
                    in_string = true;
                } else if byte == open {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        self.consume(at);
                        return Err(self.fault(ErrorKind::TooDeep));
                    }
                } else {
                    depth -= 1;
                    if depth == 0 {
                        self.consume(at);
                        return Ok(());
                    }
                }
            }
            self.consume(at);
        }
    }
}

/// How much of a buffer still belongs to a string, and whether it ends there.
fn end_of_string(buffer: &[u8], escaped: &mut bool) -> (usize, bool) {
    let mut at = 0;
    if *escaped {
        at = 1.min(buffer.len());
        *escaped = at == 0;
    }
    while let Some(found) = memchr2(b'"', b'\\', &buffer[at..]) {
        at += found + 1;
        if buffer[at - 1] == b'"' {
            return (at, true);
        }
        if at == buffer.len() {
            *escaped = true;
            return (at, false);
        }
        at += 1;
    }
    (buffer.len(), false)
}
