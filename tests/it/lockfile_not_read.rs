//! A lock beside a member of a workspace: what uv reads of it, and what we say.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::lockgate::Project;
use crate::support::tools::{python, tool};

const MEMBER: &str =
    "[project]\nname = \"core\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\n";

fn uv(project: &Project, arguments: &[&str]) -> Output {
    Command::new(tool("uv"))
        .args(arguments)
        .args(["--offline", "--quiet", "--python"])
        .arg(python())
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .output()
        .unwrap()
}

fn lock(project: &Project, arguments: &[&str]) {
    let output = uv(project, arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What is found: rule, severity, path.
fn found(project: &Project) -> Vec<Value> {
    let report = project
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|one| json!([one["rule"], one["severity"], one["path"]]))
        .collect()
}

#[test]
fn a_lock_that_uv_never_reads_is_told_once_and_not_compared() {
    let project = Project::empty();
    let member = "libs/core/uv.lock";
    let check = ["lock", "--check", "--project", "libs/core"];
    let not_read = json!(["lock-not-read", "warning", member]);
    project.write("libs/core/pyproject.toml", MEMBER);
    lock(&project, &["lock", "--project", "libs/core"]);
    project.write(
        "pyproject.toml",
        "[tool.uv.workspace]\nmembers = [\"libs/*\"]\n",
    );
    lock(&project, &["lock"]);
    assert!(project.path().join(member).is_file());
    assert_eq!(found(&project), std::slice::from_ref(&not_read));

    // It gets old, and uv looks only at that of the workspace.
    let newer = MEMBER.replace("0.1.0", "0.2.0").replace(">=3.11", ">=3.10");
    project.write("libs/core/pyproject.toml", &newer);
    assert_eq!(uv(&project, &check).status.code(), Some(1));
    let stale = found(&project);
    assert!(stale.contains(&not_read), "{stale:?}");
    let of_member = stale.iter().filter(|one| one[2] == member);
    assert_eq!(of_member.count(), 1, "{stale:?}");
    lock(&project, &["lock"]);
    assert_eq!(uv(&project, &check).status.code(), Some(0));
    assert_eq!(found(&project), std::slice::from_ref(&not_read));

    // What is wrong in itself is still told.
    let whole = std::fs::read_to_string(project.path().join(member)).unwrap();
    project.write(member, format!("<<<<<<< HEAD\n{whole}"));
    assert_eq!(uv(&project, &check).status.code(), Some(0));
    let broken = found(&project);
    let marker = json!(["conflict-marker", "error", member]);
    assert!(broken.contains(&marker), "{broken:?}");
    project.write(member, whole);

    // Out of the workspace it counts, and is compared.
    for root in [
        "[tool.uv.workspace]\nmembers = [\"libs/*\"]\nexclude = [\"libs/core\"]\n",
        "[tool.uv.workspace]\nmembers = [\"libs/other\"]\n",
        "[project]\nname = \"top\"\nversion = \"1\"\nrequires-python = \">=3.10\"\n",
    ] {
        project.write("pyproject.toml", root);
        assert_eq!(uv(&project, &check).status.code(), Some(1), "{root}");
        let found = found(&project);
        assert!(!found.contains(&not_read), "{root}: {found:?}");
        let is_stale = |one: &Value| one[0] == "sync-version" && one[1] == "error";
        assert!(found.iter().any(is_stale), "{root}: {found:?}");
    }

    // Deleted it is missed by nobody.
    project.write(
        "pyproject.toml",
        "[tool.uv.workspace]\nmembers = [\"libs/*\"]\n",
    );
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    let base = project.commit("with it");
    std::fs::remove_file(project.path().join(member)).unwrap();
    let run = project.run(&[
        "lockfile-verify",
        "--output-format=json",
        &format!("--base={base}"),
    ]);
    assert_eq!(run.json()["findings"], json!([]));
}
