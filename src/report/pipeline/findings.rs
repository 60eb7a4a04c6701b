//! What of a run deserves a look, as findings: for annotations, SARIF and the part that all JSON reports share.

use std::collections::BTreeMap;

use crate::error::NO_VERDICT_PAGE;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};
use crate::model::report::Report;
use crate::report::pipeline::verdict::judge;
use crate::report::pipeline::words;

/// The tool of them all, and the step.
const TOOL: &str = "pipeline";

/// The run as the report of a step: for annotations and SARIF, of which at most `max_annotations` of each level.
pub fn report(record: &RunRecord, max_annotations: usize) -> Report {
    Report {
        step: TOOL,
        verdict: judge(record).0,
        headline: Some(words::counts(record)),
        is_report_only: false,
        fail_on: Some(Severity::Error),
        findings: of(record),
        checks: Vec::new(),
        left_out: Vec::new(),
        facts: Vec::new(),
        tables: Vec::new(),
        max_annotations,
        outputs: BTreeMap::new(),
        duration: record.duration,
    }
}

/// Errors first, each in the order of the file: stages that did not pass, then flaky ones, then processes that outlived
/// theirs, then what a proposal has made looser. What was cut short because of another stage is none: that one is.
pub fn of(record: &RunRecord) -> Vec<Finding> {
    let mut found: Vec<Finding> = record
        .missing()
        .map(|name| {
            let message = format!("`{name}` was planned, and nothing is known of it");
            Finding {
                url: Some(NO_VERDICT_PAGE.into()),
                ..Finding::new(TOOL, "missing", Severity::Error, message)
            }
        })
        .collect();
    found.extend(record.stages.iter().filter_map(problem));
    found.extend(
        record
            .stages
            .iter()
            .filter(|stage| stage.is_flaky())
            .map(|stage| {
                let message = format!("`{}` {}", stage.name, words::ending(stage));
                Finding::new(TOOL, "flaky", Severity::Warning, message)
            }),
    );
    for stage in &record.stages {
        found.extend(stage.survivors.iter().map(|survivor| {
            let message = format!(
                "`{}` left process {} (`{}`) behind: {}",
                stage.name, survivor.pid, survivor.command, survivor.ended_by
            );
            Finding::new(TOOL, "survivor", Severity::Warning, message)
        }));
    }
    found.extend(policy(record));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// What a proposal has made looser, as one finding.
fn policy(record: &RunRecord) -> Option<Finding> {
    let help = "see docs/pipeline.md, what a proposal may change";
    words::loosened(record).map(|message| Finding {
        help: Some(help.into()),
        ..Finding::new(TOOL, "policy-changed", Severity::Warning, message)
    })
}

fn problem(stage: &StageRecord) -> Option<Finding> {
    let is_cut_short = matches!(
        stage.outcome,
        Outcome::Cancelled(_) | Outcome::Skipped(SkipReason::NotReached)
    );
    if is_cut_short || !stage.outcome.is_problem() {
        return None;
    }
    let severity = if stage.allow_failure {
        Severity::Warning
    } else {
        Severity::Error
    };
    let message = format!("`{}` {}", stage.name, words::outcome(stage));
    Some(Finding {
        help: stage
            .log
            .as_ref()
            .map(|log| format!("the whole log: {log}").into()),
        ..Finding::new(TOOL, stage.outcome.name(), severity, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::annotations;
    use crate::report::pipeline::tests::{everything, run, stage};

    #[test]
    fn what_failed_is_an_error_and_what_may_fail_a_warning() {
        let found = report(&everything(), 10);
        let shown: Vec<String> = found
            .findings
            .iter()
            .map(|finding| format!("{}: {}", finding.severity.name(), finding.message))
            .collect();
        assert_eq!(
            shown,
            [
                "error: `forgotten` was planned, and nothing is known of it",
                "error: `lint` failed: exit code 1",
                "warning: `slow` timed out (allowed): longer than 1.0 s",
                "warning: `test (3.12)` passed on attempt 2 (flaky)",
                "warning: `lint` left process 4242 (`python -m http.server`) behind: SIGKILL",
            ]
        );
        let (annotations, without) = annotations::annotations(&found, "2027-01-01");
        assert_eq!((annotations.len(), without), (5, 0));
    }

    #[test]
    fn what_a_proposal_loosens_is_one_warning_with_the_list() {
        let mut record = run(vec![stage("a", &[], 0, 1)]);
        record.loosened = (0..30).map(|at| format!("`s{at}` is gone")).collect();
        let found = of(&record);
        let [finding] = &*found else {
            panic!("{found:?}")
        };
        assert_eq!(
            (finding.rule.as_deref(), finding.severity),
            (Some("policy-changed"), Severity::Warning)
        );
        assert!(
            finding.message.contains("`s0` is gone; `s1` is gone"),
            "{}",
            finding.message
        );
        assert!(
            finding.message.ends_with("; and 10 more"),
            "{}",
            finding.message
        );
        let summary = crate::report::pipeline::summary::render(&record, 1 << 20);
        assert!(
            summary.contains("s0") && summary.contains("policy-changed"),
            "{summary}"
        );
    }

    #[test]
    fn what_another_stage_stopped_is_no_finding() {
        let mut record = run(vec![stage("a", &[], 0, 1)]);
        record.stages[0].outcome = Outcome::Cancelled("`b` failed".into());
        assert!(of(&record).is_empty());
    }
}
