//! The baseline through the gate: written, kept, outlived, taken over, and not to be loosened by what it judges.

use serde_json::{Value, json};

use crate::support::lockgate::{Project, Run};
use crate::support::tools::environment;

const OLD: &str = "import os\n\n\ndef f(x: int) -> str:\n    return x\n";

fn project(files: &[(&str, &str)]) -> Project {
    let project = Project::empty().with_path_first(&environment().join("bin"));
    for (path, content) in files {
        project.write(path, content);
    }
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("first");
    project
}

fn gate(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec![
        "lint-gate",
        "--tool-source",
        "path",
        "--tools",
        "ruff,mypy",
        "--scope",
        "everything",
        "--baseline",
        "known.txt",
        "--output-format",
        "json",
    ];
    all.extend(arguments);
    project.run(&all)
}

fn found(run: &Run) -> Vec<String> {
    let report = run.json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", text(&one["path"]), text(&one["rule"])))
        .collect()
}

#[test]
fn what_is_known_is_left_out_and_what_is_new_is_not() {
    let project = project(&[("app.py", OLD), ("gen/x.py", "import os\n")]);
    let update = gate(&project, &["--update-baseline", "--exclude", "gen/**"]);
    update.expect_code(0);
    update.expect_text("`known.txt` accepts 2 findings now, 0 before");
    let text = std::fs::read_to_string(project.path().join("known.txt")).unwrap();
    assert_eq!(text.lines().next(), Some("# lockgate baseline 1"));
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("gen/"), "{text}");

    let run = gate(&project, &["--exclude", "gen/**"]);
    run.expect_code(0);
    assert_eq!(
        run.json()["left-out"],
        json!([{"reason": "excluded", "count": 1}, {"reason": "in the baseline", "count": 2}])
    );
    // It moves, it is renamed, and something new comes.
    project.git(&["mv", "app.py", "main.py"]);
    project.write("main.py", format!("\"\"\"Doc.\"\"\"\n\nimport sys\n{OLD}"));
    let run = gate(&project, &["--exclude", "gen/**"]);
    run.expect_code(1);
    assert!(
        found(&run).contains(&"main.py F401".to_owned()) && found(&run).len() <= 2,
        "{:?}",
        found(&run)
    );
    assert!(
        !found(&run).contains(&"main.py return-value".to_owned()),
        "{:?}",
        found(&run)
    );
}

#[test]
fn entries_that_are_no_more_are_told_and_fail_where_that_is_asked_for() {
    let project = project(&[("app.py", OLD)]);
    gate(&project, &["--update-baseline"]).expect_code(0);
    project.write("app.py", OLD.replace("import os\n\n\n", ""));
    let run = gate(&project, &[]);
    run.expect_code(0);
    assert_eq!(found(&run), ["known.txt baseline-stale"]);
    assert_eq!(
        run.json()["findings"][0]["message"],
        "ruff:F401 in `app.py` is no more: `os` imported but unused"
    );
    gate(&project, &["--baseline-strict"]).expect_code(1);
    // Nobody looked with ruff: nobody knows.
    let run = project.run(&[
        "lint-gate",
        "--tool-source",
        "path",
        "--tools",
        "mypy",
        "--scope",
        "everything",
        "--baseline",
        "known.txt",
        "--baseline-strict",
    ]);
    run.expect_code(0);
    // Repaired, and the file is clean again; what mypy says stays in it.
    gate(&project, &["--update-baseline"]).expect_text("accepts 1 finding now, 2 before");
    gate(&project, &["--baseline-strict"]).expect_code(0);
}

#[test]
fn an_update_without_a_verdict_writes_nothing() {
    let project = project(&[("app.py", OLD)]);
    gate(&project, &["--update-baseline", "missing.py"]).expect_code(3);
    assert!(!project.path().join("known.txt").exists());
    gate(&project, &[])
        .expect_code(2)
        .expect_text("`baseline`: there is no file `known.txt`");
    project.write("known.txt", "rubbish\n");
    gate(&project, &[])
        .expect_code(2)
        .expect_text("known.txt:1:1");
}

