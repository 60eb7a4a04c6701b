//! What can be wrong with a report, and where.

use std::fmt;
use std::io::{self, BufRead, Seek, SeekFrom};

use crate::linters::contract::cut;

/// Why a report cannot be read. Displays as `line:column: what is wrong`.
#[derive(Debug)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Line of the report, 1-based; 0 where the input could not be read.
    pub line: u64,
    /// Column in code points, 1-based; 0 where the input could not be read.
    pub column: u64,
}

/// See [`Error`].
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Zero bytes, or nothing but white space.
    Empty {
        /// What should be here.
        expected: &'static str,
    },
    /// The input ends too early.
    Truncated,
    /// Something else than what is named was found.
    Unexpected {
        /// What should be here.
        expected: String,
    },
    /// The text is UTF-16, as PowerShell's `>` writes it.
    Utf16,
    /// It is XML: nothing of it is read, entities and document types least of all.
    Xml {
        /// What should be here.
        expected: &'static str,
    },
    /// `version` is missing or not `2.1.0`.
    Version(Option<String>),
    /// There is no `runs`, or it is empty.
    NoRuns,
    /// A member stands twice in one object.
    Duplicate(&'static str),
    /// Arrays or objects in arrays or objects, more than 128 deep.
    TooDeep,
    /// A part is longer than the limit in bytes.
    TooLong {
        /// Which part.
        part: &'static str,
        /// See [`super::Limits::part`].
        limit: usize,
    },
    /// A part has more objects than is honest: each costs more memory than text.
    TooMany {
        /// Which part.
        part: &'static str,
        /// How many it may have.
        limit: usize,
    },
    /// The input cannot be read, or changed while it was.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        match &self.kind {
            ErrorKind::Empty { expected } => write!(f, "the report is empty, expected {expected}"),
            ErrorKind::Truncated => {
                f.write_str("the report ends too early: the tool did not finish writing it")
            }
            ErrorKind::Unexpected { expected } => write!(f, "expected {expected}"),
            ErrorKind::Utf16 => f.write_str("the report is UTF-16, expected UTF-8"),
            ErrorKind::Xml { expected } => write!(
                f,
                "the report is XML, which is not read: let the tool write {expected}"
            ),
            ErrorKind::Version(None) => f.write_str("`version` is missing, expected `2.1.0`"),
            ErrorKind::Version(Some(version)) => {
                write!(
                    f,
                    "SARIF version `{}` is not known, expected `2.1.0`",
                    cut(version)
                )
            }
            ErrorKind::NoRuns => {
                f.write_str("the report has no run, expected at least one in `runs`")
            }
            ErrorKind::Duplicate(member) => write!(f, "`{member}` stands twice in one object"),
            ErrorKind::TooDeep => f.write_str("arrays and objects are more than 128 deep"),
            ErrorKind::TooLong { part, limit } => write!(f, "{part} is longer than {limit} bytes"),
            ErrorKind::TooMany { part, limit } => {
                write!(f, "{part} has more than {limit} objects")
            }
            ErrorKind::Io(error) => write!(f, "the report cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

/// An error whose line is not known yet.
#[derive(Debug)]
pub(in crate::linters) struct Fault {
    pub(in crate::linters) kind: ErrorKind,
    /// Where, in bytes.
    pub(in crate::linters) offset: u64,
}

impl Fault {
    pub(in crate::linters) fn new(kind: ErrorKind, offset: u64) -> Self {
        Self { kind, offset }
    }

    pub(in crate::linters) fn expected(what: impl Into<String>, offset: u64) -> Self {
        Self::new(
            ErrorKind::Unexpected {
                expected: what.into(),
            },
            offset,
        )
    }

    /// A failed parse of bytes that start at this offset. Too early an end is for the caller, who knows what follows.
    pub(in crate::linters) fn json(
        format: &str,
        error: &serde_json::Error,
        bytes: &[u8],
        offset: u64,
    ) -> Self {
        let line_start = memchr::memchr_iter(b'\n', bytes)
            .nth(error.line().saturating_sub(2))
            .filter(|_| error.line() > 1)
            .map_or(0, |end| end + 1);
        let within = line_start + error.column().saturating_sub(1);
        let text = error.to_string();
        // The place is told in the report's own lines.
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(text, _)| text);
        Self::expected(
            format!("well-formed {format}: {}", cut(text)),
            offset + within as u64,
        )
    }

    /// Counts the lines before the place. Slow, which an error may be.
    pub(in crate::linters) fn locate<R: BufRead + Seek>(self, input: &mut R) -> Error {
        let (line, column) = match &self.kind {
            ErrorKind::Io(_) => (0, 0),
            _ => count_lines(input, self.offset).unwrap_or((0, 0)),
        };
        Error {
            kind: self.kind,
            line,
            column,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorKind::Io(error), 0)
    }
}

fn count_lines<R: BufRead + Seek>(input: &mut R, offset: u64) -> io::Result<(u64, u64)> {
    input.seek(SeekFrom::Start(0))?;
    let (mut line, mut column, mut left) = (1, 1, offset);
    while left > 0 {
        let available = input.fill_buf()?;
        if available.is_empty() {
            break;
        }
        let length = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(available.len());
        for &byte in &available[..length] {
            if byte == b'\n' {
                line += 1;
                column = 1;
            } else if byte & 0xc0 != 0x80 {
                column += 1;
            }
        }
        input.consume(length);
        left -= length as u64;
    }
    Ok((line, column))
}
