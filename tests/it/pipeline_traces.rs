//! What a run tells OpenTelemetry: a real collector takes it, the official messages hold it to the letter, and no collector
//! that is wrong, slow or gone does any harm.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use lockgate::model::pipeline::manifest::Source;
use lockgate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord, Trace};
use lockgate::system::environment::Environment;
use lockgate::system::http::Http;
use lockgate::system::stop::Stop;
use lockgate::system::telemetry::{self, Telemetry, VARIABLES};
use serde_json::Value;

use crate::pipeline_reports::{failed, fed, record, stage};
use crate::support::expect;
use crate::support::lock_tools::lock_tool;
use crate::support::peers::Collector;

/// Long enough for any machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn environment(endpoint: &str, more: &[(&str, &str)]) -> Environment {
    let mut pairs = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "60000"),
    ];
    pairs.extend(more);
    pairs.into_iter().collect()
}

/// Tells of a run; the warning, if there is one.
fn export(
    environment: &Environment,
    record: &RunRecord,
    trace: &Trace,
    limit: Duration,
) -> Option<String> {
    let telemetry = Telemetry::of(environment).unwrap().unwrap();
    let http = Http::new(environment, Vec::new(), Stop::never()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(telemetry.export(&http, record, trace, limit))
}

fn a_run() -> RunRecord {
    let mut build = stage("build", &[], 0, 1_500);
    build.artifacts.push(lockgate::model::pipeline::Artifact {
        output: "wheel".into(),
        path: "dist/shop.whl".into(),
        size: 12,
        digest: [0xab; 32],
        source: Source::Run,
    });
    let mut flaky = failed(stage("test (3.12)", &[0], 1_500, 400));
    flaky.outcome = Outcome::Passed;
    flaky.attempts[1].passed = true;
    let mut slow = stage("slow \u{202e}\0\"\\", &[0], 1_500, 4_000);
    slow.outcome = Outcome::TimedOut(Duration::from_secs(4));
    slow.attempts[0].passed = false;
    let skipped = StageRecord {
        outcome: Outcome::Skipped(SkipReason::Unchanged),
        began: None,
        attempts: Vec::new(),
        ..stage("docs", &[], 0, 0)
    };
    record(vec![
        build,
        failed(stage("lint", &[0], 1_500, 10)),
        flaky,
        slow,
        skipped,
    ])
}

fn a_trace() -> Trace {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    Trace::continued(parent, Some("vendor=1"), "42.1.build").unwrap()
}

#[test]
fn a_real_collector_takes_traces_and_metrics() {
    let collector = Collector::start();
    let (run, trace) = (a_run(), a_trace());
    let warning = export(&environment(&collector.url(), &[]), &run, &trace, PATIENCE);
    assert_eq!(warning, None);
    let stage = trace.stage("lint").to_string();
    for expected in [
        "Name           : RUN shop".to_owned(),
        "Kind           : SPAN_KIND_SERVER".to_owned(),
        format!("Trace ID       : {}", trace.id),
        format!("Parent ID      : {}", trace.run()),
        format!("ID             : {stage}"),
        "Name           : lint attempt 2".to_owned(),
        "     -> cicd.pipeline.result: Str(failure)".to_owned(),
        "     -> cicd.pipeline.task.run.result: Str(timeout)".to_owned(),
        "     -> cicd.pipeline.task.type: Str(test)".to_owned(),
        "     -> artifact.hash: Str(sha256:abab".to_owned(),
        "Status code    : STATUS_CODE_ERROR".to_owned(),
        "cicd.pipeline.run.duration".to_owned(),
        "cicd.pipeline.run.errors".to_owned(),
    ] {
        collector.shows(&expected);
    }
}

/// Reads each document into the official message without a field that it does not know. OTLP writes ids in hexadecimal
/// digits where protobuf's JSON has base64.
const STRICT: &str = "
import base64, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

def fix(value):
    if isinstance(value, list):
        return [fix(one) for one in value]
    if not isinstance(value, dict):
        return value
    ids = ('traceId', 'spanId', 'parentSpanId')
    return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ids else fix(v) for k, v in value.items()}

