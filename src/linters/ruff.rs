//! `ruff check --output-format json-lines`: one object a line.
//!
//! Contract, as ruff 0.17.6 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | none | clean, once the probe has counted files |
//! | 1 | findings, `invalid-syntax` among them | findings |
//! | 1 | `E902`: a file that is not UTF-8 | findings |
//! | 1 | `E902`: a file that is missing or cannot be read | failed, although it looks like a finding |
//! | 2 | text on standard error: option, configuration, crash | failed |
//!
//! Columns are 1-based code points, the end exclusive. In a notebook they count within the cell, so that the finding
//! belongs to the file as a whole.

use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::linters::adapter::{Adapter, Kind, Probe, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun, cut};
use crate::linters::lines::{self, no_object, note_end};
use crate::linters::text::Text;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::fix::{self, Applicability};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "ruff";
/// What ruff says of a file that is not UTF-8, be it valid Python by its coding comment.
pub(super) const NOT_UTF8: &str = "stream did not contain valid UTF-8";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "ruff",
    executable: "ruff",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::Table("ruff", &[]),
        Setting::File("ruff.toml"),
        Setting::File(".ruff.toml"),
    ],
    file_settings: &[],
    hooks: &["ruff", "ruff-check"],
    severities: &[
        ("what ruff calls an error", Severity::Error),
        ("what ruff calls a warning", Severity::Warning),
        ("what ruff calls an info", Severity::Note),
    ],
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
    "--add-ignore",
    "--add-noqa",
    "--diff",
    "--exit-zero",
    "--fix",
    "--fix-only",
    "--help",
    "--output-file",
    "--output-format",
    "--show-files",
    "--show-fixes",
    "--show-settings",
    "--silent",
    "--statistics",
    "--stdin-filename",
    "--unsafe-fixes",
    "--watch",
    "-",
    "-e",
    "-h",
    "-o",
    "-s",
    "-w",
];

/// `fix = true` in a project would edit the files under review, and `fix-only` would hide what is left: both are
/// switched off. Without `E902`, which a narrow `select` drops, ruff passes over a file that it cannot read with a
/// warning and exit code 0: it is switched on, whatever the configuration says.
pub(super) fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--output-format=json-lines",
        "--no-fix",
        "--no-fix-only",
        "--no-show-fixes",
        "--extend-select=E902",
    ];
    command("check", invocation, &own)
}

pub(super) fn probe_arguments(invocation: &Invocation<'_>) -> Vec<String> {
    command("check", invocation, &["--show-files"])
}

/// The user's arguments come before ours, which win.
pub(super) fn command(subcommand: &str, invocation: &Invocation<'_>, own: &[&str]) -> Vec<String> {
    let mut arguments = vec![subcommand.to_owned()];
    arguments.extend(invocation.extra.iter().cloned());
    arguments.extend(own.iter().map(|&argument| argument.to_owned()));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

pub(super) fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    read_lines(output, |line, reading| {
        if line.is_failure() {
            reading.stopped.get_or_insert_with(|| line.headline());
        } else {
            reading.findings += 1;
            let finding = line.into_finding();
            reading.errors += u64::from(finding.severity == Severity::Error);
            sink(finding);
        }
    })
}

pub(super) fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 1]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if let Some(stopped) = &reading.stopped {
        return run.failed(NAME, &format!("could not check {stopped}"));
    }
    if code == 0
        && let Some(blind) = blind_spot(NAME, run)
    {
        return blind;
    }
    reading.agree(NAME, run, code, 1)
}

/// Whether a line of standard error says what the exit code 0 does not.
pub(super) fn confesses(line: &str) -> bool {
    [
        "warning: Failed to lint ",
        "warning: Encountered error: ",
        "No Python files found under the given path(s)",
    ]
    .iter()
    .any(|text| line.contains(text))
}

/// What ruff only mentions on standard error before it exits with 0.
pub(super) fn blind_spot(name: &str, run: &ToolRun<'_>) -> Option<Judgement> {
    let says = |text: &str| run.stderr.contains(text);
    if says("warning: Failed to lint ") || says("warning: Encountered error: ") {
        Some(run.failed(name, "could not check a file"))
    } else if says("No Python files found under the given path(s)") {
        Some(run.empty(name))
    } else {
        None
    }
}

/// One path a line. `pyproject.toml` is listed because of RUF200, and so are `ruff.toml` and `.ruff.toml`: a project of
/// settings alone has no code.
pub(super) fn judge_probe(run: &ToolRun<'_>, output: &mut dyn BufRead) -> Judgement {
    let mut reading = Reading::default();
    let mut files = 0;
    let end = lines::for_each(output, |_, line| {
        files += u64::from(!line.is_empty() && !line.ends_with(b".toml"));
    });
    note_end(end, &mut reading);
    match run.code(NAME, &reading, &[0, 1]) {
        Err(failed) => failed,
        Ok(0) if files > 0 => Judgement::Clean { files: Some(files) },
        Ok(0) => run.empty(NAME),
        Ok(code) => run.failed(NAME, &format!("exit code {code} of `--show-files`")),
    }
}

