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

/// A project whose deployment runs these lines.
fn running(run: &str, health: &str) -> Project {
    let project = Project::empty();
    project.write("dist/a.txt", "one");
    project.write("run.sh", run);
    project.write("health.sh", health);
    project.write(
        "pyproject.toml",
        "[tool.lockgate.deploy.environments.e]\nartifacts = ['dist/*.txt']\ngates = { artifact = false, lockfile = false }\nhealth = { command = ['sh', 'health.sh'], successes = 1, timeout = '1m', try-timeout = '50s' }\n[tool.lockgate.deploy.environments.e.target.shell]\nrun = ['sh', 'run.sh']\ngrace = '50s'\ntimeout = '55s'\n",
    );
    project
}

/// The numbers that programs of the project have left in its folder `ids`, once there are so many.
fn ids(project: &Project, number: usize) -> Vec<u32> {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let folder = std::fs::read_dir(project.path().join("ids"));
        let ids: Vec<u32> = folder
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.expect("an entry").file_name().to_str()?.parse().ok())
            .collect();
        if ids.len() >= number {
            return ids;
        }
        assert!(Instant::now() < until, "{ids:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn lives(id: u32) -> bool {
    let line = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    line.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// It and what it has started hear no SIGTERM, in its group, and in one of their own with nothing of the environment.
const STUBBORN: &str = "trap '' TERM\nmkdir -p ids\ntouch ids/$$\nsh -c 'touch ids/$$; sleep 40; true' &\nsetsid sh -c 'touch ids/$$; sleep 40; true' &\nenv -i PATH=\"$PATH\" setsid sh -c 'touch ids/$$; sleep 40; true' &\nsleep 40\n";

#[test]
fn what_hears_no_signal_is_ended_in_time_wherever_it_went() {
    for (run, health) in [(STUBBORN, "true"), ("true", STUBBORN)] {
        let project = running(run, health);
        let mut child = start(&project);
        let ids = ids(&project, 4);
        let asked = Instant::now();
        signal("INT", child.id());
        let mut told = None;
        let status = loop {
            if told.is_none() && ends(&journal(&project)) == ["cancelled"] {
                told = Some(asked.elapsed());
            }
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(130));
        assert_eq!(ends(&journal(&project)), ["cancelled"]);
        // Nothing of the forty or fifty seconds that each of them would have.
        assert!(asked.elapsed() < Duration::from_secs(20));
        let left: Vec<&u32> = ids.iter().filter(|id| lives(**id)).collect();
        assert!(left.is_empty(), "{left:?} of {ids:?}");
        let _ = writeln!(
            std::io::stderr(),
            "on record after {told:?}, ended after {:?}",
            asked.elapsed()
        );
    }
}

#[test]
fn a_terminal_that_is_closed_ends_a_deployment_as_every_signal_does() {
    // Whoever runs the tests may be deaf to it, and children are then.
    const HEARING: &str = "import os, signal, sys\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\nos.execv(sys.argv[1], sys.argv[1:])";
    let project = running(STUBBORN, "true");
    let mut child = Command::new("python3")
        .args(["-c", HEARING, BINARY, "deploy"])
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var("PATH").expect("a PATH"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    let ids = ids(&project, 4);
    signal("HUP", child.id());
    assert_eq!(child.wait().expect("an end").code(), Some(129));
    assert_eq!(ends(&journal(&project)), ["cancelled"]);
    let left: Vec<&u32> = ids.iter().filter(|id| lives(**id)).collect();
    assert!(left.is_empty(), "{left:?} of {ids:?}");
}

#[test]
fn who_is_to_outlive_the_terminal_hears_nothing_of_its_end() {
    let project = running(
        "mkdir -p ids\ntouch ids/$$\nuntil test -e go; do sleep 0.01; done\n",
        "true",
    );
    let mut child = Command::new("nohup")
        .arg(BINARY)
        .arg("deploy")
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var("PATH").expect("a PATH"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    ids(&project, 1);
    signal("HUP", child.id());
    project.write("go", "");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert_eq!(ends(&journal(&project)), ["success"]);
}

#[test]
fn what_a_killed_deployment_has_started_is_ended_by_finalize() {
    let stubborn = STUBBORN.replace("env -i PATH=\"$PATH\" ", "");
    for (run, health) in [(&*stubborn, "true"), ("true", &stubborn)] {
        let project = running(run, health);
        let mut child = start(&project);
        let ids = ids(&project, 4);
        child.kill().expect("a kill");
        child.wait().expect("an end");
        assert!(ids.iter().any(|id| lives(*id)));
        let status = command(&project, "finalize")
            .env("GITHUB_ACTIONS", "true")
            .arg("--journal=.lockgate/deploy")
            .output()
            .expect("an end");
        assert!(status.status.success(), "{status:?}");
        assert_eq!(ends(&journal(&project)), ["cancelled"]);
        let left: Vec<&u32> = ids.iter().filter(|id| lives(**id)).collect();
        assert!(left.is_empty(), "{left:?} of {ids:?}");
    }
}

#[test]
fn a_cancelled_deployment_is_put_back_where_that_is_wanted() {
    for (policy, end, stands) in [
        ("rollback", "rolled-back", "one"),
        ("keep", "cancelled", "two"),
    ] {
        let project = Project::empty();
        project.write("dist/a.txt", "one");
        project.write("health.sh", "test -e go\n");
        project.write("go", "");
        project.write(
            "pyproject.toml",
            format!("[tool.lockgate.deploy.environments.e]\ntarget = {{ local = {{ directory = 'site' }} }}\nartifacts = ['dist/*.txt']\ngates = {{ artifact = false, lockfile = false }}\non-cancel = '{policy}'\nhealth = {{ command = ['sh', 'health.sh'], successes = 1, interval = '10ms', timeout = '1m' }}\n"),
        );
        assert!(start(&project).wait().expect("an end").success());
        let standing = || {
            std::fs::read_to_string(project.path().join("site/current/a.txt")).unwrap_or_default()
        };
        assert_eq!(standing(), "one");
        project.write("dist/a.txt", "two");
        std::fs::remove_file(project.path().join("go")).expect("a file");
        let mut child = start(&project);
        while standing() != "two" {
            assert!(child.try_wait().expect("a child").is_none(), "it ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        signal("INT", child.id());
        assert_eq!(child.wait().expect("an end").code(), Some(130));
        assert_eq!(ends(&journal(&project)), ["success", "cancelled"]);
        assert_eq!(standing(), "two");
        project.write("go", "");
        for _ in 0..2 {
            let done = command(&project, "finalize").output().expect("an end");
            assert!(done.status.success(), "{done:?}");
            assert_eq!(ends(&journal(&project)), ["success", end]);
            assert_eq!(standing(), stands);
        }
    }
}
