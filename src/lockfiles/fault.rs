//! What is wrong with the text of a lockfile itself: each fault with its place and what to do.

use crate::model::lockfile::Format;
use crate::model::sources::{FileId, Location};

/// What kind of fault; each kind is a rule of the family `form`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// It is not in its language, or not in its format: wrong types, missing keys, an encoding that its tool does not read.
    Syntax,
    /// A merge left its markers.
    ConflictMarker,
    /// The file ends in the middle.
    Truncated,
    /// A version of the format that its readers must refuse.
    UnknownVersion,
    /// A revision that is newer than we know; its tool reads it.
    UnknownRevision,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// Where.
    pub at: Location,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// So many faults of one file are told; the rest are counted.
const LIMIT: usize = 50;

/// Collects the faults of one file.
#[derive(Debug)]
pub struct Faults {
    format: Format,
    file: FileId,
    found: Vec<Fault>,
    without: usize,
}

impl Faults {
    /// None yet.
    pub fn new(format: Format, file: FileId) -> Self {
        Self {
            format,
            file,
            found: Vec::new(),
            without: 0,
        }
    }

    /// The format that is read.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The file that is read.
    pub fn file(&self) -> FileId {
        self.file
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// A place in the file that is read.
    pub fn at(&self, range: std::ops::Range<usize>) -> Location {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Location {
            file: self.file,
            start: offset(range.start),
            end: offset(range.end.max(range.start)),
        }
    }

    /// Notes a fault that is repaired by writing the lock anew.
    pub fn add(&mut self, kind: FaultKind, at: Location, message: impl Into<String>) {
        let help = format!("write the lock anew: `{}`", self.format.relock());
        self.add_with_help(kind, at, message, help);
    }

    /// Notes a fault and what to do.
    pub fn add_with_help(
        &mut self,
        kind: FaultKind,
        at: Location,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.found.len() >= LIMIT {
            self.without += 1;
            return;
        }
        self.found.push(Fault {
            kind,
            at,
            message: message.into(),
            help: help.into(),
        });
    }

    /// Looks for what a merge leaves behind, and notes it. Only asked where the text cannot be read: each such line is
    /// an error in every format, unless it stands in a text of several lines.
    pub fn add_conflict_markers(&mut self, bytes: &[u8]) -> bool {
        let before = self.found.len() + self.without;
        let mut start = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let is_marker = [&b"<<<<<<< "[..], b">>>>>>> ", b"||||||| "]
                .iter()
                .any(|marker| line.starts_with(marker))
                || line.trim_ascii_end() == b"=======";
            if is_marker {
                let at = self.at(start..start + line.trim_ascii_end().len());
                let help = format!(
                    "take one side, `git checkout --theirs <lock>`, then `{}`",
                    self.format.relock()
                );
                self.add_with_help(
                    FaultKind::ConflictMarker,
                    at,
                    "a merge conflict was committed here",
                    help,
                );
            }
            start += line.len();
        }
        self.found.len() + self.without > before
    }

    /// All of them, in the order of the file.
    pub fn finish(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| fault.at);
        if self.without > 0
            && let Some(last) = self.found.last_mut()
        {
            let more = crate::error::count(self.without as u64, "fault");
            last.message = format!("{} (and {more} more)", last.message);
        }
        self.found
    }
}
