//! From a place as a tool states it to a place in the file: bytes, and columns in code points.
//!
//! Lines end with `\n`, `\r\n` or a lone `\r`, as ruff, mypy and pyright count them (git counts `\n` alone, so that a
//! file with lone returns has other line numbers in a diff); form feeds, U+0085 and U+2028 end no line. The line
//! break is not part of the line. Neither is a byte order mark of the first one: ruff does not count it, pyright does
//! (a UTF-16 column is shifted by it), shellcheck and typos do in units of their own, and mypy gets the columns of that
//! line wrong. Each byte that is not UTF-8 counts as one code point, which is how the tools that read such files at all
//! (pyright) replace it.

use crate::linters::columns::Count;
pub use crate::linters::source::SourceLines;
use crate::model::fix::{Edit, Fix};
use crate::model::region::{ColumnUnit, Point, Region, Span};

/// Settles a place against the source.
///
/// The span is `None` for a finding about the file as a whole and for a line that does not exist. The flag says that
/// the tool's statement did not fit the file: a line behind the end (no span), a column behind the end of its line
/// (left out), an end behind the end of the file or of its line (clamped) or before the start (the start). Columns of
/// [`ColumnUnit::AsciiOnly`] on other lines are left out without the flag: that is known and no surprise.
///
/// An end in front of the first character of a line covers nothing of it: the span ends with the line before.
pub fn locate(region: &Region, source: &SourceLines<'_>) -> (Option<Span>, bool) {
    let (span, clamped) = settle(region, source);
    let span = span.map(|mut span| {
        if span.end.byte == Some(0) && span.end.line > span.start.line {
            span.end = source.end_of(span.end.line - 1).max(span.start);
        }
        span
    });
    (span, clamped)
}

fn settle(region: &Region, source: &SourceLines<'_>) -> (Option<Span>, bool) {
    if is_offset(region.unit) {
        return locate_offsets(region, source);
    }
    let Some(line) = region.line else {
        return (None, false);
    };
    let Some(start) = Place::at(line.get(), region.column, source) else {
        return (None, true);
    };
    let mut clamped = false;
    let start = match start.resolve(region.unit, source) {
        Resolved::Point(point) | Resolved::Inside(point) => point,
        Resolved::Unknown(point) => {
            return (
                Some(Span {
                    start: point,
                    end: whole_lines(region, point, source),
                }),
                false,
            );
        }
        Resolved::Behind(point, _) => {
            return (
                Some(Span {
                    start: point,
                    end: whole_lines(region, point, source),
                }),
                true,
            );
        }
    };
    if start.byte.is_none() {
        return (
            Some(Span {
                start,
                end: whole_lines(region, start, source),
            }),
            false,
        );
    }
    let end_line = region.end_line.map_or(start.line, std::num::NonZero::get);
    let end = match Place::at(end_line, region.end_column, source) {
        // The last line is as far as it goes.
        None => {
            clamped = true;
            source.end_of(source.count())
        }
        Some(_) if region.end_column.is_none() && end_line == start.line => start,
        Some(place) => match place.resolve(region.unit, source) {
            Resolved::Point(point) | Resolved::Inside(point) => point,
            // An end without column must not cut the start's: the line is covered to its end.
            Resolved::Unknown(point) if point.line == start.line => start,
            Resolved::Unknown(point) => source.end_of(point.line),
            Resolved::Behind(_, end) => {
                clamped = true;
                end
            }
        },
    };
    let end = if end.byte.is_none() {
        source.end_of(end.line)
    } else {
        end
    };
    if end < start {
        return (Some(Span { start, end: start }), true);
    }
    (Some(Span { start, end }), clamped)
}

