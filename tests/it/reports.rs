//! Reports made elsewhere, end to end: each format by its name, and what hostile ones ask for.
//!
//! Sizes are small in the suite. `LOCKGATE_CAMPAIGN=50` makes them what they are called.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::fuzzing::campaign;
use crate::support::expect::root;
use crate::support::lockgate::{Project, Run};

fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::empty();
    for (path, content) in files {
        project.write(path, content);
    }
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    project
}

fn gate(project: &Project, report: &str) -> Run {
    let report = format!("--reports={report}");
    project.run(&[
        "lint-gate",
        &report,
        "--scope=everything",
        "--output-format=json",
    ])
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(name)).unwrap()
}

/// Megabytes of a large report.
fn megabytes(full: usize) -> usize {
    let scale = usize::try_from(campaign().min(50)).unwrap();
    (full * scale / 50).max(1)
}

#[test]
fn every_format_is_read_as_what_it_is_called() {
    let project = project(&[("bad.py", "import os\n"), ("broken.py", "def f(:\n")]);
    let local = |name: &str| {
        let text = String::from_utf8(fixture(name)).unwrap();
        text.replace("/w/", "")
    };
    project.write(
        "r.sarif",
        local("sarif/ruff-0.17.6/stdout").replace("file://", ""),
    );
    project.write("r.json", local("rdjson/ruff-0.17.6/stdout"));
    project.write(
        "lines.jsonl",
        "{\"message\":\"m\",\"location\":{\"path\":\"bad.py\",\"range\":{\"start\":{\"line\":1}}},\"severity\":\"INFO\"}\n",
    );
    for (report, code, tool, count) in [
        ("r.sarif=sarif:1", 1, "ruff", 6),
        ("r.json=rdjson:1", 0, "ruff", 6),
        ("lines.jsonl=rdjsonl", 0, "lines", 1),
    ] {
        let run = gate(&project, report);
        run.expect_code(code);
        let document = run.json();
        let findings = document["findings"].as_array().unwrap();
        assert_eq!(findings.len(), count, "{report}");
        assert!(
            findings.iter().all(|finding| finding["tool"] == tool),
            "{report}"
        );
    }
    // One given for the other.
    for (report, expected) in [
        ("r.sarif=rdjson", "r.sarif:1:1: expected `diagnostics`"),
        ("r.sarif=rdjsonl", "r.sarif:"),
        ("r.json=sarif", "r.json:1:1: `version` is missing"),
        (
            "r.json=rdjsonl",
            "a document with `diagnostics` where a diagnostic belongs",
        ),
        (
            "lines.jsonl=rdjson",
            "lines.jsonl:1:1: expected `diagnostics`",
        ),
        ("lines.jsonl=sarif", "lines.jsonl:1:1: `version` is missing"),
    ] {
        gate(&project, report).expect_code(3).expect_text(expected);
    }
}

#[test]
fn the_exit_code_must_agree_with_the_report() {
    let project = project(&[("a.py", "x = 1\n")]);
    project.write("clean.json", fixture("rdjson/ruff-clean-0.17.6/stdout"));
    project.write("missing.json", fixture("rdjson/ruff-missing-0.17.6/stdout"));
    project.write("empty.json", "");
    project.write("empty.diff", "");
    for (report, code) in [
        ("clean.json=rdjson", 0),
        ("clean.json=rdjson:0", 0),
        ("clean.json=rdjson:1", 3),
        ("clean.json=rdjson:2", 3),
        ("clean.json=rdjson:137", 3),
        ("missing.json=rdjson:1", 3),
        ("empty.json=rdjson", 3),
        ("empty.json=rdjsonl", 3),
        ("gone.json=rdjsonl:0", 3),
        ("empty.diff=diff", 0),
        ("empty.diff=diff:0", 0),
        ("empty.diff=diff:1", 3),
        ("empty.diff=diff:123", 3),
        ("gone.diff=diff", 3),
    ] {
        let run = gate(&project, report);
        assert_eq!(run.code, code, "{report}: {}", run.text());
    }
}

