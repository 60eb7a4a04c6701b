//! What is wrong with a pattern.

use std::fmt;

/// A pattern that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its line in the text, 1-based.
    pub line: usize,
    /// The pattern as it was written.
    pub pattern: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is nothing behind the `!`.
    Empty,
    /// A part is `..`, or `.` in another place than the first.
    Relative,
    /// It is longer than 65,536 UTF-16 units, with the folder that it starts in.
    Long,
    /// It starts with `~`, and no home folder is known.
    Homeless,
    /// It starts with `~`, and the home folder is no absolute path.
    HomeNotAbsolute,
    /// A part with a class such as `[[:alpha:]]` has something that no regular expression with Unicode properties may
    /// have; the original refuses it with a syntax error.
    Class,
}

impl Problem {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Empty => "write a pattern behind the `!`, or leave the line out",
            Self::Relative => {
                "write the pattern from the folder it starts in, without `.` and `..`"
            }
            Self::Long => "name the files by a shorter pattern",
            Self::Homeless => "set HOME, or write the path out",
            Self::HomeNotAbsolute => "let HOME be an absolute path, or write the path out",
            Self::Class => {
                "write the class by its letters, such as `[a-z]`, or put `-`, `,`, `#`, `!` and blanks into a class of their own"
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "there is no pattern behind the `!`",
            Self::Relative => "`.` and `..` are not allowed as a part of a pattern",
            Self::Long => "it is too long",
            Self::Homeless => "it starts in the home folder, and none is known",
            Self::HomeNotAbsolute => "it starts in the home folder, and that is no absolute path",
            Self::Class => "`hashFiles()` refuses what stands beside the class of Unicode letters",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for Fault {}
