//! `lockfile-verify` as a whole: discovery, verdicts, outputs.

use serde_json::json;

use crate::support::lockgate::Project;

const HEALTHY: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#;

/// The wheel of `six` without a hash, and another package of the same index with one.
fn without_hash() -> String {
    let (before, rest) = HEALTHY.split_once(", hash = ").unwrap();
    let (_, after) = rest.split_once(", size").unwrap();
    let other = HEALTHY.split_once("[[package]]").unwrap().1;
    let other = other.replace("six", "other");
    format!("{before}, size{after}\n[[package]]{other}")
}

#[test]
fn a_healthy_lock_passes() {
    let project = Project::empty();
    project.write("uv.lock", HEALTHY);
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    let report = run.json();
    assert_eq!(report["schema"], json!("lockgate.lockfile-verify/1"));
    assert_eq!(report["verdict"], json!("pass"));
    assert_eq!(report["outputs"]["packages"], json!("1"));
    assert_eq!(report["checks"][0]["name"], json!("uv.lock"));
}

#[test]
fn a_hash_that_is_missing_is_found_on_its_line() {
    let project = Project::empty();
    project.write("services/api/uv.lock", without_hash());
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(1);
    let finding = &run.json()["findings"][0];
    assert_eq!(finding["rule"], json!("hash-missing"));
    assert_eq!(finding["path"], json!("services/api/uv.lock"));
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&json!(10), &json!(5))
    );

    let ignore = "--ignore=lockgate:hash-missing:six until 2999-01-01: a mirror";
    let run = project.run(&["lockfile-verify", ignore]);
    run.expect_code(0).expect_text("ignored");
    let run = project.run(&["lockfile-verify", "--rules=hash-missing warning"]);
    run.expect_code(0)
        .expect_text("warning[lockgate:hash-missing]");
}

#[test]
fn nothing_to_verify_is_no_verdict() {
    let project = Project::empty();
    project.write("tests/fixtures/uv.lock", "broken");
    let run = project.run(&["lockfile-verify"]);
    run.expect_code(3).expect_text("there is no lockfile in");
    project
        .run(&["lockfile-verify", "--allow-empty"])
        .expect_code(0);
}

#[test]
fn a_lock_that_cannot_be_read_is_a_finding_with_its_place() {
    let project = Project::empty();
    project.write("uv.lock", "version = 1\n<<<<<<< HEAD\n");
    let run = project.run(&["lockfile-verify"]);
    run.expect_code(1)
        .expect_text("error[lockgate:conflict-marker]")
        .expect_text("--> uv.lock:2:1");
    let run = project.run(&["lockfile-verify", "--rules=conflict-marker off"]);
    run.expect_code(3)
        .expect_text("the rule that says why is off");
}

#[test]
fn a_project_that_cannot_be_read_is_told_and_no_verdict_where_that_is_asked_for() {
    let project = Project::empty();
    project.write("pyproject.toml", "[project]\nname = \"root\"\n");
    project.write("svc/pyproject.toml", "[project\n");
    project.write(
        "svc/uv.lock",
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n",
    );
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    let report = run.json();
    assert_eq!(report["findings"][0]["rule"], "sync-unverifiable");
    assert_eq!(report["findings"][0]["path"], "svc/pyproject.toml");
    project.run(&["lockfile-verify", "--strict"]).expect_code(3);
}
