//! What of a run deserves a look, as findings: for annotations, SARIF and the part that all JSON reports share.

use crate::error::NO_VERDICT_PAGE;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};
use crate::report::pipeline::verdict::missing;
use crate::report::pipeline::words;

/// The tool of them all.
const TOOL: &str = "pipeline";

/// Errors first, each in the order of the file: stages that did not pass, then flaky ones, then processes that outlived
/// theirs. What was cut short because of another stage is none: that one is.
pub fn of(record: &RunRecord) -> Vec<Finding> {
    let mut found: Vec<Finding> = missing(record)
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
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
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
