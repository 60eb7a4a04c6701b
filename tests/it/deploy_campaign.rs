//! The whole program among faults of GitHub in any order: no deployment is made twice, no end is lost, and the journal says what
//! GitHub says.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n runs.

use std::io::Write as _;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::deploy_github::{command, project};
use crate::deployments_campaign;
use crate::fuzzing::Random;
use crate::support::github::{GitHub, Recorded};
use crate::support::lockgate::Project;

/// Runs in the suite.
const RUNS: u64 = 12;

/// Runs at once, each of its own GitHub: they wait most of the time.
const AT_ONCE: u64 = 12;

/// A fault that passes. What is done only after it was refused is beyond these.
fn fault(random: &mut Random) -> Value {
    loop {
        let mut fault = deployments_campaign::fault(random);
        if fault["kind"] == "late" {
            continue;
        }
        // Nobody answers, before or after the work: each costs as long as the program waits for it.
        if random.below(40) == 0 {
            fault["kind"] = ["stall", "stall-after"][random.below(2)].into();
            fault["times"] = 1.into();
        }
        return fault;
    }
}

#[derive(Default)]
struct Figures {
    runs: AtomicU64,
    faults: AtomicU64,
    happened: AtomicU64,
    stalls: AtomicU64,
    finalized: AtomicU64,
    unhealthy: AtomicU64,
}

fn add(figure: &AtomicU64, number: u64) {
    figure.fetch_add(number, Ordering::SeqCst);
}

#[test]
fn whatever_fails_each_run_has_one_deployment_and_its_end() {
    let runs = std::env::var("LOCKGATE_CAMPAIGN").ok();
    let runs = runs.and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let figures = Figures::default();
    let workers = AT_ONCE.min(runs.div_ceil(3));
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let figures = &figures;
            scope.spawn(move || {
                let github = GitHub::start();
                let project = project("");
                let mut random = Random(0xdeb1_07ed ^ worker);
                for run in (1..=runs).filter(|run| run % workers == worker) {
                    one_run(&project, &github, &mut random, run, figures);
                }
            });
        }
    });
    let shown = |figure: &AtomicU64| figure.load(Ordering::SeqCst);
    let _ = writeln!(
        std::io::stderr(),
        "{} runs, {} of them not well; {} faults planned, {} happened, {} stalls planned; {} ends told by finalize",
        shown(&figures.runs),
        shown(&figures.unhealthy),
        shown(&figures.faults),
        shown(&figures.happened),
        shown(&figures.stalls),
        shown(&figures.finalized),
    );
    assert!(shown(&figures.happened) > 0);
}

fn one_run(project: &Project, github: &GitHub, random: &mut Random, run: u64, figures: &Figures) {
    let faults: Vec<Value> = (0..random.below(8)).map(|_| fault(random)).collect();
    let is_well = random.below(4) > 0;
    let content = if is_well {
        format!("{run}")
    } else {
        format!("broken {run}")
    };
    project.write("dist/a.txt", content);
    github.set(&json!({"limit": {"remaining": 1_u64 << 40}}));
    github.fail(&Value::from(faults.clone()));
    let done = output(command(project, github, run, "run"));
    let left = github.faults();
    github.fail(&json!([]));
    let told = format!(
        "run {run}: {}\n{}{}",
        Value::from(faults.clone()),
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    let entries = entries(project);
    let mine = entries
        .iter()
        .filter(|entry| entry["run"]["id"] == run.to_string().as_str());
    let ids: Vec<&str> = mine
        .filter_map(|entry| entry["deployment"].as_str())
        .collect();
    let [id] = *ids else {
        panic!("{told}\n{ids:?}")
    };
    let end = entries.iter().rfind(|entry| entry["deployment"] == id);
    let end = end
        .and_then(|entry| entry["event"].as_str())
        .expect("an end");
    // A workflow does it always.
    let finalized = output(command(project, github, run, "finalize"));
    assert_eq!(finalized.status.code(), Some(0), "{told}\n{finalized:?}");
    let text = String::from_utf8_lossy(&finalized.stdout);
    add(&figures.finalized, u64::from(text.contains("told GitHub")));
    let recorded = github.deployments("prod");
    let of_run = |task: &str| -> Vec<Recorded> {
        let of = recorded.iter().filter(|one| {
            one.deployment["payload"]["run_id"] == run && one.deployment["task"] == task
        });
        of.cloned().collect()
    };
    let (deployed, back) = (of_run("deploy"), of_run("rollback"));
    // Where GitHub could not be asked for long enough, nothing was deployed.
    if deployed.is_empty() {
        assert!(["failure", "refused"].contains(&end), "{told}\n{end}");
    } else {
        assert_eq!(deployed.len(), 1, "{told}\n{recorded:?}");
        assert!(back.len() <= 1, "{told}\n{recorded:?}");
        let states = &deployed[0].states;
        let is_success = states.iter().any(|state| state == "success");
        assert_eq!(is_success, end == "success", "{told}\n{end} {states:?}");
        let finals = states
            .iter()
            .filter(|state| ["success", "failure", "error"].contains(&state.as_str()));
        assert_eq!(finals.count(), 1, "{told}\n{end} {states:?}");
        let is_final = ["success", "failure", "error"].contains(&&*states[0]);
        assert!(is_final, "{told}\n{end} {states:?}");
    }
    add(&figures.runs, 1);
    add(&figures.unhealthy, u64::from(!is_well));
    let planned: u64 = faults
        .iter()
        .map(|fault| fault["times"].as_u64().unwrap_or(1))
        .sum();
    let not_happened: u64 = left
        .iter()
        .map(|fault| fault["times"].as_u64().unwrap_or(1))
        .sum();
    add(&figures.faults, planned);
    add(&figures.happened, planned - not_happened);
    let stalls = faults.iter().filter(|fault| {
        fault["kind"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("stall"))
    });
    add(&figures.stalls, stalls.count() as u64);
}

fn output(mut command: Command) -> Output {
    command.output().expect("the binary")
}

fn entries(project: &Project) -> Vec<Value> {
    let journal = project.beside("temp").join("lockgate/deploy/prod.jsonl");
    let text = std::fs::read_to_string(journal).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("an entry"))
        .collect()
}

#[test]
fn what_github_does_only_after_it_refused_is_closed_when_the_run_is_over() {
    let (project, github) = (project(""), GitHub::start());
    // The first request is refused and done after all when the run is nearly over: no look-up can find it before.
    let late = json!({"at": "POST deployments", "kind": "late", "requests": 9});
    github.fail(&json!([late]));
    let done = output(command(&project, &github, 5, "run"));
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let recorded = github.deployments("prod");
    assert_eq!(recorded.len(), 2, "{recorded:?}");
    let open = recorded.iter().filter(|one| one.states.is_empty());
    assert_eq!(open.count(), 1, "{recorded:?}");
    let over = json!({"status": "completed", "conclusion": "success", "run_attempt": 1});
    github.set(&json!({"runs": {"5": over}}));
    let swept = output(command(&project, &github, 6, "sweep"));
    assert_eq!(swept.status.code(), Some(0), "{swept:?}");
    let recorded = github.deployments("prod");
    let mut states: Vec<&str> = recorded.iter().map(Recorded::state).collect();
    states.sort_unstable();
    assert_eq!(states, ["error", "success"], "{recorded:?}");
}
