//! What a step found and decided: everything that any output shows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::exit;
use crate::model::diagnostic::{Finding, Severity};

/// The answer of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Pass,
    /// No.
    Fail,
    /// The gate could not look; never green.
    NoVerdict,
}

impl Verdict {
    /// The name in reports and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NoVerdict => "no-verdict",
        }
    }
}

/// How one check of a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It looked and found nothing.
    Clean,
    /// It found so many things, before anything was left out.
    Findings(u64),
    /// It could not look; the reason, which may hold text of strangers.
    Failed(String),
}

impl Status {
    /// The name in reports and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Findings(_) => "findings",
            Self::Failed(_) => "failed",
        }
    }
}

/// One check that a step made: a tool, a report, a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `ruff`, `mypy`, the path of a report.
    pub name: String,
    /// The project that it looked at, where there are several.
    pub project: Option<String>,
    /// Its version, where known.
    pub version: Option<String>,
    /// Where it comes from: `uv.lock`, `.venv`, `PATH`, `report`.
    pub origin: String,
    /// How it went.
    pub status: Status,
    /// How many files it looked at, where it says.
    pub files: Option<u64>,
    /// How long it took.
    pub duration: Duration,
}

impl Check {
    /// The name for people: `ruff`, or `ruff in services/api` where there are several projects.
    pub fn title(&self) -> String {
        match &self.project {
            Some(project) => format!("{} in {project}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Findings that are not in the report, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Why: `not on a changed line`.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// A table that a step shows in its summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it is of; may hold text of strangers.
    pub title: String,
    /// The heads of its columns.
    pub header: Vec<&'static str>,
    /// Its rows; may hold text of strangers.
    pub rows: Vec<Vec<String>>,
}

/// The report of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The step's name.
    pub step: &'static str,
    /// The answer.
    pub verdict: Verdict,
    /// What was done, in one line, by a step that does something rather than judge: shown in place of the counts. Its
    /// findings are what went wrong, so that nobody can ignore them. May hold text of strangers.
    pub headline: Option<String>,
    /// Whether the answer only counts as a report (`mode: report`): a `Fail` exits 0.
    pub is_report_only: bool,
    /// From which severity on a finding means no; `None` for never.
    pub fail_on: Option<Severity>,
    /// Ranked: new first, then by severity, file and line.
    pub findings: Vec<Finding>,
    /// What was done.
    pub checks: Vec<Check>,
    /// What was left out, by reason.
    pub left_out: Vec<LeftOut>,
    /// What a reader wants to know first, in order: `base`, `scope`, …
    pub facts: Vec<(String, String)>,
    /// Tables of the step's own.
    pub tables: Vec<Table>,
    /// Most annotations of each level.
    pub max_annotations: usize,
    /// The step's outputs, but for `verdict` and `report`.
    pub outputs: BTreeMap<String, String>,
    /// How long it took.
    pub duration: Duration,
}

impl Report {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass => exit::PASS,
            Verdict::Fail if self.is_report_only => exit::PASS,
            Verdict::Fail => exit::FAIL,
            Verdict::NoVerdict => exit::NO_VERDICT,
        }
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> u64 {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count() as u64
    }

    /// The checks that could not look.
    pub fn failures(&self) -> impl Iterator<Item = (&Check, &str)> {
        self.checks.iter().filter_map(|check| match &check.status {
            Status::Failed(reason) => Some((check, reason.as_str())),
            _ => None,
        })
    }

    /// Until when, `day` or never, the suggested entries of `ignore` hold; `None` where nothing can be ignored.
    pub fn ignore_until<'d>(&self, day: &'d str) -> Option<&'d str> {
        self.headline.is_none().then_some(day)
    }

    /// Whether this finding is one of those that mean no.
    pub fn counts(&self, finding: &Finding) -> bool {
        self.fail_on
            .is_some_and(|threshold| finding.severity >= threshold)
    }
}
