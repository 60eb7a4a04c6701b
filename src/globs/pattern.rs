//! One pattern: where it starts, and what it matches. Follows `internal-pattern.ts` of `@actions/glob`.

use crate::globs::fault::Problem;
use crate::globs::literal::{escape, of_part, single_slashes, trim, without_last_slash};
use crate::globs::segment::Segment;
use crate::globs::sequence::Sequence;

/// Longer patterns are refused, in UTF-16 units.
const LONGEST: usize = 65_536;

/// Where patterns start that are not absolute.
#[derive(Clone, Copy, Debug)]
pub struct Base<'b> {
    /// The folder, absolute, without `.`, `..` and links: what the system calls the working directory.
    pub directory: &'b str,
    /// What a `~` at the start stands for.
    pub home: Option<&'b str>,
}

/// What a pattern says of a path: whether it matches it as a folder, and as anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// It matches, if it is a folder.
    pub folder: bool,
    /// It matches, if it is anything else.
    pub file: bool,
}

impl Match {
    /// It does not match.
    pub const NONE: Self = Self {
        folder: false,
        file: false,
    };
    /// It matches, whatever it is.
    pub const ALL: Self = Self {
        folder: true,
        file: true,
    };

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            folder: self.folder && other.folder,
            file: self.file && other.file,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            folder: self.folder || other.folder,
            file: self.file || other.file,
        }
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self {
            folder: self.folder && !other.folder,
            file: self.file && !other.file,
        }
    }
}

/// A pattern of the list.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    is_negated: bool,
    /// Whether it ended in a slash, and so is for folders.
    is_for_folders: bool,
    /// Whether it ended in `**`, which matches the folder before it as well. Not so what was implied by a folder, which
    /// has matched itself.
    ends_in_globstar: bool,
    search_path: String,
    sequence: Sequence,
}

impl Pattern {
    /// Reads a pattern, and makes the one for what is below the folders that it names, if it does not name that already.
    pub(super) fn parse(text: &str, base: &Base<'_>) -> Result<(Self, Option<Self>), Problem> {
        let mut text = trim(text);
        let mut is_negated = false;
        while let Some(rest) = text.strip_prefix('!') {
            is_negated = !is_negated;
            text = trim(rest);
        }
        let text = absolute(text, base)?;
        let own = Self::new(&text, is_negated, false)?;
        if own.ends_in_globstar && !own.is_for_folders {
            return Ok((own, None));
        }
        let parts = path_parts(&text);
        refuse_relative(&parts)?;
        let below = format!("{}/**", text.trim_end_matches('/'));
        let below = Self::new(&below, is_negated, true)?;
        Ok((own, Some(below)))
    }

    /// A pattern that is absolute already.
    fn new(text: &str, is_negated: bool, is_implied: bool) -> Result<Self, Problem> {
        let pattern = without_last_slash(text);
        if pattern.encode_utf16().count() > LONGEST {
            return Err(Problem::Long);
        }
        let parts = path_parts(text);
        let names = parts.iter().map_while(|part| of_part(part));
        let mut search_path = names.fold(String::new(), |path, name| path + "/" + &name);
        if search_path.is_empty() {
            search_path.push('/');
        }
        let segments: Result<Vec<Segment>, Problem> =
            pattern.split('/').map(Segment::parse).collect();
        Ok(Self {
            is_negated,
            is_for_folders: text.ends_with('/'),
            ends_in_globstar: !is_implied && parts.last() == Some(&"**"),
            search_path,
            sequence: Sequence::new(segments?),
        })
    }

    pub(super) fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// The path before the first wildcard.
    pub(super) fn search_path(&self) -> &str {
        &self.search_path
    }

    pub(super) fn matches(&self, path: &[&str]) -> Match {
        if !self.sequence.matches(path, self.ends_in_globstar) {
            return Match::NONE;
        }
        Match {
            folder: true,
            file: !self.is_for_folders,
        }
    }

    pub(super) fn may_match_below(&self, path: &[&str]) -> bool {
        self.sequence.may_match_below(path)
    }
}

/// The pattern from the root on, one slash at a time.
fn absolute(text: &str, base: &Base<'_>) -> Result<String, Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    let text = single_slashes(text);
    let parts: Vec<&str> = if text.starts_with('/') {
        path_parts(&text)
    } else {
        without_last_slash(&text).split('/').collect()
    };
    // A pattern may begin with a `.`, and there is nothing before its first part.
    match parts.split_first() {
        Some((first, rest)) if !text.starts_with('/') => {
            if of_part(first).as_deref() == Some("..") {
                return Err(Problem::Relative);
            }
            refuse_relative(rest)?;
        }
        _ => refuse_relative(&parts)?,
    }
    let behind = |sign: char| {
        let rest = text.strip_prefix(sign)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    };
    let text = if let Some(rest) = behind('.') {
        escape(base.directory) + rest
    } else if let Some(rest) = behind('~') {
        let home = base.home.filter(|home| !home.is_empty());
        let home = home.ok_or(Problem::Homeless)?;
        if !home.starts_with('/') {
            return Err(Problem::HomeNotAbsolute);
        }
        escape(home) + rest
    } else if text.starts_with('/') {
        text
    } else {
        escape(base.directory) + "/" + &text
    };
    Ok(single_slashes(&text))
}

/// The parts of a pattern that is absolute.
fn path_parts(text: &str) -> Vec<&str> {
    text.split('/').filter(|part| !part.is_empty()).collect()
}

fn refuse_relative(parts: &[&str]) -> Result<(), Problem> {
    let is_relative = |part: &&str| matches!(of_part(part).as_deref(), Some("." | ".."));
    if parts.iter().any(is_relative) {
        return Err(Problem::Relative);
    }
    Ok(())
}
