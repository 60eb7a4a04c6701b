//! `lint-gate` end to end: scopes, thresholds, policy, what is shown, and what strangers write.

use serde_json::json;

use crate::support::lockgate::{Project, Run};
use crate::support::tools::environment;

/// A project with the pinned tools on PATH and one commit.
fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::empty().with_path_first(&environment().join("bin"));
    for (path, content) in files {
        project.write(path, content);
    }
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    project
}

/// Runs the gate with tools from PATH and a JSON report on standard output.
fn gate(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec![
        "lint-gate",
        "--tool-source",
        "path",
        "--output-format",
        "json",
    ];
    all.extend(arguments);
    project.run(&all)
}

fn rules(run: &Run) -> Vec<String> {
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap_or("-").to_owned())
        .collect()
}

fn left_out(run: &Run) -> Vec<(String, u64)> {
    let report = run.json();
    let list = report["left-out"].as_array().unwrap();
    list.iter()
        .map(|one| {
            (
                one["reason"].as_str().unwrap().to_owned(),
                one["count"].as_u64().unwrap(),
            )
        })
        .collect()
}

const OLD: &str = "import os\n\n\ndef old() -> int:\n    return 1\n";

#[test]
fn a_laptop_judges_what_changed_committed_or_not() {
    let project = project(&[("app.py", OLD)]);
    project.git(&["checkout", "--quiet", "-b", "work"]);
    project.write("committed.py", "import sys\n");
    project.commit("work");
    project
        .append("app.py", "import json\n")
        .write("untracked.py", "import re\n");
    let run = gate(&project, &["--tools", "ruff"]);
    run.expect_code(1);
    let report = run.json();
    let places: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["rule"] == "F401")
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["app.py", "committed.py", "untracked.py"]);
    assert_eq!(left_out(&run), [("not on a changed line".to_owned(), 1)]);
    assert_eq!(report["findings"][0]["new"], true);
}

#[test]
fn scopes_keep_lines_files_or_everything() {
    let project = project(&[("app.py", OLD), ("other.py", "import sys\n")]);
    project.append("app.py", "x = 1\n");
    for (scope, code, kept) in [
        ("changed-lines", 0, 0),
        ("changed-files", 1, 1),
        ("everything", 1, 2),
    ] {
        let run = gate(&project, &["--tools", "ruff", "--scope", scope]);
        run.expect_code(code);
        assert_eq!(rules(&run).len(), kept, "{scope}");
    }
}

#[test]
fn type_checkers_are_not_cut_to_changed_lines() {
    let project = project(&[
        ("lib.py", "def f() -> int:\n    return 1\n"),
        ("use.py", "import lib\n\nx: int = lib.f()\n"),
    ]);
    project.write("lib.py", "def f() -> str:\n    return ''\n");
    let run = gate(&project, &["--tools", "mypy"]);
    run.expect_code(1);
    let report = run.json();
    assert_eq!(
        (
            &report["findings"][0]["path"],
            &report["findings"][0]["new"]
        ),
        (&json!("use.py"), &json!(true))
    );
}

#[test]
fn a_finding_of_several_lines_is_new_where_any_of_them_is() {
    let project = project(&[
        (
            "app.py",
            "import a_first\nimport c_last\n\nprint(a_first, c_last)\n",
        ),
        ("ruff.toml", "lint.select = ['I']\n"),
    ]);
    project.write(
        "app.py",
        "import a_first\nimport c_last\nimport b_middle\n\nprint(a_first, b_middle, c_last)\n",
    );
    let run = gate(&project, &["--tools", "ruff"]);
    run.expect_code(1);
    assert_eq!(rules(&run), ["I001"]);
}

#[test]
fn exclude_and_ignore_leave_out_and_count() {
    let project = project(&[
        ("app.py", "import os\n"),
        ("gen/a.py", "import os\n"),
        ("legacy/b.py", "import os\n"),
    ]);
    let run = gate(
        &project,
        &[
            "--tools",
            "ruff",
            "--scope",
            "everything",
            "--exclude",
            "gen",
            "--ignore",
            "ruff:F401 legacy/** until 2999-01-01: moves out",
            "--ignore",
            "ruff:F401 until 2020-01-01: ran out",
        ],
    );
    run.expect_code(1);
    assert_eq!(
        left_out(&run),
        [("excluded".to_owned(), 1), ("ignored".to_owned(), 1)]
    );
    assert_eq!(rules(&run), ["ignore-expired", "F401"]);
}

