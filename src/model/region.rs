//! Where a finding stands: as the tool printed it ([`Region`]), and as we know it after reading the source ([`Span`]).

use std::num::NonZeroU32;

/// The unit in which a tool counts the columns of a line. Measured on real tools, see `docs/lint-gate.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColumnUnit {
    /// Unicode code points: ruff, ty, pyrefly, SARIF `unicodeCodePoints`.
    #[default]
    CodePoint,
    /// UTF-16 code units: pyright, eslint, SARIF `utf16CodeUnits`, LSP.
    Utf16,
    /// UTF-8 bytes: pylint, bandit, rdjson.
    Byte,
    /// [`CodePoint`](Self::CodePoint), where a byte order mark counts as one more: shellcheck.
    CodePointWithMark,
    /// [`Byte`](Self::Byte), where a byte order mark counts as three more: typos.
    ByteWithMark,
    /// Right on lines that are all ASCII and wrong elsewhere (mypy): elsewhere the column is left out.
    AsciiOnly,
    /// Code points from the start of the file, a byte order mark excepted; the region has no lines (SARIF
    /// `charOffset`).
    CodePointOffset,
    /// The same in UTF-16 code units.
    Utf16Offset,
    /// Bytes from the start of the file, with its byte order mark; the region has no lines (SARIF `byteOffset`).
    ByteOffset,
}

/// A place as a tool states it: 1-based lines, 0-based columns in [`ColumnUnit`], end exclusive.
///
/// An adapter only shifts bases; whether the columns exist in the file is settled by [`crate::linters::position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First line, 1-based. `None` is a finding about the whole file (line 0 of some tools, a notebook cell).
    pub line: Option<NonZeroU32>,
    /// First column, 0-based.
    pub column: Option<u32>,
    /// Last line, 1-based.
    pub end_line: Option<NonZeroU32>,
    /// Column behind the last character, 0-based.
    pub end_column: Option<u32>,
    /// The unit of both columns.
    pub unit: ColumnUnit,
}

impl Region {
    /// A finding about the file as a whole.
    pub const FILE: Self = Self {
        line: None,
        column: None,
        end_line: None,
        end_column: None,
        unit: ColumnUnit::CodePoint,
    };

    /// The column behind the last character of a line, whatever that is.
    pub const LINE_END: u32 = u32::MAX;

    /// The last line of which anything is covered: an end in front of a line's first column covers nothing of it.
    pub fn last_line(&self) -> Option<NonZeroU32> {
        let (first, last) = (self.line?, self.end_line.or(self.line)?);
        if self.end_column == Some(0) && last > first {
            return NonZeroU32::new(last.get() - 1);
        }
        Some(last.max(first))
    }
}

/// One end of a [`Span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Line, 1-based.
    pub line: u32,
    /// Byte offset in the line, 0-based. `None` where the tool gave no column, or a wrong one.
    pub byte: Option<u32>,
    /// Column, 1-based, in Unicode code points. Present exactly where `byte` is.
    pub column: Option<u32>,
}

/// A place in a file, end exclusive, verified against the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Where it begins.
    pub start: Point,
    /// Where it ends; the same as `start` where the tool gave no end.
    pub end: Point,
}
