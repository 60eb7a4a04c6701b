//! The spans of a run: the run, its stages, their attempts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::model::digest::hex;
use crate::model::pipeline::{Attempt, Outcome, RunRecord, SpanId, StageRecord, Trace};
use crate::system::telemetry::attributes::{Attributes, nanoseconds};
use crate::system::telemetry::resource::{SCHEMA, scope};

/// So many spans are sent at a time: collectors refuse what has more than a few megabytes.
const BATCH: usize = 2_000;

/// `SPAN_KIND_INTERNAL` and `SPAN_KIND_SERVER` of OTLP.
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;

/// `STATUS_CODE_ERROR` of OTLP.
const ERROR: u8 = 2;

/// One document for each batch of spans; the run's own span is in the first.
pub(super) fn documents(record: &RunRecord, trace: &Trace, resource: &Value) -> Vec<Value> {
    let maker = Maker { record, trace };
    let mut spans = vec![maker.run()];
    for stage in &record.stages {
        spans.push(maker.stage(stage));
        let attempts = stage.attempts.iter().enumerate();
        spans.extend(attempts.map(|(at, attempt)| maker.attempt(stage, at + 1, attempt)));
    }
    let document = |spans: &[Value]| {
        json!({"resourceSpans": [{
            "resource": resource,
            "scopeSpans": [{"scope": scope(), "spans": spans, "schemaUrl": SCHEMA}],
            "schemaUrl": SCHEMA
        }]})
    };
    spans.chunks(BATCH).map(document).collect()
}

/// How a stage ended, in the words of the conventions, and the class of its error.
pub(super) fn result(outcome: &Outcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        Outcome::Passed => ("success", None),
        Outcome::Skipped(_) => ("skip", None),
        Outcome::Failed(_) => ("failure", Some("failed")),
        Outcome::TimedOut(_) => ("timeout", Some("timeout")),
        Outcome::NoVerdict(_) => ("error", Some("no_verdict")),
        Outcome::Cancelled(_) => ("cancellation", None),
    }
}

/// The same of the run. Stages whose failure is allowed count for nothing.
pub(super) fn run_result(record: &RunRecord) -> (&'static str, Option<&'static str>) {
    let counting = || record.stages.iter().filter(|stage| !stage.allow_failure);
    let ended = |result: &str| counting().any(|stage| self::result(&stage.outcome).0 == result);
    if ended("error") || record.missing().next().is_some() || record.stages.is_empty() {
        ("error", Some("no_verdict"))
    } else if ended("failure") {
        ("failure", Some("failed"))
    } else if ended("timeout") {
        ("failure", Some("timeout"))
    } else if record.stopped_by.is_some() || ended("cancellation") {
        ("cancellation", None)
    } else {
        ("success", None)
    }
}

struct Maker<'r> {
    record: &'r RunRecord,
    trace: &'r Trace,
}

/// What all spans have.
struct Span<'s> {
    id: SpanId,
    parent: Option<SpanId>,
    name: &'s str,
    kind: u8,
    began: Duration,
    duration: Duration,
    attributes: Value,
    events: Vec<Value>,
    /// What went wrong, where something did.
    error: Option<String>,
}

