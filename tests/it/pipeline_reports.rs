//! What a run of a pipeline leaves behind, read by those it is for: mermaid reads the chart of the summary, a parser of
//! JUnit XML the results.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use lockgate::github::files::SUMMARY_LIMIT;
use lockgate::model::pipeline::manifest::Source;
use lockgate::model::pipeline::{Attempt, Outcome, RunRecord, SkipReason, StageRecord};
use lockgate::report::pipeline::{junit, summary};
use serde_json::Value;

use crate::support::expect::root;
use crate::support::lock_tools::lock_tool;
use crate::support::tools::{once, run};

/// A stage that ran, by milliseconds.
pub(crate) fn stage(name: &str, needs: &[usize], began: u64, duration: u64) -> StageRecord {
    let (began, duration) = (
        Duration::from_millis(began),
        Duration::from_millis(duration),
    );
    StageRecord {
        name: name.into(),
        needs: needs.to_vec(),
        outcome: Outcome::Passed,
        source: Source::Run,
        allow_failure: false,
        is_service: false,
        cpu: 1,
        ready: None,
        began: Some(began),
        duration,
        attempts: vec![Attempt {
            began,
            duration,
            ending: "exit code 0".into(),
            passed: true,
            tail: String::new(),
        }],
        artifacts: Vec::new(),
        survivors: Vec::new(),
        log: None,
        tail: String::new(),
        report: None,
    }
}

/// A run of these stages.
pub(crate) fn record(stages: Vec<StageRecord>) -> RunRecord {
    RunRecord {
        name: "shop".into(),
        run_id: "42.1.build".into(),
        url: Some("https://github.example/o/r/actions/runs/42".into()),
        started: UNIX_EPOCH + Duration::from_millis(1_795_406_400_250),
        duration: stages
            .iter()
            .filter_map(StageRecord::end)
            .max()
            .unwrap_or_default(),
        jobs: 2,
        stopped_by: None,
        loosened: Vec::new(),
        planned: stages.iter().map(|stage| stage.name.clone()).collect(),
        stages,
    }
}

/// A stage that failed, was tried again and failed once more.
pub(crate) fn failed(mut stage: StageRecord) -> StageRecord {
    stage.outcome = Outcome::Failed("exit code 1".into());
    stage.tail = "AssertionError".into();
    let mut attempt = stage.attempts[0].clone();
    attempt.passed = false;
    attempt.ending = "exit code 1".into();
    attempt.tail = "AssertionError".into();
    stage.attempts = vec![attempt.clone(), attempt];
    stage
}

/// Pseudo-random numbers, the same in each run of the tests.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Names that are made of what the languages around them take for their own.
fn hostile_names(number: usize) -> Vec<String> {
    const PIECES: &[&str] = &[
        "gantt",
        "section x",
        "title t",
        "dateFormat x",
        "click a href \"http://x\"",
        ":crit, 0, 1",
        ":::",
        ";",
        "#35;",
        "#",
        "%%",
        "%%{init: {\"theme\": \"dark\"}}%%",
        "---\n",
        "\n",
        "\r",
        "\t",
        "\u{2028}",
        "`",
        "```",
        "\"",
        "'",
        "<script>alert(1)</script>",
        "&amp;",
        "{{",
        "}}",
        "\\",
        "[x](http://x)",
        "@all",
        "|",
        "|\n|",
        "end",
        "style a:b#c;",
        "classDef x:y#z;",
        "é",
        "日本語",
        "👩‍👩‍👧",
        "\u{202e}",
        "\u{200b}",
        "\0",
        "\x1b[31m",
        "1999-01-01",
        "1999-01-01, 5d",
        "todayMarker off",
        "accTitle: x",
        "__proto__",
        "constructor",
        "weekday monday",
        "vert",
        "milestone",
        " ",
        "test (3.12)",
        "includes",
        "excludes weekends",
        "axisFormat %Y",
        "inclusiveEndDates",
        "topAxis",
        "~~~",
        "$$x$$",
        "-->",
        "<br>",
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    (0..number)
        .map(|at| {
            if let Some(piece) = PIECES.get(at) {
                return (*piece).to_owned();
            }
            let length = 1 + numbers.below(5);
            let pieces = (0..length).map(|_| PIECES[numbers.below(PIECES.len())]);
            pieces.collect::<Vec<_>>().concat()
        })
        .collect()
}

/// How many hostile names are tried.
fn campaign() -> usize {
    let number = std::env::var("LOCKGATE_CAMPAIGN").ok();
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or(1_000)
}

/// The chart of a summary, as a reader of Markdown finds it.
fn chart(markdown: &str) -> &str {
    let (_, rest) = markdown.split_once("\n```mermaid\n").expect("a chart");
    let (chart, _) = rest.split_once("\n```\n").expect("its end");
    chart
}

/// What mermaid understands of each chart.
fn mermaid(charts: &[String]) -> Vec<Value> {
    let folder = root().join("tests/mermaid");
    let lock = std::fs::read(folder.join("package-lock.json")).expect("a lock");
    once(&folder.join("node_modules/.installed"), &lock, || {
        run(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&folder),
            "Node 20 with npm",
        );
    });
    let answer = fed(
        Command::new("node").arg(folder.join("parse.mjs")),
        &serde_json::to_vec(charts).unwrap(),
    );
    serde_json::from_slice(&answer).unwrap()
}

/// What a program prints that is given this.
pub(crate) fn fed(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{command:?}");
        output.stdout
    })
}

