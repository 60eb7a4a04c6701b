//! The actions as a runner runs them: through the host runner, with real tools, on real merge commits.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::expect::{files_below, root};
use crate::support::host_runner::{HostRun, HostRunner, PullRequest, binary, binary_sha256};
use crate::support::lockgate::{BINARY, Project};
use crate::support::tools;

const LINT_GATE: &str = "actions/lint-gate";

/// A test of that function, which the fault breaks.
const ITS_TEST: &str = "\"\"\"Where the service listens.\"\"\"

from notes.config import Settings, address


def test_an_address_is_host_and_port() -> None:
    assert address(Settings()) == \"127.0.0.1:8000\"
";

/// The outputs of the gate.
const OUTPUTS: [&str; 6] = [
    "base",
    "errors",
    "findings",
    "new-findings",
    "report",
    "verdict",
];

/// A function with two faults: one that ruff finds, one that both type checkers find.
const FAULTY: &str = "

def address(settings: Settings) -> str:
    unused = settings.port
    return settings.port
";

/// The same, repaired.
const REPAIRED: &str = "

def address(settings: Settings) -> str:
    return f\"{settings.host}:{settings.port}\"
";

/// A pull request on the example that appends this; main, meanwhile, got a fault of its own.
fn proposal(appended: &'static str) -> PullRequest {
    PullRequest::of(
        Project::example(),
        |main| {
            main.append("src/notes/models.py", "\n\nimport os\n");
        },
        move |branch| {
            branch.append("src/notes/config.py", appended);
            branch.write("tests/test_address.py", ITS_TEST);
        },
    )
}

/// An annotation as `level file:line:col-endColumn title: first line of the message`.
fn shown(annotation: &Value) -> String {
    let text = |name: &str| annotation[name].as_str().unwrap_or("-").to_owned();
    let number = |name: &str| {
        annotation[name]
            .as_u64()
            .map_or("-".to_owned(), |n| n.to_string())
    };
    let message = text("message");
    format!(
        "{} {}:{}:{}-{} {}: {}",
        text("level"),
        text("file"),
        number("line"),
        number("col"),
        number("endColumn"),
        text("title"),
        message.lines().next().unwrap_or_default()
    )
}

fn all_shown(run: &HostRun) -> Vec<String> {
    let mut all: Vec<String> = run.annotations().into_iter().map(shown).collect();
    all.sort();
    all
}

/// What the gate says of [`FAULTY`], whoever calls it.
#[track_caller]
fn expect_the_seeded_faults(run: &HostRun, file: &str) {
    let line = |after: usize| {
        let before = std::fs::read_to_string(root().join("examples/notes/src/notes/config.py"));
        before.expect("the example").lines().count() + after
    };
    let (unused, returned) = (line(4), line(5));
    assert_eq!(
        all_shown(run),
        [
            format!(
                "error {file}:{unused}:5-10 ruff F841: Local variable `unused` is assigned to but never used"
            ),
            format!(
                "error {file}:{returned}:12-24 mypy return-value = pyright reportReturnType: Incompatible return value type (got \"int\", expected \"str\")"
            ),
        ],
        "{}",
        run.log()
    );
    assert_eq!(run.get("droppedAnnotations"), 0);
    assert_eq!(run.get("masks"), 0);
    assert_eq!(run.get("env"), &json!({}));
    assert_eq!(run.get("path"), &json!([]));
    // Matchers of other actions would turn lines of ours into annotations.
    assert_eq!(run.get("unsupported"), &json!(["remove-matcher"]));
}

/// A summary holds no markup but ours: nothing of a stranger's is live.
#[track_caller]
fn expect_tame(summary: &str) {
    let mut rest = summary.to_owned();
    for ours in ["<br>", "<pre>", "</pre>", "<https://github.com/lockgate/"] {
        rest = rest.replace(ours, "");
    }
    assert!(!rest.contains('<'), "{summary}");
    for live in ["](", "`", "\u{1b}", "##[", "\r"] {
        assert!(!rest.contains(live), "`{live:?}` in\n{summary}");
    }
    let rows: Vec<&str> = rest.lines().filter(|line| line.starts_with('|')).collect();
    for row in rows {
        assert!([5, 6, 8].contains(&row.matches('|').count()), "{row}");
    }
}

