//! SARIF 2.1.0, the report format that most analysers speak:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! A report is read twice, in memory for one result: once to find where the parts of each run are (`skim`), because
//! producers write the results before the rules that they refer to; then the results, a window at a time
//! (`results`). What is not needed is skipped unread, so that its syntax is checked only as far as brackets go.
//!
//! Decisions where the standard leaves room:
//! - A run without `columnKind` counts code points: it must be there, and the tools that forget it (ruff) do so.
//! - A result of kind `open`, `review`, `informational`, `pass` or `notApplicable`, or of level `none`, is no finding.
//!   It is counted, like those that are suppressed or that a baseline knows (`unchanged`, `absent`).
//! - The place of a result is its first physical one. `charOffset` and `byteOffset` without lines: the file as a whole.
//! - A run without `results`, or with `null`, was not finished: a failure.
//! - ruff's `E902` is a file that it could not read: a failure. Its lines in notebooks are lines of no file.

use std::io::{BufRead, Seek};

use crate::linters::contract::Judgement;
use crate::model::diagnostic::RawFinding;

mod error;
mod results;
mod rules;
mod scan;
mod shapes;
mod skim;
mod uri;
mod window;

pub use error::{Error, ErrorKind};

/// What a report may cost, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How much of the results is held at a time; more where one result is longer.
    pub window: usize,
    /// The longest single result, and the longest part beside the results (a run's `tool` with its rules).
    pub part: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: 256 << 10,
            part: 16 << 20,
        }
    }
}

/// What a report says about each of its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// In the order of the report; never empty.
    pub runs: Vec<RunSummary>,
}

/// One run of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// The driver's name.
    pub tool: String,
    /// The driver's version, or its semantic version.
    pub version: Option<String>,
    /// Results that went to the sink.
    pub findings: u64,
    /// Results left out because they are suppressed, in the source or elsewhere.
    pub suppressed: u64,
    /// Results left out because the tool's own baseline has them (`unchanged`) or only had them (`absent`).
    pub unchanged: u64,
    /// Results left out because they are no problems: another kind than `fail`, or level `none`.
    pub not_failing: u64,
    /// What kept the tool from doing all its work, in its own words. Untrusted text.
    pub failures: Vec<String>,
}

/// Reads a report. Each finding goes to the sink as soon as it is read, with the name of the tool that found it.
///
/// # Errors
/// Input that is no complete SARIF 2.1.0 report, with line and column. What went to the sink before is true as far as
/// it goes.
pub fn read<R: BufRead + Seek>(
    input: R,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, Error> {
    read_with(input, Limits::default(), sink)
}

/// [`read`] with other limits.
pub fn read_with<R: BufRead + Seek>(
    mut input: R,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, Error> {
    read_runs(&mut input, limits, sink).map_err(|fault| fault.locate(&mut input))
}

fn read_runs<R: BufRead + Seek>(
    input: &mut R,
    limits: Limits,
    sink: &mut dyn FnMut(&str, RawFinding),
) -> Result<Summary, error::Fault> {
    let layouts = skim::skim(input)?;
    let mut summary = Summary::default();
    for layout in &layouts {
        let run = rules::Run::read(input, layout, limits.part)?;
        summary
            .runs
            .push(results::read(input, layout, &run, limits, sink)?);
    }
    Ok(summary)
}

/// What a report means for the gate, with the exit code of the tool that wrote it where the user knows it.
///
/// Findings count whatever the exit code: `zizmor --format sarif` returns 0 with findings. Nothing to report with an
/// exit code other than 0 is a failure, unless the report holds results that were left out and the code is 1.
pub fn judge_report(exit: Option<i32>, summary: &Summary) -> Judgement {
    let failed = |reason: String| Judgement::Failed { reason };
    if let Some(run) = summary.runs.iter().find(|run| !run.failures.is_empty()) {
        return failed(format!("{}: {}", run.tool, run.failures.join("\n")));
    }
    let count: u64 = summary.runs.iter().map(|run| run.findings).sum();
    let left_out: u64 = summary
        .runs
        .iter()
        .map(|run| run.suppressed + run.unchanged + run.not_failing)
        .sum();
    match exit {
        _ if summary.runs.is_empty() => failed("the report has no run".to_owned()),
        // Shells say 126 and 127 for a command that did not start, 128 + n for one that signal n ended.
        Some(code) if !(0..126).contains(&code) => failed(format!(
            "the tool ended with exit code {code}, which is not its own"
        )),
        _ if count > 0 => Judgement::Findings { count, files: None },
        None | Some(0) => Judgement::Clean { files: None },
        Some(1) if left_out > 0 => Judgement::Clean { files: None },
        Some(code) => failed(format!("exit code {code} with an empty report")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_report_is_clean_only_with_exit_code_0() {
        let summary = Summary {
            runs: vec![RunSummary::default()],
        };
        let clean = Judgement::Clean { files: None };
        assert_eq!(judge_report(None, &summary), clean);
        assert_eq!(judge_report(Some(0), &summary), clean);
        for code in [1, 2, 14, 101, 127, 137, -1] {
            assert!(
                matches!(judge_report(Some(code), &summary), Judgement::Failed { .. }),
                "{code}"
            );
        }
        assert!(matches!(
            judge_report(Some(0), &Summary::default()),
            Judgement::Failed { .. }
        ));
    }

    #[test]
    fn findings_count_whatever_the_exit_code() {
        let run = RunSummary {
            findings: 3,
            ..RunSummary::default()
        };
        let summary = Summary {
            runs: vec![run.clone()],
        };
        let findings = Judgement::Findings {
            count: 3,
            files: None,
        };
        for exit in [None, Some(0), Some(1), Some(14)] {
            assert_eq!(judge_report(exit, &summary), findings);
        }
        assert!(matches!(
            judge_report(Some(137), &summary),
            Judgement::Failed { .. }
        ));
        let failing = Summary {
            runs: vec![
                run,
                RunSummary {
                    failures: vec!["x".to_owned()],
                    ..RunSummary::default()
                },
            ],
        };
        assert!(matches!(
            judge_report(Some(1), &failing),
            Judgement::Failed { .. }
        ));
    }

    #[test]
    fn suppressed_results_explain_exit_code_1() {
        let run = RunSummary {
            suppressed: 1,
            ..RunSummary::default()
        };
        let summary = Summary { runs: vec![run] };
        assert_eq!(
            judge_report(Some(1), &summary),
            Judgement::Clean { files: None }
        );
        assert!(matches!(
            judge_report(Some(2), &summary),
            Judgement::Failed { .. }
        ));
    }
}
