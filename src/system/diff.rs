//! Git's unified diff with no context, read as a stream: which lines of which files a change adds or edits.
//!
//! The format is that of `git diff` (<https://git-scm.com/docs/diff-format>). Hunks are consumed by the counts in
//! their headers, so that a removed line which looks like a header is never taken for one. Whatever does not fit is
//! an error: half a diff would hide findings.

use std::io::{self, BufRead};

use crate::model::change::{Change, FileChange};

/// Arguments that make `git diff` print what [`parse`] reads, whatever is configured.
pub const ARGUMENTS: &[&str] = &[
    "diff",
    "--patch",
    // No attribute may hide the lines of a file (`*.py -diff`).
    "--text",
    "--unified=0",
    "--find-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--submodule=short",
    "--ignore-submodules=dirty",
];

/// Reads a whole diff. Fails on anything that is not one, and on one that was cut.
pub fn parse(reader: &mut impl BufRead) -> io::Result<Change> {
    let mut lines = Lines {
        reader,
        line: Vec::new(),
        number: 0,
    };
    let mut change = Change::default();
    let mut more = lines.advance()?;
    while more {
        if !lines.line.starts_with(b"diff --git ") {
            return Err(lines.unexpected("`diff --git`"));
        }
        let (path, file, next) = section(&mut lines)?;
        more = next;
        if let Some(path) = path {
            // A change of type (file to link) comes as two sections, the deletion first, which has no path here. Two
            // names that are no Unicode may look the same.
            change.add(path, file);
        }
    }
    Ok(change)
}

/// One file: its header, then its hunks. Returns whether another section follows.
fn section<R: BufRead>(lines: &mut Lines<'_, R>) -> io::Result<(Option<String>, FileChange, bool)> {
    let mut path = same_on_both_sides(&lines.line[b"diff --git ".len()..]);
    let mut file = FileChange::default();
    let mut deleted = false;
    loop {
        if !lines.advance()? || lines.line.starts_with(b"diff --git ") {
            let more = !lines.line.is_empty();
            if path.is_none() && !deleted {
                return Err(lines.unexpected("the name of a changed file"));
            }
            return Ok((path.filter(|_| !deleted), file, more));
        }
        let line = lines.line.as_slice();
        if let Some(header) = line.strip_prefix(b"@@ ") {
            let (removed, added) =
                hunk_header(header).ok_or_else(|| lines.unexpected("a hunk header"))?;
            if let Some(last) = added.count.checked_sub(1) {
                let end = added
                    .start
                    .checked_add(last)
                    .ok_or_else(|| lines.unexpected("a line number"))?;
                file.added.push(added.start..=end);
            }
            lines.skip_hunk(removed.count, added.count)?;
        } else if let Some(name) = line.strip_prefix(b"rename from ") {
            file.renamed_from = Some(unquote(name));
        } else if let Some(name) = line
            .strip_prefix(b"rename to ")
            .or_else(|| line.strip_prefix(b"copy to "))
        {
            path = Some(unquote(name));
        } else if let Some(name) = line.strip_prefix(b"+++ ") {
            if name == b"/dev/null" {
                deleted = true;
            } else {
                path = Some(without_prefix(unquote(
                    name.strip_suffix(b"\t").unwrap_or(name),
                )));
            }
        } else if line.starts_with(b"deleted file mode ") {
            deleted = true;
        } else if !is_other_header(line) {
            return Err(lines.unexpected("a header line of `git diff`"));
        }
    }
}

fn is_other_header(line: &[u8]) -> bool {
    const KNOWN: &[&[u8]] = &[
        b"old mode ",
        b"new mode ",
        b"new file mode ",
        b"similarity index ",
        b"dissimilarity index ",
        b"copy from ",
        b"index ",
        b"--- ",
        b"Binary files ",
    ];
    KNOWN.iter().any(|known| line.starts_with(known))
}

struct Side {
    start: u32,
    count: u32,
}

/// `-a,b +c,d @@ …`, where `,1` may be left out.
fn hunk_header(header: &[u8]) -> Option<(Side, Side)> {
    let text = std::str::from_utf8(&header[..header.len().min(60)])
        .or_else(|error| std::str::from_utf8(&header[..error.valid_up_to()]))
        .ok()?;
    let mut words = text.split(' ');
    let removed = side(words.next()?.strip_prefix('-')?)?;
    let added = side(words.next()?.strip_prefix('+')?)?;
    (words.next()? == "@@").then_some((removed, added))
}

fn side(text: &str) -> Option<Side> {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    Some(Side {
        start: start.parse().ok()?,
        count: count.parse().ok()?,
    })
}

/// The path in `a/P b/P`, where both sides are the same: the only header of a change of mode.
fn same_on_both_sides(names: &[u8]) -> Option<String> {
    if names.starts_with(b"\"") {
        let end = closing_quote(names)?;
        return Some(without_prefix(unquote(&names[..=end])));
    }
    let half = names.len().checked_sub(1)? / 2;
    let (left, right) = (names.get(..half)?, names.get(half + 1..)?);
    let left = left.strip_prefix(b"a/")?;
    (Some(left) == right.strip_prefix(b"b/")).then(|| String::from_utf8_lossy(left).into_owned())
}

