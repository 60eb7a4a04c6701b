//! `zizmor --format json-v1`: one array.
//!
//! Contract, as zizmor 1.32.0 behaves:
//!
//! | exit | output | judgement |
//! |---|---|---|
//! | 0 | `[]` | clean |
//! | 11, 12, 13, 14 | findings, the worst informational, low, medium or high | findings |
//! | 1 | text on standard error: missing file, broken workflow, configuration | failed |
//! | 2 | text on standard error: option | failed |
//! | 3 | "no inputs collected" on standard error | no file was checked |
//!
//! Without `--strict-collection` zizmor **passes over a workflow that it cannot parse or that breaks the schema** with
//! a warning and exit code 0, as long as another one is left. It never looks into the network here, so that the audits
//! that need GitHub do not run.
//!
//! Lines and columns are 0-based, columns in bytes, the end exclusive.

use std::io::BufRead;
use std::num::NonZeroU32;

use serde::Deserialize;

use crate::linters::adapter::{Adapter, Kind, Setting, Targets};
use crate::linters::contract::{Invocation, Judgement, Reading, ToolRun};
use crate::linters::document::read_array;
use crate::model::diagnostic::{RawFinding, Severity};
use crate::model::region::{ColumnUnit, Region};

const NAME: &str = "zizmor";

pub(super) const ADAPTER: Adapter = Adapter {
    name: NAME,
    package: "zizmor",
    executable: "zizmor",
    kind: Kind::Linter,
    targets: Targets::Folder,
    settings: &[
        Setting::File("zizmor.yml"),
        Setting::File("zizmor.yaml"),
        Setting::File(".github/zizmor.yml"),
        Setting::File(".github/zizmor.yaml"),
        Setting::Glob(".github/workflows/*"),
    ],
    file_settings: &[],
    hooks: &["zizmor"],
    severities: &[
        ("severity High", Severity::Error),
        ("severity High of confidence Low", Severity::Warning),
        ("severity Medium", Severity::Warning),
        ("severities Low and Informational", Severity::Note),
    ],
    refused: REFUSED_ARGUMENTS,
    environment: &[("ZIZMOR_OFFLINE", "true")],
    arguments,
    probe: None,
    read,
    conclude,
    confesses,
};

const REFUSED_ARGUMENTS: &[&str] = &[
    "--color",
    "--completions",
    "--fix",
    "--format",
    "--gh-hostname",
    "--gh-token",
    "--help",
    "--lsp",
    "--no-exit-codes",
    "--no-progress",
    "--strict-collection",
    "--thanks",
    "--version",
    "-",
    "-V",
    "-h",
];

/// SARIF would end with 0 whatever was found.
fn arguments(invocation: &Invocation<'_>) -> Vec<String> {
    let own = [
        "--format=json-v1",
        "--strict-collection",
        "--no-progress",
        "--color=never",
    ];
    let mut arguments = invocation.extra.to_vec();
    arguments.extend(own.map(str::to_owned));
    arguments.extend(invocation.path_arguments(false));
    arguments
}

fn read(output: &mut dyn BufRead, sink: &mut dyn FnMut(RawFinding)) -> Reading {
    read_array(output, |entry: Entry, reading| {
        if entry.ignored {
            return;
        }
        let finding = entry.into_finding();
        reading.findings += 1;
        reading.errors += u64::from(finding.severity == Severity::Error);
        sink(finding);
    })
}

fn conclude(run: &ToolRun<'_>, reading: &Reading) -> Judgement {
    let code = match run.code(NAME, reading, &[0, 11, 12, 13, 14]) {
        Ok(code) => code,
        Err(failed) => return failed,
    };
    if code == 3 && run.stderr.lines().any(confesses) {
        return run.empty(NAME);
    }
    let found = code.clamp(11, 14);
    reading.agree(NAME, run, code, found)
}

/// Whether a line of standard error says what the exit code does not.
fn confesses(line: &str) -> bool {
    line.contains("no inputs collected")
}

#[derive(Deserialize)]
struct Entry {
    ident: String,
    desc: String,
    url: Option<String>,
    determinations: Determinations,
    locations: Vec<Location>,
    #[serde(default)]
    ignored: bool,
    #[serde(default)]
    fixes: Vec<Fix>,
}

#[derive(Deserialize)]
struct Determinations {
    confidence: String,
    severity: String,
}

#[derive(Deserialize)]
struct Location {
    symbolic: Symbolic,
    concrete: Concrete,
}

#[derive(Deserialize)]
struct Symbolic {
    key: Key,
    annotation: String,
    kind: String,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "Local")]
    local: Option<Local>,
}

#[derive(Deserialize)]
struct Local {
    verbatim_path: String,
}

#[derive(Deserialize)]
struct Concrete {
    location: Range,
}

#[derive(Deserialize)]
struct Range {
    start_point: Point,
    end_point: Point,
}

#[derive(Deserialize)]
struct Point {
    row: u32,
    column: u32,
}

/// Its edits are not in the report.
#[derive(Deserialize)]
struct Fix {
    title: String,
}

impl Determinations {
    /// An unknown severity is taken for the worst.
    fn severity(&self) -> Severity {
        match (self.severity.as_str(), self.confidence.as_str()) {
            ("Low" | "Informational", _) => Severity::Note,
            ("Medium", _) | (_, "Low") => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl Range {
    fn region(&self) -> Region {
        Region {
            line: NonZeroU32::new(self.start_point.row.saturating_add(1)),
            column: Some(self.start_point.column),
            end_line: NonZeroU32::new(self.end_point.row.saturating_add(1)),
            end_column: Some(self.end_point.column),
            unit: ColumnUnit::Byte,
        }
    }
}

impl Entry {
    fn into_finding(self) -> RawFinding {
        let severity = self.determinations.severity();
        let place = self
            .locations
            .into_iter()
            .find(|location| location.symbolic.kind == "Primary");
        let (message, path, region) = match place {
            None => (self.desc, None, Region::FILE),
            Some(Location { symbolic, concrete }) => (
                format!("{}: {}", self.desc, symbolic.annotation),
                symbolic.key.local.map(|local| local.verbatim_path),
                concrete.location.region(),
            ),
        };
        RawFinding {
            rule: Some(self.ident),
            severity,
            message,
            path,
            region,
            url: self.url,
            help: self.fixes.into_iter().next().map(|fix| fix.title),
            fix: None,
        }
    }
}