#[test]
fn thresholds_and_report_mode_decide_the_exit() {
    let project = project(&[("app.py", "import os\n")]);
    let everything = ["--tools", "ruff", "--scope", "everything"];
    for (more, code) in [
        (&["--fail-on", "never"][..], 0),
        (&["--mode", "report"], 0),
        (&["--mode", "report", "--report-until", "2999-01-01"], 0),
        (&["--mode", "report", "--report-until", "2020-01-01"], 1),
        (&["--fail-on=note"], 1),
    ] {
        let all: Vec<&str> = everything.iter().chain(more).copied().collect();
        gate(&project, &all).expect_code(code);
    }
}

#[test]
fn inputs_come_from_command_line_environment_and_file_in_this_order() {
    let files = [
        ("app.py", "import os\n"),
        (
            "pyproject.toml",
            "[tool.lockgate.lint-gate]\ntools = ['ruff']\ntool-source = 'path'\nscope = 'everything'\nfail-on = 'never'\n",
        ),
    ];
    let from_file = project(&files);
    from_file.run(&["lint-gate"]).expect_code(0);
    let from_environment = project(&files)
        .with("INPUT_FAIL_ON", "error")
        .with("INPUT_EXCLUDE", "");
    from_environment.run(&["lint-gate"]).expect_code(1);
    from_environment
        .run(&["lint-gate", "--fail-on", "never"])
        .expect_code(0);
    project(&files)
        .with("INPUT_FAIL-ON", "error")
        .run(&["lint-gate"])
        .expect_code(1);
}

