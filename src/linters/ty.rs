//! `ty check --output-format gitlab`: one array. Of ty's formats it is the one with ranges, rules and severities that
//! can be told from a report that was cut off; it has no JSON of its own, and SARIF repeats the rules' pages.
//!
//! Contract, as ty 0.0.105 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | `[]` | clean |
//! | 0 | information only (`revealed-type`) | findings |
//! | 0 | `[]`, "No python files found" on standard error | no file was checked |
//! | 1 | findings, `invalid-syntax` among them | findings |
//! | 2 | an `io` entry: a file that is missing, unreadable or not UTF-8 | failed |
//! | 2 | text on standard error: option, configuration | failed |
//!
//! `--error-on-warning` makes 1 of warnings whatever the project says. With `--quiet` ty prints no report at all.
//! A folder of `src.include` that does not exist is passed over without a word, unless nothing else is left.
//!
//! Columns are 1-based code points, the end exclusive.

use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::document::read_array;
use crate::linters::pyright::has_option;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "ty";
/// The address that ty's SARIF names.
const RULES: &str = "https://ty.dev/rules#";

/// What ty says before it exits with 0 for want of files.
const NO_FILES: &str = "No python files found under the given path(s)";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "ty",
    executable: "ty",
    kind: Kind::TypeChecker,
    targets: Targets::Folder,
    settings: &[Setting::Table("ty", &[]), Setting::File("ty.toml")],
    // `src.include` and `src.exclude` stay in force within a folder that is named.
    file_settings: &[],
    hooks: &["ty", "ty-check"],
    severities: &[
        ("what ty calls an error", Severity::Error),
        ("what ty calls a warning", Severity::Warning),
        ("what ty calls information", Severity::Note),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[],
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--add-ignore",
    "--color",
    "--error-on-warning",
    "--exit-zero",
    "--exit-zero-on-warning",
    "--fix",
    "--help",
    "--no-progress",
    "--output-format",
    "--quiet",
    "--update-baseline",
    "--watch",
    "-W",
    "-h",
    "-q",
    "-qq",
];

fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--output-format=gitlab",
        "--no-progress",
        "--color=never",
        "--error-on-warning",
    ];
    let mut arguments = vec!["check".to_owned()];
    arguments.extend_from_slice(invocation.extra);
    arguments.extend(own.map(str::to_owned));
    if let Some(python) = invocation.python
        && !has_option(invocation.extra, "--python")
    {
        arguments.push(format!("--python={python}"));
    }
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    read_array(output, |entry: Entry, reading| {
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
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    if code == 0 && run.stderr.lines().any(confesses) {
        return run.empty(NAME);
    }
    match (code, reading) {
        (
            0,
            Reading {
                findings: count @ 1..,
                errors: 0,
                ..
            },
        ) => Judgement::Findings {
            count: *count,
            files: None,
        },
        _ => reading.agree(NAME, run, code, 1),
    }
}

/// Whether a line of standard error says what the exit code 0 does not.
fn confesses(line: &str) -> bool {
    line.contains(NO_FILES)
}

#[derive(Deserialize)]
struct Entry {
    check_name: String,
    description: String,
    severity: String,
    location: Location,
}

#[derive(Deserialize)]
struct Location {
    path: String,
    positions: Positions,
}

#[derive(Deserialize)]
struct Positions {
    begin: Position,
    end: Position,
}

#[derive(Deserialize)]
struct Position {
    line: u32,
    column: u32,
}

impl Entry {
    /// Whether ty could not do its work, rather than that the work found something.
    fn is_failure(&self) -> bool {
        matches!(self.check_name.as_str(), "io" | "panic" | "internal-error")
            || matches!(self.severity.as_str(), "critical" | "blocker")
    }

    /// The description starts with the rule, which stands in a field of its own.
    fn message(&self) -> &str {
        self.description
            .strip_prefix(&self.check_name)
            .and_then(|rest| rest.strip_prefix(": "))
            .unwrap_or(&self.description)
    }

    fn headline(&self) -> String {
        // A file that is missing is named in the message alone.
        cut(&match self.location.path.as_str() {
            "" => self.message().to_owned(),
            path => format!("`{path}`: {}", self.message()),
        })
    }

    fn url(&self) -> Option<String> {
        let is_rule = !matches!(
            self.check_name.as_str(),
            "invalid-syntax" | "revealed-type" | "unknown-rule"
        );
        is_rule.then(|| format!("{RULES}{}", self.check_name))
    }

    fn into_finding(self) -> RawFinding {
        let Positions { begin, end } = &self.location.positions;
        RawFinding {
            severity: match self.severity.as_str() {
                "info" => Severity::Note,
                "minor" => Severity::Warning,
                _ => Severity::Error,
            },
            message: self.message().to_owned(),
            region: Region {
                line: NonZeroU32::new(begin.line),
                column: begin.column.checked_sub(1),
                end_line: NonZeroU32::new(end.line),
                end_column: end.column.checked_sub(1),
                unit: ColumnUnit::CodePoint,
            },
            url: self.url(),
            help: None,
            fix: None,
            path: Some(self.location.path).filter(|path| !path.is_empty()),
            rule: Some(self.check_name),
        }
    }
}