#[test]
fn a_report_about_other_files_is_no_verdict_in_any_format() {
    let project = project(&[("src/app.py", "x = 1\n")]);
    let line = |path: &str| {
        format!(
            r#"{{"message":"m","location":{{"path":"{path}","range":{{"start":{{"line":1}}}}}}}}"#
        )
    };
    let run = |path: &str| {
        project.write("r.jsonl", line(path));
        project.run(&[
            "lint-gate",
            "--reports=r.jsonl=rdjsonl",
            "--scope=changed-lines",
            "--base=HEAD",
        ])
    };
    run("/elsewhere/src/app.py").expect_code(3).expect_text(
        "no file that the report names is in the workspace; the first is `/elsewhere/src/app.py`",
    );
    run("src/app.py").expect_code(0);
}

#[test]
fn xml_is_refused_and_nothing_of_it_is_read() {
    let project = project(&[("a.py", "x = 1\n")]);
    // Ten levels of ten would be ten thousand million letters, if anybody read them.
    let mut entities =
        String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE r [\n<!ENTITY e0 \"aaaaaaaaaa\">\n");
    for level in 1..10 {
        let inner = format!("&e{};", level - 1).repeat(10);
        writeln!(entities, "<!ENTITY e{level} \"{inner}\">").unwrap();
    }
    entities.push_str("<!ENTITY x SYSTEM \"file:///etc/passwd\">\n]>\n<r>&e9;&x;</r>\n");
    project.write("r.xml", &entities);
    for (format, expected) in [
        (
            "sarif",
            "r.xml:1:1: the report is XML, which is not read: let the tool write a SARIF 2.1.0 object",
        ),
        (
            "rdjson",
            "r.xml:1:1: the report is XML, which is not read: let the tool write an rdjson object",
        ),
        (
            "rdjsonl",
            "r.xml:1:1: the report is XML, which is not read: let the tool write rdjsonl, one diagnostic a line",
        ),
    ] {
        let run = gate(&project, &format!("r.xml={format}"));
        run.expect_code(3).expect_text(expected);
        assert!(
            !run.text().contains("aaaa") && !run.text().contains("root:"),
            "{}",
            run.text()
        );
    }
}

/// Every way to name `src/a b.py`, and what is not in the workspace.
#[test]
fn paths_come_home_however_they_are_spelled() {
    let project = project(&[("src/a b.py", "x = 1\n"), ("src/é.py", "x = 1\n")]);
    let root = std::fs::canonicalize(project.path()).unwrap();
    let root = root.display();
    let home = Some("src/a b.py");
    let cases = [
        ("src/a%20b.py".to_owned(), home),
        ("src/a b.py".to_owned(), home),
        ("./src/./a%20b.py".to_owned(), home),
        ("src/../src/a%20b.py".to_owned(), home),
        (format!("{root}/src/a%20b.py"), home),
        (format!("file://{root}/src/a%20b.py"), home),
        (format!("file://localhost{root}/src/a%20b.py"), home),
        (format!("file:{root}/src/a%20b.py"), home),
        (format!("FILE://{root}/src/%61%20b.py"), home),
        (format!("{root}/../project/src/a%20b.py"), home),
        ("src/%C3%A9.py".to_owned(), Some("src/é.py")),
        ("src/é.py".to_owned(), Some("src/é.py")),
        ("../outside.py".to_owned(), None),
        ("src/../../outside.py".to_owned(), None),
        ("src/%2e%2e/%2e%2e/%2e%2e/etc/passwd".to_owned(), None),
        ("file:///etc/passwd".to_owned(), None),
        ("file://server/share/a.py".to_owned(), None),
        ("//server/share/a.py".to_owned(), None),
        ("https://host.example/a.py".to_owned(), None),
    ];
    let results: Vec<_> = cases
        .iter()
        .map(|(uri, _)| {
            json!({"message": {"text": uri}, "locations": [{"physicalLocation":
                {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}]})
        })
        .collect();
    let report = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": results}]});
    project.write("r.sarif", report.to_string());
    let found = gate(&project, "r.sarif=sarif").json();
    let findings = found["findings"].as_array().unwrap();
    assert_eq!(findings.len(), cases.len());
    for (uri, expected) in &cases {
        let one = findings
            .iter()
            .find(|finding| {
                finding["message"].as_str().unwrap().ends_with(uri)
                    || finding["message"].as_str().unwrap().starts_with(uri)
            })
            .unwrap_or_else(|| panic!("{uri}"));
        assert_eq!(one["path"].as_str(), *expected, "{uri}");
    }
}

/// On a runner of ours Windows paths are names like any other: nothing of them leads anywhere.
#[test]
#[cfg(unix)]
fn paths_of_windows_are_in_no_workspace() {
    let project = project(&[("a.py", "x = 1\n")]);
    for uri in [
        "C:\\w\\a.py",
        "file:///C:/w/a.py",
        "file:///c%3A/w/a.py",
        "\\\\server\\share\\a.py",
        "..\\..\\a.py",
    ] {
        let report = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}]}]}]});
        project.write("r.sarif", report.to_string());
        let run = project.run(&[
            "lint-gate",
            "--reports=r.sarif=sarif",
            "--scope=changed-lines",
            "--base=HEAD",
        ]);
        run.expect_code(3)
            .expect_text("no file that the report names is in the workspace");
    }
}

