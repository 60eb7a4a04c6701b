//! The closed list of tools that are run natively.

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Hidden, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::linters::{
    bandit, basedpyright, black, codespell, flake8, isort, mypy, pylint, pyrefly, pyright, refusal,
    ruff, ruff_format, shellcheck, ty, typos, vulture, yamllint, zizmor,
};
use crate::model::diagnostic::{RawFinding, Severity};

/// A tool that Lockgate starts and whose output it reads. Everything else comes in as a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// `ruff check`, the linter.
    Ruff,
    /// `ruff format --check`, the formatter.
    RuffFormat,
    /// `black --check`, the formatter.
    Black,
    /// `isort --check-only`, which orders imports.
    Isort,
    /// `flake8`, pycodestyle and pyflakes in one.
    Flake8,
    /// `pylint`, the linter.
    Pylint,
    /// `bandit`, which looks for weak points.
    Bandit,
    /// `vulture`, which looks for dead code.
    Vulture,
    /// `mypy`, the reference type checker.
    Mypy,
    /// `pyright`, Microsoft's type checker, started through its wrapper on PyPI.
    Pyright,
    /// `basedpyright`, pyright with stricter rules.
    Basedpyright,
    /// `ty`, Astral's type checker.
    Ty,
    /// `pyrefly`, Meta's type checker.
    Pyrefly,
    /// `codespell`, which knows common misspellings.
    Codespell,
    /// `typos`, which knows common misspellings.
    Typos,
    /// `shellcheck`, for shell scripts.
    Shellcheck,
    /// `yamllint`, for YAML.
    Yamllint,
    /// `zizmor`, for workflows.
    Zizmor,
}

impl Tool {
    /// Every tool, in the order in which reports show them.
    pub const ALL: [Self; 18] = [
        Self::Ruff,
        Self::RuffFormat,
        Self::Black,
        Self::Isort,
        Self::Flake8,
        Self::Pylint,
        Self::Bandit,
        Self::Vulture,
        Self::Mypy,
        Self::Pyright,
        Self::Basedpyright,
        Self::Ty,
        Self::Pyrefly,
        Self::Codespell,
        Self::Typos,
        Self::Shellcheck,
        Self::Yamllint,
        Self::Zizmor,
    ];

