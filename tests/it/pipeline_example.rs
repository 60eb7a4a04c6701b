//! The example's pipeline: the same verdict and the same bytes on a laptop and through the action.

use serde_json::{Value, json};

use crate::support::host_runner::HostRunner;
use crate::support::lockgate::Project;

/// Names, each with what is told of it.
type Told = Vec<(String, String)>;

/// What became of each stage, and the artifacts of the run with their digests.
fn told(report: &Value) -> (Told, Told) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut outcomes, mut artifacts) = (Vec::new(), Vec::new());
    for stage in report["stages"].as_array().expect("stages") {
        let how = match stage["skipped"].as_str() {
            Some(skipped) => skipped.to_owned(),
            None => text(&stage["outcome"]),
        };
        outcomes.push((text(&stage["name"]), how));
        for artifact in stage["artifacts"].as_array().into_iter().flatten() {
            artifacts.push((text(&artifact["path"]), text(&artifact["sha256"])));
        }
    }
    (outcomes, artifacts)
}

#[test]
fn the_example_passes_here_and_through_the_action_with_the_same_bytes() {
    let laptop = Project::example();
    let run = laptop.run(&["pipeline", "--no-cache", "--output-format=json"]);
    run.expect_code(0);
    let (here, bytes) = told(&run.json());
    assert_eq!(here.len(), 8, "{here:?}");
    assert!(
        here.iter().all(|(_, outcome)| outcome == "passed"),
        "{here:?}"
    );
    assert_eq!(bytes.len(), 1, "{bytes:?}");

    let project = Project::example();
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let ran = HostRunner::action("actions/pipeline", &project.path())
        .input("no-cache", "true")
        .env("LOCKGATE_CACHE_DIR", &cache.display().to_string())
        .event("push", &json!({}))
        .run();
    ran.expect("success");
    assert_eq!(ran.output("verdict"), "pass");
    let (there, other) = told(&ran.report());
    assert_eq!((there, other), (here, bytes));
    assert!(ran.summary().contains("gantt"), "{}", ran.summary());
}

#[test]
fn a_build_that_is_not_well_when_it_is_deployed_is_rolled_back() {
    let project = Project::example();
    let standing = || {
        let link = std::fs::read_link(project.path().join("deployed/current"));
        link.unwrap().display().to_string()
    };
    let stages = ["pipeline", "--only=wheel", "--only=deploy"];
    project.run(&stages).expect_code(0);
    let first = standing();
    // The wheel is 0.1.0, and what runs from it says otherwise. The stages that would have seen it take no part.
    project.write(
        "src/notes/__init__.py",
        "\"\"\"A small notes service.\"\"\"\n\n__version__ = \"0.0.9\"\n",
    );
    // What is never well is not waited for as long as what starts on a slow machine.
    let file = project.path().join("pyproject.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\ntimeout = \"30s\""));
    std::fs::write(
        &file,
        text.replace("\ntimeout = \"30s\"", "\ntimeout = \"8s\""),
    )
    .unwrap();
    project
        .run(&stages)
        .expect_code(1)
        .expect_text("the answer has `0.0.9` at `/version`, and `0.1.0` was expected")
        .expect_text("what stood before stands again");
    assert_eq!(standing(), first);
    let status = project.run(&["deploy", "status"]);
    status.expect_code(0).expect_text("rolled-back");
}

#[test]
fn a_fault_in_the_example_is_found_by_its_gate_and_nothing_is_built() {
    let project = Project::example();
    let config = project.path().join("src/notes/config.py");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("port: int = 8000", "port: int = \"8000\""),
    )
    .unwrap();
    let run = project.run(&[
        "pipeline",
        "--no-cache",
        "--keep-going",
        "--output-format=json",
    ]);
    run.expect_code(1);
    let (outcomes, bytes) = told(&run.json());
    assert!(
        outcomes.contains(&("gate".to_owned(), "failed".to_owned())),
        "{outcomes:?}"
    );
    assert!(
        outcomes.contains(&("wheel".to_owned(), "need".to_owned())),
        "{outcomes:?}"
    );
    assert_eq!(bytes, []);
}