#[test]
fn positions_outside_of_the_file_lose_what_is_not_there() {
    let project = project(&[("a.py", "é = 1\nlast")]);
    let regions = [
        (
            json!({"startLine": 2, "startColumn": 1, "endColumn": 99}),
            json!([2, 1, 2, 5]),
        ),
        (
            json!({"startLine": 1, "startColumn": 99}),
            json!([1, null, 1, null]),
        ),
        (
            json!({"startLine": 1, "startColumn": 1, "endLine": 99, "endColumn": 99}),
            json!([1, 1, 2, 5]),
        ),
        (
            json!({"startLine": 1, "startColumn": 1, "endLine": 2, "endColumn": 1}),
            json!([1, 1, 1, 6]),
        ),
        (json!({"startLine": 99}), json!([null, null, null, null])),
        (json!({"startLine": 0}), json!([null, null, null, null])),
        (
            json!({"startLine": -5, "startColumn": -5}),
            json!([null, null, null, null]),
        ),
        (
            json!({"startLine": i64::MAX, "startColumn": i64::MAX}),
            json!([null, null, null, null]),
        ),
        (
            json!({"charOffset": 6, "charLength": 4}),
            json!([2, 1, 2, 5]),
        ),
        (
            json!({"byteOffset": 7, "byteLength": 99}),
            json!([2, 1, 2, 5]),
        ),
        (json!({"charOffset": 99}), json!([null, null, null, null])),
    ];
    for (region, expected) in regions {
        let report = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.py"}, "region": region}}]}]}]});
        project.write("r.sarif", report.to_string());
        let run = gate(&project, "r.sarif=sarif");
        let found = run.json();
        let one = &found["findings"][0];
        let place = json!([
            one["line"],
            one["column"],
            one["end-line"],
            one["end-column"]
        ]);
        assert_eq!(place, expected, "{region} {one}");
    }
}