#[track_caller]
fn expect_outputs(outputs: &Value) {
    let names: Vec<&String> = outputs.as_object().expect("outputs").keys().collect();
    assert_eq!(names, OUTPUTS);
}

/// A report of `hadolint` with these results.
fn sarif(results: &[Value]) -> String {
    json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "hadolint"}}, "results": results}],
    })
    .to_string()
}

fn result(level: &str, uri: &str, line: usize, message: &str) -> Value {
    json!({
        "ruleId": "DL3006",
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": line},
        }}],
    })
}

/// A project with nothing but a report of these results.
fn project_with_report(results: &[Value]) -> Project {
    let project = Project::empty();
    project.write("report.sarif", sarif(results));
    project
}

/// The gate on that report alone.
fn gate_on_report(project: &Project) -> HostRunner {
    HostRunner::action(LINT_GATE, &project.path())
        .input("reports", "report.sarif=sarif:1")
        .input("scope", "everything")
}

/// The gate with ruff from PATH on everything.
fn gate_with_ruff(project: &Project) -> HostRunner {
    HostRunner::action(LINT_GATE, &project.path())
        .input("tools", "ruff")
        .input("tool-source", "path")
        .input("scope", "everything")
        .path_first(&tools::environment().join("bin"))
}

#[test]
fn the_action_annotates_the_lines_of_a_pull_request_and_fails() {
    let request = proposal(FAULTY);
    let workspace = request.checkout("workspace");
    let run = request
        .of_run(HostRunner::action(LINT_GATE, &workspace))
        .run();

    run.expect("failure").expect_step_code("action.posix", 1);
    expect_the_seeded_faults(&run, "src/notes/config.py");
    let ruffs = run.annotations()[0]["message"].as_str().expect("a message");
    assert!(
        ruffs.contains("to ignore: ignore = [\"ruff:F841 src/notes/config.py until "),
        "{ruffs}"
    );

    expect_outputs(run.get("outputs"));
    for (name, value) in [
        ("verdict", "fail"),
        ("findings", "2"),
        ("new-findings", "2"),
        ("errors", "2"),
        ("base", &request.base),
    ] {
        assert_eq!(run.output(name), value, "{name}");
    }
    let report = run.report();
    assert_eq!(report["schema"], "lockgate.lint-gate/1");
    assert_eq!(report["verdict"], "fail");
    assert_eq!(report["exit-code"], 1);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(2));
    assert_eq!(&report["outputs"], run.get("outputs"));
    assert_eq!(
        report["left-out"],
        json!([
            {"reason": "merged with what another tool says", "count": 1},
            {"reason": "not on a changed line", "count": 2}
        ])
    );

    let summary = run.summary();
    expect_tame(&summary);
    for part in [
        "### ❌ lint-gate: failed\n",
        "2 errors in ",
        "scope: changed-lines<br>",
        "&#40;first parent of the merge commit&#41;<br>",
        "| ruff | 3 findings | 🔴 1 | 0.17.6 | uv.lock |",
        "| mypy | 1 finding | 🔴 1 | 2.4.1 | uv.lock |",
        "| pyright | 1 finding |  | 1.1.414 | uv.lock |",
        "| 🔴 **new** | src/notes/config.py&#58;",
        "2 not on a changed line",
    ] {
        assert!(summary.contains(part), "no `{part}` in\n{summary}");
    }
    run.expect_log(&format!(
        "lint-gate: base {} (first parent of the merge commit): 2 files, 12 lines changed",
        &request.base[..12]
    ));
}

#[test]
fn the_action_passes_once_the_fault_is_repaired() {
    let request = proposal(REPAIRED);
    let workspace = request.checkout("workspace");
    let run = request
        .of_run(HostRunner::action(LINT_GATE, &workspace))
        .run();

    run.expect("success").expect_step_code("action.posix", 0);
    assert_eq!(run.get("annotations"), &json!([]));
    expect_outputs(run.get("outputs"));
    assert_eq!(run.output("verdict"), "pass");
    assert_eq!(run.output("findings"), "0");
    assert_eq!(run.report()["verdict"], "pass");
    assert!(
        run.summary()
            .starts_with("### ✅ lint-gate: passed\n\nno findings in "),
        "{}",
        run.summary()
    );
}