#[test]
fn a_list_on_one_line_may_have_blanks_after_its_commas() {
    let named = |run: &Run| -> Vec<String> {
        run.expect_code(1).json()["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let python = ("app.py", "import os\n");
    let options = [
        "lint-gate",
        "--tool-source=path",
        "--scope=everything",
        "--output-format=json",
    ];
    let typed: Vec<&str> = options
        .into_iter()
        .chain(["--tools", "ruff, isort", "--install-env", "A, B"])
        .collect();
    let wanted = ["ruff", "isort"];
    assert_eq!(named(&project(&[python]).run(&typed)), wanted);
    let from_environment = project(&[python])
        .with("INPUT_TOOLS", "ruff, isort")
        .with("INPUT_INSTALL_ENV", "A, B");
    assert_eq!(named(&from_environment.run(&options)), wanted);
    let from_file = project(&[
        python,
        (
            "pyproject.toml",
            "[tool.lockgate.lint-gate]\ntools = 'ruff, isort'\ninstall-env = 'A, B'\n",
        ),
    ]);
    assert_eq!(named(&from_file.run(&options)), wanted);
}

#[test]
fn a_proposal_cannot_loosen_its_own_judgement() {
    let policy = "[tool.lockgate.lint-gate]\ntools = ['ruff']\ntool-source = 'path'\n";
    let project = project(&[("app.py", "x = 1\n"), ("pyproject.toml", policy)]);
    let base = project.git(&["rev-parse", "HEAD"]);
    project.git(&["checkout", "--quiet", "-b", "proposal"]);
    project.append("app.py", "import os\n");
    project.write(
        "pyproject.toml",
        format!(
            "{policy}fail-on = 'never'\nexclude = ['**']\nignore = ['ruff until 2999-01-01: no']\n"
        ),
    );
    let head = project.commit("proposal");
    project.git(&["checkout", "--quiet", "main"]);
    project.git(&[
        "merge",
        "--quiet",
        "--no-ff",
        "--message",
        "merge",
        "proposal",
    ]);
    let payload = json!({"pull_request": {"head": {"sha": head}, "base": {"sha": base}}});
    let project = project.in_workflow("pull_request", &payload);
    let run = project.run(&["lint-gate", "--output-format", "json"]);
    run.expect_code(1);
    let found = rules(&run);
    assert_eq!(
        found
            .iter()
            .filter(|rule| *rule == "policy-changed")
            .count(),
        3,
        "{found:?}"
    );
    assert!(found.iter().any(|rule| rule == "F401"));
    // What the workflow itself says counts as it is.
    project
        .with("INPUT_FAIL_ON", "never")
        .run(&["lint-gate"])
        .expect_code(0);
}

#[test]
fn documents_are_alone_on_standard_output() {
    let project = project(&[("app.py", "import os\n")]).in_workflow("schedule", &json!({}));
    for (format, key) in [("json", "schema"), ("sarif", "version")] {
        let run = project.run(&[
            "lint-gate",
            "--tools",
            "ruff",
            "--tool-source",
            "path",
            "--output-format",
            format,
        ]);
        run.expect_code(1);
        assert!(run.json()[key].is_string());
        assert!(
            run.stderr
                .contains("::error title=ruff F401,file=app.py,line=1"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_workflow_gets_annotations_summary_and_outputs() {
    let project = project(&[("app.py", "import os\n")]).in_workflow("schedule", &json!({}));
    let run = project.run(&["lint-gate", "--tools", "ruff", "--tool-source", "path"]);
    run.expect_code(1).expect_text("::error title=ruff F401,file=app.py,line=1,endLine=1,col=8,endColumn=9::`os` imported but unused");
    assert!(
        project
            .temp_file("summary")
            .starts_with("### ❌ lint-gate: failed\n")
    );
    let outputs = project.temp_file("output");
    for part in ["verdict<<ghadelimiter_", "\nfail\n", "errors<<", "report<<"] {
        assert!(outputs.contains(part), "{outputs}");
    }
    let report = outputs
        .lines()
        .find(|line| line.contains("lint-gate-"))
        .unwrap();
    assert!(
        std::fs::read_to_string(report)
            .unwrap()
            .contains("\"lockgate.lint-gate/1\"")
    );
}

#[test]
fn annotations_keep_to_their_budget_and_say_so() {
    let source: Vec<String> = (0..12)
        .map(|number| format!("import m{number}\n"))
        .collect();
    let project = project(&[("app.py", &source.concat()), ("b.py", "import os\n")]);
    let project = project.in_workflow("schedule", &json!({}));
    let arguments = ["lint-gate", "--tools", "ruff", "--tool-source", "path"];
    let annotations = |run: &Run| run.text().matches("::error title=").count();
    let run = project.run(&arguments);
    run.expect_code(1)
        .expect_text("::error title=ruff F401 × 12,file=app.py,line=1,")
        .expect_text("%0Aand 11 more of this rule in this file (lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)%0A")
        .expect_text("::error title=ruff F401,file=b.py,");
    assert_eq!(annotations(&run), 2);
    let mut fewer = arguments.to_vec();
    fewer.push("--max-annotations=1");
    let run = project.run(&fewer);
    run.expect_code(1).expect_text(
        "lint-gate: 1 finding without an annotation (`max-annotations` is 1); all are in the summary and the report",
    );
    assert_eq!(annotations(&run), 1);
    assert!(
        project
            .temp_file("summary")
            .contains("\nWithout an annotation: 1 finding (&#96;max-annotations&#96; is 1).\n")
    );
}

#[test]
fn what_strangers_write_appears_and_does_nothing() {
    let hostile =
        "::error::owned ##[add-mask]app \u{1b}[2J <img src=x> `@all` %0A::error::x\r::warning::y";
    let report = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "::error::t ##[error]u\n::error::v"}}, "results": [{
        "ruleId": "::set-output name=a::b\n|x|", "message": {"text": format!("{hostile}\n::error::second line")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "::error::%0Aa%25b.py"}, "region": {"startLine": 1}}}]}]}]});
    let project = project(&[
        ("::error::\na%b.py", hostile),
        ("hostile.sarif", &report.to_string()),
    ])
    .in_workflow("schedule", &json!({}));
    let run = project.run(&["lint-gate", "--reports", "hostile.sarif=sarif"]);
    run.expect_code(0).expect_text("owned");
    for line in run.text().split(['\n', '\r']) {
        let line = line.trim_start();
        let command = line
            .strip_prefix("::")
            .map(|rest| rest.split([' ', ':']).next().unwrap_or_default());
        assert!(
            matches!(command, None | Some("warning" | "remove-matcher")),
            "{line:?}"
        );
        assert!(command.is_some() || !line.contains("##["), "{line:?}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    let warnings = run
        .text()
        .lines()
        .filter(|line| line.starts_with("::warning"))
        .count();
    assert_eq!(warnings, 1, "{}", run.text());
    let summary = project.temp_file("summary");
    assert!(
        !summary.contains("<img") && !summary.contains("@all") && !summary.contains('`'),
        "{summary}"
    );
}

#[test]
fn paths_outside_and_missing_files_keep_their_lines() {
    let report = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [
        {"message": {"text": "outside"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///etc/passwd"}, "region": {"startLine": 1}}}]},
        {"message": {"text": "gone"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "gone.py"}, "region": {"startLine": 7, "startColumn": 3}}}]},
        {"message": {"text": "nowhere"}}]}]});
    let project = project(&[("x.sarif", &report.to_string())]);
    let run = gate(
        &project,
        &["--reports", "x.sarif=sarif", "--scope", "everything"],
    );
    let found = run.json();
    let show = |one: &serde_json::Value| {
        format!(
            "{} {} {}",
            one["message"].as_str().unwrap(),
            one["path"],
            one["line"]
        )
    };
    let shown: Vec<String> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(show)
        .collect();
    assert_eq!(
        shown,
        [
            "/etc/passwd:1: outside null null",
            "nowhere null null",
            "gone \"gone.py\" 7"
        ]
    );
}

