//! `cache-key` as an action, through the host runner, and its outputs as the official cache action takes them.

use serde_json::Value;

use crate::support::expect::root;
use crate::support::host_runner::{HostRunner, binary, binary_sha256};
use crate::support::lockgate::Project;

const ACTION: &str = "actions/cache-key";

/// The two steps as the page shows them.
const WORKFLOW: &str = "
on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - id: key
        uses: lockgate/lockgate/actions/cache-key@main
        with:
          binary-path: ${{ env.BINARY_PATH }}
          binary-sha256: ${{ env.BINARY_SHA256 }}
          python-version: 3.12.4
          prefix: a b
          paths: |
            ~/.cache/uv
            .mypy_cache
      - uses: actions/cache@main
        with:
          path: ${{ steps.key.outputs.paths }}
          key: ${{ steps.key.outputs.key }}
          restore-keys: ${{ steps.key.outputs.restore-keys }}
";

/// The inputs of the official action, written down.
const OFFICIAL: &str = "
name: cache
description: a stand-in
inputs:
  path: {description: paths, required: true}
  key: {description: the key, required: true}
  restore-keys: {description: other keys}
runs:
  using: composite
  steps:
    - shell: sh
      env:
        KEPT: ${{ inputs.path }}
        KEY: ${{ inputs.key }}
        RESTORE: ${{ inputs.restore-keys }}
      run: |
        printf '%s' \"$KEPT\" >kept
        printf '%s' \"$KEY\" >key
        printf '%s' \"$RESTORE\" >restore
";

#[test]
fn the_action_gives_its_outputs_and_a_summary() {
    let project = Project::example();
    let run = HostRunner::action(ACTION, &project.path())
        .input("python-version", "3.13t")
        .input("extra", "cuda=12.4\nflavour=<b>")
        .run();
    run.expect("success").expect_step_code("action.posix", 0);
    let key = run.output("key");
    assert!(
        key.starts_with("lockgate@1/cuda=12.4+flavour=~3cb~3e/uv"),
        "{key}"
    );
    assert!(
        key.contains("/cp313t/3.13/") && key.ends_with(run.output("hash")),
        "{key}"
    );
    let components: Value = serde_json::from_str(run.output("components")).expect("JSON");
    assert_eq!(components["key"], key);
    assert!(
        run.summary().contains("cache-key: passed"),
        "{}",
        run.summary()
    );
    assert!(!run.summary().contains("<b>"), "{}", run.summary());
    // An error says what to do, and later steps can ask for the verdict.
    let run = HostRunner::action(ACTION, &project.path())
        .input("files", "**/*.nothing")
        .run();
    run.expect("failure").expect_step_code("action.posix", 2);
    assert_eq!(run.output("verdict"), "no-verdict");
    run.expect_log("no file matches");
}

#[test]
fn the_official_action_takes_the_outputs_as_they_are() {
    let project = Project::example();
    let beside = project.beside("stand-ins");
    std::fs::create_dir_all(beside.join("cache")).expect("a folder");
    std::fs::write(beside.join("cache/action.yml"), OFFICIAL).expect("an action");
    std::fs::write(beside.join("ci.yml"), WORKFLOW).expect("a workflow");
    let run = HostRunner::job(&beside.join("ci.yml"), "test", &project.path())
        .stand_in("lockgate/lockgate/actions/cache-key", root().join(ACTION))
        .stand_in("actions/cache", beside.join("cache"))
        .env("BINARY_PATH", binary())
        .env("BINARY_SHA256", binary_sha256())
        .run();
    run.expect("success");
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).expect("a file");
    assert_eq!(read("kept"), "~/.cache/uv\n.mypy_cache");
    let (key, restore) = (read("key"), read("restore"));
    assert!(key.starts_with("a~20b/lockgate@1/uv"), "{key}");
    let rungs: Vec<&str> = restore.lines().collect();
    assert!(rungs.len() >= 2, "{restore}");
    assert!(
        rungs.iter().all(|rung| key.starts_with(rung)),
        "{key}: {restore}"
    );
}
