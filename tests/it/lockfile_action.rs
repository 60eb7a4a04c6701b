//! `lockfile-verify` as an action, through the host runner: a pull request that changes a lock as an attacker would.

use serde_json::{Value, json};

use crate::actions::{EXAMPLE_WORKFLOW, StandIns};
use crate::lockfile_change::{locked, pyproject, repository, wheel_line, with_other_hash};
use crate::support::expect::root;
use crate::support::host_runner::{HostRun, HostRunner, PullRequest, binary, binary_sha256};
use crate::support::lockgate::Project;

const ACTION: &str = "actions/lockfile-verify";

fn verify(lock: &str, version: &str) -> (HostRun, PullRequest) {
    let request = PullRequest::of(
        repository(),
        |main| {
            main.write("README.md", "meanwhile\n");
        },
        |proposal| {
            proposal
                .write("uv.lock", lock)
                .write("pyproject.toml", pyproject(version));
        },
    );
    let workspace = request.checkout("workspace");
    let run = request.of_run(HostRunner::action(ACTION, &workspace)).run();
    (run, request)
}

#[track_caller]
fn annotation_on(run: &HostRun, line: usize) -> Value {
    let annotations = run.annotations();
    let found = annotations.iter().find(|one| {
        let text = match &one["line"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        one["file"] == "uv.lock" && text == line.to_string()
    });
    (*found.unwrap_or_else(|| panic!("nothing on line {line}: {annotations:#?}"))).clone()
}

#[test]
fn a_wheel_that_was_exchanged_in_a_pull_request_is_annotated_on_its_line() {
    let lock = locked("1.16.0");
    let (line, text) = wheel_line(&lock);
    let (_, rest) = text.split_once("https://").expect("a URL");
    let (host, _) = rest.split_once('/').expect("a host");

    // The whole attack: another host, and the hash of what it serves.
    let attack = with_other_hash(&lock);
    let (_, swapped) = wheel_line(&attack);
    let attack = attack.replace(swapped, &swapped.replace(host, "files.lookalike.example"));
    let (run, _) = verify(&attack, "1.16.0");
    run.expect("failure").expect_step_code("action.posix", 1);
    assert_eq!(run.output("verdict"), "fail");
    assert_eq!(run.output("alarms"), "1");
    assert_eq!(run.output("new-sources"), "1");
    let annotation = annotation_on(&run, line);
    assert_eq!(annotation["level"], "error", "{annotation}");
    assert!(
        run.summary().contains("same version, other hash"),
        "{}",
        run.summary()
    );

    // Only the URL: the hash protects, and the reviewer still sees the line.
    let (run, _) = verify(
        &lock.replace(text, &text.replace(host, "files.lookalike.example")),
        "1.16.0",
    );
    assert_eq!(run.output("new-sources"), "1");
    annotation_on(&run, line);
}

#[test]
fn an_honest_upgrade_in_a_pull_request_passes_with_its_table() {
    let (run, request) = verify(&locked("1.17.0"), "1.17.0");
    run.expect("success").expect_step_code("action.posix", 0);
    for (name, value) in [
        ("verdict", "pass"),
        ("changed", "true"),
        ("max-jump", "minor"),
        ("new-sources", "0"),
        ("alarms", "0"),
    ] {
        assert_eq!(run.output(name), value, "{name}");
    }
    assert!(
        run.summary()
            .contains(request.base.get(..12).expect("a SHA"))
    );
    assert!(
        run.summary()
            .contains("| six | 1.16.0 | 1.17.0 | upgraded, minor |"),
        "{}",
        run.summary()
    );
}

/// The job of the example's own workflow, with what the pull request does to the lock.
fn example_job(change: impl FnOnce(&str) -> String) -> HostRun {
    let request = PullRequest::of(
        Project::example(),
        |main| {
            main.append("README.md", "meanwhile\n");
        },
        |proposal| {
            let lock = std::fs::read_to_string(proposal.path().join("uv.lock")).expect("a lock");
            proposal.write("uv.lock", change(&lock));
        },
    );
    let stand_ins = StandIns::new(request.beside("stand-ins"));
    stand_ins.action(
        "lockfile-verify",
        &["paths"],
        &[],
        "- uses: lockgate/under-test/actions/lockfile-verify@main
  with:
    paths: ${{ inputs.paths }}
    binary-path: ${{ env.BINARY_PATH }}
    binary-sha256: ${{ env.BINARY_SHA256 }}
",
    );
    let runner = HostRunner::job(
        &root().join(EXAMPLE_WORKFLOW),
        "lock",
        &request.beside("lock"),
    )
    .stand_in(
        "lockgate/lockgate/actions/lockfile-verify",
        stand_ins.folder.join("lockfile-verify"),
    )
    .stand_in(
        "lockgate/under-test/actions/lockfile-verify",
        root().join(ACTION),
    )
    .env("BINARY_PATH", binary())
    .env("BINARY_SHA256", binary_sha256());
    stand_ins.of_run(runner, &request).run()
}

#[test]
fn the_workflow_of_the_example_verifies_its_lock() {
    let run = example_job(str::to_owned);
    run.expect("success");
    assert_eq!(run.get("annotations"), &json!([]));
    assert!(
        run.summary()
            .starts_with("### ✅ lockfile-verify: passed\n"),
        "{}",
        run.summary()
    );

    let mut attacked = 0;
    let run = example_job(|lock| {
        attacked = wheel_line(lock).0;
        with_other_hash(lock)
    });
    run.expect("failure");
    annotation_on(&run, attacked);
}