#[test]
fn other_bytes_than_those_that_were_promised_do_not_run() {
    let project = project_with_report(&[]);
    let run = gate_on_report(&project)
        .input("binary-sha256", &"0".repeat(64))
        .run();
    run.expect("failure").expect_step_code("action.posix", 3);
    assert_eq!(run.get("outputs")["verdict"], "");
    assert_eq!(run.summary(), "");
    let all = all_shown(&run);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(
        all[0].ends_with(&format!(
            "has SHA-256 `{}`, not `{}`; hint: if you trust the file, pass its digest as `binary-sha256`",
            binary_sha256(),
            "0".repeat(64)
        )),
        "{all:?}"
    );
}

#[test]
fn an_input_that_is_empty_is_one_that_is_not_given() {
    let project = project_with_report(&[result("warning", "Dockerfile", 1, "tag it")]);
    let omitted = gate_on_report(&project).run();
    let mut empty = gate_on_report(&project);
    for name in [
        "paths",
        "tools",
        "fail-on",
        "mode",
        "exclude",
        "allow-empty",
        "timeout",
        "working-directory",
        "report-file",
        "token",
    ] {
        empty = empty.input(name, "");
    }
    let empty = empty.run();
    for run in [&omitted, &empty] {
        run.expect("success");
        assert_eq!(
            all_shown(run),
            ["warning Dockerfile:1:--- hadolint DL3006: tag it"]
        );
        assert_eq!(run.output("verdict"), "pass");
        assert_eq!(run.output("findings"), "1");
        assert_eq!(run.output("errors"), "0");
        assert_eq!(run.output("base"), "");
    }
}

#[test]
fn inputs_reach_the_gate() {
    let results = [
        result("warning", "service/Dockerfile", 1, "tag it"),
        result("warning", "made/Dockerfile", 1, "tag it"),
    ];
    for (inputs, conclusion, findings) in [
        (&[("fail-on", "warning")][..], "failure", "2"),
        (&[("fail-on", "never")], "success", "2"),
        (
            &[("fail-on", "warning"), ("mode", "report")],
            "success",
            "2",
        ),
        (
            &[("fail-on", "warning"), ("exclude", "made/**\nother/**\n")],
            "failure",
            "1",
        ),
        (
            &[("fail-on", "warning"), ("exclude", "\n**/Dockerfile\n\n")],
            "success",
            "0",
        ),
        (
            &[(
                "ignore",
                "hadolint:DL3006 made/* until 2999-01-01: it is made",
            )],
            "success",
            "1",
        ),
    ] {
        let project = project_with_report(&results);
        let mut runner = gate_on_report(&project);
        for (name, value) in inputs {
            runner = runner.input(name, value);
        }
        let run = runner.run();
        run.expect(conclusion);
        assert_eq!(run.output("findings"), findings, "{inputs:?}");
    }
}

#[test]
fn a_gate_that_only_reports_says_that_it_would_fail() {
    let project = project_with_report(&[result("error", "Dockerfile", 1, "tag it")]);
    let run = gate_on_report(&project).input("mode", "report").run();
    run.expect("success");
    assert_eq!(
        all_shown(&run),
        ["error Dockerfile:1:--- hadolint DL3006: tag it"]
    );
    assert_eq!(run.output("verdict"), "fail");
    assert!(
        run.summary()
            .starts_with("### 🟡 lint-gate: would fail, and only reports\n"),
        "{}",
        run.summary()
    );

    let ended = gate_on_report(&project)
        .input("mode", "report")
        .input("report-until", "2020-01-31")
        .run();
    ended.expect("failure").expect_step_code("action.posix", 1);
}

#[test]
fn a_wrong_input_is_named_as_the_user_typed_it() {
    let project = project_with_report(&[]);
    for (name, value, part) in [
        ("fail-on", "warn", "`fail-on`"),
        ("allow-empty", "yes", "`allow-empty`"),
        ("working-directory", "nowhere", "`working-directory`"),
        ("working-directory", "..", "`working-directory`"),
        ("reports", "report.sarif=xml", "`reports`"),
        ("exclude", "src/[", "`exclude`"),
    ] {
        let run = gate_on_report(&project).input(name, value).run();
        run.expect("failure").expect_step_code("action.posix", 2);
        let all = all_shown(&run);
        assert!(
            all.len() == 1
                && all[0].starts_with("error -:-:--- lockgate: ")
                && all[0].contains(part),
            "{all:?}"
        );
        assert_eq!(run.output("verdict"), "no-verdict", "{name}: {value}");
    }
}

