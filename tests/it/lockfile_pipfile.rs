//! `Pipfile.lock`, as pipenv writes it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::lock_tools::lock_tool;
use crate::support::lockgate::{Project, Run};
use crate::support::tools::network;

const PIPFILE: &str = r#"[packages]
httpx = "*"

[dev-packages]
six = "==1.17.0"
"#;

/// A project that pipenv locked.
fn locked() -> (Project, String) {
    let project = Project::empty();
    project.write("Pipfile", PIPFILE);
    pipenv(&project, &["lock"]);
    let text = std::fs::read_to_string(project.path().join("Pipfile.lock")).unwrap();
    (project, text)
}

/// Runs pipenv in a project.
pub(crate) fn pipenv(project: &Project, arguments: &[&str]) {
    let tools = lock_tool("pipenv").join("bin");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let output = Command::new(tools.join("pipenv"))
        .args(arguments)
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", path)
        .env("HOME", project.beside("home"))
        .env("LANG", "C.UTF-8")
        .env("PIPENV_IGNORE_VIRTUALENVS", "1")
        .env("PIPENV_PYTHON", tools.join("python"))
        .env("PIPENV_VENV_IN_PROJECT", "1")
        .env(
            "PIPENV_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("pipenv-cache"),
        )
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Rule and line of each finding.
fn found(run: &Run) -> Vec<(String, u64)> {
    let finding = |finding: &Value| {
        let rule = finding["rule"].as_str().unwrap().to_owned();
        (rule, finding["line"].as_u64().unwrap_or_default())
    };
    let report = run.json();
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(finding)
        .collect()
}

#[test]
fn what_pipenv_locked_passes_and_each_mutation_is_found_on_its_line() {
    let (project, text) = locked();
    let verify = || project.run(&["lockfile-verify", "--output-format=json"]);
    let run = verify();
    run.expect_code(0);
    assert_eq!(found(&run), []);
    assert!(
        run.json()["outputs"]["packages"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 3
    );

    let line_of = |text: &str, part: &str| {
        let before = text.split(part).next().unwrap();
        before.matches('\n').count() as u64 + 1
    };
    let six = text.find("\"six\": {").unwrap();
    let (before, behind) = text.split_at(six);
    let hashes = behind.find("\"hashes\"").unwrap()..behind.find("],").unwrap() + 2;
    let mut without = behind.to_owned();
    without.replace_range(hashes, "");
    let mutations = [
        ("hash-missing", format!("{before}{without}"), "\"six\": {"),
        (
            "unpinned",
            text.replace("\"==1.17.0\"", "\">=1.17.0\""),
            "\"six\": {",
        ),
        (
            "unknown-version",
            text.replace("\"pipfile-spec\": 6", "\"pipfile-spec\": 7"),
            "\"pipfile-spec\"",
        ),
        (
            "conflict-marker",
            text.replace("    \"develop\"", "<<<<<<< HEAD\n    \"develop\""),
            "<<<<<<<",
        ),
        (
            "syntax",
            text.replace("\"==1.17.0\"", "3"),
            "\"version\": 3",
        ),
    ];
    for (rule, mutated, part) in mutations {
        assert_ne!(mutated, text, "{rule}");
        project.write("Pipfile.lock", &mutated);
        let run = verify();
        // That a private index serves hashes nobody can tell from a package without any: a warning.
        if rule != "hash-missing" {
            run.expect_code(1);
        }
        let expected = (rule.to_owned(), line_of(&mutated, part));
        assert!(
            found(&run).contains(&expected),
            "{expected:?}: {:?}",
            found(&run)
        );
    }
    project.write("Pipfile.lock", &text[..text.len() / 2]);
    let run = verify();
    run.expect_code(1);
    assert_eq!(run.json()["findings"][0]["rule"], json!("truncated"));
}
