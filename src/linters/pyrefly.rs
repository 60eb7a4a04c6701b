//! `pyrefly check --output-format json`: one document.
//!
//! Contract, as pyrefly 1.4.1 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | an empty list | clean |
//! | 1 | findings, `parse-error` among them, and warnings where `min-severity` shows them | findings |
//! | 1 | `missing-import` at 1:1: a file that is not UTF-8 | findings |
//! | 1 | the same: a file that cannot be read | failed, although it looks like a finding |
//! | 1 | `internal-error` | failed, although it looks like a finding |
//! | 1 | text on standard error: no file, configuration, broken link | no file was checked, or failed |
//! | 2 | text on standard error: option | failed |
//!
//! pyrefly refuses on its own to check nothing. But **of several paths it passes over those that do not exist**, without
//! a word and with exit code 0: whoever names paths has to make sure that they are there. An interpreter of the
//! configuration that cannot be asked is told by standard error alone, and judged as a failure here.
//!
//! Its baseline (`baseline`) stays in force: it is the project's own statement, like a comment that ignores an error.
//!
//! Columns are 1-based code points, the end exclusive.

use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{ExitStatus, Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::document::read_member;
use crate::linters::pyright::has_option;
use crate::linters::ruff::NOT_UTF8;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "pyrefly";
/// The address that pyrefly's SARIF names.
const RULES: &str = "https://pyrefly.org/en/docs/error-kinds/#";

/// What pyrefly says before it refuses to check nothing.
const NO_FILES: &str = "No Python files matched pattern";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "pyrefly",
    executable: "pyrefly",
    kind: Kind::TypeChecker,
    targets: Targets::Folder,
    settings: SETTINGS,
    // A path that is named overrides `project-includes` and `project-excludes`.
    file_settings: SETTINGS,
    hooks: &["pyrefly-check"],
    severities: &[
        ("what pyrefly calls an error", Severity::Error),
        (
            "what pyrefly calls a warning, where `min-severity` shows it",
            Severity::Warning,
        ),
        (
            "what pyrefly calls info, where `min-severity` shows it",
            Severity::Note,
        ),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

const SETTINGS: &[Setting] = &[
    Setting::Table("pyrefly", &[]),
    Setting::File("pyrefly.toml"),
];

const REFUSED_ARGUMENTS: &[&str] = &[
    "--color",
    "--count-errors",
    "--debug-info",
    "--dependency-graph",
    "--expectations",
    "--help",
    "--output",
    "--output-format",
    "--progress-bar",
    "--prune-baseline",
    "--relative-to",
    "--remove-unused-ignores",
    "--report-binding-memory",
    "--report-demand-tree",
    "--report-glean",
    "--report-pysa",
    "--report-timings",
    "--report-trace",
    "--summarize-errors",
    "--summary",
    "--suppress-errors",
    "--update-baseline",
    "--watch",
    "-h",
    "-o",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = ["--output-format=json", "--color=never", "--progress-bar=no"];
    let mut arguments = vec!["check".to_owned()];
    arguments.extend_from_slice(invocation.extra);
    arguments.extend(own.map(str::to_owned));
    if let Some(python) = invocation.python
        && !has_option(invocation.extra, "--python-interpreter-path")
    {
        arguments.push(format!("--python-interpreter-path={python}"));
    }
    arguments.extend(invocation.path_arguments(true));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    read_member(output, "errors", |entry: Entry, reading| {
        if entry.is_failure() {
            reading.stopped.get_or_insert_with(|| entry.headline());
            return;
        }
        let finding = entry.into_finding();
        reading.findings += 1;
        reading.errors += u64::from(finding.severity == Severity::Error);
        sink(finding);
    })
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    if run.status == ExitStatus::Code(1) && !reading.has_output && says(run, NO_FILES) {
        return run.empty(NAME);
    }
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    if matches!(code, 0 | 1) && says(run, NO_INTERPRETER) {
        return run.failed(NAME, "could not ask the interpreter of its configuration");
    }
    reading.agree(NAME, run, code, 1)
}

/// What pyrefly says before it goes on without the packages of the environment.
const NO_INTERPRETER: &str = "Failed to query interpreter";

fn says(run: &ToolRun<'_>, text: &str) -> bool {
    run.stderr.lines().any(|line| line.contains(text))
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    line.contains(NO_FILES) || line.contains(NO_INTERPRETER)
}

#[derive(Deserialize)]
struct Entry {
    line: u32,
    column: u32,
    stop_line: u32,
    stop_column: u32,
    path: String,
    name: String,
    description: String,
    severity: String,
}

impl Entry {
    /// Whether this is about a file that could not be loaded, rather than about an import of it.
    fn is_unloaded(&self) -> bool {
        self.name == "missing-import"
            && self.description.starts_with("Failed to load ")
            && self.description.contains("When reading file ")
    }

    /// A file that is not UTF-8: like a syntax error, that is a fact about the file.
    fn is_undecodable(&self) -> bool {
        self.is_unloaded() && self.description.ends_with(NOT_UTF8)
    }

    /// Whether pyrefly could not do its work, rather than that the work found something.
    fn is_failure(&self) -> bool {
        self.name == "internal-error" || (self.is_unloaded() && !self.is_undecodable())
    }

    fn headline(&self) -> String {
        cut(&format!(
            "`{}:{}`: {}",
            self.path, self.line, self.description
        ))
    }

    fn into_finding(self) -> RawFinding {
        let region = Region {
            line: NonZeroU32::new(self.line),
            column: self.column.checked_sub(1),
            end_line: NonZeroU32::new(self.stop_line),
            end_column: self.stop_column.checked_sub(1),
            unit: ColumnUnit::CodePoint,
        };
        RawFinding {
            severity: match self.severity.as_str() {
                "info" => Severity::Note,
                "warn" => Severity::Warning,
                _ => Severity::Error,
            },
            region: if self.is_undecodable() {
                Region::FILE
            } else {
                region
            },
            url: Some(format!("{RULES}{}", self.name)),
            rule: Some(self.name),
            message: self.description,
            path: Some(self.path),
            help: None,
            fix: None,
        }
    }
}
