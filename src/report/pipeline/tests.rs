//! Runs for the tests of renderers.

use std::time::{Duration, UNIX_EPOCH};

use crate::model::pipeline::manifest::Source;
use crate::model::pipeline::{
    Artifact, Attempt, Outcome, RunRecord, SkipReason, StageRecord, Survivor,
};

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A stage that ran, by milliseconds, and passed.
pub(crate) fn stage(name: &str, needs: &[usize], began: u64, duration: u64) -> StageRecord {
    StageRecord {
        name: name.into(),
        needs: needs.to_vec(),
        outcome: Outcome::Passed,
        source: Source::Run,
        allow_failure: false,
        is_service: false,
        cpu: 1,
        ready: None,
        began: Some(ms(began)),
        duration: ms(duration),
        attempts: vec![attempt(began, duration, true)],
        artifacts: Vec::new(),
        survivors: Vec::new(),
        log: None,
        tail: String::new(),
        report: None,
    }
}

/// A stage that did not run.
pub(crate) fn skipped(name: &str, needs: &[usize], reason: SkipReason) -> StageRecord {
    StageRecord {
        outcome: Outcome::Skipped(reason),
        began: None,
        duration: Duration::ZERO,
        attempts: Vec::new(),
        ..stage(name, needs, 0, 0)
    }
}

pub(crate) fn attempt(began: u64, duration: u64, passed: bool) -> Attempt {
    Attempt {
        began: ms(began),
        duration: ms(duration),
        ending: if passed { "exit code 0" } else { "exit code 1" }.into(),
        passed,
        tail: if passed { "" } else { "AssertionError: 1 != 2" }.into(),
    }
}

/// A run of these stages on two cores, as long as the last of them; it began on 2026-11-23.
pub(crate) fn run(stages: Vec<StageRecord>) -> RunRecord {
    let end = stages.iter().filter_map(StageRecord::end).max();
    RunRecord {
        name: "shop".into(),
        run_id: "42.1.build".into(),
        url: Some("https://github.example/o/r/actions/runs/42".into()),
        started: UNIX_EPOCH + Duration::from_millis(1_795_406_400_250),
        duration: end.unwrap_or_default(),
        jobs: 2,
        stopped_by: None,
        loosened: Vec::new(),
        planned: stages.iter().map(|stage| stage.name.clone()).collect(),
        stages,
    }
}

/// A run that has everything that a run can have.
pub(crate) fn everything() -> RunRecord {
    let mut build = stage("build", &[], 0, 1_500);
    build.artifacts = vec![Artifact {
        output: "wheel".into(),
        path: "dist/shop-1.0-py3-none-any.whl".into(),
        size: 12_300,
        digest: [0xab; 32],
        source: Source::Run,
    }];
    let mut flaky = stage("test (3.12)", &[0], 1_500, 4_000);
    flaky.attempts = vec![attempt(1_500, 2_500, false), attempt(4_100, 1_400, true)];
    let mut failed = stage("lint", &[0], 2_500, 500);
    failed.outcome = Outcome::Failed("exit code 1".into());
    failed.attempts = vec![attempt(2_500, 500, false)];
    failed.tail = "src/a.py:1: unused import\n```\n</details>\n".into();
    failed.log = Some(".lockgate/logs/lint.log".into());
    failed.survivors = vec![Survivor {
        pid: 4_242,
        command: "python -m http.server".into(),
        ended_by: "SIGKILL".into(),
    }];
    let mut server = stage("server", &[0], 1_500, 4_500);
    server.is_service = true;
    server.ready = Some(ms(2_000));
    let mut slow = stage("slow", &[], 0, 1_000);
    slow.outcome = Outcome::TimedOut(ms(1_000));
    slow.allow_failure = true;
    slow.attempts = vec![attempt(0, 1_000, false)];
    let unchanged = skipped("docs", &[], SkipReason::Unchanged);
    let mut smoke = stage("smoke", &[1, 3], 5_800, 200);
    smoke.attempts = vec![attempt(5_800, 200, true)];
    let deploy = skipped("deploy", &[2, 6], SkipReason::Need("lint".into()));
    let mut record = run(vec![
        build, flaky, failed, server, slow, unchanged, smoke, deploy,
    ]);
    record.planned.push("forgotten".into());
    record
}
