//! Whole deployments among faults of all kinds in any order: none is made twice, no end is lost, and of each environment one
//! deployment is there.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n runs.

use std::io::Write as _;

use lockgate::github::deployments::{State, Told, create, deactivate_older, set_status, sweep};
use serde_json::{Value, json};

use crate::fuzzing::Random;
use crate::support::github::{GitHub, Recorded, wanted};

/// Runs in the suite.
const RUNS: u64 = 25;

/// So many runs deploy to one environment, one after the other.
const IN_A_ROW: u64 = 10;

const PLACES: &[&str] = &[
    "POST deployments",
    "POST statuses",
    "GET deployments",
    "GET statuses",
];

/// A fault at some place, which passes.
pub(crate) fn fault(random: &mut Random) -> Value {
    let place = PLACES[random.below(PLACES.len())];
    let statuses = [408, 429, 500, 502, 503, 504];
    let status = statuses[random.below(statuses.len())];
    let mut fault = match random.below(12) {
        0..3 => json!({"kind": "status", "status": status, "retryAfter": 0}),
        3..5 if place.starts_with("POST") => json!({"kind": "status-after", "status": 502}),
        5 => json!({"kind": "reset"}),
        6 | 7 => json!({"kind": "lost"}),
        8 => json!({"kind": "cut"}),
        9 if place == "POST deployments" => json!({"kind": "garbage"}),
        10 if place == "POST deployments" => {
            json!({"kind": "late", "requests": random.below(9)})
        }
        _ => {
            json!({"kind": "status", "status": 403, "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}})
        }
    };
    fault["at"] = place.into();
    fault["after"] = random.below(4).into();
    fault["times"] = (1 + random.below(2)).into();
    fault
}

/// What happened in all runs.
#[derive(Debug, Default)]
struct Figures {
    runs: u64,
    faults: usize,
    requests: usize,
    late: u64,
    doubles: usize,
}

#[tokio::test]
async fn no_deployment_is_made_twice_and_no_end_is_lost() {
    let runs = std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(RUNS);
    let mut random = Random(0xdeb1_07ed);
    let mut figures = Figures::default();
    let github = GitHub::start();
    github.set(&json!({"limit": {"remaining": 1_u64 << 40}}));
    for run in 1..=runs {
        let environment = format!("env-{}", run / IN_A_ROW);
        one_run(&github, &mut random, &environment, run, &mut figures).await;
        if run % IN_A_ROW == IN_A_ROW - 1 || run == runs {
            all_is_over(&github, &environment, run).await;
        }
    }
    let _ = writeln!(std::io::stderr(), "{figures:?}");
}

async fn one_run(
    github: &GitHub,
    random: &mut Random,
    environment: &str,
    run: u64,
    figures: &mut Figures,
) {
    let client = github.client();
    let faults: Vec<Value> = (0..random.below(8)).map(|_| fault(random)).collect();
    let is_late = faults.iter().any(|fault| fault["kind"] == "late");
    let told = format!("run {run}: {}", Value::from(faults.clone()));
    github.fail(&Value::from(faults.clone()));
    let mut own = wanted(environment, run);
    own.is_transient = run / IN_A_ROW % 3 == 1;
    own.is_production = Some(run / IN_A_ROW % 3 == 2);
    let made = create(&client, &own).await;
    let made = made.unwrap_or_else(|fault| panic!("{told}: {fault}"));
    let made = made.deployment;
    if random.below(3) == 0 {
        let again = create(&client, &own).await.unwrap();
        assert_eq!(
            (again.deployment.id, again.was_there),
            (made.id, true),
            "{told}"
        );
    }
    let end =
        [State::Success, State::Success, State::Failure, State::Error][random.below(4)].clone();
    for state in [State::Queued, State::InProgress, end.clone()] {
        let words = Told::new(state, format!("run {run}"));
        let outcome = set_status(&client, made.id, &words).await;
        assert_eq!(outcome, Ok(()), "{told}");
    }
    if end == State::Success {
        let ended = deactivate_older(&client, &made, 1000).await;
        assert!(ended.is_ok(), "{told}: {ended:?}");
    }
    github.fail(&json!([]));
    let all = github.deployments(environment);
    let of_run = |one: &&Recorded| one.deployment["payload"]["run_id"] == run;
    let of_this: Vec<&Recorded> = all.iter().filter(of_run).collect();
    let ends = of_this
        .iter()
        .filter(|one| one.states.contains(&end.to_string()));
    assert_eq!(ends.count(), 1, "{told}: {of_this:?}");
    if is_late {
        figures.late += 1;
    } else {
        assert_eq!(of_this.len(), 1, "{told}: {of_this:?}");
        assert_eq!(of_this[0].state(), end.to_string(), "{told}");
        let finals = of_this[0]
            .states
            .iter()
            .filter(|state| **state == end.to_string());
        assert_eq!(finals.count(), 1, "{told}: {of_this:?}");
    }
    if end == State::Success {
        let there: Vec<u64> = all
            .iter()
            .filter(|one| one.state() == "success")
            .map(|one| one.id)
            .collect();
        assert_eq!(there, [made.id], "{told}");
    }
    figures.runs += 1;
    figures.faults += faults.len();
    figures.requests += github.seen().len();
    figures.doubles += of_this.len() - 1;
}

/// When the runs are over, nothing is open any more: what came late is swept.
async fn all_is_over(github: &GitHub, environment: &str, last: u64) {
    let done = json!({"status": "completed", "conclusion": "success"});
    let runs: serde_json::Map<String, Value> = (last.saturating_sub(IN_A_ROW)..=last)
        .map(|run| (run.to_string(), done.clone()))
        .collect();
    github.set(&json!({"runs": runs, "limit": {"remaining": 1_u64 << 40}}));
    let swept = sweep(&github.client(), Some(environment), 1000)
        .await
        .unwrap();
    assert!(swept.unknown.is_empty(), "{swept:?}");
    for one in github.deployments(environment) {
        let is_over = ["success", "failure", "error", "inactive"].contains(&one.state());
        assert!(is_over, "{one:?}");
    }
}
