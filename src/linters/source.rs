//! The lines of a file.

use std::cell::RefCell;
use std::collections::HashMap;

use memchr::memchr2_iter;

use crate::linters::columns::{Columns, Count, STEP};
use crate::model::region::ColumnUnit;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file with an index of its lines, so that a look-up costs no more than its line. A long line that is asked for gets
/// an index of its own and keeps it, so that a million look-ups on one line read it once; all of them together take
/// about a fifth of the file in memory.
#[derive(Clone, Debug)]
pub struct SourceLines<'a> {
    bytes: &'a [u8],
    /// Where each line starts, as an offset in the file.
    pub(super) starts: Vec<usize>,
    pub(super) has_mark: bool,
    /// By number of the line; 0 for the file without its byte order mark.
    columns: RefCell<HashMap<u32, Columns>>,
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
            columns: RefCell::default(),
        }
    }

    /// The file, without a byte order mark.
    fn text(&self) -> &'a [u8] {
        let start = self.starts.first().copied().unwrap_or_default();
        self.bytes.get(start..).unwrap_or_default()
    }

    /// What stands before a 0-based column of a line that exists; `None` behind its end.
    pub(super) fn find(&self, line: u32, column: usize, unit: ColumnUnit) -> Option<Count> {
        let text = self.line(line)?;
        self.with_columns(line, text, |columns| columns.find(text, column, unit))
    }

    /// What the whole line counts.
    pub(super) fn length(&self, line: u32) -> Count {
        let text = self.line(line).unwrap_or_default();
        self.with_columns(line, text, |columns| columns.total)
    }

    /// Whether the line is all ASCII.
    pub(super) fn is_ascii(&self, line: u32) -> bool {
        let text = self.line(line).unwrap_or_default();
        self.with_columns(line, text, |columns| columns.is_ascii)
    }

    /// The line and the byte in it of an offset in the file. A byte in a line break is behind the end of its line; the
    /// end of the file may be the start of the empty line behind the last line break.
    pub(super) fn place_of_offset(&self, offset: u32, unit: ColumnUnit) -> Option<(u32, usize)> {
        let offset = usize::try_from(offset).ok()?;
        let text = self.text();
        let mark = self.bytes.len() - text.len();
        let byte = match unit {
            ColumnUnit::ByteOffset => offset.max(mark),
            _ => {
                mark + self
                    .with_columns(0, text, |columns| columns.find(text, offset, unit))?
                    .bytes
            }
        };
        if byte > self.bytes.len() {
            return None;
        }
        let line = self.starts.partition_point(|&start| start <= byte);
        let start = self.starts.get(line.checked_sub(1)?)?;
        Some((u32::try_from(line).ok()?, byte - start))
    }

    fn with_columns<T>(&self, key: u32, text: &[u8], ask: impl FnOnce(&Columns) -> T) -> T {
        if text.len() <= STEP {
            return ask(&Columns::new(text));
        }
        let mut known = self.columns.borrow_mut();
        ask(known.entry(key).or_insert_with(|| Columns::new(text)))
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
