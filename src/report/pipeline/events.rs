//! The log of a run for programs: one JSON object a line, `docs/schemas/pipeline-events.schema.json`.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::model::digest::hex;
use crate::model::pipeline::{Artifact, Attempt, Outcome, RunRecord, StageRecord, Survivor, Trace};
use crate::report::pipeline::moment::{milliseconds, rfc3339};
use crate::report::pipeline::verdict::judge;

/// What happened. Texts have no secret in them any more: what JSON escapes is no longer what a masker knows.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// The run began.
    RunStarted {
        /// What the pipeline is called.
        name: &'e str,
        /// Of this run alone.
        run_id: &'e str,
        /// How many cores the stages share.
        jobs: u32,
        /// How many stages were planned.
        stages: usize,
    },
    /// A stage began.
    StageStarted {
        /// Its name.
        stage: &'e str,
    },
    /// One of its attempts ended.
    AttemptEnded {
        /// Its name.
        stage: &'e str,
        /// Which one; the first is 1.
        number: usize,
        /// How.
        attempt: &'e Attempt,
    },
    /// It will be tried again.
    StageRetry {
        /// Its name.
        stage: &'e str,
        /// Which attempt comes next; the first is 1.
        number: usize,
        /// After how long.
        pause: Duration,
    },
    /// What it made was verified.
    Artifact {
        /// Its name.
        stage: &'e str,
        /// What it made.
        artifact: &'e Artifact,
    },
    /// A process outlived it.
    Survivor {
        /// Its name.
        stage: &'e str,
        /// The process.
        survivor: &'e Survivor,
    },
    /// It ended, or will not run.
    StageEnded(&'e StageRecord),
    /// The run ended.
    RunEnded(&'e RunRecord),
}

/// One line of the log.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(title = "Event of a pipeline's run")
)]
struct Line<'e> {
    /// RFC 3339 with milliseconds, UTC.
    time: String,
    #[serde(flatten)]
    what: What<'e>,
    /// 32 hexadecimal digits.
    trace_id: String,
    /// 16 hexadecimal digits: the span of the run, the stage or the attempt.
    span_id: String,
}

#[derive(Serialize)]
#[serde(
    tag = "event",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum What<'e> {
    RunStarted {
        name: &'e str,
        run_id: &'e str,
        jobs: u32,
        stages: usize,
    },
    StageStarted {
        stage: &'e str,
    },
    AttemptEnded {
        stage: &'e str,
        attempt: usize,
        passed: bool,
        ending: &'e str,
        duration_ms: u64,
    },
    StageRetry {
        stage: &'e str,
        attempt: usize,
        pause_ms: u64,
    },
    Artifact {
        stage: &'e str,
        output: &'e str,
        path: &'e str,
        size: u64,
        sha256: String,
    },
    Survivor {
        stage: &'e str,
        pid: u32,
        command: &'e str,
        ended_by: &'e str,
    },
    StageEnded {
        stage: &'e str,
        /// `passed`, `skipped`, `failed`, `timed-out`, `no-verdict` or `cancelled`.
        outcome: &'static str,
        /// Of a skipped stage.
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<&'static str>,
        /// Of an unchanged stage: `local` or `shared`.
        #[serde(skip_serializing_if = "Option::is_none")]
        restored_from: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        attempts: usize,
        flaky: bool,
        duration_ms: u64,
    },
    RunEnded {
        name: &'e str,
        run_id: &'e str,
        /// `pass`, `fail` or `no-verdict`.
        verdict: &'static str,
        exit_code: u8,
        duration_ms: u64,
    },
}

