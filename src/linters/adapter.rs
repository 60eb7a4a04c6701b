//! What each adapter says about its tool.

use std::io::BufRead;

use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::model::diagnostic::{RawFinding, Severity};

/// What a tool looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Mistakes that stand where they are reported.
    Linter,
    /// A layout that differs from its own.
    Formatter,
    /// Contradictions between files: a change of one moves its findings in another.
    TypeChecker,
}

/// What a tool is to be given where the user names no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// The folder; it finds its files itself.
    Folder,
    /// Every shell script of the repository, by name or first line: it does not look into folders.
    ShellScripts,
}

/// A place in a project's files that configures a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A file of this name.
    File(&'static str),
    /// The table `[tool.<name>]` of `pyproject.toml`, with one of these keys; with any where there is none. A dot
    /// leads into a table of a table.
    Table(&'static str, &'static [&'static str]),
    /// A section of an INI file, with one of these keys; with any where there is none.
    Section {
        /// The file.
        file: &'static str,
        /// The section with its brackets; a trailing `*` stands for anything.
        section: &'static str,
        /// The keys.
        keys: &'static [&'static str],
    },
    /// A file whose path from the root of the repository matches: `.github/workflows/*.yml`.
    Glob(&'static str),
}

/// What proves that files were looked at, where the first run does not tell.
pub(super) enum Probe {
    /// A second run.
    Run {
        arguments: fn(&Invocation<'_>) -> Vec<String>,
        environment: &'static [(&'static str, &'static str)],
        judge: fn(&ToolRun<'_>, &mut dyn BufRead) -> Judgement,
    },
    /// The tool never tells: there must be a file that it does not pass over.
    Folder(Hidden),
}

/// What makes a tool look at hidden files, which it passes over otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Hidden {
    /// How such an argument begins.
    pub arguments: &'static [&'static str],
    /// Where the project may say so.
    pub settings: &'static [Setting],
}

/// Everything that is different from one tool to the next; what each part means stands at the methods of
/// [`Tool`](crate::linters::Tool).
pub(super) struct Adapter {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    pub(super) executable: &'static str,
    pub(super) kind: Kind,
    pub(super) targets: Targets,
    pub(super) settings: &'static [Setting],
    pub(super) file_settings: &'static [Setting],
    pub(super) hooks: &'static [&'static str],
    pub(super) severities: &'static [(&'static str, Severity)],
    pub(super) refused: &'static [&'static str],
    pub(super) environment: &'static [(&'static str, &'static str)],
    pub(super) arguments: fn(&Invocation<'_>) -> Vec<String>,
    pub(super) probe: Option<Probe>,
    pub(super) read: fn(&mut dyn BufRead, &mut dyn FnMut(RawFinding)) -> Reading,
    pub(super) conclude: fn(&ToolRun<'_>, &Reading) -> Judgement,
    pub(super) confesses: fn(&str) -> bool,
}
