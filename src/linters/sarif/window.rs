//! A window that moves over the array of results and hands them out one by one.

use std::io::Read;

use super::error::{ErrorKind, Fault};
use super::shapes::ResultObject;

/// Holds the current result and what was read ahead.
pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer holds input.
    filled: usize,
    /// What of it is done with.
    at: usize,
    /// Where the buffer starts in the input.
    base: u64,
    limit: usize,
}

impl<R: Read> Window<R> {
    /// A window over `input`, which is the array alone and starts at that offset of the whole.
    pub(super) fn new(input: R, base: u64, size: usize, limit: usize) -> Self {
        Self {
            input,
            buffer: vec![0; size.max(1)],
            filled: 0,
            at: 0,
            base,
            limit,
        }
    }

    /// Calls `each` with every result.
    pub(super) fn for_each(&mut self, mut each: impl FnMut(ResultObject<'_>)) -> Result<(), Fault> {
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

    fn element(&mut self, each: &mut impl FnMut(ResultObject<'_>)) -> Result<(), Fault> {
        loop {
            let ahead = &self.buffer[self.at..self.filled];
            let length = {
                let mut elements =
                    serde_json::Deserializer::from_slice(ahead).into_iter::<ResultObject<'_>>();
                match elements.next() {
                    Some(Ok(element)) => {
                        each(element);
                        Some(elements.byte_offset())
                    }
                    Some(Err(error)) if !error.is_eof() => {
                        return Err(Fault::json(&error, ahead, self.offset()));
                    }
                    // The element goes on behind the window.
                    Some(Err(_)) | None => None,
                }
            };
            if let Some(length) = length {
                self.at += length;
                return Ok(());
            }
            if self.filled - self.at >= self.limit {
                let kind = ErrorKind::TooLong {
                    part: "a result",
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
        loop {
            let ahead = &self.buffer[self.at..self.filled];
            if let Some(blanks) = ahead
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
            {
                self.at += blanks;
                return Ok(self.buffer[self.at]);
            }
            self.at = self.filled;
            if !self.advance()? {
                return Err(Fault::new(ErrorKind::Truncated, self.offset()));
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
