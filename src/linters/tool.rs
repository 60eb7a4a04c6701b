//! The closed list of tools that are run natively, and what is different from one to the next.

use std::io::BufRead;

use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::linters::{mypy, pyright, ruff, ruff_format};
use crate::model::diagnostic::RawFinding;

/// A tool that Lockgate starts and whose output it reads. Everything else comes in as a SARIF report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// `ruff check`, the linter.
    Ruff,
    /// `ruff format --check`, the formatter.
    RuffFormat,
    /// `mypy`, the reference type checker.
    Mypy,
    /// `pyright`, Microsoft's type checker, started through its wrapper on PyPI.
    Pyright,
}

impl Tool {
    /// Every tool, in the order in which reports show them.
    pub const ALL: [Self; 4] = [Self::Ruff, Self::RuffFormat, Self::Mypy, Self::Pyright];

    /// The name in inputs, reports and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ruff => "ruff",
            Self::RuffFormat => "ruff-format",
            Self::Mypy => "mypy",
            Self::Pyright => "pyright",
        }
    }

    /// The tool of that [name](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// The distribution on the package index, which is what a lockfile pins.
    pub fn package(self) -> &'static str {
        match self {
            Self::Ruff | Self::RuffFormat => "ruff",
            Self::Mypy => "mypy",
            Self::Pyright => "pyright",
        }
    }

    /// The file that the distribution puts into an environment's `bin` (without `.exe`).
    pub fn executable(self) -> &'static str {
        self.package()
    }

    /// Whether a change of one file can move its findings in another.
    pub fn is_type_checker(self) -> bool {
        match self {
            Self::Ruff | Self::RuffFormat => false,
            Self::Mypy | Self::Pyright => true,
        }
    }

    /// The arguments of the run whose output [`Tool::judge`] reads. They leave in force what the user configured
    /// about *what* is checked, and override what would change the shape of the output or the files on disk.
    pub fn arguments(self, invocation: &Invocation<'_>) -> Vec<String> {
        match self {
            Self::Ruff => ruff::arguments(invocation),
            Self::RuffFormat => ruff_format::arguments(invocation),
            Self::Mypy => mypy::arguments(invocation),
            Self::Pyright => pyright::arguments(invocation),
        }
    }

    /// Variables that the run with [`Tool::arguments`] needs, beside a PATH that for pyright holds `node`.
    pub fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::RuffFormat => ruff_format::ENVIRONMENT,
            Self::Ruff | Self::Mypy | Self::Pyright => &[],
        }
    }

    /// Variables that the run with [`Tool::probe_arguments`] needs.
    pub fn probe_environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::RuffFormat => ruff_format::PROBE_ENVIRONMENT,
            Self::Ruff | Self::Mypy | Self::Pyright => &[],
        }
    }

    /// The arguments of the run that proves that files were looked at, read by [`Tool::judge_probe`]. Needed only
    /// after [`Judgement::Clean`] without a count; `None` where the tool counts, or refuses to check nothing.
    pub fn probe_arguments(self, invocation: &Invocation<'_>) -> Option<Vec<String>> {
        match self {
            Self::Ruff => Some(ruff::probe_arguments(invocation)),
            Self::RuffFormat => Some(ruff_format::probe_arguments(invocation)),
            Self::Mypy | Self::Pyright => None,
        }
    }

    /// The first of the user's arguments that would void the contract: it silences the tool, changes the shape of
    /// its output, edits files, or makes it do something else than checking.
    pub fn refused_argument(self, extra: &[String]) -> Option<&str> {
        let refused = match self {
            Self::Ruff => ruff::REFUSED_ARGUMENTS,
            Self::RuffFormat => ruff_format::REFUSED_ARGUMENTS,
            Self::Mypy => mypy::REFUSED_ARGUMENTS,
            Self::Pyright => pyright::REFUSED_ARGUMENTS,
        };
        extra.iter().map(String::as_str).find(|argument| {
            let name = argument.split_once('=').map_or(*argument, |(name, _)| name);
            refused.contains(&name)
        })
    }

    /// Reads the tool's standard output, in memory that does not grow with it; every finding goes to the sink as
    /// soon as it is read. May run while the tool does. Broken output is no error here: the reading tells of it.
    pub fn read(self, output: impl BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
        match self {
            Self::Ruff => ruff::read(output, sink),
            Self::RuffFormat => ruff_format::read(output, sink),
            Self::Mypy => mypy::read(output, sink),
            Self::Pyright => pyright::read(output, sink),
        }
    }

    /// Whether the exit status, the output and the tool's own error list agree on what happened.
    pub fn conclude(self, run: &ToolRun<'_>, reading: &Reading) -> Judgement {
        match self {
            Self::Ruff => ruff::conclude(run, reading),
            Self::RuffFormat => ruff_format::conclude(run, reading),
            Self::Mypy => mypy::conclude(run, reading),
            Self::Pyright => pyright::conclude(run, reading),
        }
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
        match self {
            Self::Ruff | Self::RuffFormat => ruff::confesses(line),
            Self::Mypy => mypy::confesses(line),
            Self::Pyright => pyright::confesses(line),
        }
    }

    /// Reads the output of the run with [`Tool::probe_arguments`]: [`Judgement::Clean`] with the number of files, or
    /// [`Judgement::Empty`] where there was none. A tool without a probe fails.
    pub fn judge_probe(self, run: &ToolRun<'_>, output: impl BufRead) -> Judgement {
        match self {
            Self::Ruff => ruff::judge_probe(run, output),
            Self::RuffFormat => ruff_format::judge_probe(run, output),
            Self::Mypy | Self::Pyright => {
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
        assert_eq!(Tool::from_name("pylint"), None);
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
            assert_eq!(named, !tool.is_type_checker(), "{tool:?}");
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
