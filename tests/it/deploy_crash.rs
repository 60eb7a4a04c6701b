//! A deployment that is stopped or killed at any moment leaves nothing open.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::host_runner::signal;
use crate::support::lockgate::{BINARY, Project};

/// How many moments are tried; more with `LOCKGATE_CAMPAIGN`.
fn cases() -> u32 {
    let number = std::env::var("LOCKGATE_CAMPAIGN").ok();
    number.and_then(|number| number.parse().ok()).unwrap_or(6)
}

/// A project whose deployment takes a while in each of its states.
fn project() -> Project {
    let project = Project::empty();
    project.write("dist/a.txt", "one");
    project.write(
        "pyproject.toml",
        "[tool.lockgate.deploy.environments.e]\nartifacts = ['dist/*.txt']\ngates = { artifact = false, lockfile = false }\nhealth = { command = ['sleep', '0.05'], successes = 4, interval = '20ms' }\non-cancel = 'keep'\n[tool.lockgate.deploy.environments.e.target.shell]\nrun = 'sleep 0.3; cp \"$LOCKGATE_DEPLOY_FILES\" standing'\nrollback = 'true'\n",
    );
    project
}

fn start(project: &Project) -> Child {
    command(project, "run")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary")
}

fn command(project: &Project, operation: &str) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["deploy", operation])
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var("PATH").expect("a PATH"));
    command
}

fn journal(project: &Project) -> PathBuf {
    project.path().join(".lockgate/deploy/e.jsonl")
}

/// The last state of each deployment.
fn ends(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut ends: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line).expect("an entry");
        let word = |key: &str| entry[key].as_str().expect("text").to_owned();
        ends.retain(|(id, _)| *id != word("deployment"));
        ends.push((word("deployment"), word("event")));
    }
    ends.into_iter().map(|(_, state)| state).collect()
}

fn is_final(state: &str) -> bool {
    [
        "success",
        "refused",
        "failure",
        "rolled-back",
        "rollback-failed",
        "cancelled",
    ]
    .contains(&state)
}

/// Moments spread over the whole of a deployment, each another one.
fn moments(longest: Duration) -> impl Iterator<Item = Duration> {
    let cases = cases();
    (0..cases).map(move |number| longest.mul_f64((f64::from(number) + 0.5) / f64::from(cases)))
}

/// How long a deployment takes that nobody stops.
fn whole(project: &Project) -> Duration {
    let began = Instant::now();
    assert!(start(project).wait().expect("an end").success());
    began.elapsed()
}

#[test]
fn the_first_signal_is_answered_with_the_final_state() {
    let project = project();
    let longest = whole(&project);
    let mut slowest = Duration::ZERO;
    let mut stopped = 0;
    for moment in moments(longest) {
        let mut child = start(&project);
        std::thread::sleep(moment);
        let asked = Instant::now();
        signal("INT", child.id());
        let status = child.wait().expect("an end");
        slowest = slowest.max(asked.elapsed());
        // Before it hears signals, and when it has ended, it is as the system says.
        if status.code() == Some(130) {
            stopped += 1;
        }
        let ends = ends(&journal(&project));
        assert!(
            ends.iter().all(|state| is_final(state)),
            "{moment:?} {ends:?}"
        );
    }
    assert!(stopped > 0, "no signal came while anything was done");
    let summary = format!(
        "{stopped} of {} stopped; the slowest end took {slowest:?}",
        cases()
    );
    let _ = writeln!(std::io::stderr(), "{summary}");
}

#[test]
fn what_was_killed_is_closed_by_finalize_and_by_the_next_run() {
    let project = project();
    let longest = whole(&project);
    let mut open = 0;
    for (number, moment) in moments(longest).enumerate() {
        let mut child = start(&project);
        std::thread::sleep(moment);
        child.kill().expect("a kill");
        child.wait().expect("an end");
        let before = ends(&journal(&project));
        open += before.iter().filter(|state| !is_final(state)).count();
        let next = if number % 2 == 0 { "finalize" } else { "run" };
        let status = command(&project, next).output().expect("an end");
        assert!(status.status.success(), "{moment:?} {status:?}");
        let ends = ends(&journal(&project));
        assert!(
            ends.iter().all(|state| is_final(state)),
            "{moment:?} {ends:?}"
        );
    }
    assert!(open > 0, "no kill came while anything was done");
}
