//! How the log of a stage stands among the lines of a workflow: folded with a title that says it all, or open where it
//! failed.

use crate::model::duration;
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};
use crate::model::untrusted;
use crate::report::pipeline::words;

/// So many names are told of stages that did not run.
const SHOWN: usize = 10;

/// The head of a stage's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// `test (12.3 s) passed`; one line, harmless.
    pub title: String,
    /// Whether the log is folded away. Nobody should have to unfold a failure.
    pub is_folded: bool,
}

/// The head of the log of a stage that ended; `None` where it has none, since it did not run.
pub fn of(stage: &StageRecord) -> Option<Group> {
    let is_restored =
        stage.outcome == Outcome::Skipped(SkipReason::Unchanged) && stage.log.is_some();
    if stage.began.is_none() && !is_restored {
        return None;
    }
    let text = format!(
        "{} ({}) {}",
        stage.name,
        duration::show(stage.duration),
        words::outcome(stage)
    );
    Some(Group {
        title: untrusted::line(&text).into_owned(),
        is_folded: !stage.outcome.is_problem(),
    })
}

/// One line that counts the stages that did not run, which have no log; empty where there are none.
pub fn not_run(record: &RunRecord) -> String {
    let names: Vec<&str> = record
        .stages
        .iter()
        .filter(|stage| of(stage).is_none())
        .map(|stage| &*stage.name)
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let shown = names
        .get(..SHOWN.min(names.len()))
        .unwrap_or_default()
        .join(", ");
    let more = match names.len().checked_sub(SHOWN) {
        Some(rest @ 1..) => format!(" and {rest} more"),
        _ => String::new(),
    };
    untrusted::line(&format!("did not run: {shown}{more}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pipeline::tests::{everything, run, skipped, stage};

    #[test]
    fn failures_are_open_and_the_rest_is_folded() {
        let record = everything();
        let titles: Vec<_> = record.stages.iter().filter_map(of).collect();
        let titles: Vec<_> = titles
            .iter()
            .map(|group| (&*group.title, group.is_folded))
            .collect();
        assert_eq!(
            titles,
            [
                ("build (1.5 s) passed", true),
                ("test (3.12) (4.0 s) passed on attempt 2 (flaky)", true),
                ("lint (500 ms) failed: exit code 1", false),
                ("server (4.5 s) passed", true),
                ("slow (1.0 s) timed out (allowed): longer than 1.0 s", false),
                ("smoke (200 ms) passed", true),
            ]
        );
        assert_eq!(not_run(&record), "did not run: docs, deploy");
        assert_eq!(not_run(&run(vec![stage("a", &[], 0, 1)])), "");
    }

    #[test]
    fn a_restored_log_is_shown_and_a_hostile_name_is_no_command() {
        let mut restored = skipped("::error::x\n##[y]", &[], SkipReason::Unchanged);
        restored.log = Some("x.log".into());
        let group = of(&restored).unwrap();
        assert!(
            group.is_folded && group.title.ends_with(" unchanged"),
            "{group:?}"
        );
        assert!(!group.title.trim_start().starts_with("::") && !group.title.contains("##["));
        let many = run((0..12)
            .map(|at| skipped(&format!("s{at}"), &[], SkipReason::NotReached))
            .collect());
        assert!(
            not_run(&many).ends_with("s9 and 2 more"),
            "{}",
            not_run(&many)
        );
    }
}