traces, metrics = json.load(sys.stdin)
spans = {}
for document in traces:
    message = json_format.ParseDict(fix(document), ExportTraceServiceRequest())
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert len(span.trace_id) == 16 and len(span.span_id) == 8
                assert span.start_time_unix_nano <= span.end_time_unix_nano
                spans[span.span_id.hex()] = [span.name, span.kind, span.parent_span_id.hex(), span.status.code,
                    {a.key: a.value.WhichOneof('value') for a in span.attributes}]
message = json_format.ParseDict(fix(metrics), ExportMetricsServiceRequest())
names = {m.name: [m.unit, m.WhichOneof('data')] for r in message.resource_metrics for s in r.scope_metrics for m in s.metrics}
for r in message.resource_metrics:
    for s in r.scope_metrics:
        for m in s.metrics:
            for p in m.histogram.data_points:
                assert len(p.bucket_counts) == len(p.explicit_bounds) + 1 and sum(p.bucket_counts) == p.count
print(json.dumps({'spans': spans, 'metrics': names}))
";

fn strict(run: &RunRecord, trace: &Trace) -> Value {
    let environment = environment(
        "http://127.0.0.1:1",
        &[
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_SERVER_URL", "https://github.example"),
        ],
    );
    let documents = Telemetry::of(&environment)
        .unwrap()
        .unwrap()
        .documents(run, trace);
    let python = lock_tool("pipeline-reports").join("bin/python");
    let read = fed(
        Command::new(python).args(["-c", STRICT]),
        &serde_json::to_vec(&documents).unwrap(),
    );
    serde_json::from_slice(&read).unwrap()
}

#[test]
fn the_official_messages_hold_the_documents_to_the_letter() {
    let (run, trace) = (a_run(), a_trace());
    let read = strict(&run, &trace);
    let spans = read["spans"].as_object().unwrap();
    // The run, five stages, and attempts: one, two, two, one, none.
    assert_eq!(spans.len(), 12);
    let root = &spans[&trace.run().to_string()];
    assert_eq!(root[0], "RUN shop");
    assert_eq!(
        (&root[1], &root[2]),
        (&2.into(), &"00f067aa0ba902b7".into())
    );
    for name in [
        "cicd.pipeline.name",
        "cicd.pipeline.run.id",
        "cicd.pipeline.run.url.full",
        "cicd.pipeline.action.name",
        "cicd.pipeline.result",
        "error.type",
    ] {
        assert_eq!(root[4][name], "string_value", "{name}");
    }
    let lint = &spans[&trace.stage("lint").to_string()];
    assert_eq!(
        (&lint[0], &lint[1], &lint[3]),
        (&"lint".into(), &1.into(), &2.into())
    );
    assert_eq!(lint[2], trace.run().to_string());
    for name in [
        "cicd.pipeline.task.name",
        "cicd.pipeline.task.run.id",
        "cicd.pipeline.task.run.result",
        "cicd.pipeline.task.run.url.full",
        "error.type",
    ] {
        assert_eq!(lint[4][name], "string_value", "{name}");
    }
    let second = &spans[&trace.attempt("lint", 2).to_string()];
    assert_eq!(second[2], trace.stage("lint").to_string());
    let passed = &spans[&trace.stage("build").to_string()];
    assert_eq!(
        (&passed[3], &passed[4]["error.type"]),
        (&0.into(), &Value::Null)
    );
    assert_eq!(
        read["metrics"]["cicd.pipeline.run.duration"],
        serde_json::json!(["s", "histogram"])
    );
    assert_eq!(
        read["metrics"]["cicd.pipeline.run.errors"],
        serde_json::json!(["{error}", "sum"])
    );
    assert_eq!(
        read["metrics"]["lockgate.pipeline.task.duration"],
        serde_json::json!(["s", "histogram"])
    );

    // Thousands of stages are told in several documents.
    let many = record(
        (0..2_500)
            .map(|at| stage(&format!("s{at}"), &[], 0, 10))
            .collect(),
    );
    assert_eq!(
        strict(&many, &trace)["spans"].as_object().unwrap().len(),
        5_001
    );
}