impl Maker<'_> {
    fn run(&self) -> Value {
        let record = self.record;
        let (result, error) = run_result(record);
        let mut attributes = Attributes::default();
        attributes
            .text("cicd.pipeline.name", &record.name)
            .text("cicd.pipeline.run.id", &record.run_id)
            .optional("cicd.pipeline.run.url.full", record.url.as_deref())
            .text("cicd.pipeline.action.name", "RUN")
            .text("cicd.pipeline.result", result)
            .optional("error.type", error)
            .number("lockgate.pipeline.jobs", u64::from(record.jobs));
        self.span(Span {
            id: self.trace.run(),
            parent: self.trace.parent,
            name: &format!("RUN {}", record.name),
            kind: SERVER,
            began: Duration::ZERO,
            duration: record.duration,
            attributes: attributes.done(),
            events: Vec::new(),
            error: error.map(str::to_owned),
        })
    }

    fn stage(&self, stage: &StageRecord) -> Value {
        let (result, error) = result(&stage.outcome);
        let id = self.trace.stage(&stage.name);
        let mut attributes = Attributes::default();
        attributes
            .text("cicd.pipeline.task.name", &stage.name)
            .text("cicd.pipeline.task.run.id", &id.to_string())
            .optional(
                "cicd.pipeline.task.run.url.full",
                self.record.url.as_deref(),
            )
            .text("cicd.pipeline.task.run.result", result)
            .optional("cicd.pipeline.task.type", kind_of(&stage.name))
            .optional("error.type", error)
            .number(
                "lockgate.pipeline.task.attempts",
                stage.attempts.len() as u64,
            );
        if stage.is_flaky() {
            attributes.flag("lockgate.pipeline.task.flaky", true);
        }
        if let Outcome::Skipped(reason) = &stage.outcome {
            attributes.text("lockgate.pipeline.task.skipped", reason.name());
        }
        let end = stage
            .began
            .unwrap_or_default()
            .saturating_add(stage.duration);
        let made = stage.artifacts.iter().map(|artifact| {
            let mut attributes = Attributes::default();
            attributes
                .text("artifact.filename", &artifact.path)
                .text("artifact.hash", &format!("sha256:{}", hex(&artifact.digest)))
                .number("lockgate.artifact.size", artifact.size);
            json!({"timeUnixNano": self.at(end), "name": "artifact", "attributes": attributes.done()})
        });
        self.span(Span {
            id,
            parent: Some(self.trace.run()),
            name: &stage.name,
            kind: INTERNAL,
            began: stage.began.unwrap_or_default(),
            duration: stage.duration,
            attributes: attributes.done(),
            events: made.collect(),
            error: error.and_then(|_| Some(stage.outcome.reason()?.into_owned())),
        })
    }

    fn attempt(&self, stage: &StageRecord, number: usize, attempt: &Attempt) -> Value {
        let is_last = number == stage.attempts.len();
        let (result, error) = match (attempt.passed, is_last) {
            (true, _) => ("success", None),
            (false, true) if stage.outcome.is_problem() => result(&stage.outcome),
            (false, _) => ("failure", Some("failed")),
        };
        let mut attributes = Attributes::default();
        attributes
            .text("cicd.pipeline.task.name", &stage.name)
            .number("lockgate.pipeline.task.attempt", number as u64)
            .text("cicd.pipeline.task.run.result", result)
            .optional("error.type", error);
        self.span(Span {
            id: self.trace.attempt(&stage.name, number),
            parent: Some(self.trace.stage(&stage.name)),
            name: &format!("{} attempt {number}", stage.name),
            kind: INTERNAL,
            began: attempt.began,
            duration: attempt.duration,
            attributes: attributes.done(),
            events: Vec::new(),
            error: error.map(|_| attempt.ending.clone()),
        })
    }

    fn at(&self, since: Duration) -> String {
        nanoseconds(self.record.started, since)
    }

    fn span(&self, span: Span<'_>) -> Value {
        let mut document = json!({
            "traceId": self.trace.id.to_string(),
            "spanId": span.id.to_string(),
            "name": span.name,
            "kind": span.kind,
            "startTimeUnixNano": self.at(span.began),
            "endTimeUnixNano": self.at(span.began.saturating_add(span.duration)),
            "attributes": span.attributes,
            "status": {}
        });
        if let Some(parent) = span.parent {
            document["parentSpanId"] = parent.to_string().into();
        }
        if let Some(state) = &self.trace.state {
            document["traceState"] = state.as_str().into();
        }
        if !span.events.is_empty() {
            document["events"] = span.events.into();
        }
        if let Some(error) = span.error {
            document["status"] = json!({"code": ERROR, "message": error});
        }
        document
    }
}

/// The conventions' word for what a stage is for, where its name is that word: `test (3.12)` is a `test`.
fn kind_of(name: &str) -> Option<&'static str> {
    let base = name.split_once(" (").map_or(name, |(base, _)| base);
    ["build", "test", "deploy"]
        .into_iter()
        .find(|kind| *kind == base)
}
