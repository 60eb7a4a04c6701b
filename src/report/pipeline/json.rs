//! The JSON report of a run, `docs/schemas/pipeline-report.schema.json`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::model::diagnostic::Finding;
use crate::model::digest::hex;
use crate::model::pipeline::{Outcome, RunRecord, StageRecord, Trace};
use crate::report::json::{FindingDocument, LeftOutDocument, SHAPE, finding_documents};
use crate::report::layout;
use crate::report::pipeline::critical::{self, Critical};
use crate::report::pipeline::findings;
use crate::report::pipeline::moment::{milliseconds, rfc3339};
use crate::report::pipeline::verdict::judge;

/// The report of a run: what every report has, and the stages.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(title = "Report of a pipeline's run")
)]
struct Document<'r> {
    /// `lockgate.pipeline/<version of the shape>`.
    schema: String,
    /// The version of Lockgate that wrote it.
    version: &'static str,
    /// `pass`, `fail` or `no-verdict`.
    verdict: &'static str,
    /// The exit code of the process.
    exit_code: u8,
    /// What deserves a look, by rule: `missing`, `failed`, `timed-out`, `no-verdict`, `flaky`, `survivor`, `policy-changed`.
    findings: Vec<FindingDocument<'r>>,
    /// The step's outputs.
    outputs: &'r BTreeMap<String, String>,
    /// Findings that are not listed, by reason.
    left_out: Vec<LeftOutDocument<'r>>,
    /// Milliseconds.
    duration_ms: u64,
    /// What the pipeline is called.
    name: &'r str,
    /// Of this run alone.
    run_id: &'r str,
    /// Where the run is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'r str>,
    /// When it began, RFC 3339.
    started: String,
    /// How many cores the stages shared.
    jobs: u32,
    /// The signal that stopped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<u8>,
    /// The trace that it is part of, 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Stages that were planned and of which nothing is known.
    missing: Vec<&'r str>,
    critical_path: CriticalDocument<'r>,
    /// In the order of the file.
    stages: Vec<StageDocument<'r>>,
}

/// Where the time went.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CriticalDocument<'r> {
    steps: Vec<StepDocument<'r>>,
    /// How long the stages of the path took, milliseconds.
    work_ms: u64,
    /// How long they waited for a free core, milliseconds.
    wait_ms: u64,
    /// How long all stages took in sum, milliseconds.
    total_ms: u64,
    /// The shortest time that cores without end could do it in, milliseconds.
    bound_ms: u64,
    /// The part of the run that the path worked, 0 to 1.
    share: f64,
    /// The part of the cores' time that was used, 0 to 1.
    efficiency: f64,
}

/// One stage of the critical path.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StepDocument<'r> {
    stage: &'r str,
    work_ms: u64,
    wait_ms: u64,
}

/// One stage.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StageDocument<'r> {
    name: &'r str,
    /// `passed`, `skipped`, `failed`, `timed-out`, `no-verdict` or `cancelled`.
    outcome: &'static str,
    /// Of a skipped stage: `unchanged`, `condition`, `need`, `not-reached` or `not-selected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'static str>,
    /// Of an unchanged stage: `local` where its result was kept on this machine, `shared` where it comes from a store that
    /// others write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_from: Option<&'static str>,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether it failed at first and then passed.
    flaky: bool,
    allow_failure: bool,
    service: bool,
    cpu: u32,
    /// The stages that it needs.
    needs: Vec<&'r str>,
    /// Milliseconds from the run's beginning; absent where it did not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    began_ms: Option<u64>,
    /// Of a service: when it was ready, milliseconds from the run's beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_ms: Option<u64>,
    /// With all attempts and the waits between them, milliseconds.
    duration_ms: u64,
    attempts: Vec<AttemptDocument<'r>>,
    artifacts: Vec<ArtifactDocument<'r>>,
    survivors: Vec<SurvivorDocument<'r>>,
    /// Where its masked output is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'r str>,
    /// The end of its masked output, where it did not pass.
    #[serde(skip_serializing_if = "str::is_empty")]
    #[cfg_attr(test, schemars(default))]
    tail: &'r str,
    /// The report of the step that it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'r str>,
    /// Its span, 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
}

/// One try of a stage.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AttemptDocument<'r> {
    /// Milliseconds from the run's beginning.
    began_ms: u64,
    duration_ms: u64,
    /// How it ended: `exit code 1`.
    ending: &'r str,
    passed: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    #[cfg_attr(test, schemars(default))]
    tail: &'r str,
}

/// A file or folder that a stage made.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ArtifactDocument<'r> {
    /// The name of the output.
    output: &'r str,
    /// Relative to the root, with `/`.
    path: &'r str,
    /// Bytes.
    size: u64,
    /// Hexadecimal digits.
    sha256: String,
    /// `run` where this run made it, `local` where an earlier one on this machine did, `shared` where it, or something
    /// that it was made from, comes from a store that others write to.
    source: &'static str,
}

/// A process that outlived its stage.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SurvivorDocument<'r> {
    pid: u32,
    command: &'r str,
    ended_by: &'r str,
}

