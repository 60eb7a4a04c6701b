//! The text of a definition, and places in it. Looking one up does not depend on how long the text is.

use std::ops::Range;

use crate::error::Place;

/// Bytes between two marks.
const BLOCK: usize = 1024;

/// Longer lines are not shown, bytes.
const LONGEST_EXCERPT: usize = 400;

/// A text with its name.
#[derive(Debug)]
pub(crate) struct Source<'t> {
    pub(crate) path: &'t str,
    pub(crate) text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// How many code points begin before each block; empty where all are ASCII.
    marks: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(crate) fn new(path: &'t str, text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1));
        let mut marks = Vec::new();
        if !text.is_ascii() {
            let mut sum = 0;
            for block in text.as_bytes().chunks(BLOCK) {
                marks.push(sum);
                sum += code_points(block);
            }
        }
        Self {
            path,
            text,
            lines: lines.collect(),
            marks,
        }
    }

    /// The place of these bytes; what is outside of the text is brought into it.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.floor_char_boundary(span.end).max(start);
        let number = self.lines.partition_point(|line| *line <= start).max(1);
        let line_start = self.lines.get(number - 1).copied().unwrap_or_default();
        let next = self.lines.get(number).copied();
        let line_end = next.map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(line_start..line_end).unwrap_or_default();
        let line = line.trim_end_matches('\r');
        let width = self.before(end.min(line_end).max(start)) - self.before(start);
        Place {
            path: self.path.to_owned(),
            line: number,
            column: self.before(start) - self.before(line_start) + 1,
            excerpt: (!line.is_empty() && line.len() < LONGEST_EXCERPT).then(|| line.to_owned()),
            width: width.max(1),
        }
    }

    /// How many code points begin before this byte.
    fn before(&self, at: usize) -> usize {
        let Some(mark) = self.marks.get(at / BLOCK) else {
            return if self.marks.is_empty() {
                at
            } else {
                self.marks.last().copied().unwrap_or_default()
                    + code_points(self.bytes((self.marks.len() - 1) * BLOCK, at))
            };
        };
        mark + code_points(self.bytes(at / BLOCK * BLOCK, at))
    }

    fn bytes(&self, from: usize, to: usize) -> &[u8] {
        self.text.as_bytes().get(from..to).unwrap_or_default()
    }
}

/// How many code points begin in these bytes of UTF-8.
fn code_points(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_slow_way() {
        let texts = [
            String::new(),
            "a\nbc\r\n\nd".to_owned(),
            "ä\n→x\u{301}\n".repeat(700),
            "é".repeat(BLOCK / 2) + "\n" + &"z".repeat(500),
        ];
        for text in &texts {
            let source = Source::new("f", text);
            for start in (0..text.len() + 3).step_by(1 + text.len() / 300) {
                for length in [0, 1, 3, 600] {
                    let span = start..start + length;
                    let expected = Place::in_text("f", text, span.clone());
                    assert_eq!(source.place(&span), expected, "{span:?}");
                }
            }
        }
    }
}
