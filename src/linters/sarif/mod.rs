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
//! - The place of a result is its first physical one; without any it is the file that was analysed (`analysisTarget`).
//! - A level that neither result nor rule states may be overridden by the result's invocation, or by the only one.
//! - Results in other files (`externalPropertyFileReferences`, `inlineExternalProperties`) are not read: a failure.
//! - A run without `results`, or with `null`, was not finished: a failure.
//! - A byte order mark is no character of `charOffset`, but its bytes count in `byteOffset`.
//! - The first fix that edits nothing but the file of its result is the result's. The standard has no word for how far
//!   it can be trusted, so that it may change what the program does.
//! - Fingerprints of the report (`partialFingerprints`, `fingerprints`) are not used: ours are the same for every source.
//! - Texts longer than 64 KiB are cut.
//! - ruff's `E902` is a file that it could not read: a failure. Its lines in notebooks are lines of no file.

use std::io::{BufRead, Seek};

use crate::linters::contract::Judgement;
use crate::linters::json_stream::Fault;
use crate::linters::reported;
use crate::model::diagnostic::RawFinding;

mod fixes;
mod results;
mod rules;
mod shapes;
mod skim;
mod uri;

pub use crate::linters::json_stream::{Error, ErrorKind, Limits};

/// The name in errors.
const FORMAT: &str = "SARIF";

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
) -> Result<Summary, Fault> {
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
/// See [`reported::judge`]: results that are suppressed, known or no problems explain exit code 1.
pub fn judge_report(exit: Option<i32>, summary: &Summary) -> Judgement {
    if summary.runs.is_empty() {
        return Judgement::Failed {
            reason: "the report has no run".to_owned(),
        };
    }
    let total = |count: fn(&RunSummary) -> u64| summary.runs.iter().map(count).sum();
    let failures = summary
        .runs
        .iter()
        .find(|run| !run.failures.is_empty())
        .map(|run| format!("{}: {}", run.tool, run.failures.join("\n")));
    reported::judge(
        exit,
        total(|run| run.findings),
        total(|run| run.suppressed + run.unchanged + run.not_failing),
        failures,
    )
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
