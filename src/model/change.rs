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
    /// Whether any of the lines from `first` to `last` of this file was added or edited.
    pub fn touches(&self, path: &str, first: u32, last: u32) -> bool {
        self.files
            .get(path)
            .is_some_and(|file| file.touches(first, last))
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
}