/// Settles the place of an edit: exactly as it is stated, with both columns, neither in the middle of a character, or
/// not at all. It may end at the start of
/// the empty line behind the last line break, so that an edit can take a last line away.
pub fn locate_exactly(region: &Region, source: &SourceLines<'_>) -> Option<Span> {
    if is_offset(region.unit) {
        let start = source.point_of_offset(region.column?, region.unit)?;
        let end = source.point_of_offset(region.end_column?, region.unit)?;
        return (start <= end).then_some(Span { start, end });
    }
    let exact = |line: u32, column: u32| {
        if line == source.count() + 1 && column == 0 && source.starts.len() > line as usize - 1 {
            return Some(point(line, Count::default()));
        }
        source.line(line)?;
        let place = Place {
            line,
            column: Some(column),
        };
        match place.resolve(region.unit, source) {
            Resolved::Point(point) => Some(point),
            Resolved::Inside(_) | Resolved::Unknown(_) | Resolved::Behind(..) => None,
        }
    };
    let start = exact(region.line?.get(), region.column?)?;
    let end = exact(region.end_line?.get(), region.end_column?)?;
    (start <= end).then_some(Span { start, end })
}

/// Settles a fix: each edit [exactly](locate_exactly), in the order of the file. `None` where one does not fit the file
/// or two overlap: half of a fix is none.
pub fn locate_fix(fix: Fix<Region>, source: &SourceLines<'_>) -> Option<Fix<Span>> {
    let mut edits = fix
        .edits
        .into_iter()
        .map(|edit| {
            Some(Edit {
                place: locate_exactly(&edit.place, source)?,
                text: edit.text,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    // Insertions at one place stay in the order of the tool.
    edits.sort_by_key(|edit| edit.place);
    let is_apart = |pair: &[Edit<Span>]| match pair {
        [left, right] => left.place.end <= right.place.start,
        _ => true,
    };
    edits.windows(2).all(is_apart).then_some(Fix {
        message: fix.message,
        applicability: fix.applicability,
        edits,
    })
}

fn is_offset(unit: ColumnUnit) -> bool {
    matches!(
        unit,
        ColumnUnit::CodePointOffset | ColumnUnit::Utf16Offset | ColumnUnit::ByteOffset
    )
}

/// As [`locate`], for a region whose columns count from the start of the file.
fn locate_offsets(region: &Region, source: &SourceLines<'_>) -> (Option<Span>, bool) {
    let Some(offset) = region.column else {
        return (None, false);
    };
    let shown = |offset: u32| {
        let (line, byte) = source.place_of_offset(offset, region.unit)?;
        if line > source.count() {
            return Some(source.end_of(source.count()));
        }
        let found = source.find(line, byte, ColumnUnit::Byte);
        Some(found.map_or_else(|| source.end_of(line), |found| point(line, found)))
    };
    let Some(start) = shown(offset) else {
        return (None, true);
    };
    let end = region.end_column.map_or(Some(start), shown);
    match end {
        Some(end) if end >= start => (Some(Span { start, end }), false),
        Some(_) => (Some(Span { start, end: start }), true),
        None => {
            let end = source.end_of(source.count()).max(start);
            (Some(Span { start, end }), true)
        }
    }
}

/// A stated place whose line exists.
struct Place {
    line: u32,
    column: Option<u32>,
}

enum Resolved {
    /// The place, with its column if one was stated.
    Point(Point),
    /// The character in the middle of which the stated column is.
    Inside(Point),
    /// The line; the stated column means nothing.
    Unknown(Point),
    /// The line, and its end: the stated column is behind it.
    Behind(Point, Point),
}

impl Place {
    /// The empty line behind the last line break, where parsers meet the end of the file, becomes the end of the last
    /// line: nobody can see or change the former.
    fn at(line: u32, column: Option<u32>, source: &SourceLines<'_>) -> Option<Self> {
        let last = source.count();
        if line <= last {
            return Some(Self { line, column });
        }
        let is_end_of_file =
            line == last + 1 && source.starts.len() > last as usize && column.unwrap_or(0) == 0;
        is_end_of_file.then_some(Self {
            line: last,
            column: column.map(|_| Region::LINE_END),
        })
    }

    fn resolve(&self, unit: ColumnUnit, source: &SourceLines<'_>) -> Resolved {
        let bare = Point {
            line: self.line,
            byte: None,
            column: None,
        };
        let Some(column) = self.column else {
            return Resolved::Point(bare);
        };
        if column == Region::LINE_END {
            return Resolved::Point(source.end_of(self.line));
        }
        let on_mark = self.line == 1 && source.has_mark;
        let column = match unit {
            ColumnUnit::AsciiOnly if on_mark || !source.is_ascii(self.line) => {
                return Resolved::Unknown(bare);
            }
            ColumnUnit::Utf16 | ColumnUnit::CodePointWithMark if on_mark => {
                column.saturating_sub(1)
            }
            ColumnUnit::ByteWithMark if on_mark => column.saturating_sub(3),
            _ => column,
        };
        let found = usize::try_from(column)
            .ok()
            .and_then(|column| Some((source.find(self.line, column, unit)?, column)));
        match found {
            Some((count, column)) if count.of(unit) == column => {
                Resolved::Point(point(self.line, count))
            }
            Some((count, _)) => Resolved::Inside(point(self.line, count)),
            None => Resolved::Behind(bare, source.end_of(self.line)),
        }
    }
}

impl SourceLines<'_> {
    /// The place behind the last character of a line.
    fn end_of(&self, line: u32) -> Point {
        point(line, self.length(line))
    }

    /// The exact place of an offset: none in the middle of a line break, or of a character.
    fn point_of_offset(&self, offset: u32, unit: ColumnUnit) -> Option<Point> {
        let (line, byte) = self.place_of_offset(offset, unit)?;
        if line > self.count() {
            return (byte == 0).then(|| point(line, Count::default()));
        }
        let found = self.find(line, byte, ColumnUnit::Byte)?;
        (found.bytes == byte).then(|| point(line, found))
    }
}

/// The end of a span that has no columns.
fn whole_lines(region: &Region, start: Point, source: &SourceLines<'_>) -> Point {
    let end = region.end_line.map_or(start.line, std::num::NonZero::get);
    Point {
        line: end.clamp(start.line, source.count().max(start.line)),
        ..start
    }
}

fn point(line: u32, count: Count) -> Point {
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Point {
        line,
        byte: Some(narrow(count.bytes)),
        column: Some(narrow(count.code_points).saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;

    fn region(line: u32, column: u32, end_line: u32, end_column: u32, unit: ColumnUnit) -> Region {
        Region {
            line: NonZeroU32::new(line),
            column: Some(column),
            end_line: NonZeroU32::new(end_line),
            end_column: Some(end_column),
            unit,
        }
    }

    fn slice(text: &str, column: u32, end: u32, unit: ColumnUnit) -> (String, bool) {
        let source = SourceLines::new(text.as_bytes());
        let (span, clamped) = locate(&region(1, column, 1, end, unit), &source);
        let span = span.expect("line 1 exists");
        let Some((start, end)) = span.start.byte.zip(span.end.byte) else {
            return ("-".to_owned(), clamped);
        };
        let line = source.line(1).expect("line 1 exists");
        (
            String::from_utf8_lossy(&line[start as usize..end as usize]).into_owned(),
            clamped,
        )
    }

    #[test]
    fn each_unit_finds_the_name_on_a_line_that_is_not_ascii() {
        let line = "x = (\"éé😀é\", undefined_name)\n";
        let name = ("undefined_name".to_owned(), false);
        assert_eq!(slice(line, 13, 27, ColumnUnit::CodePoint), name);
        assert_eq!(slice(line, 14, 28, ColumnUnit::Utf16), name);
        assert_eq!(slice(line, 19, 33, ColumnUnit::Byte), name);
        assert_eq!(
            slice(line, 8, 22, ColumnUnit::AsciiOnly),
            ("-".to_owned(), false)
        );
        assert_eq!(
            slice("x = undefined", 4, 13, ColumnUnit::AsciiOnly),
            ("undefined".to_owned(), false)
        );
    }

    #[test]
    fn a_column_inside_of_a_character_means_the_character() {
        assert_eq!(
            slice("a😀b", 2, 3, ColumnUnit::Utf16),
            ("😀".to_owned(), false)
        );
        assert_eq!(
            slice("aéb", 2, 4, ColumnUnit::Byte),
            ("éb".to_owned(), false)
        );
    }

    #[test]
    fn columns_behind_the_line_are_left_out_or_clamped() {
        assert_eq!(
            slice("abc\r\n", 1, 9, ColumnUnit::CodePoint),
            ("bc".to_owned(), true)
        );
        assert_eq!(
            slice("abc\r\n", 3, 3, ColumnUnit::CodePoint),
            (String::new(), false)
        );
        assert_eq!(
            slice("abc\r\n", 4, 9, ColumnUnit::CodePoint),
            ("-".to_owned(), true)
        );
        assert_eq!(
            slice("abc\n", 2, 1, ColumnUnit::CodePoint),
            (String::new(), true)
        );
        assert_eq!(
            slice("é\n", u32::MAX - 1, 9, ColumnUnit::CodePoint),
            ("-".to_owned(), true)
        );
    }

    #[test]
    fn lines_end_as_python_tools_end_them() {
        let source = SourceLines::new(b"x = 1\rimport os\r\ny\n\x0cz\nw \xe2\x80\xa8 v\n");
        assert_eq!(source.count(), 5);
        assert_eq!(source.line(2), Some(&b"import os"[..]));
        assert_eq!(source.line(4), Some(&b"\x0cz"[..]));
        assert_eq!(source.line(6), None);
        assert_eq!(source.line(0), None);
        assert_eq!(source.offset(3), Some(17));
        assert_eq!(SourceLines::new(b"").count(), 1);
        assert_eq!(SourceLines::new(b"\n\n").count(), 2);
    }

    #[test]
    fn the_byte_order_mark_is_no_character() {
        let text = "\u{feff}y = undef\n";
        let name = ("undef".to_owned(), false);
        assert_eq!(slice(text, 4, 9, ColumnUnit::CodePoint), name);
        assert_eq!(slice(text, 5, 10, ColumnUnit::Utf16), name);
        assert_eq!(slice(text, 5, 10, ColumnUnit::CodePointWithMark), name);
        assert_eq!(slice(text, 7, 12, ColumnUnit::ByteWithMark), name);
        assert_eq!(
            slice(text, 2, 7, ColumnUnit::AsciiOnly),
            ("-".to_owned(), false)
        );
        assert_eq!(SourceLines::new(text.as_bytes()).offset(1), Some(3));
    }

    #[test]
    fn bytes_that_are_not_utf8_count_one_each() {
        let source = SourceLines::new(b"\xff\xfe\xe2\x82 = x");
        let (span, clamped) = locate(&region(1, 7, 1, 8, ColumnUnit::CodePoint), &source);
        let span = span.expect("line 1 exists");
        assert_eq!(
            (span.start.byte, span.end.byte, clamped),
            (Some(7), Some(8), false)
        );
    }

    #[test]
    fn the_end_of_the_file_is_the_end_of_its_last_line() {
        let source = SourceLines::new(b"def f(:\n  x\n");
        let (span, clamped) = locate(&region(3, 0, 3, 0, ColumnUnit::CodePoint), &source);
        let end = Point {
            line: 2,
            byte: Some(3),
            column: Some(4),
        };
        assert_eq!((span, clamped), (Some(Span { start: end, end }), false));
        assert_eq!(
            locate(&region(4, 0, 4, 0, ColumnUnit::CodePoint), &source),
            (None, true)
        );
    }

    #[test]
    fn lines_that_do_not_exist_give_no_span_or_a_shorter_one() {
        let source = SourceLines::new(b"a\nbb\n");
        assert_eq!(locate(&Region::FILE, &source), (None, false));
        assert_eq!(
            locate(&region(9, 0, 9, 1, ColumnUnit::CodePoint), &source),
            (None, true)
        );
        let (span, clamped) = locate(&region(1, 0, u32::MAX, 7, ColumnUnit::CodePoint), &source);
        assert_eq!(
            span.map(|span| span.end),
            Some(Point {
                line: 2,
                byte: Some(2),
                column: Some(3)
            })
        );
        assert!(clamped);
    }

    #[test]
    fn lines_without_columns_stay_without() {
        let source = SourceLines::new(b"a\nbb\n");
        let whole = Region {
            column: None,
            end_column: None,
            ..region(1, 0, 2, 0, ColumnUnit::CodePoint)
        };
        let (span, _) = locate(&whole, &source);
        let bare = |line| Point {
            line,
            byte: None,
            column: None,
        };
        assert_eq!(
            span,
            Some(Span {
                start: bare(1),
                end: bare(2)
            })
        );
    }
}
