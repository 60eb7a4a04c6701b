//! What all contracts share: how a run ended, what was read, and what follows from both.
//!
//! The rule is one: a run is clean or has findings only where exit status, output and the tool's own error list say
//! the same. Everything else is a failure, because a gate that could not look must not be green.

use std::fmt::Write as _;

/// What a run is to look at, as the user and the project say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invocation<'a> {
    /// Files and directories to check, relative to the tool's directory. None: what the project configures, or all.
    pub paths: &'a [String],
    /// The user's own arguments; see [`Tool::refused_argument`](crate::linters::Tool::refused_argument).
    pub extra: &'a [String],
    /// The interpreter whose packages type checkers look up. mypy and pyright find it themselves if it is not given.
    pub python: Option<&'a str>,
    /// Whether the project's configuration lists what this tool checks (`files` of mypy, `include` of pyright).
    /// Naming a path would override that list.
    pub configured_files: bool,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It was ended because its time was up.
    TimedOut,
}

/// A run that is over.
#[derive(Clone, Copy, Debug)]
pub struct ToolRun<'a> {
    /// How it ended.
    pub status: ExitStatus,
    /// The end of what it wrote to standard error, whole up to 64 KiB at least, after the first lines in which it
    /// [confesses](crate::linters::Tool::confesses) what its exit code hides. Untrusted text.
    pub stderr: &'a str,
}

/// What a run means for the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The tool looked and found nothing.
    Clean {
        /// How many files it looked at, where it says so.
        files: Option<u64>,
    },
    /// The tool looked and found something.
    Findings {
        /// How many findings went to the sink.
        count: u64,
        /// How many files it looked at, where it says so.
        files: Option<u64>,
    },
    /// The tool found no file to look at: no verdict either, unless the user said that this is fine.
    Empty {
        /// What happened in one line, then the tool's last lines. Untrusted text.
        reason: String,
    },
    /// There is no verdict. What went to the sink is true as far as it goes, but nobody knows what is missing.
    Failed {
        /// What happened in one line, then the tool's last lines. Untrusted text.
        reason: String,
    },
}

/// What a tool's output says, before its exit status is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Findings that went to the sink.
    pub findings: u64,
    /// How many of them are errors.
    pub errors: u64,
    /// Files that the tool says it looked at.
    pub files: Option<u64>,
    /// Why the output cannot be trusted: not parsable, cut off, at odds with itself.
    pub fault: Option<String>,
    /// The tool's own statement that it could not look at something.
    pub stopped: Option<String>,
    /// Whether there was any output at all.
    pub has_output: bool,
    /// The exit code that belongs to this output, where the output tells.
    pub code: Option<i32>,
}

impl Invocation<'_> {
    /// The paths as the tool is to get them. `.` where nothing is named or configured: not every tool takes nothing
    /// as all. A path that could be read as an option or as a file of arguments (`@file`) gets `./` in front.
    pub(super) fn path_arguments(&self, configurable: bool) -> Vec<String> {
        if self.paths.is_empty() {
            return if configurable && self.configured_files {
                Vec::new()
            } else {
                vec![".".to_owned()]
            };
        }
        let safe = |path: &String| match path.as_bytes().first() {
            None => ".".to_owned(),
            Some(b'-' | b'@') => format!("./{path}"),
            Some(_) => path.clone(),
        };
        self.paths.iter().map(safe).collect()
    }
}

/// Longer texts of tools are cut, in characters.
const MAX_TEXT: usize = 400;
/// How many of a tool's last lines a reason repeats.
const MAX_LINES: usize = 8;

