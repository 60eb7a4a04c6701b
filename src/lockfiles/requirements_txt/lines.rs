//! Lines as pip joins them: continuations, comments, and the way back from a joined line to the bytes of the file.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::lockfile::Text;
use crate::model::sources::{FileId, Located, Location};

/// A part of a joined line: where it begins in the line and in the file, and how long it is.
#[derive(Clone, Copy, Debug)]
struct Segment {
    line: usize,
    file: usize,
    len: usize,
}

/// A line with its continuations.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    file: FileId,
    source: &'a str,
    segments: Vec<Segment>,
    text: Cow<'a, str>,
    /// What is not comment, without blanks at its ends.
    pub body: Range<usize>,
    /// What stands behind `#`.
    pub comment: Option<Range<usize>>,
    /// Whether the file ends where a continuation should stand.
    pub is_cut: bool,
}

impl<'a> Line<'a> {
    /// The text of a part.
    pub fn text(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Where a part stands in the file; from its first to its last byte where it goes over several lines.
    pub fn at(&self, range: &Range<usize>) -> Location {
        let start = self.place(range.start);
        let end = match range.end.checked_sub(1) {
            Some(last) if range.end > range.start => self.place(last) + 1,
            _ => start,
        };
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Location {
            file: self.file,
            start: offset(start),
            end: offset(end.max(start)),
        }
    }

    /// A part with its place.
    pub fn piece(&self, range: Range<usize>) -> Located<Text<'a>> {
        let at = self.at(&range);
        let borrowed = self
            .segments
            .iter()
            .find(|segment| segment.line <= range.start && range.end <= segment.line + segment.len)
            .and_then(|segment| {
                let start = segment.file + (range.start - segment.line);
                self.source.get(start..start + range.len())
            });
        let text = match borrowed {
            Some(text) => Text::Borrowed(text),
            None => Text::Owned(self.text(range).to_owned()),
        };
        Located::new(text, at)
    }

    /// The byte of the file for a byte of the line.
    fn place(&self, at: usize) -> usize {
        let segment = self
            .segments
            .iter()
            .rev()
            .find(|segment| segment.line <= at);
        segment.map_or(0, |segment| {
            segment.file + (at - segment.line).min(segment.len)
        })
    }
}

/// The lines of a file; a byte order mark is passed over.
pub fn lines(file: FileId, source: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = physical(source).peekable();
    std::iter::from_fn(move || {
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut is_cut = false;
        while let Some(range) = rest.next() {
            let text = source.get(range.clone()).unwrap_or_default();
            if text.ends_with('\\') && !is_comment(text) {
                let before = text.len() - text.trim_start_matches('\\').len();
                let kept = text.trim_matches('\\').len();
                let start = range.start + if kept == 0 { 0 } else { before };
                parts.push(start..start + kept);
                is_cut = rest.peek().is_none();
            } else {
                parts.push(range);
                break;
            }
        }
        (!parts.is_empty()).then(|| join(file, source, &parts, is_cut))
    })
}

fn join<'a>(file: FileId, source: &'a str, parts: &[Range<usize>], is_cut: bool) -> Line<'a> {
    let mut segments = Vec::with_capacity(parts.len());
    let text = if let [only] = parts {
        segments.push(Segment {
            line: 0,
            file: only.start,
            len: only.len(),
        });
        Cow::Borrowed(source.get(only.clone()).unwrap_or_default())
    } else {
        let mut joined = String::new();
        for part in parts {
            let text = source.get(part.clone()).unwrap_or_default();
            // A comment that ends a continuation is one, whatever stands before it.
            if is_comment(text) {
                joined.push(' ');
            }
            segments.push(Segment {
                line: joined.len(),
                file: part.start,
                len: text.len(),
            });
            joined.push_str(text);
        }
        Cow::Owned(joined)
    };
    let (end, comment) = match comment_start(&text) {
        Some(hash) => (hash, Some(hash + 1..text.len())),
        None => (text.len(), None),
    };
    let body = trimmed(&text, 0..end);
    Line {
        file,
        source,
        segments,
        text,
        body,
        comment,
        is_cut,
    }
}

/// The lines without their ends, as Python's `splitlines` has them.
fn physical(source: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = if source.starts_with('\u{feff}') { 3 } else { 0 };
    std::iter::from_fn(move || {
        let rest = source.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        let is_break = |c: char| {
            matches!(
                c,
                '\n' | '\r'
                    | '\x0b'
                    | '\x0c'
                    | '\x1c'
                    | '\x1d'
                    | '\x1e'
                    | '\u{85}'
                    | '\u{2028}'
                    | '\u{2029}'
            )
        };
        let Some((length, end)) = rest
            .char_indices()
            .find(|(_, character)| is_break(*character))
        else {
            at = source.len();
            return Some(start..at);
        };
        at = start + length + end.len_utf8();
        if end == '\r' && source.as_bytes().get(at) == Some(&b'\n') {
            at += 1;
        }
        Some(start..start + length)
    })
}

/// What Python calls white space.
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

fn is_comment(line: &str) -> bool {
    line.trim_start_matches(is_space).starts_with('#')
}

/// Where the `#` of a comment stands: at the start, or behind white space. Others belong to URLs.
fn comment_start(text: &str) -> Option<usize> {
    let mut is_after_space = true;
    text.char_indices().find_map(|(at, character)| {
        let found = (character == '#' && is_after_space).then_some(at);
        is_after_space = is_space(character);
        found
    })
}

/// A range without white space at its ends.
pub fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    let start = range.start + (part.len() - part.trim_start_matches(is_space).len());
    start..start + part.trim_matches(is_space).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(source: &str) -> Vec<(String, String)> {
        lines(FileId::default(), source)
            .map(|line| {
                let at = line.at(&line.body);
                let place = &source[at.start as usize..at.end as usize];
                (line.text(line.body.clone()).to_owned(), place.to_owned())
            })
            .filter(|(body, _)| !body.is_empty())
            .collect()
    }

    #[test]
    fn continuations_are_joined_and_keep_their_places() {
        let found = bodies("\u{feff}a==1 \\\r\n    --hash=x:1 # c\r\n\r\nb # \\\nlost\nc#d\n");
        assert_eq!(
            found,
            [
                (
                    "a==1     --hash=x:1".to_owned(),
                    "a==1 \\\r\n    --hash=x:1".to_owned()
                ),
                ("b".to_owned(), "b".to_owned()),
                ("c#d".to_owned(), "c#d".to_owned()),
            ]
        );
    }

    #[test]
    fn a_comment_ends_a_continuation_and_a_file_that_stops_in_one_is_cut() {
        let found = bodies("a \\\n# why\n--hash=x:1\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].0, "--hash=x:1");
        let all: Vec<_> = lines(FileId::default(), "a==1 \\\n").collect();
        assert!(all[0].is_cut && all.len() == 1);
        let all: Vec<_> = lines(FileId::default(), "a==1 \\\n\n").collect();
        assert!(!all[0].is_cut);
    }

    #[test]
    fn pieces_are_borrowed_unless_a_line_break_is_in_them() {
        let source = "name \\\n>=1\n";
        let line = lines(FileId::default(), source).next().unwrap();
        assert!(matches!(line.piece(0..4).value, Text::Borrowed("name")));
        let piece = line.piece(0..8);
        assert_eq!(piece.value, "name >=1");
        assert_eq!((piece.at.start, piece.at.end), (0, 10));
    }
}
