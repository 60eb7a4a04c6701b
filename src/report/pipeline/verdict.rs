//! What a run says: yes, no, or nothing.

use crate::error::exit;
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};
use crate::model::report::Verdict;

/// The verdict and the exit code of a run.
///
/// A stage that could not tell, or of which nothing is known though it was planned, makes 3; a stage that failed or
/// took too long makes 1; a run that was stopped ends with 128 and its signal. Stages whose failure is allowed count for
/// nothing. A run that was cut short for no reason that one can see, and a run without a stage, are never green.
pub fn judge(record: &RunRecord) -> (Verdict, u8) {
    let counting = || record.stages.iter().filter(|stage| !stage.allow_failure);
    let has = |of: fn(&StageRecord) -> bool| counting().any(of);
    let fails =
        |stage: &StageRecord| matches!(stage.outcome, Outcome::Failed(_) | Outcome::TimedOut(_));
    let is_blind = has(|stage| matches!(stage.outcome, Outcome::NoVerdict(_)));
    if is_blind || record.stages.is_empty() || record.missing().next().is_some() {
        (Verdict::NoVerdict, exit::NO_VERDICT)
    } else if has(fails) {
        (Verdict::Fail, exit::FAIL)
    } else if let Some(signal) = record.stopped_by {
        (Verdict::NoVerdict, 128_u8.saturating_add(signal))
    } else if has(is_cut_short) {
        (Verdict::NoVerdict, exit::NO_VERDICT)
    } else {
        (Verdict::Pass, exit::PASS)
    }
}

/// Whether it would have run, had the run not ended.
fn is_cut_short(stage: &StageRecord) -> bool {
    matches!(
        stage.outcome,
        Outcome::Cancelled(_) | Outcome::Skipped(SkipReason::NotReached)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pipeline::tests::{run, stage};
    use std::time::Duration;

    fn of(outcomes: &[(Outcome, bool)], signal: Option<u8>) -> (Verdict, u8) {
        let stages = outcomes.iter().enumerate().map(|(at, (outcome, allowed))| {
            let mut stage = stage(&format!("s{at}"), &[], 0, 10);
            stage.outcome = outcome.clone();
            stage.allow_failure = *allowed;
            stage
        });
        let mut record = run(stages.collect());
        record.stopped_by = signal;
        judge(&record)
    }

    #[test]
    fn the_gravest_stage_decides() {
        let passed = (Outcome::Passed, false);
        let failed = (Outcome::Failed("exit code 1".into()), false);
        let slow = (Outcome::TimedOut(Duration::from_secs(1)), false);
        let blind = (Outcome::NoVerdict("it crashed".into()), false);
        let cancelled = (Outcome::Cancelled("stopped".into()), false);
        let unreached = (Outcome::Skipped(SkipReason::NotReached), false);
        let skipped = (Outcome::Skipped(SkipReason::Unchanged), false);
        let all = |stages: &[&(Outcome, bool)], signal| {
            let stages: Vec<_> = stages.iter().map(|stage| (*stage).clone()).collect();
            of(&stages, signal)
        };
        assert_eq!(all(&[&passed, &skipped], None), (Verdict::Pass, 0));
        assert_eq!(
            all(&[&passed, &failed, &unreached], None),
            (Verdict::Fail, 1)
        );
        assert_eq!(all(&[&slow, &cancelled], None), (Verdict::Fail, 1));
        assert_eq!(all(&[&failed, &blind], None), (Verdict::NoVerdict, 3));
        assert_eq!(
            all(&[&passed, &cancelled], Some(15)),
            (Verdict::NoVerdict, 143)
        );
        assert_eq!(all(&[&passed], Some(2)), (Verdict::NoVerdict, 130));
        assert_eq!(all(&[&blind], Some(2)), (Verdict::NoVerdict, 3));
        assert_eq!(all(&[&passed, &cancelled], None), (Verdict::NoVerdict, 3));
        assert_eq!(all(&[&passed, &unreached], None), (Verdict::NoVerdict, 3));
        assert_eq!(all(&[], None), (Verdict::NoVerdict, 3));
    }

    #[test]
    fn an_allowed_failure_counts_for_nothing() {
        let allowed = |outcome| (outcome, true);
        let outcomes = [
            (Outcome::Passed, false),
            allowed(Outcome::Failed("exit code 1".into())),
            allowed(Outcome::NoVerdict("it crashed".into())),
            allowed(Outcome::TimedOut(Duration::ZERO)),
        ];
        assert_eq!(of(&outcomes, None), (Verdict::Pass, 0));
    }

    #[test]
    fn a_planned_stage_of_which_nothing_is_known_is_never_green() {
        let mut record = run(vec![stage("build", &[], 0, 10)]);
        assert_eq!(judge(&record), (Verdict::Pass, 0));
        record.planned.push("test".into());
        assert_eq!(judge(&record), (Verdict::NoVerdict, 3));
        assert_eq!(record.missing().collect::<Vec<_>>(), ["test"]);
    }
}
