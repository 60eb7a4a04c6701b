//! What the configuration file of a proposal may not decide: where bytes go, what is read and written, and what fails.

use serde_json::json;

use crate::support::cache_runs::told;
use crate::support::lockgate::{Project, Run};

fn file(store: &str, more: &str) -> String {
    format!("[tool.lockgate.cache]\nkey = \"k\"\nstore = \"{store}\"\n{more}")
}

/// A proposal that changes the file of the base.
fn proposal(base: &str, head: &str) -> Project {
    let project = Project::empty();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project
        .write("pyproject.toml", base)
        .write("d/x", "x\n")
        .write("secret", "s\n");
    let base = project.commit("the base");
    project.write("pyproject.toml", head);
    let head = project.commit("the proposal");
    let payload = json!({"pull_request": {"head": {"sha": head}, "base": {"sha": base}}});
    project.in_workflow("pull_request", &payload)
}

fn restore(project: &Project, more: &[&str]) -> Run {
    let _ = std::fs::remove_file(project.path().join("../temp/summary"));
    project.run(&[&["cache", "restore", "--output-format", "json"], more].concat())
}

/// The store of the last run, as its summary says it.
fn store_of(project: &Project) -> String {
    let summary = project.temp_file("summary");
    let known = ["../base", "../evil", "github"].into_iter();
    let mut named = known.filter(|name| summary.contains(name));
    named.next().unwrap_or(&summary).to_owned()
}

#[test]
fn a_proposal_moves_neither_bytes_nor_paths() {
    let base = file("../base", "paths = [\"d\"]\nrequired = true\n");
    let head = file(
        "../evil",
        "paths = [\"secret\", \"~/.ssh\"]\nsave = \"always\"\n",
    );
    let project = proposal(&base, &head);
    let run = restore(&project, &[]);
    run.expect_code(0);
    assert_eq!(
        told(&run),
        ("miss".into(), "policy-changed".into()),
        "{}",
        run.text()
    );
    assert_eq!(store_of(&project), "../base", "{}", run.text());
    assert_eq!(run.json()["outputs"]["paths"], "d");
    assert!(!project.path().join("../evil").exists());
    let inputs: Vec<String> = run.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            finding["message"]
                .as_str()
                .unwrap()
                .split('`')
                .nth(1)
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(inputs, ["store", "paths", "save", "required"]);
    // What the workflow says counts as it is.
    let run = restore(&project, &["--store", "../evil", "--paths", "secret"]);
    assert_eq!(store_of(&project), "../evil");
    assert_eq!(run.json()["outputs"]["paths"], "secret");
}

#[test]
fn a_file_that_the_base_has_too_counts_and_one_without_a_base_does_not() {
    let same = file("../base", "paths = [\"d\"]\n");
    let project = proposal(&same, &format!("{same}restore-keys = [\"k-\"]\n"));
    let run = restore(&project, &[]);
    assert_eq!(
        (told(&run).1, store_of(&project)),
        (String::new(), "../base".into()),
        "{}",
        run.text()
    );
    // A base that has no such file, and one that nobody can read.
    let unset = proposal("", &same);
    let run = restore(&unset, &["--paths", "d"]);
    run.expect_code(0);
    assert_eq!(store_of(&unset), "github", "{}", run.text());
    let unknown =
        json!({"pull_request": {"head": {"sha": "1".repeat(40)}, "base": {"sha": "2".repeat(40)}}});
    let unset = unset.in_workflow("pull_request", &unknown);
    let run = restore(&unset, &["--paths", "d"]);
    run.expect_code(0);
    assert_eq!(store_of(&unset), "github", "{}", run.text());
    // A branch that was pushed to is nobody's proposal.
    let pushed = proposal("", &same).in_workflow("push", &json!({}));
    let run = restore(&pushed, &[]);
    assert_eq!(
        (told(&run).1, store_of(&pushed)),
        (String::new(), "../base".into()),
        "{}",
        run.text()
    );
}

#[test]
fn a_proposal_saves_nothing_where_all_would_restore_it() {
    let same = file("../base", "paths = [\"d\"]\n");
    let project = proposal(&same, &same);
    let run = project.run(&["cache", "save", "--output-format", "json"]);
    run.expect_code(0);
    assert_eq!(
        told(&run),
        ("skipped".into(), "untrusted".into()),
        "{}",
        run.text()
    );
    assert!(!project.path().join("../base/data").exists());
}

#[test]
fn what_reviews_of_a_pull_request_start_is_of_the_proposal_too() {
    let base = file("../base", "paths = [\"d\"]\n");
    let head = file("../evil", "paths = [\"secret\"]\n");
    for event in ["pull_request_review", "pull_request_review_comment"] {
        let project = proposal(&base, &head);
        let payload = project.temp_file("event.json");
        let payload = serde_json::from_str(&payload).unwrap();
        let project = project.in_workflow(event, &payload);
        let run = restore(&project, &[]);
        run.expect_code(0);
        assert_eq!(store_of(&project), "../base", "{event}: {}", run.text());
        assert_eq!(run.json()["outputs"]["paths"], "d", "{event}");
        let run = project.run(&["cache", "save", "--output-format", "json"]);
        run.expect_code(0);
        assert_eq!(
            told(&run),
            ("skipped".into(), "untrusted".into()),
            "{event}: {}",
            run.text()
        );
        for store in ["../base/data", "../evil/data"] {
            assert!(!project.path().join(store).exists(), "{event}");
        }
    }
}

#[test]
fn the_caches_of_tools_lead_a_proposal_nowhere_else() {
    let lock = "version = 1\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"ruff\"\nversion = \"0.14.0\"\nsource = { registry = \"https://index.example/simple\" }\nsdist = { url = \"https://files.example/ruff-0.14.0.tar.gz\", hash = \"sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\", size = 1 }\n";
    let tools = ["--tools", "ruff"];
    let head = "[tool.uv]\ncache-dir = \"~/.ssh\"\n";
    let project = proposal("", head);
    project.write("uv.lock", lock);
    let paths = |project: &Project, more: &[&str]| {
        let own = [
            "cache-key",
            "--python-version",
            "3.12",
            "--output-format",
            "json",
        ];
        let run = project.run(&[&own[..], more].concat());
        run.expect_code(0);
        run.json()["outputs"]["paths"].as_str().unwrap().to_owned()
    };
    assert_eq!(paths(&project, &[]), "~/.cache/uv");
    project.write(
        "pyproject.toml",
        "[tool.uv]\ncache-dir = \"inside\"\n[tool.ruff]\ncache-dir = \"/etc\"\n",
    );
    assert_eq!(paths(&project, &tools), ".ruff_cache\ninside");
    let mut project = project;
    for event in ["workflow_run", "issue_comment", "pull_request_review"] {
        project = project.in_workflow(event, &json!({}));
        assert_eq!(paths(&project, &tools), ".ruff_cache\ninside", "{event}");
    }
    let pushed = project.in_workflow("push", &json!({}));
    assert_eq!(paths(&pushed, &tools), "/etc\ninside");
}
