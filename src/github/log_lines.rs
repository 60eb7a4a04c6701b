//! Lines of a stored log on their way to the console: none without an end, and the last one ended.

use std::io::{self, Write};

/// A longer line is broken, bytes: a stage may print hundreds of megabytes without a line break.
const LONGEST: usize = 64 * 1024;

/// See the module.
pub(super) struct LogLines<'w> {
    out: &'w mut dyn Write,
    /// How long the line at hand is already.
    length: usize,
}

impl<'w> LogLines<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        Self { out, length: 0 }
    }

    /// Ends the last line, so that what comes next begins one.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.length > 0 {
            self.end()?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.length = 0;
        self.out.write_all(b"\n")
    }
}

impl Write for LogLines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_ended) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            let mut rest = text;
            while self.length + rest.len() > LONGEST {
                // Not within a character: its later bytes are 0b10xx_xxxx. Four bytes on there is a first one.
                let room = LONGEST.saturating_sub(self.length);
                let is_inner = |byte: &u8| byte & 0xc0 == 0x80;
                let inner = rest
                    .iter()
                    .skip(room)
                    .take(3)
                    .take_while(|byte| is_inner(byte))
                    .count();
                let (head, tail) = rest.split_at((room + inner).min(rest.len()));
                self.out.write_all(head)?;
                if tail.is_empty() {
                    self.length += head.len();
                    rest = tail;
                    break;
                }
                self.end()?;
                rest = tail;
            }
            self.out.write_all(rest)?;
            self.length += rest.len();
            if is_ended {
                self.end()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut lines = LogLines::new(&mut out);
        for piece in pieces {
            lines.write_all(piece).unwrap();
        }
        lines.finish().unwrap();
        out
    }

    #[test]
    fn lines_stay_as_they_are_and_the_last_one_ends() {
        assert_eq!(written(&[b"a\n", b"", b"b", b"c\n\nd"]), b"a\nbc\n\nd\n");
        assert_eq!(written(&[]), b"");
        assert_eq!(written(&[b"\n"]), b"\n");
    }

    #[test]
    fn a_line_without_end_is_broken_between_characters() {
        for size in [1_000, 1_003, LONGEST - 1, LONGEST, LONGEST + 1] {
            let text = "aé☃😀".repeat(40_000);
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let out = String::from_utf8(written(&pieces)).unwrap();
            assert!(out.lines().all(|line| line.len() <= LONGEST + 3));
            assert!(out.lines().count() >= text.len() / (LONGEST + 3));
            assert_eq!(out.replace('\n', ""), text);
        }
    }
}
