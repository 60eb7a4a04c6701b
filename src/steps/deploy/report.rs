//! What is told of a deployment.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::deploy::Change;
use crate::model::deployment::{Stand, State};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Report, Table, Verdict};
use crate::steps::deploy::engine::{Ended, Session, shown, stand};
use crate::steps::deploy::gates::Gate;
use crate::steps::deploy::progress::verb;
use crate::steps::deploy::record::Recorder;
use crate::steps::deploy::{NAME, policy};

/// Changes that are told one by one.
const MOST: usize = 200;

/// How long it may take to see who has the lock, and what stands: nobody waits for that alone.
const LOOK: Duration = Duration::from_secs(5);

/// A report of one line.
pub fn empty(headline: impl Into<String>, verdict: Verdict) -> Report {
    Report {
        step: NAME,
        verdict,
        headline: Some(headline.into()),
        is_report_only: false,
        fail_on: None,
        findings: Vec::new(),
        checks: Vec::new(),
        left_out: Vec::new(),
        facts: Vec::new(),
        tables: Vec::new(),
        max_annotations: 10,
        outputs: BTreeMap::new(),
        duration: Duration::ZERO,
    }
}

/// The report of a deployment that has ended.
pub fn ended(session: &Session<'_>) -> Ended {
    let state = session.state().unwrap_or(State::Failure);
    let release = shown(&session.release);
    let name = &session.environment.name;
    let is_rollback = session.journaled().is_some_and(|own| own.is_rollback());
    let headline = match state {
        State::Success if is_rollback => format!("went back to {release} at `{name}`"),
        State::Success => format!("deployed {release} to `{name}`"),
        State::Refused => {
            format!("{release} was not deployed to `{name}`, and nothing was touched")
        }
        State::RolledBack => {
            format!("{release} was not well at `{name}`, and what stood before stands again")
        }
        State::RollbackFailed => format!("nobody knows what stands at `{name}`"),
        State::Cancelled => format!("deploying {release} to `{name}` was stopped"),
        _ if !session.journaled().is_some_and(|own| own.has_effects) => {
            format!("{release} was not deployed to `{name}`, and nothing was touched")
        }
        _ => format!("{release} does not stand well at `{name}`"),
    };
    let signal = session
        .problems
        .iter()
        .find_map(|problem| match problem.kind {
            Kind::Interrupted(signal) => Some(signal),
            _ => None,
        });
    let mut report = empty(headline, session.verdict());
    fill(&mut report, session, Some(state));
    if let Some(recorded) = session.journaled() {
        let rows = recorded.timeline.iter();
        let rows = rows.map(|(state, time)| vec![time.clone(), state.name().to_owned()]);
        report.tables.push(Table {
            title: "timeline".to_owned(),
            header: vec!["when", "state"],
            rows: rows.collect(),
        });
    }
    Ended {
        report,
        stopped_by: signal,
    }
}

/// The report of a plan.
pub fn planned(session: &Session<'_>, verdict: Verdict) -> Report {
    let release = shown(&session.release);
    let name = &session.environment.name;
    let place = session.target.describe();
    let headline = match verdict {
        Verdict::Pass => format!("would deploy {release} to `{name}`, {place}"),
        _ => format!("would not deploy {release} to `{name}`, {place}"),
    };
    let mut report = empty(headline, verdict);
    fill(&mut report, session, None);
    report
}

fn fill(report: &mut Report, session: &Session<'_>, state: Option<State>) {
    report.checks = session.gates.iter().map(Gate::check).collect();
    report.findings = session.problems.iter().map(finding).collect();
    report.findings.extend(not_recorded(&session.recorder));
    report
        .findings
        .extend(session.loosened.iter().map(policy::notice));
    let release = &session.release;
    let previous = session.previous.as_ref();
    let previous = previous.and_then(|stand| stand.reference.clone());
    let record = session.journaled().and_then(|own| own.facts.record);
    let id = record.map_or_else(|| session.id.clone(), |record| record.to_string());
    let values = [
        ("deployment-id", state.map(|_| id)),
        ("state", state.map(|state| state.name().to_owned())),
        ("url", session.url.clone()),
        ("version", release.version.clone()),
        ("digest", release.digest.clone()),
        ("previous", previous),
    ];
    for (name, value) in values {
        if let Some(value) = &value {
            report.facts.push((name.to_owned(), value.clone()));
        }
        report
            .outputs
            .insert(name.to_owned(), value.unwrap_or_default());
    }
    report
        .facts
        .insert(0, ("target".to_owned(), session.target.describe()));
    if !session.changes.is_empty() {
        report.tables.push(changes(&session.changes));
    }
}

/// That nothing is recorded on GitHub, where it would be.
pub fn not_recorded(recorder: &Recorder) -> Option<Finding> {
    let why = recorder.warning()?;
    let message = format!("the deployment is not recorded on GitHub: {why}");
    let hint = "give the job `permissions: deployments: write`; the journal has it all the same";
    Some(Finding {
        help: Some(hint.into()),
        ..Finding::new(NAME, "not-recorded", Severity::Warning, message)
    })
}

/// What stands by what the target itself says, where it can without a command of the project's; or why that cannot be told.
pub async fn standing(session: &Session<'_>) -> std::result::Result<Option<Stand>, Finding> {
    if !session.target.tells_by_itself() {
        return Ok(None);
    }
    let access = session.access();
    let asking = session.target.current(&access);
    let why = match tokio::time::timeout(LOOK, asking).await {
        Ok(Ok(now)) => return Ok(now.map(stand)),
        Ok(Err(error)) => error.message,
        Err(_) => "it gives no answer".to_owned(),
    };
    let said = format!("what the target has cannot be told: {why}");
    Err(Finding::new(NAME, "not-told", Severity::Note, said))
}

/// Who has the environment now, if anybody; or why that cannot be told.
pub async fn locked(session: &Session<'_>) -> Option<Finding> {
    let (access, place) = (session.access(), session.lock_place());
    let unknown = |why: &str| format!("whether the environment is locked cannot be told: {why}");
    let said = match tokio::time::timeout(LOOK, place.holder(&access)).await {
        Ok(Ok(None)) => return None,
        Ok(Ok(Some(holder))) => format!("the environment is locked: {}", holder.shown()),
        Ok(Err(error)) => unknown(&error.message),
        Err(_) => unknown("where it would stand gives no answer"),
    };
    Some(Finding::new(NAME, "locked", Severity::Note, said))
}

fn changes(changes: &[Change]) -> Table {
    let rows = changes.iter().take(MOST).map(|change| {
        vec![
            verb(change.kind).to_owned(),
            change.what.clone(),
            change.detail.clone(),
        ]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    if let Some(more @ 1..) = changes.len().checked_sub(MOST) {
        rows.push(vec![
            String::new(),
            format!("and {more} more"),
            String::new(),
        ]);
    }
    Table {
        title: "changes".to_owned(),
        header: vec!["what happens", "to what", "how"],
        rows,
    }
}

/// What went wrong, with all its reasons.
pub fn finding(problem: &Error) -> Finding {
    let mut message = problem.message.clone();
    for cause in &problem.causes {
        message.push_str("\n- ");
        message.push_str(cause);
    }
    let rule = match problem.kind {
        Kind::Usage => "usage",
        Kind::Refused => "refused",
        Kind::NoVerdict => "no-verdict",
        Kind::Interrupted(_) => "stopped",
        Kind::Bug => "bug",
    };
    Finding {
        help: problem.hint.clone().map(Into::into),
        ..Finding::new(NAME, rule, Severity::Error, message)
    }
}
