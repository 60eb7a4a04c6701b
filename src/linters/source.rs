//! The lines of a file.

use memchr::memchr2_iter;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file with an index of its lines, so that a look-up costs no more than its line.
#[derive(Clone, Debug)]
pub struct SourceLines<'a> {
    bytes: &'a [u8],
    /// Where each line starts, as an offset in the file.
    pub(super) starts: Vec<usize>,
    pub(super) has_mark: bool,
}

impl<'a> SourceLines<'a> {
    /// Indexes the lines of a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        let has_mark = bytes.starts_with(BYTE_ORDER_MARK);
        let mut starts = vec![if has_mark { BYTE_ORDER_MARK.len() } else { 0 }];
        for end in memchr2_iter(b'\n', b'\r', bytes) {
            let is_half = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
            if !is_half {
                starts.push(end + 1);
            }
        }
        Self {
            bytes,
            starts,
            has_mark,
        }
    }

    /// How many lines there are. What follows the last line break is a line only if it is not empty, but an empty
    /// file has one line.
    pub fn count(&self) -> u32 {
        let last_is_empty = self.starts.len() > 1 && self.starts.last() == Some(&self.bytes.len());
        u32::try_from(self.starts.len() - usize::from(last_is_empty)).unwrap_or(u32::MAX)
    }

    /// The line of that 1-based number, without its line break and without a byte order mark.
    pub fn line(&self, number: u32) -> Option<&'a [u8]> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        if number > self.count() {
            return None;
        }
        let start = *self.starts.get(index)?;
        let line = match self.starts.get(index + 1) {
            None => &self.bytes[start..],
            Some(&next) => {
                let line = &self.bytes[start..next];
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                line.strip_suffix(b"\r").unwrap_or(line)
            }
        };
        Some(line)
    }

    /// Where the line of that 1-based number starts in the file, in bytes, behind a byte order mark.
    pub fn offset(&self, number: u32) -> Option<usize> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        (number <= self.count())
            .then(|| self.starts.get(index).copied())
            .flatten()
    }
}