/// The event as one line, with its line break.
pub fn line(event: Event<'_>, time: SystemTime, trace: &Trace) -> String {
    let (what, span) = match event {
        Event::RunStarted {
            name,
            run_id,
            jobs,
            stages,
        } => (
            What::RunStarted {
                name,
                run_id,
                jobs,
                stages,
            },
            trace.run(),
        ),
        Event::StageStarted { stage } => (What::StageStarted { stage }, trace.stage(stage)),
        Event::AttemptEnded {
            stage,
            number,
            attempt,
        } => {
            let what = What::AttemptEnded {
                stage,
                attempt: number,
                passed: attempt.passed,
                ending: &attempt.ending,
                duration_ms: milliseconds(attempt.duration),
            };
            (what, trace.attempt(stage, number))
        }
        Event::StageRetry {
            stage,
            number,
            pause,
        } => {
            let what = What::StageRetry {
                stage,
                attempt: number,
                pause_ms: milliseconds(pause),
            };
            (what, trace.stage(stage))
        }
        Event::Artifact { stage, artifact } => {
            let what = What::Artifact {
                stage,
                output: &artifact.output,
                path: &artifact.path,
                size: artifact.size,
                sha256: hex(&artifact.digest),
            };
            (what, trace.stage(stage))
        }
        Event::Survivor { stage, survivor } => {
            let what = What::Survivor {
                stage,
                pid: survivor.pid,
                command: &survivor.command,
                ended_by: &survivor.ended_by,
            };
            (what, trace.stage(stage))
        }
        Event::StageEnded(stage) => (stage_ended(stage), trace.stage(&stage.name)),
        Event::RunEnded(record) => (run_ended(record), trace.run()),
    };
    let line = Line {
        time: rfc3339(time, Duration::ZERO),
        what,
        trace_id: trace.id.to_string(),
        span_id: span.to_string(),
    };
    // Texts and numbers are never refused.
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}

fn stage_ended(stage: &StageRecord) -> What<'_> {
    What::StageEnded {
        stage: &stage.name,
        outcome: stage.outcome.name(),
        skipped: match &stage.outcome {
            Outcome::Skipped(reason) => Some(reason.name()),
            _ => None,
        },
        restored_from: stage.restored_from(),
        reason: stage.outcome.reason().map(std::borrow::Cow::into_owned),
        attempts: stage.attempts.len(),
        flaky: stage.is_flaky(),
        duration_ms: milliseconds(stage.duration),
    }
}

fn run_ended(record: &RunRecord) -> What<'_> {
    let (verdict, exit_code) = judge(record);
    What::RunEnded {
        name: &record.name,
        run_id: &record.run_id,
        verdict: verdict.name(),
        exit_code,
        duration_ms: milliseconds(record.duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pipeline::TraceId;
    use crate::report::json::tests::published;
    use crate::report::pipeline::tests::{everything, ms};

    #[test]
    fn the_published_schema_is_that_of_the_code() {
        published("pipeline-events", &schemars::schema_for!(Line<'static>));
    }

    #[test]
    fn every_event_is_one_line_that_fits_its_schema() {
        let schema = serde_json::to_value(schemars::schema_for!(Line<'static>)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut record = everything();
        record.stages[2].survivors[0].command = "a\nb\u{2028}\"".into();
        let trace = Trace::new(TraceId::of(&["x"]), "42.1.build");
        let (build, flaky, lint) = (&record.stages[0], &record.stages[1], &record.stages[2]);
        let events = [
            Event::RunStarted {
                name: "shop",
                run_id: "42.1.build",
                jobs: 2,
                stages: 8,
            },
            Event::StageStarted { stage: "build" },
            Event::Artifact {
                stage: "build",
                artifact: &build.artifacts[0],
            },
            Event::AttemptEnded {
                stage: "test (3.12)",
                number: 1,
                attempt: &flaky.attempts[0],
            },
            Event::StageRetry {
                stage: "test (3.12)",
                number: 2,
                pause: ms(100),
            },
            Event::StageEnded(flaky),
            Event::StageEnded(&record.stages[5]),
            Event::Survivor {
                stage: "lint",
                survivor: &lint.survivors[0],
            },
            Event::StageEnded(lint),
            Event::RunEnded(&record),
        ];
        let mut names = Vec::new();
        for event in events {
            let text = line(event, record.started, &trace);
            assert_eq!(text.matches('\n').count(), 1, "{text}");
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(validator.is_valid(&document), "{document:#}");
            assert_eq!(document["trace-id"], trace.id.to_string());
            names.push(document["event"].as_str().unwrap().to_owned());
        }
        assert_eq!(
            names,
            [
                "run-started",
                "stage-started",
                "artifact",
                "attempt-ended",
                "stage-retry",
                "stage-ended",
                "stage-ended",
                "survivor",
                "stage-ended",
                "run-ended"
            ]
        );
        assert_eq!(
            line(Event::StageEnded(lint), record.started, &trace),
            format!(
                "{{\"time\":\"2026-11-23T04:00:00.250Z\",\"event\":\"stage-ended\",\"stage\":\"lint\",\"outcome\":\"failed\",\"reason\":\"exit code 1\",\"attempts\":1,\"flaky\":false,\"duration-ms\":500,\"trace-id\":\"{}\",\"span-id\":\"{}\"}}\n",
                trace.id,
                trace.stage("lint")
            )
        );
    }
}