/// Answers each request in turn, then no more; `None` is silence until the client goes.
fn serve(answers: Vec<Option<&'static str>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            std::thread::spawn(move || answer_one(&mut stream, answer));
        }
    });
    url
}

fn answer_one(stream: &mut TcpStream, answer: Option<&str>) {
    let mut request = Vec::new();
    let mut buffer = [0; 8_192];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            if read == 0 {
                return;
            }
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap_or("0").trim().parse().unwrap();
        assert!(
            head.contains("authorization: bearer t0p-secret")
                && head.contains("content-type: application/json"),
            "{head}"
        );
        if body.len() >= length {
            break;
        }
        if read == 0 {
            return;
        }
    }
    match answer {
        Some(answer) => {
            let _ = stream.write_all(answer.as_bytes());
        }
        None => {
            let _ = stream.read(&mut buffer);
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

/// What comes of telling these answers only traces.
fn told(url: &str, limit: Duration) -> Option<String> {
    let more = [
        ("OTEL_METRICS_EXPORTER", "none"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20t0p-secret",
        ),
    ];
    let warning = export(&environment(url, &more), &a_run(), &a_trace(), limit);
    assert!(
        !warning
            .as_deref()
            .unwrap_or_default()
            .contains("t0p-secret"),
        "{warning:?}"
    );
    warning
}

#[test]
fn a_collector_that_is_gone_wrong_or_busy_is_one_warning() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let warning = told(&gone, PATIENCE).unwrap();
    assert!(
        warning.starts_with(&format!(
            "the traces of this run were not taken by `{gone}`: "
        )),
        "{warning}"
    );
    for (answers, expected) in [
        (vec![Some(OK)], None),
        (
            vec![
                Some(
                    "HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: 0\r\nConnection: close\r\n\r\n",
                ),
                Some(OK),
            ],
            None,
        ),
        (
            vec![Some(
                "HTTP/1.1 401 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            )],
            Some("it answers 401; look at `OTEL_EXPORTER_OTLP_HEADERS`"),
        ),
        (
            vec![Some(
                "HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            )],
            Some("it answers 404"),
        ),
        (
            vec![Some(
                "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            )],
            Some("it answers 302"),
        ),
        (
            vec![Some(
                "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}",
            )],
            Some("it rejected 3 of them"),
        ),
        (
            vec![Some(
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\0\u{1b}[",
            )],
            None,
        ),
    ] {
        let warning = told(&serve(answers), PATIENCE);
        match expected {
            None => assert_eq!(warning, None),
            Some(expected) => assert!(
                warning
                    .as_deref()
                    .is_some_and(|warning| warning.contains(expected)),
                "{expected}: {warning:?}"
            ),
        }
    }
}

#[test]
fn a_collector_that_says_nothing_costs_no_more_than_the_limit() {
    let started = Instant::now();
    let warning = told(&serve(vec![None]), Duration::from_millis(300)).unwrap();
    assert!(
        warning.contains("no answer within 300 ms")
            || warning.contains("nothing came for 0.3 seconds"),
        "{warning}"
    );
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

#[test]
fn a_trace_that_nobody_keeps_is_not_told() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let trace = Trace::continued(parent, None, "x").unwrap();
    let telemetry = Telemetry::of(&environment("http://127.0.0.1:1", &[]))
        .unwrap()
        .unwrap();
    assert!(telemetry.documents(&a_run(), &trace).0.is_empty());
    assert!(telemetry::trace(&Environment::default(), "x").is_sampled);
}

#[test]
fn the_table_of_variables_is_what_the_code_says() {
    let mut table = "| variable | what |\n|---|---|\n".to_owned();
    for (name, what) in VARIABLES {
        let _ = writeln!(table, "| `{name}` | {what} |");
    }
    expect::part("docs/pipeline-reports.md", "variables", &table);
}