impl ToolRun<'_> {
    /// The failure with this headline and the tool's last lines.
    pub(super) fn failed(&self, tool: &str, what: &str) -> Judgement {
        Judgement::Failed {
            reason: self.reason(tool, what),
        }
    }

    /// The tool found no file to look at.
    pub(super) fn empty(&self, tool: &str) -> Judgement {
        Judgement::Empty {
            reason: self.reason(tool, "checked no file"),
        }
    }

    fn reason(&self, tool: &str, what: &str) -> String {
        let mut reason = format!("{tool}: {what}");
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        for line in lines.iter().skip(lines.len().saturating_sub(MAX_LINES)) {
            reason.push('\n');
            reason.push_str(&cut(line.trim_end()));
        }
        reason
    }

    /// The exit code, or the failure of a run that did not return one, or whose output is unreadable although its code
    /// is one of the `verdicts`.
    pub(super) fn code(
        &self,
        tool: &str,
        reading: &Reading,
        verdicts: &[i32],
    ) -> Result<i32, Judgement> {
        match self.status {
            ExitStatus::TimedOut => Err(self.failed(tool, "ended because its time was up")),
            ExitStatus::Signal(signal) => Err(self.failed(tool, &killed(signal))),
            ExitStatus::Code(code) if verdicts.contains(&code) => match &reading.fault {
                Some(fault) => Err(self.failed(
                    tool,
                    &format!("unreadable output (exit code {code}): {fault}"),
                )),
                None => Ok(code),
            },
            ExitStatus::Code(code) => Ok(code),
        }
    }
}

impl Reading {
    /// Notes the first fault; later ones are its consequences.
    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.fault.get_or_insert_with(|| fault.into());
    }

    /// The judgement of a tool that answers 0 for nothing found and `found` for findings, both already made certain.
    pub(super) fn agree(&self, tool: &str, run: &ToolRun<'_>, code: i32, found: i32) -> Judgement {
        match (code, self.findings) {
            (0, 0) => Judgement::Clean { files: self.files },
            (code, count @ 1..) if code == found => Judgement::Findings {
                count,
                files: self.files,
            },
            (0, count) => run.failed(tool, &format!("exit code 0 in spite of {count} findings")),
            (code, 0) if code == found => {
                run.failed(tool, &format!("exit code {code} without a finding"))
            }
            // Some crashes are told on standard output alone.
            (code, _) => match &self.fault {
                Some(fault) if run.stderr.trim().is_empty() => {
                    run.failed(tool, &format!("exit code {code}, {fault}"))
                }
                _ => run.failed(tool, &format!("exit code {code}")),
            },
        }
    }
}

/// The text, shortened to what fits a line of a report.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn killed(signal: i32) -> String {
    let mut text = format!("killed by signal {signal}");
    let name = match signal {
        2 => "SIGINT",
        6 => "SIGABRT",
        9 => "SIGKILL, often for want of memory",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => return text,
    };
    // Writing to a string cannot fail.
    let _ = write!(text, " ({name})");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_ends_with_the_last_lines_of_the_tool() {
        let stderr = (1..=20)
            .map(|line| format!("line {line}\n\n"))
            .collect::<Vec<_>>()
            .concat();
        let run = ToolRun {
            status: ExitStatus::Signal(9),
            stderr: &stderr,
        };
        let Err(Judgement::Failed { reason }) = run.code("ruff", &Reading::default(), &[0, 1])
        else {
            panic!("a killed tool has no exit code")
        };
        assert!(
            reason.starts_with("ruff: killed by signal 9 (SIGKILL"),
            "{reason}"
        );
        assert!(reason.ends_with("line 19\nline 20"), "{reason}");
        assert_eq!(reason.lines().count(), 1 + MAX_LINES);
    }

    #[test]
    fn exit_status_and_findings_must_agree() {
        let run = ToolRun {
            status: ExitStatus::Code(0),
            stderr: "",
        };
        let none = Reading::default();
        let some = Reading {
            findings: 2,
            ..Reading::default()
        };
        assert_eq!(
            none.agree("x", &run, 0, 1),
            Judgement::Clean { files: None }
        );
        assert_eq!(
            some.agree("x", &run, 1, 1),
            Judgement::Findings {
                count: 2,
                files: None
            }
        );
        for (reading, code) in [(&none, 1), (&some, 0), (&none, 2), (&some, 2), (&none, 127)] {
            assert!(
                matches!(reading.agree("x", &run, code, 1), Judgement::Failed { .. }),
                "{code}"
            );
        }
    }
}
