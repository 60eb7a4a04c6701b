//! What a change touches: the files and the lines of the tree that was linted.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The lines of one file that differ from the base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChange {
    /// The path in the base, where the file was renamed.
    pub renamed_from: Option<String>,
    /// Added or edited lines, 1-based, sorted, disjoint.
    pub added: Vec<RangeInclusive<u32>>,
}

impl FileChange {
    /// Whether any of the lines from `first` to `last` was added or edited.
    pub fn touches(&self, first: u32, last: u32) -> bool {
        let index = self.added.partition_point(|range| *range.end() < first);
        self.added
            .get(index)
            .is_some_and(|range| *range.start() <= last)
    }

    /// Brings the line numbers from git's count to that of the tools, for which a lone return ends a line too. Without
    /// it a return above an edited line would move its findings away from it. `content` is the file after the change.
    pub fn count_lone_returns(&mut self, content: &[u8]) {
        let lone = |at: usize| {
            content[at] == b'\r' && content.get(at + 1).is_some_and(|next| *next != b'\n')
        };
        if !memchr::memchr_iter(b'\r', content).any(lone) {
            return;
        }
        // By git's line: the number of the first line of the tools in it.
        let mut first = vec![1];
        let mut number = 1_u32;
        for at in memchr::memchr2_iter(b'\n', b'\r', content) {
            if content[at] == b'\n' {
                number = number.saturating_add(1);
                first.push(number);
            } else if lone(at) {
                number = number.saturating_add(1);
            }
        }
        if !content.ends_with(b"\n") {
            first.push(number.saturating_add(1));
        }
        let start_of = |number: u32| {
            usize::try_from(number)
                .ok()?
                .checked_sub(1)
                .and_then(|index| first.get(index))
                .copied()
        };
        for range in &mut self.added {
            let start = start_of(*range.start()).unwrap_or(*range.start());
            let end = range
                .end()
                .checked_add(1)
                .and_then(start_of)
                .map_or(u32::MAX, |next| next - 1);
            *range = start..=end.max(start);
        }
    }

    /// How many lines were added or edited.
    pub fn line_count(&self) -> u64 {
        self.added
            .iter()
            .map(|range| u64::from(range.end() - range.start()) + 1)
            .sum()
    }
}

/// A change: every file that exists after it and differs from the base. Deleted files have no lines to speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// By path relative to the workspace root, with `/`.
    pub files: BTreeMap<String, FileChange>,
}

impl Change {
    /// Adds a file. What is known of a file of this name already stays.
    pub fn add(&mut self, path: String, mut file: FileChange) {
        let known = self.files.entry(path).or_default();
        if known.added.is_empty() {
            std::mem::swap(&mut known.added, &mut file.added);
        } else if !file.added.is_empty() {
            known.added.append(&mut file.added);
            known.added.sort_by_key(|range| *range.start());
            known.added.dedup_by(|next, last| {
                let touches = *next.start() <= *last.end();
                if touches {
                    *last = *last.start()..=*last.end().max(next.end());
                }
                touches
            });
        }
        known.renamed_from = known.renamed_from.take().or(file.renamed_from);
    }

    /// Whether the file differs from the base in any way (content, name, mode).
    pub fn has_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// How many lines were added or edited in all files.
    pub fn line_count(&self) -> u64 {
        self.files.values().map(FileChange::line_count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_touched_where_any_of_its_lines_is() {
        let file = FileChange {
            renamed_from: None,
            added: vec![3..=4, 10..=10],
        };
        for (first, last, touched) in [
            (1, 2, false),
            (1, 3, true),
            (4, 4, true),
            (5, 9, false),
            (5, 99, true),
            (11, 12, false),
        ] {
            assert_eq!(file.touches(first, last), touched, "{first}..={last}");
        }
        assert_eq!(file.line_count(), 3);
    }

    #[test]
    fn a_lone_return_ends_a_line_for_tools_and_not_for_git() {
        let renumbered = |content: &[u8], added: &[RangeInclusive<u32>]| {
            let mut file = FileChange {
                renamed_from: None,
                added: added.to_vec(),
            };
            file.count_lone_returns(content);
            file.added
        };
        assert_eq!(
            renumbered(b"a\rb\nc\nd\re\r\nf\n", &[2..=2, 3..=4]),
            [3..=3, 4..=6]
        );
        assert_eq!(renumbered(b"a\rb\rc", &[1..=1]), [1..=3]);
        assert_eq!(renumbered(b"a\r\nb\r\n", &[2..=2]), [2..=2]);
        assert_eq!(renumbered(b"a\nb\r", &[2..=2]), [2..=2]);
        // The file is not the one that git saw: rather too much than nothing.
        assert_eq!(renumbered(b"a\rb\n", &[1..=9]), [1..=u32::MAX]);
    }

    #[test]
    fn files_of_one_name_do_not_hide_one_another() {
        let file = |added: &[RangeInclusive<u32>]| FileChange {
            renamed_from: None,
            added: added.to_vec(),
        };
        let mut change = Change::default();
        change.add("x".to_owned(), file(&[2..=4, 9..=9]));
        change.add("x".to_owned(), file(&[]));
        change.add("x".to_owned(), file(&[1..=1, 3..=6, 20..=20]));
        assert_eq!(change.files["x"].added, [1..=1, 2..=6, 9..=9, 20..=20]);
    }
}
