//! Patterns of files as the runner's `hashFiles()` reads them: those of `@actions/glob` 0.7.0, which are minimatch's
//! without braces, extended globs and comments, and with hidden files. Pure: paths are text, and nothing is looked up.
//!
//! Where the original has a quirk, it is here too, with a word on it: a digest that differs is a cache that is lost.

mod class;
mod fault;
mod literal;
mod pattern;
mod segment;
mod sequence;

pub use fault::{Fault, Problem};
pub use pattern::{Base, Match};

use pattern::Pattern;

/// An ordered list of patterns: each adds what it matches, or with `!` takes it away again.
#[derive(Clone, Debug)]
pub struct Patterns {
    /// As they were written; each is followed by the one for what is below the folders that it names.
    written: Vec<Written>,
}

/// A pattern of the list.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    own: Pattern,
    below: Option<Pattern>,
}

impl Written {
    fn both(&self) -> impl DoubleEndedIterator<Item = &Pattern> {
        std::iter::once(&self.own).chain(&self.below)
    }
}

impl Patterns {
    /// Reads a text with one pattern a line. White space around a line is no part of it; empty lines and those that start
    /// with `#` are none.
    pub fn parse(text: &str, base: &Base<'_>) -> Result<Self, Fault> {
        let lines = text.split('\n').map(literal::trim).zip(1..);
        let written = lines
            .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, number)| {
                let fault = |problem| Fault {
                    line: number,
                    pattern: line.to_owned(),
                    problem,
                };
                let (own, below) = Pattern::parse(line, base).map_err(fault)?;
                Ok(Written {
                    text: line.to_owned(),
                    own,
                    below,
                })
            });
        Ok(Self {
            written: written.collect::<Result<_, _>>()?,
        })
    }

    /// The same patterns, none of which stands for what is below the folders that it names.
    #[must_use]
    pub fn exactly(mut self) -> Self {
        for written in &mut self.written {
            written.below = None;
        }
        self
    }

    /// Whether there is a pattern that takes anything away.
    pub fn takes_away(&self) -> bool {
        self.written.iter().any(|written| written.own.is_negated())
    }

    /// Whether there is a pattern that adds anything.
    pub fn adds(&self) -> bool {
        self.written.iter().any(|written| !written.own.is_negated())
    }

    /// Where to start looking, in this order: absolute paths, none of them below another.
    pub fn search_roots(&self) -> Vec<&str> {
        let mut roots: Vec<&str> = Vec::new();
        let candidates = || {
            let added = self.written.iter().filter(|one| !one.own.is_negated());
            added.map(|written| written.own.search_path())
        };
        for path in candidates() {
            let is_below = |other: &str| {
                let rest = path.strip_prefix(other.trim_end_matches('/'));
                path != other && rest.is_some_and(|rest| rest.starts_with('/'))
            };
            if !roots.contains(&path) && !candidates().any(is_below) {
                roots.push(path);
            }
        }
        roots
    }

    /// What the list as a whole says of the path with these parts, [`parts`] of an absolute one. The last pattern that
    /// has a say wins.
    pub fn matches(&self, path: &[&str]) -> Match {
        let mut open = Match::ALL;
        let mut found = Match::NONE;
        let patterns = self.written.iter().rev();
        for pattern in patterns.flat_map(|written| written.both().rev()) {
            let said = pattern.matches(path).and(open);
            if !pattern.is_negated() {
                found = found.or(said);
            }
            open = open.without(said);
            if open == Match::NONE {
                break;
            }
        }
        found
    }

    /// Whether something below this folder, or the path itself, can match.
    pub fn may_match_below(&self, path: &[&str]) -> bool {
        let patterns = self.written.iter().flat_map(Written::both);
        patterns
            .filter(|pattern| !pattern.is_negated())
            .any(|pattern| pattern.may_match_below(path))
    }

    /// The patterns that add something, as they were written, each with its number.
    pub fn added(&self) -> impl Iterator<Item = (usize, &str)> {
        let written = self.written.iter().enumerate();
        written
            .filter(|(_, written)| !written.own.is_negated())
            .map(|(number, written)| (number, written.text.as_str()))
    }

    /// Whether the pattern of this number, by itself, matches a file at this path.
    pub fn one_matches(&self, number: usize, path: &[&str]) -> bool {
        let written = self.written.get(number);
        written.is_some_and(|written| written.both().any(|pattern| pattern.matches(path).file))
    }
}

/// The parts of an absolute path, as the patterns take them: `/a/b` is an empty one, `a` and `b`.
pub fn parts(path: &str) -> Vec<&str> {
    path.split('/')
        .enumerate()
        .filter(|(index, part)| *index == 0 || !part.is_empty())
        .map(|(_, part)| part)
        .collect()
}
