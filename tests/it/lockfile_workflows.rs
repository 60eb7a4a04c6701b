//! The pins of workflows: the same probes as zizmor, which looks beside us.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::lockgate::Project;
use crate::support::tools::tool;

const SHA: &str = "3d3c42e5aac5ba805825da76410c181273ba90b1";

/// Every spelling, the pinned one first.
fn workflow() -> String {
    format!(
        "name: ci\non: push\npermissions: {{}}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    container: node:24\n    steps:\n      - uses: a/pinned@{SHA} # v7.0.1\n      - uses: a/block@v1\n      - \"uses\" : \"a/quoted@v1\"\n      - {{uses: a/flow@v1}}\n      - uses: >-\n          a/folded@v1\n      - uses: a/short@3d3c42e5\n      - uses: ./.github/actions/own\n  b:\n    uses: a/reusable/.github/workflows/x.yml@main\n"
    )
}

const RULES: &str =
    "--rules=action-unpinned error\n--rules=image-unpinned error\n--rules=action-comment error";

fn run(project: &Project, more: &[&str]) -> crate::support::lockgate::Run {
    let mut arguments = vec!["lockfile-verify", "--allow-empty", "--output-format=json"];
    arguments.extend(RULES.lines());
    arguments.extend(more);
    project.run(&arguments)
}

fn lines(report: &Value, rule: &str) -> BTreeSet<u64> {
    let findings = report["findings"].as_array().expect("findings");
    let own = findings.iter().filter(|finding| finding["rule"] == rule);
    own.map(|finding| finding["line"].as_u64().expect("a line"))
        .collect()
}

#[test]
fn every_spelling_is_found_on_the_lines_that_zizmor_names() {
    let project = Project::empty();
    project
        .write(".github/workflows/ci.yml", workflow())
        .write(".github/actions/own/action.yml", "name: own\ndescription: own\nruns:\n  using: composite\n  steps:\n    - uses: a/nested@v1\n");
    let outcome = run(&project, &[]);
    outcome.expect_code(1);
    let report = outcome.json();
    let findings = report["findings"].as_array().expect("findings").iter();
    let (own, of_workflow): (Vec<&Value>, Vec<&Value>) =
        findings.partition(|finding| finding["path"] == ".github/actions/own/action.yml");
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(own[0]["line"], json!(6));
    let ours: BTreeSet<u64> = of_workflow
        .iter()
        .filter(|finding| finding["rule"] == "action-unpinned")
        .map(|finding| finding["line"].as_u64().expect("a line"))
        .collect();
    assert_eq!(lines(&report, "image-unpinned"), BTreeSet::from([7]));

    let output = Command::new(tool("zizmor"))
        .args([
            "--offline",
            "--no-exit-codes",
            "--format=json",
            ".github/workflows/ci.yml",
        ])
        .current_dir(project.path())
        .output()
        .expect("zizmor");
    let theirs: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let theirs = theirs.as_array().expect("findings");
    let theirs: BTreeSet<String> = theirs
        .iter()
        .filter(|finding| finding["ident"] == "unpinned-uses")
        .map(|finding| finding["locations"].to_string())
        .collect();
    assert_eq!(theirs.len(), ours.len(), "{ours:?} {theirs:#?}");
    assert_eq!(ours, BTreeSet::from([10, 11, 12, 14, 15, 18]));
}

#[test]
fn workflows_are_read_only_when_asked_and_a_broken_one_is_no_verdict() {
    let project = Project::empty();
    project.write(".github/workflows/ci.yml", "jobs: {");
    project
        .run(&["lockfile-verify", "--allow-empty"])
        .expect_code(0);
    let outcome = run(&project, &[]);
    outcome.expect_code(3);
    let reason = outcome.json()["checks"][0]["reason"].to_string();
    assert!(
        reason.contains("`.github/workflows/ci.yml` cannot be read as YAML"),
        "{reason}"
    );
    let pinned = format!(
        "jobs:\n  a:\n    steps:\n      - uses: a/b@{SHA} # v7.0.1\n      - uses: a/b@{} # v7.0.1\n",
        SHA.replace('3', "4")
    );
    project.write(".github/workflows/ci.yml", pinned);
    let outcome = run(&project, &[]);
    outcome.expect_code(1);
    assert_eq!(
        lines(&outcome.json(), "action-comment"),
        BTreeSet::from([5])
    );
    let ignore = "--ignore=lockgate:action-comment until 2999-01-01: known";
    run(&project, &[ignore]).expect_code(0);
}
