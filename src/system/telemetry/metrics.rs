//! The metrics of a run: how long it and its stages took, and what went wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::pipeline::{RunRecord, StageRecord};
use crate::system::telemetry::attributes::{Attributes, nanoseconds};
use crate::system::telemetry::resource::{SCHEMA, scope};
use crate::system::telemetry::traces::{result, run_result};

/// The upper bounds of the histograms' buckets, seconds.
const BOUNDS: [f64; 12] = [
    0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0,
];

/// So many stages are measured one by one; of more, the longest.
const STAGES: usize = 1_000;

/// The document of a run.
pub(super) fn document(record: &RunRecord, is_delta: bool, resource: &Value) -> Value {
    // `AGGREGATION_TEMPORALITY_DELTA` and `…_CUMULATIVE` of OTLP.
    let temporality = if is_delta { 1 } else { 2 };
    let (result, error) = run_result(record);
    let mut attributes = Attributes::default();
    attributes
        .text("cicd.pipeline.name", &record.name)
        .text("cicd.pipeline.run.state", "executing")
        .text("cicd.pipeline.result", result)
        .optional("error.type", error);
    let run = point(record, record.duration, &attributes.done());
    let mut metrics = vec![
        json!({
            "name": "cicd.pipeline.run.duration",
            "description": "Duration of a pipeline run grouped by pipeline, state and result.",
            "unit": "s",
            "histogram": {"aggregationTemporality": temporality, "dataPoints": [run]}
        }),
        json!({
            "name": "lockgate.pipeline.task.duration",
            "description": "Duration of a stage of a pipeline with all of its attempts.",
            "unit": "s",
            "histogram": {"aggregationTemporality": temporality, "dataPoints": stages(record)}
        }),
    ];
    let errors = errors(record);
    if !errors.is_empty() {
        metrics.push(json!({
            "name": "cicd.pipeline.run.errors",
            "description": "The number of errors encountered in pipeline runs (eg. compile, test failures).",
            "unit": "{error}",
            "sum": {"aggregationTemporality": temporality, "isMonotonic": true, "dataPoints": errors}
        }));
    }
    json!({"resourceMetrics": [{
        "resource": resource,
        "scopeMetrics": [{"scope": scope(), "metrics": metrics, "schemaUrl": SCHEMA}],
        "schemaUrl": SCHEMA
    }]})
}

/// One duration in a histogram.
fn point(record: &RunRecord, duration: Duration, attributes: &Value) -> Value {
    let seconds = duration.as_secs_f64();
    let bucket = BOUNDS
        .iter()
        .position(|bound| seconds <= *bound)
        .unwrap_or(BOUNDS.len());
    let counts: Vec<String> = (0..=BOUNDS.len())
        .map(|at| u8::from(at == bucket).to_string())
        .collect();
    json!({
        "attributes": attributes,
        "startTimeUnixNano": nanoseconds(record.started, Duration::ZERO),
        "timeUnixNano": nanoseconds(record.started, record.duration),
        "count": "1",
        "sum": seconds,
        "min": seconds,
        "max": seconds,
        "bucketCounts": counts,
        "explicitBounds": BOUNDS
    })
}

fn stages(record: &RunRecord) -> Vec<Value> {
    let mut ran: Vec<&StageRecord> = record
        .stages
        .iter()
        .filter(|stage| stage.began.is_some())
        .collect();
    ran.sort_by_key(|stage| std::cmp::Reverse(stage.duration));
    let points = ran.into_iter().take(STAGES).map(|stage| {
        let (result, error) = result(&stage.outcome);
        let mut attributes = Attributes::default();
        attributes
            .text("cicd.pipeline.name", &record.name)
            .text("cicd.pipeline.task.name", &stage.name)
            .text("cicd.pipeline.task.run.result", result)
            .optional("error.type", error);
        point(record, stage.duration, &attributes.done())
    });
    points.collect()
}

/// How many stages went wrong, by class; also those whose failure is allowed, as the conventions want it.
fn errors(record: &RunRecord) -> Vec<Value> {
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    for class in record
        .stages
        .iter()
        .filter_map(|stage| result(&stage.outcome).1)
    {
        *classes.entry(class).or_default() += 1;
    }
    let points = classes.into_iter().map(|(class, number)| {
        let mut attributes = Attributes::default();
        attributes
            .text("cicd.pipeline.name", &record.name)
            .text("error.type", class);
        json!({
            "attributes": attributes.done(),
            "startTimeUnixNano": nanoseconds(record.started, Duration::ZERO),
            "timeUnixNano": nanoseconds(record.started, record.duration),
            "asInt": number.to_string()
        })
    });
    points.collect()
}