fn closing_quote(quoted: &[u8]) -> Option<usize> {
    let mut at = 1;
    while at < quoted.len() {
        match quoted[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn without_prefix(path: String) -> String {
    path.strip_prefix("b/")
        .or_else(|| path.strip_prefix("a/"))
        .map(str::to_owned)
        .unwrap_or(path)
}

/// A name as git quotes it in the style of C, or the name itself.
fn unquote(name: &[u8]) -> String {
    let Some(inner) = name
        .strip_prefix(b"\"")
        .and_then(|name| name.strip_suffix(b"\""))
    else {
        return String::from_utf8_lossy(name).into_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'a') => bytes.push(7),
            Some(b'b') => bytes.push(8),
            Some(b't') => bytes.push(b'\t'),
            Some(b'n') => bytes.push(b'\n'),
            Some(b'v') => bytes.push(11),
            Some(b'f') => bytes.push(12),
            Some(b'r') => bytes.push(b'\r'),
            Some(first @ b'0'..=b'7') => {
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    if let Some(digit) = rest.next_if(|next| (b'0'..=b'7').contains(next)) {
                        value = value * 8 + u32::from(digit - b'0');
                    }
                }
                bytes.push(u8::try_from(value & 0xff).unwrap_or(b'?'));
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Lines<'r, R> {
    reader: &'r mut R,
    /// The current line without its line break; empty at the end.
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<'_, R> {
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(false);
        }
        if self.line.pop() != Some(b'\n') {
            return Err(self.unexpected("the end of the line: the diff was cut"));
        }
        self.number += 1;
        Ok(true)
    }

    /// Passes over the lines of a hunk without keeping them.
    fn skip_hunk(&mut self, mut removed: u32, mut added: u32) -> io::Result<()> {
        while removed > 0 || added > 0 {
            let first = self.reader.fill_buf()?.first().copied();
            match first {
                Some(b'-') if removed > 0 => removed -= 1,
                Some(b'+') if added > 0 => added -= 1,
                Some(b'\\') => {}
                _ => return Err(self.unexpected("a line of the hunk: the diff was cut")),
            }
            self.skip_line()?;
        }
        while self.reader.fill_buf()?.first() == Some(&b'\\') {
            self.skip_line()?;
        }
        Ok(())
    }

    fn skip_line(&mut self) -> io::Result<()> {
        self.number += 1;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Err(self.unexpected("the end of the line: the diff was cut"));
            }
            if let Some(at) = memchr::memchr(b'\n', buffer) {
                self.reader.consume(at + 1);
                return Ok(());
            }
            let length = buffer.len();
            self.reader.consume(length);
        }
    }

    fn unexpected(&self, expected: &str) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "line {} of git's diff: expected {expected}",
                self.number.max(1)
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &[u8]) -> Change {
        parse(&mut &text[..]).unwrap()
    }

    #[test]
    fn a_removed_line_that_looks_like_a_header_is_no_header() {
        let text = b"diff --git a/x.sql b/x.sql\nindex 1..2 100644\n--- a/x.sql\n+++ b/x.sql\n@@ -3 +3,2 @@ f\n--- old comment\n+++ b/evil\n+x\n";
        let change = change(text);
        assert_eq!(change.files.keys().collect::<Vec<_>>(), ["x.sql"]);
        assert_eq!(change.files["x.sql"].added, [3..=4]);
    }

    #[test]
    fn names_are_unquoted() {
        let text = b"diff --git \"a/na\\303\\257ve \\\"x\\\".py\" \"b/na\\303\\257ve \\\"x\\\".py\"\nold mode 100644\nnew mode 100755\ndiff --git a/with space.py b/with space.py\nindex 1..2\n--- a/with space.py\t\n+++ b/with space.py\t\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n";
        let change = change(text);
        assert_eq!(
            change.files.keys().collect::<Vec<_>>(),
            ["naïve \"x\".py", "with space.py"]
        );
    }

    #[test]
    fn renames_deletions_binaries_and_modes() {
        let text = b"diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\ndiff --git a/gone b/gone\ndeleted file mode 100644\nindex 1..0\n--- a/gone\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\ndiff --git a/pic b/pic\nindex 1..2 100644\nBinary files a/pic and b/pic differ\ndiff --git a/empty b/empty\ndeleted file mode 100644\nindex 1..0\n";
        let change = change(text);
        assert_eq!(change.files.keys().collect::<Vec<_>>(), ["new", "pic"]);
        assert_eq!(change.files["new"].renamed_from.as_deref(), Some("old"));
    }

    #[test]
    fn every_cut_of_a_diff_inside_a_section_is_an_error() {
        let text: &[u8] = b"diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n-a\n-b\n+c\n+d\n+e\n";
        // After these lengths a whole, if shorter, diff ends: only git's exit code tells.
        let whole = [0, 19, 37, 45, 53];
        for length in 0..text.len() {
            let cut = &text[..length];
            assert_eq!(
                parse(&mut &cut[..]).is_ok(),
                whole.contains(&length),
                "{length}"
            );
        }
    }

    #[test]
    fn a_combined_diff_is_an_error() {
        let text = b"diff --cc x\nindex 1,2..3\n";
        assert!(parse(&mut &text[..]).is_err());
    }
}
