//! The action in a job that is cancelled, killed or lost at any moment: GitHub and the journal know soon how it ended, and nothing
//! goes on.
//!
//! `LOCKGATE_CAMPAIGN=<n>` tries n moments of a cancel and a quarter as many of each of the others, and holds the times too.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::deploy_github::command;
use crate::fuzzing::Random;
use crate::support::github::{GitHub, Recorded, SHA, TOKEN};
use crate::support::host_runner::{HostRun, HostRunner, Running, signal};
use crate::support::lockgate::Project;

/// How long after the signal GitHub knows the end, milliseconds.
const WITHIN: u64 = 3_000;

fn campaign() -> Option<u64> {
    std::env::var("LOCKGATE_CAMPAIGN").ok()?.parse().ok()
}

/// A deployment that takes a while in each of its states, and whose programs hear no request to end.
fn project() -> Project {
    let project = Project::empty();
    project.write("dist/a.txt", "one");
    project.write(
        "run.sh",
        "trap '' TERM\nsetsid sh -c 'echo $$ >> strays; sleep 60; true' > /dev/null 2>&1 &\nsleep 0.7\nexit 0\n",
    );
    project.write("health.sh", "trap '' TERM\nsleep 0.2\n");
    project.write(
        "pyproject.toml",
        "[tool.lockgate.deploy.environments.prod]\nartifacts = ['dist/*.txt']\nproduction = true\ngates = { artifact = false, lockfile = false }\nhealth = { command = ['sh', 'health.sh'], successes = 3, interval = '20ms', timeout = '1m' }\n[tool.lockgate.deploy.environments.prod.target.shell]\nrun = ['sh', 'run.sh']\n",
    );
    project
}

fn journal(project: &Project) -> PathBuf {
    project.path().join("journals")
}

fn start(project: &Project, github: &GitHub, run: u64) -> Running {
    HostRunner::action("actions/deploy", &project.path())
        .input("journal", &journal(project).display().to_string())
        .input("token", TOKEN)
        .github("api_url", &github.url())
        .github("server_url", "https://github.example")
        .github("repository", "acme/app")
        .github("sha", SHA)
        .github("run_id", &run.to_string())
        .github("run_attempt", "1")
        .start()
}

fn entries(project: &Project, run: u64) -> Vec<Value> {
    let text = std::fs::read_to_string(journal(project).join("prod.jsonl")).unwrap_or_default();
    let all: Vec<Value> = text
        .lines()
        // The last line may be in the making.
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let run = run.to_string();
    let own = all.iter().find(|entry| entry["run"]["id"] == run.as_str());
    let id = own.map(|entry| entry["deployment"].clone());
    all.into_iter()
        .filter(|entry| Some(&entry["deployment"]) == id.as_ref())
        .collect()
}

fn of_run(github: &GitHub, run: u64) -> Vec<Recorded> {
    let all = github.deployments("prod").into_iter();
    all.filter(|one| one.deployment["payload"]["run_id"] == run)
        .collect()
}

/// The state that it ended in, as the journal has it, after whatever was to close it; GitHub says the same.
fn expect_closed(project: &Project, github: &GitHub, run: u64, what: &str) -> Option<Recorded> {
    let entries = entries(project, run);
    let end = entries.last().and_then(|entry| entry["event"].as_str());
    let finals = [
        "success",
        "failure",
        "refused",
        "rolled-back",
        "rollback-failed",
        "cancelled",
    ];
    assert!(
        end.is_none_or(|end| finals.contains(&end)),
        "{what}: {end:?}"
    );
    let recorded = of_run(github, run);
    assert!(recorded.len() <= 1, "{what}: {recorded:?}");
    let one = recorded.into_iter().next()?;
    let is_final = ["success", "failure", "error", "inactive"].contains(&one.state());
    assert!(is_final, "{what}: {end:?} {one:?}");
    let is_success = one.states.iter().any(|state| state == "success");
    assert_eq!(
        is_success,
        end == Some("success"),
        "{what}: {end:?} {one:?}"
    );
    let has_effects = entries.iter().any(|entry| entry["event"] == "in-progress");
    let is_inactive = one.states.iter().any(|state| state == "inactive");
    assert!(!(has_effects && is_inactive), "{what}: {one:?}");
    Some(one)
}