#[test]
fn the_binary_is_the_step_that_it_is_named_after() {
    let project = project(&[("app.py", "x = 1\n")]);
    for name in ["lint-gate", "lockgate-lint-gate"] {
        let link = project.beside("bin").join(name);
        std::fs::hard_link(crate::support::lockgate::BINARY, &link)
            .or_else(|_| std::fs::copy(crate::support::lockgate::BINARY, &link).map(|_| ()))
            .unwrap();
        let output = std::process::Command::new(&link)
            .arg("--help")
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&output.stdout)
                .starts_with("Lint, type-check and judge a change")
        );
    }
}

#[test]
fn a_version_that_the_project_does_not_want_is_refused() {
    let project = project(&[(
        "pyproject.toml",
        "[tool.lockgate]\nrequired-version = '>=99'\n",
    )]);
    project
        .run(&["lint-gate"])
        .expect_code(2)
        .expect_text("the project requires `>=99`")
        .expect_text("pyproject.toml:2:20");
}

#[test]
fn nothing_to_do_is_the_users_mistake_with_a_way_out() {
    let project = project(&[("app.py", "x = 1\n")]);
    project
        .run(&["lint-gate"])
        .expect_code(2)
        .expect_text("hint: uv add --dev ruff mypy");
    project
        .run(&[
            "lint-gate",
            "--scope",
            "changed-lines",
            "--base",
            "nope",
            "--tools",
            "ruff",
        ])
        .expect_code(2)
        .expect_text("there is no commit `nope`");
}

#[test]
fn json_logs_are_one_object_a_line_with_step_trace_and_duration() {
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let project = project(&[("app.py", "import os\n")])
        .with("TRACEPARENT", &format!("00-{trace}-b7ad6b7169203331-01"))
        .with("INPUT_LOG_FORMAT", "json");
    let run = gate(&project, &["--tools", "ruff", "--scope", "everything"]);
    run.expect_code(1);
    let lines: Vec<serde_json::Value> = run
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for line in &lines {
        assert_eq!(line["span"]["trace_id"], trace, "{line}");
        assert_eq!(line["span"]["step"], "lint-gate", "{line}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line["tool"] == "ruff" && line["duration_ms"].is_u64())
    );
}

#[test]
fn a_report_about_other_files_is_no_verdict() {
    let report = |uri: &str| {
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [
        {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}]}]}]})
        .to_string()
    };
    let project = project(&[("src/app.py", "x = 1\n")]);
    for uri in ["app.py", "file:///home/runner/work/other/src/app.py"] {
        project.write("x.sarif", report(uri));
        gate(&project, &["--reports", "x.sarif=sarif"])
            .expect_code(3)
            .expect_text("no file that the report names is in the workspace");
    }
    project.write("x.sarif", report("src/app.py"));
    gate(&project, &["--reports", "x.sarif=sarif"]).expect_code(0);
}

#[test]
fn a_checkout_of_something_else_than_the_pull_request_is_no_verdict() {
    let project = project(&[("app.py", "import os\n")]);
    let base = project.git(&["rev-parse", "HEAD"]);
    let payload = json!({"pull_request": {"head": {"sha": "1".repeat(40)}, "base": {"sha": base}}});
    let project = project.in_workflow("pull_request", &payload);
    gate(&project, &["--tools", "ruff"])
        .expect_code(3)
        .expect_text("does not hold the pull request's head");
}

#[test]
fn the_line_that_a_finding_suggests_ignores_it() {
    let project = project(&[
        ("service/a [1] \"x\".py", "import os\n"),
        ("service/b.py", "x = 1\n"),
    ]);
    let project = project.with("INPUT_WORKING_DIRECTORY", "service");
    let everything = [
        "lint-gate",
        "--tools",
        "ruff",
        "--tool-source",
        "path",
        "--scope",
        "everything",
    ];
    let run = project.run(&everything);
    run.expect_code(1);
    let line = run
        .stdout
        .lines()
        .find_map(|line| line.trim().strip_prefix("to ignore: "))
        .unwrap();
    let line = line.replace("<reason>", "it is a test");
    project.write(
        "service/pyproject.toml",
        format!("[tool.lockgate.lint-gate]\n{line}\n"),
    );
    project
        .run(&everything)
        .expect_code(0)
        .expect_text("left out: 1 ignored");
}
