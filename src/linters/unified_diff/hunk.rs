//! One hunk: its lines come in, a finding goes out.

use std::num::NonZeroU32;

use crate::model::fix::{Applicability, Edit, Fix};
use crate::model::region::{ColumnUnit, Region};

/// A longer text is not kept: such a hunk is a finding without a fix, in bytes.
const MAX_TEXT: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A hunk while its lines come in.
pub(in crate::linters) struct Hunk {
    /// The first line of the old side that the header names.
    first: u32,
    old_left: u32,
    new_left: u32,
    /// The line of the old side that comes next.
    line: u32,
    has_context: bool,
    last: Last,
    change: Option<Change>,
    /// The first and the last line that change.
    changed: Option<(u32, u32)>,
    /// The changes so far; `None` once one of them cannot be told as an edit.
    edits: Option<Vec<Edit<Region>>>,
    size: usize,
}

/// What a line without a line break would belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Context,
    Removed,
    Added,
}

/// Neighbouring removed and added lines.
struct Change {
    line: u32,
    removed: u32,
    /// The length of the last removed line, in bytes, without a byte order mark.
    last_length: usize,
    /// Whether the old side's last line has no line break.
    is_unended: bool,
    has_mark: bool,
    text: Vec<u8>,
}

/// What became of a line that was offered to a hunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linters) enum Taken {
    /// It is part of the hunk.
    Yes,
    /// The hunk is complete, and this line is behind it.
    Behind,
    /// It is no line of a hunk, or one too many of its kind.
    Misfit,
}

/// Where a hunk stands and what would mend it.
pub(in crate::linters) struct Found {
    /// The lines of the old side that change, without columns.
    pub(in crate::linters) region: Region,
    /// Whole lines instead of whole lines.
    pub(in crate::linters) edits: Option<Vec<Edit<Region>>>,
}

impl Found {
    /// The fix with these edits.
    pub(in crate::linters) fn fix(edits: Vec<Edit<Region>>) -> Fix<Region> {
        Fix {
            message: None,
            applicability: Applicability::Safe,
            edits,
        }
    }
}

impl Hunk {
    /// Reads the header, without a carriage return at its end: `@@ -a,b +c,d @@ …`, where `,1` may be left out.
    pub(in crate::linters) fn from_header(header: &[u8]) -> Option<Self> {
        let end = header.len().min(80);
        let text = header.get(..end)?.utf8_chunks().next()?.valid();
        let mut words = text.split(' ');
        if words.next()? != "@@" {
            return None;
        }
        let (first, old_left) = side(words.next()?.strip_prefix('-')?)?;
        let (_, new_left) = side(words.next()?.strip_prefix('+')?)?;
        if words.next()? != "@@" || (old_left == 0 && new_left == 0) {
            return None;
        }
        // A side without lines names the line before it.
        let line = if old_left == 0 {
            first.checked_add(1)?
        } else {
            first
        };
        line.checked_add(old_left)?;
        (line > 0).then_some(Self {
            first: line,
            old_left,
            new_left,
            line,
            has_context: false,
            last: Last::Nothing,
            change: None,
            changed: None,
            edits: Some(Vec::new()),
            size: 0,
        })
    }

    /// The first line of the old side that the hunk shows.
    pub(in crate::linters) fn first_line(&self) -> u32 {
        self.first
    }

    /// Whether all lines that the header counts are there.
    pub(in crate::linters) fn is_complete(&self) -> bool {
        self.old_left == 0 && self.new_left == 0
    }

    /// Takes the next line, with a carriage return if there is one.
    pub(in crate::linters) fn take(&mut self, line: &[u8]) -> Taken {
        if line.first() == Some(&b'\\') {
            return self.unended();
        }
        if self.is_complete() {
            return Taken::Behind;
        }
        let (mark, text) = match line.split_first() {
            // Some programs strip the blank of an empty line.
            None | Some((b'\r', [])) => (b' ', line),
            Some((mark, text)) => (*mark, text),
        };
        match mark {
            b' ' if self.old_left > 0 && self.new_left > 0 => {
                self.close();
                self.old_left -= 1;
                self.new_left -= 1;
                self.line += 1;
                self.has_context = true;
                self.last = Last::Context;
            }
            b'-' if self.old_left > 0 => {
                self.old_left -= 1;
                self.line += 1;
                self.last = Last::Removed;
                self.remove(text);
            }
            b'+' if self.new_left > 0 => {
                self.new_left -= 1;
                self.last = Last::Added;
                self.add(text);
            }
            _ => return Taken::Misfit,
        }
        Taken::Yes
    }

