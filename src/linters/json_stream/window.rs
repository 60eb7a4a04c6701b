//! A window that moves over a sequence of values and hands them out one by one.

use std::io::Read;

use serde::Deserialize;

use super::Limits;
use super::error::{ErrorKind, Fault};

/// So many objects one part may have: an object costs up to a hundred times its two brackets in memory.
const MAX_OBJECTS: usize = 500_000;

/// Shorter parts are not worth counting, in bytes.
const SMALL: usize = 1 << 20;

/// Why an element cannot be used.
type Parsed = Result<Option<usize>, serde_json::Error>;

/// The first value in the bytes, and its length; `None` where it goes on behind them.
pub(in crate::linters) fn first<'b, T: Deserialize<'b>>(
    bytes: &'b [u8],
) -> Result<Option<(T, usize)>, serde_json::Error> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok(Some((value, values.byte_offset()))),
        Some(Err(error)) if !error.is_eof() => Err(error),
        Some(Err(_)) | None => Ok(None),
    }
}

/// Refuses a part that would take much more memory than its length says.
pub(in crate::linters) fn check_objects(
    bytes: &[u8],
    part: &'static str,
    offset: u64,
) -> Result<(), Fault> {
    if bytes.len() < SMALL || memchr::memchr_iter(b'{', bytes).count() <= MAX_OBJECTS {
        return Ok(());
    }
    let kind = ErrorKind::TooMany {
        part,
        limit: MAX_OBJECTS,
    };
    Err(Fault::new(kind, offset))
}

/// Holds the current element and what was read ahead.
pub(in crate::linters) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer holds input.
    filled: usize,
    /// What of it is done with.
    at: usize,
    /// Where the buffer starts in the input.
    base: u64,
    limit: usize,
    /// The format's name, and that of an element.
    format: &'static str,
    part: &'static str,
}

impl<R: Read> Window<R> {
    /// A window over `input`, which starts at that offset of the whole, for a format with such elements.
    pub(in crate::linters) fn new(
        input: R,
        base: u64,
        limits: Limits,
        format: &'static str,
        part: &'static str,
    ) -> Self {
        Self {
            input,
            buffer: vec![0; limits.window.max(1)],
            filled: 0,
            at: 0,
            base,
            limit: limits.part,
            format,
            part,
        }
    }

    /// Calls `each` with every element of the array that is the input; it reads the [`first`] value of the bytes.
    pub(in crate::linters) fn for_each(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Parsed,
    ) -> Result<(), Fault> {
        self.expect(b'[', "an array")?;
        if self.token()? == b']' {
            return Ok(());
        }
        loop {
            self.token()?;
            self.element(&mut each)?;
            match self.token()? {
                b',' => self.at += 1,
                b']' => return Ok(()),
                _ => return Err(Fault::expected("`,` or `]`", self.offset())),
            }
        }
    }

    /// The same with an input that has one value a line; a last one without a line break is whole by its brackets.
    pub(in crate::linters) fn for_each_line(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Parsed,
    ) -> Result<(), Fault> {
        while self.next_token()?.is_some() {
            self.element(&mut each)?;
            match self.behind(|byte| matches!(byte, b' ' | b'\t' | b'\r'))? {
                None => return Ok(()),
                Some(b'\n') => {}
                Some(_) => {
                    return Err(Fault::expected(
                        format!("a line break behind {}", self.part),
                        self.offset(),
                    ));
                }
            }
        }
        Ok(())
    }

    fn element(&mut self, each: &mut impl FnMut(&[u8]) -> Parsed) -> Result<(), Fault> {
        loop {
            let ahead = &self.buffer[self.at..self.filled];
            match each(ahead) {
                Ok(Some(length)) => {
                    self.at += length;
                    return Ok(());
                }
                Err(error) => {
                    return Err(Fault::json(self.format, &error, ahead, self.offset()));
                }
                // The element goes on behind the window.
                Ok(None) => check_objects(ahead, self.part, self.offset())?,
            }
            if self.filled - self.at >= self.limit {
                let kind = ErrorKind::TooLong {
                    part: self.part,
                    limit: self.limit,
                };
                return Err(Fault::new(kind, self.offset()));
            }
            if !self.advance()? {
                return Err(Fault::new(
                    ErrorKind::Truncated,
                    self.base + self.filled as u64,
                ));
            }
        }
    }

    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    fn token(&mut self) -> Result<u8, Fault> {
        match self.next_token()? {
            Some(byte) => Ok(byte),
            None => Err(Fault::new(ErrorKind::Truncated, self.offset())),
        }
    }

    /// The first byte behind white space; `None` at the end.
    fn next_token(&mut self) -> Result<Option<u8>, Fault> {
        self.behind(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
    }

    /// The first byte that is not blank; `None` at the end.
    fn behind(&mut self, is_blank: impl Fn(u8) -> bool) -> Result<Option<u8>, Fault> {
        loop {
            let ahead = &self.buffer[self.at..self.filled];
            if let Some(blanks) = ahead.iter().position(|&byte| !is_blank(byte)) {
                self.at += blanks;
                return Ok(Some(self.buffer[self.at]));
            }
            self.at = self.filled;
            if !self.advance()? {
                return Ok(None);
            }
        }
    }

    fn expect(&mut self, wanted: u8, what: &str) -> Result<(), Fault> {
        if self.token()? != wanted {
            return Err(Fault::expected(what, self.offset()));
        }
        self.at += 1;
        Ok(())
    }

    /// Moves what is left to the front, makes room if there is none, and reads until the window is full. `false` at
    /// the end of the input.
    fn advance(&mut self) -> Result<bool, Fault> {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.base += self.at as u64;
        self.filled -= self.at;
        self.at = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        let before = self.filled;
        while self.filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => break,
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.filled > before)
    }
}