#[test]
fn a_baseline_of_mypy_baseline_is_taken_over() {
    let project = project(&[("app.py", OLD)]);
    project.write(
        "mypy-baseline.txt",
        "app.py:0: error: Incompatible return value type (got \"int\", expected \"str\")  [return-value]\n",
    );
    gate(
        &project,
        &[
            "--update-baseline",
            "--import-baseline",
            "mypy-baseline.txt=mypy-baseline",
        ],
    )
    .expect_code(0)
    .expect_text("accepts 1 finding now");
    let run = gate(&project, &[]);
    run.expect_code(1);
    assert!(
        found(&run)
            .iter()
            .all(|one| one == "app.py F401" || one == "app.py I001"),
        "{:?}",
        found(&run)
    );
}

#[test]
fn a_proposal_cannot_accept_its_own_findings() {
    let project = project(&[
        ("app.py", OLD),
        (
            "pyproject.toml",
            "[tool.lockgate.lint-gate]\nbaseline = \"known.txt\"\n",
        ),
    ]);
    gate(&project, &["--update-baseline"]).expect_code(0);
    let base = project.commit("the baseline");
    project.git(&["checkout", "--quiet", "-b", "work"]);
    project.append("app.py", "\n\ndef g(x: int) -> str:\n    return x\n");
    gate(&project, &["--update-baseline"]).expect_code(0);
    let head = project.commit("more debt");
    project.git(&["checkout", "--quiet", "main"]);
    project.git(&["merge", "--quiet", "--no-ff", "--no-edit", "work"]);
    let event = json!({"pull_request": {
        "number": 1,
        "base": {"sha": base, "ref": "main"},
        "head": {"sha": head, "ref": "work", "repo": {"full_name": "a/b"}}},
        "repository": {"full_name": "a/b", "default_branch": "main"}});
    let project = project.in_workflow("pull_request", &event);
    let run = project.run(&[
        "lint-gate",
        "--tool-source",
        "path",
        "--tools",
        "ruff,mypy",
        "--scope",
        "everything",
        "--output-format",
        "json",
    ]);
    run.expect_code(1);
    assert!(
        found(&run).contains(&"app.py return-value".to_owned()),
        "{run:?}"
    );
    assert!(
        found(&run).contains(&"known.txt policy-changed".to_owned()),
        "{run:?}"
    );
    assert_eq!(
        run.json()["outputs"]["errors"],
        "1",
        "the old ones are known: {run:?}"
    );
}

#[test]
fn every_fate_is_explained() {
    let project = project(&[("app.py", OLD)]);
    gate(&project, &["--update-baseline"]).expect_code(0);
    project.write("app.py", format!("import sys\n{OLD}"));
    let run = project.run(&[
        "lint-gate",
        "--tool-source",
        "path",
        "--tools",
        "ruff,mypy",
        "--scope",
        "everything",
        "--baseline",
        "known.txt",
        "--explain",
        "app.py",
    ]);
    run.expect_text("ruff:F401 `sys` imported but unused\n  kept: there is no base");
    run.expect_text("ruff:F401 `os` imported but unused\n  left out: in the baseline");
    run.expect_text("mypy:return-value");
}

#[test]
fn a_baseline_stands_in_the_workspace_and_leads_nowhere_else() {
    let project = project(&[("app.py", OLD)]);
    let outside = project.beside("outside");
    std::fs::write(outside.join("private"), "the password\n").unwrap();
    std::os::unix::fs::symlink(outside.join("private"), project.path().join("known.txt")).unwrap();
    for arguments in [&[][..], &["--update-baseline"]] {
        let run = gate(&project, arguments);
        run.expect_code(2)
            .expect_text("`baseline`: `known.txt` leads out of the workspace");
        assert!(!run.text().contains("password"), "{}", run.text());
    }
    let named = project.run(&[
        "lint-gate",
        "--tools",
        "ruff",
        "--tool-source",
        "path",
        "--baseline",
        "../outside/new",
        "--update-baseline",
    ]);
    named.expect_code(2);
    assert!(!outside.join("new").exists());
}

#[test]
fn an_update_of_one_folder_keeps_what_is_known_of_the_others() {
    let project = project(&[("a/one.py", OLD), ("b/two.py", OLD)]);
    gate(&project, &["--update-baseline"]).expect_text("accepts 4 findings now");
    project.write("a/one.py", "x = 1\n");
    gate(&project, &["--update-baseline", "a"]).expect_text("accepts 2 findings now, 4 before");
    let run = gate(&project, &["--baseline-strict"]);
    run.expect_code(0);
}