    /// What is different from one tool to the next.
    fn adapter(self) -> &'static Adapter {
        match self {
            Self::Ruff => &ruff::ADAPTER,
            Self::RuffFormat => &ruff_format::ADAPTER,
            Self::Black => &black::ADAPTER,
            Self::Isort => &isort::ADAPTER,
            Self::Flake8 => &flake8::ADAPTER,
            Self::Pylint => &pylint::ADAPTER,
            Self::Bandit => &bandit::ADAPTER,
            Self::Vulture => &vulture::ADAPTER,
            Self::Mypy => &mypy::ADAPTER,
            Self::Pyright => &pyright::ADAPTER,
            Self::Basedpyright => &basedpyright::ADAPTER,
            Self::Ty => &ty::ADAPTER,
            Self::Pyrefly => &pyrefly::ADAPTER,
            Self::Codespell => &codespell::ADAPTER,
            Self::Typos => &typos::ADAPTER,
            Self::Shellcheck => &shellcheck::ADAPTER,
            Self::Yamllint => &yamllint::ADAPTER,
            Self::Zizmor => &zizmor::ADAPTER,
        }
    }

    /// The name in inputs, reports and logs.
    pub fn name(self) -> &'static str {
        self.adapter().name
    }

    /// The tool of that [name](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The distribution on the package index, which is what a lockfile pins.
    pub fn package(self) -> &'static str {
        self.adapter().package
    }

    /// The file that the distribution puts into an environment's `bin` (without `.exe`).
    pub fn executable(self) -> &'static str {
        self.adapter().executable
    }

    /// What it looks for.
    pub fn kind(self) -> Kind {
        self.adapter().kind
    }

    /// Whether a change of one file can move its findings in another.
    pub fn is_type_checker(self) -> bool {
        self.kind() == Kind::TypeChecker
    }

    /// What it is to be given to look at.
    pub fn targets(self) -> Targets {
        self.adapter().targets
    }

    /// Where a project says which files this tool checks, so that naming `.` would override it.
    pub fn file_settings(self) -> &'static [Setting] {
        self.adapter().file_settings
    }

    /// Where a project configures this tool: any of these means that it wants it.
    pub fn settings(self) -> &'static [Setting] {
        self.adapter().settings
    }

    /// What of its findings gets which severity, for the published table: what only may be wrong is a warning.
    pub fn severities(self) -> &'static [(&'static str, Severity)] {
        self.adapter().severities
    }

    /// The identifiers of its hooks in a pre-commit configuration.
    pub fn hooks(self) -> &'static [&'static str] {
        self.adapter().hooks
    }

    /// The arguments of the run whose output [`Tool::judge`] reads. They leave in force what the user configured
    /// about *what* is checked, and override what would change the shape of the output or the files on disk.
    pub fn arguments(self, invocation: &Invocation<'_>) -> Vec<String> {
        (self.adapter().arguments)(invocation)
    }

    /// Variables that the run with [`Tool::arguments`] needs, beside a PATH that for pyright holds `node`.
    pub fn environment(self) -> &'static [(&'static str, &'static str)] {
        self.adapter().environment
    }

    /// Variables that the run with [`Tool::probe_arguments`] needs.
    pub fn probe_environment(self) -> &'static [(&'static str, &'static str)] {
        match self.adapter().probe {
            Some(Probe::Run { environment, .. }) => environment,
            Some(Probe::Folder(_)) | None => &[],
        }
    }

    /// The arguments of the run that proves that files were looked at, read by [`Tool::judge_probe`]. Needed only
    /// after [`Judgement::Clean`] without a count; `None` where the tool counts, refuses to check nothing, or
    /// [never tells](Self::passes_over_hidden).
    pub fn probe_arguments(self, invocation: &Invocation<'_>) -> Option<Vec<String>> {
        match self.adapter().probe {
            Some(Probe::Run { arguments, .. }) => Some(arguments(invocation)),
            Some(Probe::Folder(_)) | None => None,
        }
    }

    /// Where no run of the tool tells that it found a file: after [`Judgement::Clean`] without a count there must be one
    /// at or below what it was given, not a hidden one unless this is said.
    pub fn passes_over_hidden(self) -> Option<Hidden> {
        match self.adapter().probe {
            Some(Probe::Folder(hidden)) => Some(hidden),
            Some(Probe::Run { .. }) | None => None,
        }
    }

    /// The first of the user's arguments that would void the contract: it silences the tool, changes the shape of
    /// its output, edits files, or makes it do something else than checking.
    pub fn refused_argument(self, extra: &[String]) -> Option<&str> {
        extra
            .iter()
            .map(String::as_str)
            .find(|argument| refusal::is_refused(self, self.adapter().refused, argument))
    }

    /// Reads the tool's standard output, in memory that does not grow with it; every finding goes to the sink as
    /// soon as it is read. May run while the tool does. Broken output is no error here: the reading tells of it.
    pub fn read(self, mut output: impl BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
        (self.adapter().read)(&mut output, sink)
    }

    /// Whether the exit status, the output and the tool's own error list agree on what happened.
    pub fn conclude(self, run: &ToolRun<'_>, reading: &Reading) -> Judgement {
        (self.adapter().conclude)(run, reading)
    }

    /// [`Tool::read`] and [`Tool::conclude`] in one.
    pub fn judge(
        self,
        run: &ToolRun<'_>,
        output: impl BufRead,
        sink: &mut dyn FnMut(RawFinding),
    ) -> Judgement {
        let reading = self.read(output, sink);
        self.conclude(run, &reading)
    }

    /// Whether a line of standard error changes the judgement: some tools confess only there, and go on to exit
    /// with 0. Whoever keeps only the end of standard error keeps these lines besides.
    pub fn confesses(self, line: &str) -> bool {
        (self.adapter().confesses)(line)
    }

    /// Reads the output of the run with [`Tool::probe_arguments`]: [`Judgement::Clean`] with the number of files, or
    /// [`Judgement::Empty`] where there was none. A tool without a probe fails.
    pub fn judge_probe(self, run: &ToolRun<'_>, mut output: impl BufRead) -> Judgement {
        match self.adapter().probe {
            Some(Probe::Run { judge, .. }) => judge(run, &mut output),
            Some(Probe::Folder(_)) | None => {
                run.failed(self.name(), "there is no probe for this tool")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_tool() {
        for tool in Tool::ALL {
            assert_eq!(Tool::from_name(tool.name()), Some(tool));
        }
        assert_eq!(Tool::from_name("eslint"), None);
    }

    #[test]
    fn a_path_is_never_an_option() {
        let paths = ["src".to_owned(), "-o".to_owned(), "@args".to_owned()];
        for tool in Tool::ALL {
            let arguments = tool.arguments(&Invocation {
                paths: &paths,
                ..Invocation::default()
            });
            assert_eq!(
                arguments[arguments.len() - 3..],
                ["src", "./-o", "./@args"],
                "{tool:?}"
            );
        }
    }

    #[test]
    fn a_configured_list_of_files_stays_in_force() {
        let invocation = Invocation {
            configured_files: true,
            ..Invocation::default()
        };
        for tool in Tool::ALL {
            let named = tool
                .arguments(&invocation)
                .last()
                .is_some_and(|last| last == ".");
            let has_folder = tool.targets() == Targets::Folder;
            assert_eq!(
                named,
                has_folder && tool.file_settings().is_empty(),
                "{tool:?}"
            );
        }
    }

    #[test]
    fn arguments_that_void_the_contract_are_refused() {
        let refused =
            |tool: Tool, argument: &str| tool.refused_argument(&[argument.to_owned()]).is_some();
        assert!(refused(Tool::Ruff, "--diff"));
        assert!(refused(Tool::Ruff, "--output-format=full"));
        assert!(!refused(Tool::Ruff, "--select=ALL"));
        assert!(refused(Tool::Mypy, "--install-types"));
        assert!(!refused(Tool::Mypy, "--strict"));
        assert!(refused(Tool::Pyright, "--watch"));
    }
}