/// Runs the gate in half a gigabyte of memory.
#[cfg(target_os = "linux")]
fn gate_in_little_memory(project: &Project, report: &str) -> Run {
    let report = format!("--reports={report}");
    let inner = project.command(&["lint-gate", &report, "--scope=changed-lines", "--base=HEAD"]);
    let mut command = Command::new("bash");
    command
        .args(["-c", "ulimit -v 524288; exec \"$0\" \"$@\""])
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(project.path())
        .env_clear()
        .envs(
            inner
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
#[cfg(target_os = "linux")]
fn large_reports_are_read_in_bounded_memory() {
    let project = project(&[("a.py", "x = 1\n")]);
    let result = r#"{"ruleId":"R","message":{"text":"a message of some length, as they are"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.py"},"region":{"startLine":1,"startColumn":1,"endColumn":2}}}]}"#;
    let diagnostic = r#"{"message":"a message of some length, as they are","location":{"path":"a.py","range":{"start":{"line":1,"column":1}}}}"#;
    let write = |name: &str, front: &str, element: &str, between: &str, back: &str, size: usize| {
        let file = std::fs::File::create(project.path().join(name)).unwrap();
        let mut file = std::io::BufWriter::new(file);
        let count = (size << 20) / element.len();
        write!(file, "{front}{element}").unwrap();
        for _ in 1..count {
            write!(file, "{between}{element}").unwrap();
        }
        write!(file, "{back}").unwrap();
        count
    };
    let sarif = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":["#;
    // On one line, as tools write it.
    let count = write("r.sarif", sarif, result, ",", "]}]}", megabytes(600));
    gate_in_little_memory(&project, "r.sarif=sarif")
        .expect_code(0)
        .expect_text(&format!("left out: {count} not on a changed line"));
    let count = write(
        "r.json",
        r#"{"diagnostics":["#,
        diagnostic,
        ",",
        r#"],"source":{"name":"x"}}"#,
        megabytes(300),
    );
    gate_in_little_memory(&project, "r.json=rdjson")
        .expect_code(0)
        .expect_text(&format!("left out: {count} not on a changed line"));
    let count = write("r.jsonl", "", diagnostic, "\n", "\n", megabytes(300));
    gate_in_little_memory(&project, "r.jsonl=rdjsonl")
        .expect_code(0)
        .expect_text(&format!("left out: {count} not on a changed line"));

    // One line that is one diagnostic, or one result; text that never ends; brackets.
    let filler = "x".repeat(1 << 10);
    let long = megabytes(300).max(17);
    let lines = [
        (
            "r.jsonl=rdjsonl",
            "{\"message\":\"".to_owned(),
            "a diagnostic is longer than 16777216 bytes",
        ),
        (
            "r.json=rdjson",
            r#"{"diagnostics":[{"message":""#.to_owned(),
            "the report ends too early",
        ),
        (
            "r.sarif=sarif",
            format!("{sarif}{{\"message\":{{\"text\":\""),
            "the report ends too early",
        ),
        ("r.xml=sarif", "<r>".to_owned(), "the report is XML"),
    ];
    for (report, front, expected) in lines {
        let (name, _) = report.split_once('=').unwrap();
        write(name, &front, &filler, "", "", long);
        gate_in_little_memory(&project, report)
            .expect_code(3)
            .expect_text(expected);
    }
    write(
        "r.sarif",
        &format!("{sarif}{{\"message\":{{\"text\":\""),
        &filler,
        "",
        "\"}}]}]}",
        long,
    );
    gate_in_little_memory(&project, "r.sarif=sarif")
        .expect_code(3)
        .expect_text("a result is longer than 16777216 bytes");
    // Each of these costs much more memory than text.
    let fixes = format!(
        r#"{sarif}{{"message":{{"text":"m"}},"fixes":[{{"artifactChanges":[{{"replacements":["#
    );
    write("r.sarif", &fixes, "{}", ",", "]}]}]}]}]}", 5);
    gate_in_little_memory(&project, "r.sarif=sarif")
        .expect_code(3)
        .expect_text("a result has more than 500000 objects");
    let rules = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x","rules":["#;
    write("r.sarif", rules, "{}", ",", "]}},\"results\":[]}]}", 5);
    gate_in_little_memory(&project, "r.sarif=sarif")
        .expect_code(3)
        .expect_text("`tool` has more than 500000 objects");
}

#[test]
fn a_report_cut_anywhere_is_no_verdict() {
    let project = project(&[("bad.py", "import os\n")]);
    for (name, format) in [
        ("sarif/ruff-0.17.6/stdout", "sarif"),
        ("rdjson/ruff-0.17.6/stdout", "rdjson"),
    ] {
        let bytes = fixture(name);
        let whole = bytes.trim_ascii_end();
        let steps = usize::try_from(8 * campaign()).unwrap();
        for step in 1..=steps {
            let length = whole.len() * step / (steps + 1);
            project.write("r.json", &whole[..length]);
            gate(&project, &format!("r.json={format}"))
                .expect_code(3)
                .expect_text("r.json:");
        }
    }
}
