//! A writer that passes text through a function before it goes out, so many whole lines at a time: memory holds a
//! block, not the document.

use std::borrow::Cow;
use std::io::{self, Write};

/// A block, bytes. A longer line is a block of its own.
const BLOCK: usize = 64 * 1024;

/// See the module. [`finish`](Blocks::finish) it: what is dropped unfinished loses its end.
#[derive(Debug)]
pub struct Blocks<W, F> {
    out: W,
    change: F,
    pending: Vec<u8>,
    /// So much must be pending before line breaks are looked for; grows with a line that does not end.
    enough: usize,
}

impl<W: Write, F: for<'t> Fn(&'t str) -> Cow<'t, str>> Blocks<W, F> {
    /// Everything written goes through `change`, in blocks that end where lines do.
    pub fn new(out: W, change: F) -> Self {
        Self {
            out,
            change,
            pending: Vec::with_capacity(2 * BLOCK),
            enough: BLOCK,
        }
    }

    /// Passes on what is left, and flushes.
    pub fn finish(mut self) -> io::Result<W> {
        self.pass(self.pending.len())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn pass(&mut self, end: usize) -> io::Result<()> {
        let block = &self.pending[..end];
        // Several times as fast where all of it is text, and nearly all is.
        let block = std::str::from_utf8(block)
            .map_or_else(|_| String::from_utf8_lossy(block), Cow::Borrowed);
        self.out.write_all((self.change)(&block).as_bytes())?;
        self.pending.drain(..end);
        Ok(())
    }
}

impl<W: Write, F: for<'t> Fn(&'t str) -> Cow<'t, str>> Write for Blocks<W, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= self.enough {
            match memchr::memrchr(b'\n', &self.pending) {
                Some(at) => {
                    self.pass(at + 1)?;
                    self.enough = BLOCK.max(2 * self.pending.len());
                }
                None => self.enough = 2 * self.pending.len(),
            }
        }
        Ok(bytes.len())
    }

    /// Whole lines only: the rest waits for its end.
    fn flush(&mut self) -> io::Result<()> {
        if let Some(at) = memchr::memrchr(b'\n', &self.pending) {
            self.pass(at + 1)?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_cut_wherever_writes_end() {
        let line = "éé geheim ☃ geheim\n";
        let text = line.repeat(20_000) + &"x".repeat(3 * BLOCK) + "geheim";
        for size in [1, 7, 4_096, 1 << 20] {
            let mut writer =
                Blocks::new(Vec::new(), |text| Cow::Owned(text.replace("geheim", "***")));
            for piece in text.as_bytes().chunks(size) {
                writer.write_all(piece).unwrap();
            }
            let out = String::from_utf8(writer.finish().unwrap()).unwrap();
            assert!(out == text.replace("geheim", "***"), "{size}");
        }
    }

    #[test]
    fn memory_holds_a_block() {
        let mut writer = Blocks::new(io::sink(), |text| Cow::Borrowed(text));
        for _ in 0..100_000 {
            writer
                .write_all(b"a line of some forty bytes, more or less\n")
                .unwrap();
            assert!(writer.pending.capacity() <= 4 * BLOCK);
        }
    }
}