/// Writes the report. `outputs` are all outputs of the step.
pub fn render(
    record: &RunRecord,
    trace: Option<&Trace>,
    outputs: &BTreeMap<String, String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (verdict, exit_code) = judge(record);
    let found: Vec<Finding> = findings::of(record);
    let critical = critical::analyse(record);
    let document = Document {
        schema: format!("lockgate.pipeline/{SHAPE}"),
        version: crate::VERSION,
        verdict: verdict.name(),
        exit_code,
        findings: finding_documents(&found),
        outputs,
        left_out: Vec::new(),
        duration_ms: milliseconds(record.duration),
        name: &record.name,
        run_id: &record.run_id,
        url: record.url.as_deref(),
        started: rfc3339(record.started, Duration::ZERO),
        jobs: record.jobs,
        stopped_by: record.stopped_by,
        trace_id: trace.map(|trace| trace.id.to_string()),
        missing: record.missing().collect(),
        critical_path: critical_document(record, &critical),
        stages: record
            .stages
            .iter()
            .map(|stage| stage_document(record, stage, trace))
            .collect(),
    };
    layout::write(&document, 2, out)
}

fn critical_document<'r>(record: &'r RunRecord, critical: &Critical) -> CriticalDocument<'r> {
    let name = |at: usize| record.stages.get(at).map_or("", |stage| &*stage.name);
    CriticalDocument {
        steps: critical
            .path
            .iter()
            .map(|step| StepDocument {
                stage: name(step.stage),
                work_ms: milliseconds(step.work),
                wait_ms: milliseconds(step.wait),
            })
            .collect(),
        work_ms: milliseconds(critical.work),
        wait_ms: milliseconds(critical.wait),
        total_ms: milliseconds(critical.total),
        bound_ms: milliseconds(critical.bound),
        share: critical.share,
        efficiency: critical.efficiency,
    }
}

fn stage_document<'r>(
    record: &'r RunRecord,
    stage: &'r StageRecord,
    trace: Option<&Trace>,
) -> StageDocument<'r> {
    let needs = stage
        .needs
        .iter()
        .filter_map(|need| record.stages.get(*need));
    StageDocument {
        name: &stage.name,
        outcome: stage.outcome.name(),
        skipped: match &stage.outcome {
            Outcome::Skipped(reason) => Some(reason.name()),
            _ => None,
        },
        restored_from: stage.restored_from(),
        reason: stage.outcome.reason().map(std::borrow::Cow::into_owned),
        flaky: stage.is_flaky(),
        allow_failure: stage.allow_failure,
        service: stage.is_service,
        cpu: stage.cpu,
        needs: needs.map(|need| &*need.name).collect(),
        began_ms: stage.began.map(milliseconds),
        ready_ms: stage.ready.map(milliseconds),
        duration_ms: milliseconds(stage.duration),
        attempts: stage
            .attempts
            .iter()
            .map(|attempt| AttemptDocument {
                began_ms: milliseconds(attempt.began),
                duration_ms: milliseconds(attempt.duration),
                ending: &attempt.ending,
                passed: attempt.passed,
                tail: &attempt.tail,
            })
            .collect(),
        artifacts: stage
            .artifacts
            .iter()
            .map(|artifact| ArtifactDocument {
                output: &artifact.output,
                path: &artifact.path,
                size: artifact.size,
                sha256: hex(&artifact.digest),
                source: artifact.source.name(),
            })
            .collect(),
        survivors: stage
            .survivors
            .iter()
            .map(|survivor| SurvivorDocument {
                pid: survivor.pid,
                command: &survivor.command,
                ended_by: &survivor.ended_by,
            })
            .collect(),
        log: stage.log.as_deref(),
        tail: if stage.outcome.is_problem() {
            &stage.tail
        } else {
            ""
        },
        report: stage.report.as_deref(),
        span_id: trace.map(|trace| trace.stage(&stage.name).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pipeline::TraceId;
    use crate::report::json::tests::published;
    use crate::report::pipeline::tests::{everything, run};

    fn rendered(record: &RunRecord) -> serde_json::Value {
        let trace = Trace::new(TraceId::of(&["x"]), &*record.run_id);
        let outputs = BTreeMap::from([("verdict".to_owned(), "fail".to_owned())]);
        let mut out = Vec::new();
        render(record, Some(&trace), &outputs, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_published_schema_is_that_of_the_code() {
        published("pipeline-report", &schemars::schema_for!(Document<'static>));
    }

    #[test]
    fn a_report_fits_its_schema_and_has_what_every_report_has() {
        let schema = serde_json::to_value(schemars::schema_for!(Document<'static>)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for record in [everything(), run(vec![])] {
            let document = rendered(&record);
            assert!(validator.is_valid(&document), "{document:#}");
        }
        let document = rendered(&everything());
        assert_eq!(document["schema"], "lockgate.pipeline/1");
        assert_eq!(
            (&document["verdict"], &document["exit-code"]),
            (&"no-verdict".into(), &3.into())
        );
        assert_eq!(document["started"], "2026-11-23T04:00:00.250Z");
        assert_eq!(document["missing"], serde_json::json!(["forgotten"]));
        assert_eq!(
            document["critical-path"]["steps"][1]["stage"],
            "test (3.12)"
        );
        let lint = &document["stages"][2];
        assert_eq!(
            (&lint["outcome"], &lint["reason"]),
            (&"failed".into(), &"exit code 1".into())
        );
        assert_eq!(lint["survivors"][0]["ended-by"], "SIGKILL");
        assert_eq!(document["stages"][5]["skipped"], "unchanged");
        let findings = document["findings"].as_array().unwrap();
        let rules: Vec<_> = findings
            .iter()
            .map(|finding| finding["rule"].as_str().unwrap())
            .collect();
        assert_eq!(
            rules,
            ["missing", "failed", "timed-out", "flaky", "survivor"]
        );
    }
}
