//! An index of the characters of one long text, so that many look-ups on one line do not each read it from its start.

use crate::model::region::ColumnUnit;

/// Texts up to this length are read again for each look-up, in bytes; longer ones have a mark every so often.
pub(super) const STEP: usize = 128;

/// A place in a text: how much stands before it, in each unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) bytes: usize,
    pub(super) code_points: usize,
    pub(super) utf16: usize,
}

impl Count {
    pub(super) fn of(self, unit: ColumnUnit) -> usize {
        match unit {
            ColumnUnit::CodePoint
            | ColumnUnit::CodePointWithMark
            | ColumnUnit::CodePointOffset
            | ColumnUnit::AsciiOnly => self.code_points,
            ColumnUnit::Utf16 | ColumnUnit::Utf16Offset => self.utf16,
            ColumnUnit::Byte | ColumnUnit::ByteWithMark | ColumnUnit::ByteOffset => self.bytes,
        }
    }

    fn add(&mut self, (bytes, utf16): (usize, usize)) {
        self.bytes += bytes;
        self.code_points += 1;
        self.utf16 += utf16;
    }

    fn ascii(length: usize) -> Self {
        Self {
            bytes: length,
            code_points: length,
            utf16: length,
        }
    }
}

/// What was counted in a text; about a fifth of its length in memory, and nothing if it is ASCII.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) is_ascii: bool,
    /// The whole text.
    pub(super) total: Count,
    /// Starts of characters, about [`STEP`] bytes apart.
    marks: Vec<Count>,
}

impl Columns {
    pub(super) fn new(text: &[u8]) -> Self {
        if text.is_ascii() {
            return Self {
                is_ascii: true,
                total: Count::ascii(text.len()),
                marks: Vec::new(),
            };
        }
        let mut total = Count::default();
        let mut marks = Vec::with_capacity(text.len() / STEP);
        let mut next = STEP;
        for width in characters(text) {
            if total.bytes >= next {
                marks.push(total);
                next = total.bytes + STEP;
            }
            total.add(width);
        }
        Self {
            is_ascii: false,
            total,
            marks,
        }
    }

    /// The place of a 0-based column in the text that was indexed; `None` behind its end. A column inside of a
    /// character means the character.
    pub(super) fn find(&self, text: &[u8], column: usize, unit: ColumnUnit) -> Option<Count> {
        if column > self.total.of(unit) {
            return None;
        }
        if self.is_ascii {
            return Some(Count::ascii(column));
        }
        let before = self.marks.partition_point(|mark| mark.of(unit) <= column);
        let mut count = before
            .checked_sub(1)
            .and_then(|index| self.marks.get(index))
            .copied()
            .unwrap_or_default();
        // No further than the next mark: splitting starts by looking for the end of what is UTF-8.
        let end = self.marks.get(before).map_or(text.len(), |mark| mark.bytes);
        for width in characters(text.get(count.bytes..end).unwrap_or_default()) {
            let mut behind = count;
            behind.add(width);
            if behind.of(unit) > column {
                break;
            }
            count = behind;
        }
        Some(count)
    }
}

/// The length of each character in bytes and in UTF-16 units. From the start of any character on the rest is split
/// as it is in the whole: bytes that are no character stand each for themselves.
fn characters(text: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk
            .valid()
            .chars()
            .map(|character| (character.len_utf8(), character.len_utf16()));
        valid.chain(chunk.invalid().iter().map(|_| (1, 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_do_not_show() {
        let text = "aé😀\u{feff}x"
            .repeat(200)
            .into_bytes()
            .into_iter()
            .chain([0xff, 0xe2, 0x82, b'y', 0xf0, 0x9f])
            .cycle()
            .take(9_000)
            .collect::<Vec<_>>();
        let columns = Columns::new(&text);
        assert!(columns.marks.len() > 20);
        for unit in [ColumnUnit::CodePoint, ColumnUnit::Utf16, ColumnUnit::Byte] {
            let mut count = Count::default();
            for width in characters(&text) {
                let mut behind = count;
                behind.add(width);
                for column in count.of(unit)..behind.of(unit) {
                    assert_eq!(columns.find(&text, column, unit), Some(count));
                }
                count = behind;
            }
            assert_eq!(columns.find(&text, count.of(unit), unit), Some(count));
            assert_eq!(columns.find(&text, count.of(unit) + 1, unit), None);
            assert_eq!(columns.total, count);
        }
    }
}