#[test]
fn mermaid_draws_a_bar_for_each_stage_whatever_its_name() {
    let names = hostile_names(campaign());
    let mut charts = Vec::new();
    let mut expected = Vec::new();
    for names in names.chunks(20) {
        let mut stages: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(at, name)| match at % 4 {
                0 => failed(stage(name, &[], at as u64 * 100, 90_000)),
                1 => stage(name, &[0], 90_000, at as u64),
                2 => StageRecord {
                    is_service: true,
                    ..stage(name, &[], 0, 3_600_000)
                },
                _ => StageRecord {
                    outcome: Outcome::Skipped(SkipReason::Unchanged),
                    began: None,
                    ..stage(name, &[], 0, 0)
                },
            })
            .collect();
        // The chart begins where the stages do, and has a wait in it.
        stages.push(stage("last", &[1], 190_000, 1_000));
        expected.push(stages.len() + 2);
        charts.push(chart(&summary::render(&record(stages), SUMMARY_LIMIT)).to_owned());
    }
    let mut drawn = 0;
    for ((answer, chart), expected) in mermaid(&charts).iter().zip(&charts).zip(expected) {
        assert_eq!(answer["kind"], "gantt", "{answer}\n{chart}");
        let sections = ["critical path", "beside it", "services", "not run"];
        let known = answer["sections"].as_array().unwrap();
        assert!(
            known
                .iter()
                .all(|one| sections.contains(&one.as_str().unwrap())),
            "{answer}\n{chart}"
        );
        let tasks = answer["tasks"].as_array().unwrap();
        let waits = chart.matches(" waits :done, ").count();
        assert_eq!(
            tasks.len(),
            chart.matches("ms\n").count() + usize::from(chart.ends_with("ms")),
            "{chart}"
        );
        assert_eq!(tasks.len() - waits + 2, expected, "{answer}\n{chart}");
        for task in tasks {
            let (start, end) = (
                task["start"].as_i64().unwrap(),
                task["end"].as_i64().unwrap(),
            );
            assert!(end > start && end - start <= 3_600_000, "{task}");
        }
        drawn += tasks.len();
    }
    assert!(drawn >= campaign());
}

/// What `junitparser` finds in a document: totals, and of each case its name, results and reruns.
const READ: &str = "
import json, sys
from junitparser import JUnitXml, xunit2
xml = xunit2.JUnitXml.fromstring(sys.stdin.buffer.read())
cases = []
for suite in xml:
    for case in suite:
        cases.append({
            'name': case.name, 'time': case.time,
            'results': [[type(r).__name__, r.message, r.type] for r in case.result],
            'flaky': len(list(case.iterchildren(xunit2.FlakyFailure))),
            'reruns': len(list(case.iterchildren(xunit2.RerunFailure))),
            'out': case.system_out,
        })
all = next(iter(xml))
assert (xml.tests, xml.failures, xml.errors) == (all.tests, all.failures, all.errors)
print(json.dumps({'tests': all.tests, 'failures': all.failures, 'errors': all.errors, 'skipped': all.skipped, 'cases': cases}))
";

fn junit_read(record: &RunRecord, python: &Path) -> Value {
    let mut document = Vec::new();
    junit::render(record, &mut document).unwrap();
    let answer = fed(Command::new(python).args(["-c", READ]), &document);
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn a_parser_of_junit_finds_every_stage_and_every_attempt() {
    let python = lock_tool("pipeline-reports").join("bin/python");
    let mut flaky = failed(stage("flaky", &[], 0, 10));
    flaky.outcome = Outcome::Passed;
    flaky
        .attempts
        .push(stage("x", &[], 0, 10).attempts[0].clone());
    let mut blind = failed(stage("blind", &[], 0, 10));
    blind.outcome = Outcome::NoVerdict("it crashed".into());
    blind.attempts.truncate(1);
    let skipped = StageRecord {
        outcome: Outcome::Skipped(SkipReason::Condition("branch".into())),
        began: None,
        attempts: Vec::new(),
        ..stage("skipped", &[], 0, 0)
    };
    let stages = vec![
        stage("build", &[], 0, 1_500),
        failed(stage("lint", &[0], 0, 10)),
        flaky,
        blind,
        skipped,
    ];
    let read = junit_read(&record(stages), &python);
    let totals =
        ["tests", "failures", "errors", "skipped"].map(|name| read[name].as_i64().unwrap());
    assert_eq!(totals, [5, 1, 1, 1], "{read:#}");
    let case = |at: usize| &read["cases"][at];
    assert_eq!(case(0)["time"], 1.5);
    assert_eq!(
        case(1)["results"][0],
        serde_json::json!(["Failure", "exit code 1", "failed"])
    );
    assert_eq!(
        (&case(1)["reruns"], &case(1)["flaky"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (&case(2)["reruns"], &case(2)["flaky"]),
        (&0.into(), &2.into())
    );
    assert_eq!(case(3)["results"][0][0], "Error");
    assert_eq!(
        case(4)["results"][0],
        serde_json::json!(["Skipped", "skipped: condition `branch`", null])
    );
    assert_eq!(case(1)["out"], "AssertionError");

    // One more document for all hostile names: a reader of XML finds each of them.
    let hostile: Vec<_> = hostile_names(campaign())
        .iter()
        .map(|name| {
            let mut stage = failed(stage(name, &[], 0, 10));
            stage.tail = format!("{name}\u{fffe}\u{ffff}\0]]>{name}");
            stage.outcome = Outcome::Failed(name.clone());
            stage
        })
        .collect();
    let read = junit_read(&record(hostile), &python);
    assert_eq!(read["cases"].as_array().unwrap().len(), campaign());
    assert_eq!(read["failures"], campaign());
}