/// What was started by deployments of the project so far, and lives.
fn strays(project: &Project) -> Vec<u32> {
    let text = std::fs::read_to_string(project.path().join("strays")).unwrap_or_default();
    let ids = text.lines().filter_map(|line| line.trim().parse().ok());
    ids.filter(|id: &u32| {
        let line = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        line.rsplit_once(')')
            .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
    })
    .collect()
}

fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    u64::try_from(since.as_millis()).expect("a moment")
}

/// Some moment of a whole job.
fn pause(random: &mut Random, whole: Duration) {
    let part = f64::from(u32::try_from(random.below(1000)).expect("a number")) / 1000.0;
    std::thread::sleep(whole.mul_f64(part));
}

fn whole(project: &Project, github: &GitHub) -> Duration {
    let began = Instant::now();
    let run: HostRun = start(project, github, 1).wait();
    run.expect("success");
    began.elapsed()
}

#[test]
fn a_job_that_is_cancelled_says_so_in_time_and_leaves_nobody() {
    let (project, github) = (project(), GitHub::start());
    let whole = whole(&project, &github);
    let mut random = Random(0x51_9147);
    let cases = campaign().unwrap_or(3);
    let (mut slowest, mut slowest_entry, mut open, mut before, mut late) = (0, 0, 0, 0, Vec::new());
    for run in 2..2 + cases {
        let running = start(&project, &github, run);
        running.until_it_hears();
        pause(&mut random, whole);
        let asked = now();
        running.cancel();
        let done = running.wait();
        let what = format!("run {run}: {}", done.log());
        assert_eq!(done.get("orphans"), &json!([]), "{what}");
        assert_eq!(strays(&project), [0; 0], "{what}");
        let Some(one) = expect_closed(&project, &github, run, &what) else {
            before += 1;
            continue;
        };
        // The first final state, where the signal was before it.
        let finals = one.states.iter().zip(&one.times).rev();
        let mut finals = finals.filter(|(state, _)| {
            ["success", "failure", "error", "inactive"].contains(&state.as_str())
        });
        let took = finals
            .next()
            .map_or(0, |(_, time)| time.saturating_sub(asked));
        if took > 0 {
            open += 1;
        }
        slowest = slowest.max(took);
        if took > WITHIN {
            late.push((run, took));
        }
        let entry = entries(&project, run).last().cloned().unwrap_or_default();
        let time = chrono::DateTime::parse_from_rfc3339(entry["time"].as_str().expect("a moment"));
        let time = u64::try_from(time.expect("a moment").timestamp_millis()).expect("a moment");
        slowest_entry = slowest_entry.max(time.saturating_sub(asked));
    }
    let _ = writeln!(
        std::io::stderr(),
        "{cases} cancels: {before} before GitHub had a deployment, {open} while it was open; GitHub knew after {slowest} ms at the latest, the journal after {slowest_entry} ms; later than {WITHIN} ms: {late:?}"
    );
    assert!(campaign().is_none() || late.is_empty(), "{late:?}");
}