/// Parses every line and passes it on; notes what is no line of ruff's.
pub(super) fn read_lines(
    output: &mut dyn BufRead,
    mut each: impl FnMut(Line<'_>, &mut Reading),
) -> Reading {
    let mut reading = Reading::default();
    let end = lines::for_each(output, |number, line| {
        reading.has_output = true;
        // What is known to be text is not looked through again, piece by piece.
        let parsed = match std::str::from_utf8(line) {
            Ok(line) => serde_json::from_str::<Line<'_>>(line),
            Err(_) => serde_json::from_slice(line),
        };
        match parsed {
            Ok(line) => each(line, &mut reading),
            Err(error) => reading.fault(no_object(number, line, &error)),
        }
    });
    note_end(end, &mut reading);
    reading
}

/// A diagnostic of `ruff check` or `ruff format`, with what is used of it.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    cell: Option<u32>,
    #[serde(borrow)]
    code: Option<Text<'a>>,
    #[serde(borrow)]
    filename: Text<'a>,
    location: Option<Location>,
    end_location: Option<Location>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    severity: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow)]
    fix: Option<Fix<'a>>,
}

#[derive(Clone, Copy, Deserialize)]
struct Location {
    row: u32,
    column: u32,
}

#[derive(Deserialize)]
struct Fix<'a> {
    #[serde(borrow)]
    applicability: Option<Text<'a>>,
    #[serde(borrow, default)]
    edits: Vec<Edit<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Edit<'a> {
    #[serde(borrow)]
    content: Option<Text<'a>>,
    location: Location,
    end_location: Location,
}

impl Fix<'_> {
    /// The edits, if there are any.
    fn into_fix(self) -> Option<fix::Fix<Region>> {
        if self.edits.is_empty() {
            return None;
        }
        let edits = self.edits.into_iter().map(|edit| fix::Edit {
            place: region(Some(edit.location), Some(edit.end_location)),
            text: edit.content.map_or_else(Box::default, Text::into_boxed),
        });
        Some(fix::Fix {
            applicability: match self.applicability.as_ref().map(Text::as_str) {
                Some("safe") => Applicability::Safe,
                Some("unsafe") => Applicability::Unsafe,
                _ => Applicability::Display,
            },
            edits: edits.collect(),
            message: self.message.map(Text::into_boxed),
        })
    }
}

impl Line<'_> {
    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_ref().map(Text::as_str)
    }

    /// Whether this line says that ruff could not do its work, rather than that the work found something.
    pub(super) fn is_failure(&self) -> bool {
        (self.code() == Some("E902") && !self.is_undecodable())
            || matches!(self.code(), Some("io" | "panic" | "internal-error"))
            || self
                .severity
                .as_ref()
                .is_some_and(|severity| severity.as_str() == "fatal")
    }

    /// Whether ruff reports a file that is not UTF-8: like a syntax error, that is a fact about the file.
    fn is_undecodable(&self) -> bool {
        self.message.as_str() == NOT_UTF8
    }

    /// Place and message in one line.
    pub(super) fn headline(&self) -> String {
        let place = self.location.map_or_else(String::new, |location| {
            format!(":{}:{}", location.row, location.column)
        });
        let message = self
            .message
            .as_str()
            .strip_prefix(self.filename.as_str())
            .unwrap_or(self.message.as_str());
        cut(&format!(
            "`{}{place}`: {}",
            self.filename.as_str(),
            message.trim_start_matches([':', ' '])
        ))
    }

    pub(super) fn into_finding(self) -> RawFinding {
        let severity = match self.severity.as_ref().map(Text::as_str) {
            Some("warning") => Severity::Warning,
            Some("info") => Severity::Note,
            _ => Severity::Error,
        };
        let location = self.location.filter(|_| !self.is_undecodable());
        let (region, message) = match (self.cell, location) {
            (None, location) => (
                region(location, self.end_location),
                self.message.into_string(),
            ),
            (Some(cell), Some(location)) => (
                Region::FILE,
                format!(
                    "{} (cell {cell}, line {})",
                    self.message.as_str(),
                    location.row
                ),
            ),
            (Some(cell), None) => (
                Region::FILE,
                format!("{} (cell {cell})", self.message.as_str()),
            ),
        };
        let help = self.fix.as_ref().and_then(|fix| fix.message.as_ref());
        RawFinding {
            rule: self.code.map(Text::into_string),
            severity,
            message,
            path: Some(self.filename.into_string()),
            region,
            url: self.url.map(Text::into_string),
            help: help.map(|message| message.as_str().to_owned()),
            // The lines of an edit in a notebook count within its cell as well.
            fix: self
                .fix
                .filter(|_| self.cell.is_none())
                .and_then(Fix::into_fix),
        }
    }
}

fn region(start: Option<Location>, end: Option<Location>) -> Region {
    Region {
        line: start.and_then(|start| NonZeroU32::new(start.row)),
        column: start.map(|start| start.column.saturating_sub(1)),
        end_line: end.and_then(|end| NonZeroU32::new(end.row)),
        end_column: end.map(|end| end.column.saturating_sub(1)),
        unit: ColumnUnit::CodePoint,
    }
}