#[test]
fn standard_output_is_empty_where_it_was_promised_to_a_document_and_there_is_none() {
    let project = Project::empty().in_workflow("push", &json!({}));
    for format in ["json", "sarif"] {
        let run = project.run(&[
            "lint-gate",
            "--scope=everything",
            "--tools=ruff",
            "--lockfile=missing.lock",
            "--output-format",
            format,
        ]);
        run.expect_code(2);
        assert_eq!(run.stdout, "");
        assert!(
            run.stderr.contains("::error title=lockgate::"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_tool_that_crashes_is_no_verdict_in_every_output() {
    let project = Project::empty();
    project.write("app.py", "");
    let tools = project.beside("tools");
    program(&tools.join("ruff"), "echo boom >&2\nexit 101\n");
    let run = gate_with_ruff(&project).path_first(&tools).run();
    run.expect("failure").expect_step_code("action.posix", 3);
    assert_eq!(run.output("verdict"), "no-verdict");
    let report = run.report();
    assert_eq!(report["verdict"], "no-verdict");
    assert_eq!(report["exit-code"], 3);
    let all = all_shown(&run);
    assert!(
        all.len() == 1 && all[0].starts_with("error -:-:--- ruff: no verdict: "),
        "{all:?}"
    );
    assert!(
        run.summary().starts_with("### ⚠️ lint-gate: no verdict\n"),
        "{}",
        run.summary()
    );
}

#[test]
fn paths_are_relative_to_the_workspace_wherever_the_gate_works() {
    let project = Project::empty();
    project.write("service/app.py", "import os\n");
    let run = gate_with_ruff(&project)
        .input("working-directory", "service")
        .run();
    run.expect("failure");
    let expected = ["error service/app.py:1:8-9 ruff F401: `os` imported but unused"];
    assert_eq!(all_shown(&run), expected);
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("all");
    let run = gate_with_ruff(&project)
        .input("working-directory", "./service/")
        .run();
    assert_eq!(all_shown(&run), expected);
}

#[test]
fn more_findings_than_annotations_spend_the_budget_and_count_the_rest() {
    let mut results = Vec::new();
    for (level, many) in [("error", 25), ("warning", 15), ("note", 12)] {
        for line in 1..=many {
            let mut one = result(level, "Dockerfile", line, &format!("{level} {line}"));
            // Of one rule they would be one annotation.
            one["ruleId"] = format!("{level}-{line}").into();
            results.push(one);
        }
    }
    let project = project_with_report(&results);
    let run = gate_on_report(&project).run();
    run.expect("failure");
    for level in ["error", "warning", "notice"] {
        let shown = run
            .annotations()
            .into_iter()
            .filter(|annotation| annotation["level"] == level);
        assert_eq!(shown.count(), 10, "{level}");
    }
    // The eleventh error is the runner's own word on the exit code; of ours none is lost.
    assert_eq!(run.get("droppedAnnotations"), 1);
    assert_eq!(
        run.get("annotations").as_array().map(Vec::len),
        Some(30),
        "the runner's own one is the one that is dropped"
    );
    run.expect_log("lint-gate: 22 findings without an annotation");
    assert_eq!(run.output("findings"), "52");
    assert_eq!(run.output("errors"), "25");
    assert_eq!(run.report()["findings"].as_array().map(Vec::len), Some(52));
    let rows = run.summary().matches("Dockerfile&#58;").count();
    assert_eq!(rows, 52, "all are in the summary");
}

/// Everything that a runner, a terminal or a browser would obey. A file may have this name.
const HOSTILE: &str = "a%0A::error::one\n::error file=x::two\r::warning::three\n  ::add-mask::hadolint\n##[add-mask]ruff ##[error]four\n::set-output name=verdict::pass\n::stop-commands::x1\u{1b}[31m<img src=x onerror=alert(1)><!--|`[x](http:x)`**";

#[track_caller]
fn expect_unharmed(run: &HostRun, annotations: usize) {
    assert_eq!(
        run.annotations().len(),
        annotations,
        "{:#}",
        run.get("annotations")
    );
    assert_eq!(run.get("droppedAnnotations"), 0);
    assert_eq!(run.get("masks"), 0);
    assert_eq!(run.get("env"), &json!({}));
    assert_eq!(run.get("path"), &json!([]));
    assert_eq!(run.get("state"), &json!({}));
    // Matchers of other actions would turn lines of ours into annotations.
    assert_eq!(run.get("unsupported"), &json!(["remove-matcher"]));
    expect_outputs(run.get("outputs"));
    assert_eq!(run.output("verdict"), "fail");
    assert!(!run.log().contains("***"), "{}", run.log());
    let ours = run
        .log()
        .replace("\u{1b}[36;1m", "")
        .replace("\u{1b}[0m", "");
    let before_issues = ours.split("##[error]").next().unwrap_or_default();
    assert!(!before_issues.contains('\u{1b}'), "{before_issues:?}");
    expect_tame(&run.summary());
}

#[test]
fn a_hostile_file_name_and_source_line_only_appear() {
    let project = Project::empty();
    let name = format!("{HOSTILE}.py");
    project.write(
        &name,
        "import os  # ::error::x ##[add-mask]os <b>\u{1b}[31m\n",
    );
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("weird");
    let run = gate_with_ruff(&project).run();
    run.expect("failure");
    expect_unharmed(&run, 1);
    assert_eq!(run.annotations()[0]["title"], "ruff F401");
    // The runner would take the name as it is; a page that shows it need not.
    let file = run.annotations()[0]["file"].as_str().expect("a file");
    assert!(file.starts_with("a%0A::error::one") && file.ends_with("**.py"));
    assert!(!file.contains(char::is_control) && !file.contains("##["));
    assert_eq!(run.report()["findings"][0]["path"], name.as_str());
}

#[test]
fn a_hostile_report_only_appears() {
    let project = Project::empty();
    let mut hostile = result("error", "Dockerfile", 1, HOSTILE);
    hostile["ruleId"] = HOSTILE.into();
    hostile["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] =
        "x%0A::error::y%0D::error::z%3Cb%3E".into();
    let mut document: Value = serde_json::from_str(&sarif(&[hostile])).expect("JSON");
    document["runs"][0]["tool"]["driver"]["name"] = HOSTILE.into();
    document["runs"][0]["tool"]["driver"]["rules"] =
        json!([{"id": HOSTILE, "helpUri": format!("javascript:{HOSTILE}")}]);
    project.write("report.sarif", document.to_string());
    let run = gate_on_report(&project).run();
    run.expect("failure");
    expect_unharmed(&run, 1);
    let message = run.annotations()[0]["message"].as_str().expect("a message");
    assert!(message.contains("<img src=x"), "it appears: {message}");
}

#[test]
fn the_token_appears_nowhere() {
    const TOKEN: &str = "ghs_0123456789abcdefSECRET";
    let project = project_with_report(&[result(
        "error",
        &format!("{TOKEN}/Dockerfile"),
        1,
        &format!("leaks {TOKEN}"),
    )]);
    let run = gate_on_report(&project)
        .input("token", TOKEN)
        .input("sarif-file", "out.sarif")
        .input("log-format", "json")
        .run();
    run.expect("failure");
    // The runner registers a token of its own before it shows a step's variables; this one it learns from us.
    let (_, printed) = run
        .log()
        .rsplit_once("##[endgroup]")
        .expect("the step's output");
    assert!(!printed.contains(TOKEN), "{printed}");
    assert!(printed.contains("leaks ***"), "{printed}");
    assert_eq!(run.get("masks"), 1);
    let report = run.report().to_string();
    let written = std::fs::read_to_string(project.path().join("out.sarif")).expect("SARIF");
    for text in [
        &run.summary(),
        &report,
        &written,
        &run.get("annotations").to_string(),
        &run.get("outputs").to_string(),
    ] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    assert!(report.contains("leaks ***"), "{report}");
}

/// Writes a shell script that can be run.
fn program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, format!("#!/bin/sh\n{script}")).expect("a script");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// Whether the process runs; one that nobody has waited for yet does not.
fn is_alive(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .starts_with(" Z")
    })
}

fn wait_until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    started.elapsed()
}

#[test]
fn a_cancelled_gate_ends_at_once_and_takes_deaf_tools_with_it() {
    let project = Project::empty();
    project.write("app.py", "");
    let tools = project.beside("tools");
    let marker = tools.join("processes");
    // It hears no polite signal, and neither does what it has put into the background.
    program(
        &tools.join("ruff"),
        &format!(
            "trap '' INT TERM HUP\nsh -c 'sleep 300; :' &\necho $PPID $$ $! >'{0}.new'\nmv '{0}.new' '{0}'\nsleep 300\nsleep 300\n",
            marker.display()
        ),
    );
    let running = gate_with_ruff(&project).path_first(&tools).start();
    wait_until("the tool has started", Duration::from_mins(1), || {
        marker.is_file()
    });
    let processes: Vec<u32> = std::fs::read_to_string(&marker)
        .expect("process numbers")
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    assert!(processes.iter().all(|process| is_alive(*process)));

    let gate = processes[0];
    running.cancel();
    let took = wait_until("the gate ends", Duration::from_secs(7), || !is_alive(gate));
    // A second is promised; a busy machine that runs all tests may take another.
    assert!(took < Duration::from_secs(2), "{took:?}");
    let run = running.wait();

    run.expect("cancelled");
    assert_eq!(run.step("action.posix")["conclusion"], "cancelled");
    assert_eq!(run.get("orphans"), &json!([]));
    let left: Vec<&u32> = processes
        .iter()
        .filter(|process| is_alive(**process))
        .collect();
    assert!(left.is_empty(), "{left:?} of {processes:?}");
}

#[test]
fn a_cancelled_gate_leaves_none_of_the_real_tools() {
    let request = proposal(REPAIRED);
    let workspace = request.checkout("workspace");
    let run = request
        .of_run(HostRunner::action(LINT_GATE, &workspace))
        .cancel_when("^lint-gate: pyright .* from ")
        .run();
    run.expect("cancelled");
    assert_eq!(run.get("orphans"), &json!([]));
    assert_eq!(run.get("outputs")["verdict"], "no-verdict");
    let here = |process: &PathBuf| {
        std::fs::read_link(process.join("cwd")).is_ok_and(|folder| folder.starts_with(&workspace))
    };
    let left: Vec<PathBuf> = std::fs::read_dir("/proc")
        .expect("processes")
        .flatten()
        .map(|entry| entry.path())
        .filter(here)
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What stands for actions of others, and for the released action in a workflow of a user.
pub(crate) struct StandIns {
    pub(crate) folder: PathBuf,
}

impl StandIns {
    pub(crate) fn new(folder: PathBuf) -> Self {
        let stand_ins = Self { folder };
        stand_ins.action(
            "checkout",
            &["persist-credentials"],
            &[],
            "- shell: sh
  run: |
    git init --quiet .
    git remote add origin \"$CHECKOUT_URL\"
    git fetch --quiet --no-tags --depth=1 origin \"+$GITHUB_SHA:refs/remotes/pull/1/merge\"
    git checkout --quiet --force refs/remotes/pull/1/merge
",
        );
        stand_ins.action(
            "setup-python",
            &["python-version"],
            &[],
            "- shell: sh
  run: |
    mkdir \"$RUNNER_TEMP/python\"
    ln -s \"$(command -v python3)\" \"$RUNNER_TEMP/python/python\"
    echo \"$RUNNER_TEMP/python\" >>\"$GITHUB_PATH\"
",
        );
        stand_ins.action(
            "lint-gate",
            &[],
            &OUTPUTS,
            "- id: gate
  uses: lockgate/under-test/actions/lint-gate@main
  with:
    binary-path: ${{ env.BINARY_PATH }}
    binary-sha256: ${{ env.BINARY_SHA256 }}
",
        );
        for (step, inputs, outputs) in [
            ("cache", &["lockfiles", "tools"][..], &["outcome"][..]),
            (
                "cache-key",
                &["lockfiles", "tools", "paths", "suffix"],
                &["key", "restore-keys", "paths"],
            ),
        ] {
            let mut steps = format!(
                "- id: gate
  uses: lockgate/under-test/actions/{step}@main
  with:
    binary-path: ${{{{ env.BINARY_PATH }}}}
    binary-sha256: ${{{{ env.BINARY_SHA256 }}}}
"
            );
            if step == "cache" {
                // This host has no service of GitHub's.
                steps.push_str("    store: ${{ runner.temp }}/kept\n");
            }
            for input in inputs {
                let _ = writeln!(steps, "    {input}: ${{{{ inputs.{input} }}}}");
            }
            stand_ins.action(step, inputs, outputs, &steps);
        }
        stand_ins
    }

    pub(crate) fn action(&self, name: &str, inputs: &[&str], outputs: &[&str], steps: &str) {
        let mut text = format!("name: {name}\ndescription: a stand-in\n");
        if !inputs.is_empty() {
            text.push_str("inputs:\n");
            for input in inputs {
                let _ = writeln!(text, "  {input}:\n    description: not used");
            }
        }
        if !outputs.is_empty() {
            text.push_str("outputs:\n");
            for output in outputs {
                let _ = writeln!(
                    text,
                    "  {output}:\n    description: passed on\n    value: ${{{{ steps.gate.outputs.{output} }}}}"
                );
            }
        }
        text.push_str("runs:\n  using: composite\n  steps:\n");
        for line in steps.lines() {
            let _ = writeln!(text, "    {line}");
        }
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("action.yml"), text).expect("an action");
    }

    pub(crate) fn of_run(&self, runner: HostRunner, request: &PullRequest) -> HostRunner {
        request
            .of_run(runner)
            .env("CHECKOUT_URL", &request.url())
            .stand_in("actions/checkout", self.folder.join("checkout"))
            .stand_in("actions/setup-python", self.folder.join("setup-python"))
            .stand_in("actions/cache", "skip")
            .stand_in("lockgate/lockgate/actions/cache", self.folder.join("cache"))
            .stand_in(
                "lockgate/lockgate/actions/cache-key",
                self.folder.join("cache-key"),
            )
            .stand_in("lockgate/under-test", root())
    }
}

pub(crate) const EXAMPLE_WORKFLOW: &str = "examples/notes/.github/workflows/ci.yml";

/// A job of the example's own workflow, in an empty workspace.
fn example_job(request: &PullRequest, name: &str) -> HostRun {
    let stand_ins = StandIns::new(request.beside("stand-ins"));
    let workspace = request.beside(name);
    let runner = HostRunner::job(&root().join(EXAMPLE_WORKFLOW), name, &workspace)
        .stand_in(
            "lockgate/lockgate/actions/lint-gate",
            stand_ins.folder.join("lint-gate"),
        )
        .stand_in(
            "lockgate/under-test/actions/lint-gate",
            root().join(LINT_GATE),
        )
        .env("BINARY_PATH", binary())
        .env("BINARY_SHA256", binary_sha256());
    stand_ins.of_run(runner, request).run()
}

/// The outputs of the gate, wherever in the job it stands.
fn gate_outputs(run: &HostRun) -> Value {
    let steps = run.get("steps").as_array().expect("steps");
    let mut gates = steps
        .iter()
        .map(|step| &step["outputs"])
        .filter(|outputs| outputs["verdict"].is_string());
    gates.next_back().expect("a step with a verdict").clone()
}

#[test]
fn the_workflow_of_the_example_is_red_with_a_fault_in_the_change() {
    let request = proposal(FAULTY);
    let run = example_job(&request, "gate");
    run.expect("failure");
    expect_the_seeded_faults(&run, "src/notes/config.py");
    let outputs = gate_outputs(&run);
    expect_outputs(&outputs);
    assert_eq!(outputs["verdict"], "fail");
    assert_eq!(outputs["new-findings"], "2");
    assert_eq!(outputs["base"], request.base.as_str());
    assert!(
        run.summary().starts_with("### ❌ lint-gate: failed\n"),
        "{}",
        run.summary()
    );

    let run = example_job(&request, "test");
    run.expect("failure");
    run.expect_log("test_an_address_is_host_and_port");
}

#[test]
fn the_workflow_of_the_example_is_green_once_the_fault_is_repaired() {
    let request = proposal(REPAIRED);
    let run = example_job(&request, "gate");
    run.expect("success");
    assert_eq!(run.get("annotations"), &json!([]));
    let outputs = gate_outputs(&run);
    assert_eq!(outputs["verdict"], "pass");
    assert_eq!(outputs["findings"], "0");
    assert!(
        run.summary().starts_with("### ✅ lint-gate: passed\n"),
        "{}",
        run.summary()
    );

    let run = example_job(&request, "test");
    run.expect("success");
    // A folder has no scopes: what a proposal saved there would be restored by everybody.
    let annotations = run.annotations();
    let titles: Vec<&Value> = annotations.iter().map(|one| &one["title"]).collect();
    assert_eq!(titles, ["cache untrusted"], "{annotations:?}");
    run.expect_log("nothing is saved under `lockgate@1/pip@http");
    run.expect_log("on `pull_request` nothing is saved in a folder");
}

#[test]
fn the_root_action_puts_the_binary_on_the_path_of_later_steps() {
    let project = Project::empty();
    project.write(
        ".github/workflows/use.yml",
        format!(
            "on: push
jobs:
  use:
    runs-on: ubuntu-24.04
    steps:
      - uses: lockgate/lockgate@main
        with:
          binary-path: {}
          binary-sha256: {}
      - id: version
        shell: sh
        run: echo \"version=$(lockgate --version)\" >>\"$GITHUB_OUTPUT\"
",
            binary(),
            binary_sha256()
        ),
    );
    let workflow = project.path().join(".github/workflows/use.yml");
    let run = HostRunner::job(&workflow, "use", &project.path())
        .stand_in("lockgate/lockgate", root())
        .run();
    run.expect("success");
    assert_eq!(
        run.step("version")["outputs"]["version"],
        concat!("lockgate ", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(run.get("path").as_array().map(Vec::len), Some(1));
    assert_eq!(run.get("annotations"), &json!([]));
}

#[test]
fn the_root_action_runs_a_step_with_one_argument_a_line() {
    let project = project_with_report(&[
        result("error", "Dockerfile", 1, "tag it"),
        result("error", "a folder/$(touch pwned)", 1, "left out"),
    ]);
    let run = HostRunner::action("", &project.path())
        .input("step", "lint-gate")
        .input(
            "args",
            "--reports\nreport.sarif=sarif:1\n\n--scope=everything\n--exclude\na folder/$(touch pwned)\n--report-file=our report.json\n",
        )
        .run();
    run.expect("failure").expect_step_code("action.posix", 1);
    assert_eq!(
        all_shown(&run),
        ["error Dockerfile:1:--- hadolint DL3006: tag it"]
    );
    assert!(!project.path().join("pwned").exists());
    assert!(project.path().join("our report.json").is_file());
    assert!(
        run.summary().starts_with("### ❌ lint-gate: failed\n"),
        "{}",
        run.summary()
    );
}

#[test]
fn our_own_workflow_runs_the_gate_of_the_same_commit_on_the_example() {
    let server = Project::empty();
    for part in [".github", "actions", "examples/notes"] {
        for file in files_below(part) {
            let inside = file.strip_prefix(root()).expect("inside the repository");
            let name = inside.to_str().expect("a plain name");
            server.write(name, std::fs::read(&file).expect("a file"));
        }
    }
    server.git(&["init", "--quiet", "--initial-branch=main"]);
    server.commit("all");
    let request = PullRequest::of(
        server,
        |main| {
            main.write("meanwhile.txt", "");
        },
        |branch| {
            branch.append("examples/notes/src/notes/config.py", FAULTY);
        },
    );
    let stand_ins = StandIns::new(request.beside("stand-ins"));
    // The binary is there already: the test's own.
    let programs = request.beside("programs");
    program(&programs.join("rustup"), "exit 0\n");
    program(
        &programs.join("cargo"),
        &format!(
            "[ \"$*\" = 'build --release --locked' ] || exit 9\nmkdir -p target/release\ncp '{BINARY}' target/release/lockgate\n"
        ),
    );
    let workflow = root().join(".github/workflows/dogfood.yml");
    let runner =
        HostRunner::job(&workflow, "lint-gate", &request.beside("workspace")).path_first(&programs);
    let run = stand_ins.of_run(runner, &request).run();
    run.expect("failure");
    let all = all_shown(&run);
    assert!(
        all.len() == 2
            && all
                .iter()
                .all(|one| one.starts_with("error examples/notes/src/notes/config.py:7")),
        "{all:?}\n{}",
        run.log()
    );
    assert_eq!(gate_outputs(&run)["verdict"], "fail");
}

#[test]
fn the_host_runner_keeps_its_own_promises() {
    let output = Command::new("npm")
        .args(["test", "--silent"])
        .current_dir(tools::runner())
        .output()
        .expect("npm");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let count = |name: &str| -> u64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("# {name} ")));
        line.and_then(|number| number.trim().parse().ok())
            .unwrap_or_else(|| panic!("no count of {name} in\n{text}"))
    };
    assert!(count("pass") >= 250, "{text}");
    assert_eq!(
        count("fail") + count("skipped") + count("todo"),
        0,
        "{text}"
    );
}
