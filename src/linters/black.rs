//! `black --check --diff`: a unified diff, and counts on standard error.
//!
//! Contract, as black 26.10.1 behaves:
//!
//! | exit | output | standard error | judgement |
//! |---|---|---|---|
//! | 0 | none | `2 files would be left unchanged.` | clean |
//! | 0 | none | `No Python files are present to be formatted` | empty |
//! | 0 | none | nothing: `quiet` is configured | clean, once the probe has counted files |
//! | 1 | a diff of as many files as standard error counts | `1 file would be reformatted, …` | findings |
//! | 1 | none | `required-version` of the project is another one | failed |
//! | 123 | a diff of the other files | a file that cannot be parsed, decoded or read | failed |
//! | 2 | none | a path that does not exist, option, configuration | failed |
//!
//! A file that has lone carriage returns as line breaks makes the diff unreadable, which is a failure.

use std::io::BufRead;

use crate::linters::adapter::{Adapter, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::linters::unified_diff::{self, Words};
use crate::model::diagnostic::{RawFinding, Severity};

const NAME: &str = "black";

const WORDS: Words<'_> = Words {
    rule: "unformatted",
    message: "would be reformatted",
    help: Some("run `black`"),
};

/// What black says where it finds nothing to check.
const NO_FILES: &str = "No Python files are present to be formatted";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "black",
    executable: "black",
    kind: Kind::Formatter,
    targets: Targets::Folder,
    settings: &[Setting::Table("black", &[])],
    file_settings: &[],
    hooks: &["black", "black-jupyter"],
    severities: &[("lines that would be reformatted", Severity::Error)],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: Some(Probe::Run {
        arguments: probe_arguments,
        environment: &[],
        judge: judge_probe,
    }),
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--code",
    "--color",
    "--help",
    "--quiet",
    "--stdin-filename",
    "--version",
    "-",
    "-c",
    "-h",
    "-q",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(invocation, &["--check", "--diff", "--no-color"])
}

/// Nothing switches off a configured `quiet`, but `--verbose` prints the counts in spite of it.
fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command(
        invocation,
        &["--check", "--diff", "--no-color", "--verbose"],
    )
}

fn command(invocation: &Invocation<'_>, own: &[&str]) -> Vec<String> {
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.iter().map(|&argument| argument.to_owned()));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    unified_diff::read(output, &WORDS, sink)
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    let counts = run.stderr.lines().rev().find_map(Counts::from_line);
    match (code, reading.findings, counts) {
        (123, ..) => run.failed(NAME, "could not format a file (exit code 123)"),
        (0, 0, None) if run.stderr.contains(NO_FILES) => run.empty(NAME),
        (0, 0, None) => Judgement::Clean { files: None },
        (0, 0, Some(counts)) if counts.changed == 0 && counts.failed == 0 => Judgement::Clean {
            files: Some(counts.unchanged),
        },
        (1, count @ 1.., None) => Judgement::Findings { count, files: None },
        (1, count @ 1.., Some(counts))
            if counts.failed == 0 && Some(counts.changed) == reading.files =>
        {
            Judgement::Findings {
                count,
                files: Some(counts.changed + counts.unchanged),
            }
        }
        (0 | 1, _, Some(counts)) if Some(counts.changed) != reading.files => run.failed(
            NAME,
            &format!(
                "the diff has {} files, but {} are counted",
                reading.files.unwrap_or(0),
                counts.changed
            ),
        ),
        _ => reading.agree(NAME, run, code, 1),
    }
}

/// Any run that ends by itself tells how many files there were.
fn judge_probe(run: &ToolRun<'_>, output: &mut dyn BufRead) -> Judgement {
    let reading = read(output, &mut |_| {});
    match conclude(run, &reading) {
        Judgement::Clean { files: None } => run.failed(NAME, "did not count its files"),
        judgement => judgement,
    }
}

/// Whether a line of standard error says what is wrong or how many files there were. The names of files that would be
/// reformatted may flood it.
fn confesses(line: &str) -> bool {
    line.starts_with("error: cannot ")
}

/// The last line of black: `1 file would be reformatted, 2 files would be left unchanged.`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    changed: u64,
    unchanged: u64,
    failed: u64,
}

impl Counts {
    fn from_line(line: &str) -> Option<Self> {
        let mut counts = Self::default();
        for part in line.trim_end().strip_suffix('.')?.split(", ") {
            let (count, rest) = part.split_once(' ')?;
            let kind = match rest {
                "file would be reformatted" | "files would be reformatted" => &mut counts.changed,
                "file would be left unchanged" | "files would be left unchanged" => {
                    &mut counts.unchanged
                }
                "file would fail to reformat" | "files would fail to reformat" => {
                    &mut counts.failed
                }
                _ => return None,
            };
            *kind = count.parse().ok()?;
        }
        Some(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_counted() {
        assert_eq!(
            Counts::from_line("1 file would be reformatted, 20 files would be left unchanged."),
            Some(Counts {
                changed: 1,
                unchanged: 20,
                failed: 0
            })
        );
        assert_eq!(Counts::from_line("would reformat bad.py"), None);
        assert_eq!(Counts::from_line(""), None);
    }
}