/// The process that deploys, as the journal has it.
fn owner(project: &Project, run: u64) -> u32 {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let entries = entries(project, run);
        let pid = entries
            .first()
            .and_then(|entry| entry["owner"]["pid"].as_u64());
        if let Some(pid) = pid {
            return u32::try_from(pid).expect("a number");
        }
        assert!(Instant::now() < until, "nothing is on record");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn few() -> u64 {
    campaign().map_or(2, |cases| cases.div_ceil(4))
}

#[test]
fn what_is_killed_in_a_job_is_closed_by_its_last_step() {
    let (project, github) = (project(), GitHub::start());
    let mut random = Random(0x51_9148);
    let mut open = 0;
    for run in 2..2 + few() {
        let running = start(&project, &github, run);
        let pid = owner(&project, run);
        pause(&mut random, Duration::from_millis(1_800));
        signal("KILL", pid);
        open += u64::from(
            of_run(&github, run)
                .iter()
                .any(|one| ["queued", "in_progress", ""].contains(&one.state())),
        );
        let done = running.wait();
        let what = format!("run {run}: {}", done.log());
        expect_closed(&project, &github, run, &what);
        assert_eq!(done.get("orphans"), &json!([]), "{what}");
        assert_eq!(strays(&project), [0; 0], "{what}");
    }
    let _ = writeln!(
        std::io::stderr(),
        "{} kills, {open} while a deployment was open",
        few()
    );
    assert!(open > 0, "no kill came while a deployment was open");
}

#[test]
fn what_a_lost_runner_leaves_is_swept() {
    let (project, github) = (project(), GitHub::start());
    let mut random = Random(0x51_9149);
    let mut open = 0;
    for run in 2..2 + few() {
        let running = start(&project, &github, run);
        let pid = owner(&project, run);
        pause(&mut random, Duration::from_millis(1_800));
        running.kill();
        signal("KILL", pid);
        let state = |github: &GitHub| {
            of_run(github, run)
                .first()
                .map(|one| one.state().to_owned())
        };
        open += u64::from(
            state(&github).is_some_and(|state| ["queued", "in_progress", ""].contains(&&*state)),
        );
        std::fs::remove_dir_all(journal(&project)).expect("a folder");
        for stray in strays(&project) {
            signal("KILL", stray);
        }
        let over = json!({"status": "completed", "conclusion": "failure", "run_attempt": 1});
        github.set(&json!({"runs": {run.to_string(): over}}));
        let swept = sweep(&project, &github, run + 1_000);
        assert!(swept.status.success(), "{swept:?}");
        if let Some(state) = state(&github) {
            assert!(
                ["success", "failure", "error", "inactive"].contains(&&*state),
                "run {run}: {state}"
            );
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "{} lost runners, {open} while a deployment was open",
        few()
    );
    assert!(open > 0, "none was lost while a deployment was open");
}

fn sweep(project: &Project, github: &GitHub, run: u64) -> std::process::Output {
    let mut sweep: Command = command(project, github, run, "sweep");
    sweep.output().expect("the binary")
}

#[test]
fn the_action_goes_back_to_what_is_named_and_its_report_stays() {
    let (project, github) = (crate::deploy_github::project(""), GitHub::watched());
    let act = |run: u64, operation: &str, to: &str| {
        HostRunner::action("actions/deploy", &project.path())
            .input("journal", &journal(&project).display().to_string())
            .input("operation", operation)
            .input("to", to)
            .input("report-file", "report.json")
            .input("token", TOKEN)
            .github("api_url", &github.url())
            .github("server_url", "https://github.example")
            .github("repository", "acme/app")
            .github("sha", SHA)
            .github("run_id", &run.to_string())
            .github("run_attempt", "1")
            .start()
            .wait()
    };
    let report = || -> Value {
        let text = std::fs::read(project.path().join("report.json")).expect("a report");
        serde_json::from_slice(&text).expect("JSON")
    };
    act(1, "run", "").expect("success");
    project.write("dist/a.txt", "two");
    act(2, "run", "").expect("success");
    let first = report()["outputs"]["previous"].clone();
    let first = first.as_str().expect("a reference");
    act(3, "rollback", first).expect("success");
    assert_eq!(report()["outputs"]["state"], "success");
    let standing = std::fs::read_to_string(project.path().join("site/current/a.txt"));
    assert_eq!(standing.expect("a file"), "one");
    // Elsewhere it is a mistake, and told.
    let done = act(4, "run", first);
    done.expect("failure")
        .expect_log("`--to` is for `deploy rollback`");
}