    /// `\ No newline at end of file`, in whatever language.
    fn unended(&mut self) -> Taken {
        match (self.last, &mut self.change) {
            (Last::Context, _) => {}
            (Last::Removed, Some(change)) => change.is_unended = true,
            (Last::Added, Some(change)) => {
                // black writes the line break of the file's other lines before its note.
                if change.text.ends_with(b"\n") {
                    change.text.pop();
                    if change.text.ends_with(b"\r") {
                        change.text.pop();
                    }
                }
            }
            _ => return Taken::Misfit,
        }
        self.last = Last::Nothing;
        Taken::Yes
    }

    /// The change that is being read; a new one before the current line.
    fn change(&mut self, line: u32) -> &mut Change {
        self.change.get_or_insert(Change {
            line,
            removed: 0,
            last_length: 0,
            is_unended: false,
            has_mark: false,
            text: Vec::new(),
        })
    }

    fn remove(&mut self, text: &[u8]) {
        if has_lone_return(text) {
            self.edits = None;
        }
        let line = self.line - 1;
        let change = self.change(line);
        let bare = if line == 1 && text.starts_with(BYTE_ORDER_MARK) {
            change.has_mark = true;
            text.get(BYTE_ORDER_MARK.len()..).unwrap_or_default()
        } else {
            text
        };
        change.removed += 1;
        change.last_length = bare.strip_suffix(b"\r").unwrap_or(bare).len();
    }

    fn add(&mut self, text: &[u8]) {
        self.size += text.len() + 1;
        if self.size > MAX_TEXT || has_lone_return(text) {
            self.edits = None;
        }
        let is_kept = self.edits.is_some();
        let change = self.change(self.line);
        if is_kept {
            change.text.extend_from_slice(text);
            change.text.push(b'\n');
        }
    }

    /// Ends the change that is being read.
    fn close(&mut self) {
        let Some(change) = self.change.take() else {
            return;
        };
        let last = change.line + change.removed.saturating_sub(1);
        let first = self.changed.map_or(change.line, |(first, _)| first);
        self.changed = Some((first, last));
        match (&mut self.edits, change.into_edit()) {
            (Some(edits), Some(edit)) => edits.push(edit),
            (edits, _) => *edits = None,
        }
    }

    /// What was found. With lines missing, all lines that the header names, and no fix.
    pub(in crate::linters) fn finish(mut self) -> Found {
        let is_complete = self.is_complete();
        let inserts_last = self.change.as_ref().is_some_and(|change| {
            change.removed == 0 && self.has_context && change.line > self.first
        });
        self.close();
        let (first, mut last) = self.changed.unwrap_or((self.first, self.first));
        let mut first = first;
        // Nothing follows: the new lines belong to the line above.
        if inserts_last {
            first = first.min(last - 1);
            last -= 1;
        }
        if !is_complete {
            (first, last) = (
                self.first,
                (self.line + self.old_left)
                    .saturating_sub(1)
                    .max(self.first),
            );
        }
        Found {
            region: Region {
                line: NonZeroU32::new(first),
                end_line: NonZeroU32::new(last),
                ..Region::FILE
            },
            edits: self.edits.filter(|edits| is_complete && !edits.is_empty()),
        }
    }
}

impl Change {
    /// Whole lines instead of whole lines: from the start of a line to the start of another, or to the end of a last
    /// line that has no line break.
    fn into_edit(self) -> Option<Edit<Region>> {
        let text = if self.has_mark {
            self.text.strip_prefix(BYTE_ORDER_MARK)?
        } else {
            &self.text
        };
        let text = std::str::from_utf8(text).ok()?;
        let (end_line, end_column) = if self.is_unended {
            (
                self.line + self.removed.saturating_sub(1),
                u32::try_from(self.last_length).ok()?,
            )
        } else {
            (self.line + self.removed, 0)
        };
        Some(Edit {
            place: Region {
                line: NonZeroU32::new(self.line),
                column: Some(0),
                end_line: NonZeroU32::new(end_line),
                end_column: Some(end_column),
                unit: ColumnUnit::Byte,
            },
            text: text.into(),
        })
    }
}

/// Whether there is a carriage return that ends no line of a diff but a line of the file.
fn has_lone_return(text: &[u8]) -> bool {
    let inside = text.strip_suffix(b"\r").unwrap_or(text);
    memchr::memchr(b'\r', inside).is_some()
}

/// `start,count` or `start`.
fn side(text: &str) -> Option<(u32, u32)> {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    Some((start.parse().ok()?, count.parse().ok()?))
}
