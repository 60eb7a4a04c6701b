//! Deployments as GitHub has them after we told it: made once, told to the end, ended, swept, found again.

use std::time::Duration;

use lockgate::github::api::Fault;
use lockgate::github::deployments::{
    Contexts, End, Own, State, Told, Verdict, create, deactivate_older, end_transient, last_good,
    own_job, required_contexts, set_status, stale, statuses, sweep, wait_for_contexts,
};
use serde_json::{Value, json};

use crate::support::github::{GitHub, Recorded, SHA, wanted};

/// The payload that we would have written, for what was there before.
fn ours(run_id: u64, artifacts: &Value) -> Value {
    json!({"schema": "lockgate.deployment/1", "run_id": run_id, "run_attempt": 1, "job": "deploy", "artifacts": artifacts})
}

#[tokio::test]
async fn one_attempt_at_one_job_makes_one_deployment() {
    let github = GitHub::start();
    let client = github.client();
    // Our own job is not green yet, and the branch is behind: neither is GitHub's business here.
    let open = json!({"id": 1, "name": "deploy", "status": "in_progress"});
    github.set(&json!({"checks": {SHA: [open]}, "behind": true}));
    let first = create(&client, &wanted("prod", 7)).await.unwrap();
    assert!(!first.was_there);
    assert_eq!(
        first.deployment.payload.ours(),
        Some(&wanted("prod", 7).payload)
    );
    assert_eq!(first.deployment.sha, SHA);
    let again = create(&client, &wanted("prod", 7)).await.unwrap();
    assert!(again.was_there);
    assert_eq!(again.deployment, first.deployment);
    let mut others = vec![wanted("prod", 8), wanted("staging", 7), wanted("prod", 7)];
    others[2].payload.run_attempt = 2;
    let mut matrix = wanted("prod", 7);
    matrix.payload.job = "deploy (eu)".to_owned();
    others.push(matrix);
    let mut rollback = wanted("prod", 7);
    rollback.task = "rollback".to_owned();
    others.push(rollback);
    let mut commit = wanted("prod", 7);
    commit.sha = SHA.replace('0', "f");
    others.push(commit);
    for other in others {
        let made = create(&client, &other).await.unwrap();
        assert!(!made.was_there, "{other:?}");
    }
    // What is over is not gone on with.
    set_status(
        &client,
        first.deployment.id,
        &Told::new(State::Failure, "no"),
    )
    .await
    .unwrap();
    let fresh = create(&client, &wanted("prod", 7)).await.unwrap();
    assert!(!fresh.was_there && fresh.deployment.id > first.deployment.id);
    assert_eq!(github.deployments("prod").len(), 7);
}

#[tokio::test]
async fn what_is_told_of_a_deployment_is_what_github_shows() {
    let github = GitHub::start();
    let client = github.client();
    let before = github.fill(&json!([{"environment": "test", "states": ["success"]}]));
    let made = create(&client, &wanted("test", 7))
        .await
        .unwrap()
        .deployment;
    for state in [State::Queued, State::InProgress] {
        set_status(&client, made.id, &Told::new(state, "so far"))
            .await
            .unwrap();
    }
    let told = Told {
        log_url: Some("https://github.example/acme/app/actions/runs/7".to_owned()),
        environment_url: Some("https://app.example".to_owned()),
        ..Told::new(State::Success, "ü".repeat(200))
    };
    set_status(&client, made.id, &told).await.unwrap();
    let found = statuses(&client, made.id).await.unwrap();
    let states: Vec<String> = found.iter().map(|one| one.state.to_string()).collect();
    assert_eq!(states, ["success", "in_progress", "queued"]);
    let last = found.first().unwrap();
    assert_eq!(last.log_url, told.log_url);
    assert_eq!(last.environment_url, told.environment_url);
    let description = last.description.as_deref().unwrap();
    assert_eq!(description.chars().count(), 140);
    // GitHub itself ends nothing: that is done for every kind of environment, by us.
    let older = github.deployments("test");
    assert_eq!((older[0].id, older[0].state()), (before[0], "success"));
    let wrong = Told {
        environment_url: Some("ftp://app.example".to_owned()),
        ..told
    };
    let fault = set_status(&client, made.id, &wrong).await.unwrap_err();
    assert_eq!(
        fault.error().message,
        "GitHub does not take the request: Validation Failed: environment_url must use http(s) scheme"
    );
}

#[tokio::test]
async fn older_ones_are_ended_in_every_kind_of_environment() {
    let github = GitHub::start();
    let client = github.client();
    for (environment, is_transient, is_production) in [
        ("test", false, false),
        ("production", false, true),
        ("review", true, false),
    ] {
        let old = |states: Value| json!({"environment": environment, "states": states, "transient_environment": is_transient, "production_environment": is_production});
        github.fill(&json!([
            old(json!(["success"])),
            old(json!(["success", "inactive"])),
            old(json!(["in_progress", "failure"])),
            old(json!(["in_progress"])),
            old(json!(["success"])),
        ]));
        let mut own = wanted(environment, 7);
        own.is_transient = is_transient;
        let made = create(&client, &own).await.unwrap().deployment;
        set_status(&client, made.id, &Told::new(State::Success, "there"))
            .await
            .unwrap();
        github.fill(&json!([old(json!(["success"]))]));
        let ended = deactivate_older(&client, &made, 1000).await.unwrap();
        assert_eq!((ended.deployments.len(), ended.looked_at), (2, 7));
        assert_eq!(ended.end, End::All);
        let all = github.deployments(environment);
        let states: Vec<&str> = all.iter().map(Recorded::state).collect();
        let expected = [
            "inactive",
            "inactive",
            "failure",
            "in_progress",
            "inactive",
            "success",
            "success",
        ];
        assert_eq!(states, expected, "{environment}");
        let words = &all[0].statuses[0]["description"];
        assert_eq!(*words, format!("deployment {} is there now", made.id));
    }
}

#[tokio::test]
async fn looking_back_ends_where_nothing_more_comes_or_may_be_asked() {
    let github = GitHub::start();
    let client = github.client();
    let many = |states: &Value, count: usize| {
        vec![json!({"environment": "test", "states": states}); count]
    };
    // Failures in between do not end the walk; twenty inactive ones do.
    let deployments = [
        many(&json!(["success"]), 1),
        many(&json!(["inactive"]), 20),
        many(&json!(["success"]), 1),
        many(&json!(["inactive"]), 19),
        many(&json!(["failure"]), 95),
    ];
    github.fill(&json!(deployments.concat()));
    let made = create(&client, &wanted("test", 7))
        .await
        .unwrap()
        .deployment;
    let states = || -> Vec<String> {
        let all = github.deployments("test");
        [0, 21].map(|at: usize| all[at].state().to_owned()).into()
    };
    let short = deactivate_older(&client, &made, 50).await.unwrap();
    assert_eq!((short.looked_at, short.end), (50, End::Depth));
    github.set(&json!({"limit": {"remaining": 49}}));
    let near = deactivate_older(&client, &made, 1000).await.unwrap();
    assert!(
        near.looked_at <= 1 && near.end == End::RateLimit,
        "{near:?}"
    );
    assert_eq!(states(), ["success", "success"]);
    github.set(&json!({"limit": {"remaining": 5000}}));
    client.deployment(made.id).await.unwrap();
    assert_eq!(client.remaining(), Some(4999));
    let all = deactivate_older(&client, &made, 1000).await.unwrap();
    assert_eq!(all.deployments.len(), 1);
    assert_eq!((all.looked_at, all.end), (1 + 95 + 19 + 1 + 20, End::All));
    assert_eq!(states(), ["success", "inactive"]);
}

#[tokio::test]
async fn a_closed_pull_request_ends_all_of_its_environment() {
    let github = GitHub::start();
    let client = github.client();
    let review = |states: Value| json!({"environment": "pr-7", "states": states, "transient_environment": true});
    github.fill(&json!([
        review(json!(["success", "inactive"])),
        review(json!(["success"])),
        review(json!(["in_progress"])),
        review(json!([])),
        {"environment": "pr-7", "states": ["success"]},
        {"environment": "pr-8", "states": ["success"], "transient_environment": true},
    ]));
    let ended = end_transient(&client, "pr-7", "pull request 7 is closed", 1000)
        .await
        .unwrap();
    assert_eq!(ended.deployments.len(), 3);
    let states = |environment: &str| -> Vec<String> {
        let all = github.deployments(environment);
        all.iter().map(|one| one.state().to_owned()).collect()
    };
    assert_eq!(
        states("pr-7"),
        ["inactive", "inactive", "inactive", "inactive", "success"]
    );
    assert_eq!(states("pr-8"), ["success"]);
    let again = end_transient(&client, "pr-7", "closed", 1000)
        .await
        .unwrap();
    assert!(again.deployments.is_empty(), "{again:?}");
}

#[tokio::test]
async fn what_a_lost_runner_left_open_is_swept() {
    let github = GitHub::start();
    let client = github.client();
    let made = |run: u64, states: Value| json!({"environment": "prod", "states": states, "payload": ours(run, &json!({}))});
    let numbers = github.fill(&json!([
        made(1, json!(["queued", "in_progress"])),
        made(2, json!(["queued"])),
        made(3, json!([])),
        made(4, json!(["in_progress"])),
        made(5, json!(["in_progress"])),
        made(1, json!(["in_progress", "success"])),
        {"environment": "prod", "states": ["in_progress"], "payload": "{}"},
        {"environment": "other", "states": ["in_progress"], "payload": ours(1, &json!({}))},
    ]));
    let done = json!({"status": "completed", "conclusion": "cancelled"});
    github.set(&json!({"runs": {"1": done, "3": done, "4": {}, "5": {"status": "queued", "run_attempt": 2}}}));
    let found = stale(&client, Some("prod"), 1000).await.unwrap();
    let told: Vec<(u64, String, String)> = found
        .stale
        .iter()
        .map(|one| (one.deployment.id, one.state.to_string(), one.run.clone()))
        .collect();
    let row = |at: usize, state: &str, run: &str| (numbers[at], state.to_owned(), run.to_owned());
    assert_eq!(
        told,
        [
            row(4, "in_progress", "repeated by another attempt"),
            row(2, "pending", "completed (cancelled)"),
            row(1, "queued", "deleted"),
            row(0, "in_progress", "completed (cancelled)"),
        ]
    );
    let states = |environment: &str| -> Vec<String> {
        let all = github.deployments(environment);
        all.iter().map(|one| one.state().to_owned()).collect()
    };
    assert_eq!(states("prod")[0], "in_progress");
    let swept = sweep(&client, Some("prod"), 1000).await.unwrap();
    assert_eq!((swept.stale.len(), swept.looked_at), (4, 7));
    let expected = [
        "error",
        "error",
        "error",
        "in_progress",
        "error",
        "success",
        "in_progress",
    ];
    assert_eq!(states("prod"), expected);
    assert_eq!(states("other"), ["in_progress"]);
    let words = &github.deployments("prod")[0].statuses[0]["description"];
    assert_eq!(words, "runner lost: run completed (cancelled)");
    // A run that cannot be seen is told, and ends nothing.
    let denied = json!({"message": "Resource not accessible by integration"});
    github.fail(&json!([{"at": "GET run", "kind": "status", "status": 403, "body": denied}]));
    let swept = sweep(&client, None, 1000).await.unwrap();
    let unknown = swept.unknown.first().unwrap();
    assert!(
        unknown.1.is_read_only() && unknown.0 == numbers[7],
        "{swept:?}"
    );
    assert_eq!(states("other"), ["in_progress"]);
}

#[tokio::test]
async fn the_last_good_one_has_digests_and_was_replaced_at_most() {
    let github = GitHub::start();
    let client = github.client();
    let wheel = json!({"app.whl": "sha256:01"});
    let past = |states: Value, payload: &Value| json!({"environment": "prod", "states": states, "payload": payload});
    let numbers = github.fill(&json!([
        past(
            json!(["success", "inactive"]),
            &ours(1, &json!({"app.whl": "sha256:00"}))
        ),
        past(
            json!(["in_progress", "success", "inactive"]),
            &ours(2, &wheel)
        ),
        past(json!(["success", "failure"]), &ours(3, &wheel)),
        past(json!(["in_progress", "inactive"]), &ours(4, &wheel)),
        past(json!(["success"]), &ours(5, &json!({}))),
        past(json!(["success"]), &json!("by hand")),
        past(json!(["in_progress"]), &ours(6, &wheel)),
    ]));
    let good = |before, depth| last_good(&client, "prod", before, depth);
    let found = good(None, 1000).await.unwrap().unwrap();
    assert_eq!(found.deployment.id, numbers[1]);
    assert_eq!(found.payload.artifacts["app.whl"], "sha256:01");
    let older = good(Some(numbers[1]), 1000).await.unwrap().unwrap();
    assert_eq!(older.payload.run_id, 1);
    assert_eq!(good(Some(numbers[0]), 1000).await.unwrap(), None);
    assert_eq!(good(None, 3).await.unwrap(), None);
    github.fill(&json!([past(json!(["success"]), &ours(9, &wheel))]));
    assert_eq!(good(None, 1000).await.unwrap().unwrap().payload.run_id, 9);
    // To go back is a deployment of its own, with what was good.
    let mut back = wanted("prod", 8);
    back.task = "rollback".to_owned();
    back.payload.artifacts = found.payload.artifacts;
    back.payload.previous = Some(numbers[6]);
    let made = create(&client, &back).await.unwrap().deployment;
    assert_eq!(made.payload.ours(), Some(&back.payload));
    set_status(&client, made.id, &Told::new(State::Success, "back"))
        .await
        .unwrap();
    let again = good(None, 1000).await.unwrap().unwrap();
    assert_eq!(again.deployment, made);
}

#[tokio::test]
async fn contexts_count_over_all_pages_but_for_the_own_job() {
    let github = GitHub::start();
    let client = github.client();
    let check = |id: usize, name: &str, status: &str, conclusion: Option<&str>| json!({"id": id, "name": name, "status": status, "conclusion": conclusion, "details_url": format!("https://github.example/acme/app/actions/runs/7/job/{id}")});
    let mut checks: Vec<Value> = (0..150)
        .map(|id| check(id, &format!("test {id}"), "completed", Some("success")))
        .collect();
    checks.push(check(200, "deploy (eu)", "in_progress", None));
    checks.push(check(201, "lint", "queued", None));
    let set = |checks: &[Value], state: &str| {
        let statuses = [json!({"context": "ci/other", "state": state})];
        github.set(&json!({"checks": {SHA: checks}, "statuses": {SHA: statuses}}));
    };
    set(&checks, "success");
    let own = Own {
        run_id: 7,
        job: "deploy".to_owned(),
        ..Own::default()
    };
    let look = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (client, own) = (client.clone(), own.clone());
        async move { required_contexts(&client, SHA, &names, &own).await.unwrap() }
    };
    let found: Contexts = look(&[]).await;
    assert_eq!(found.contexts.len(), 152);
    assert_eq!(found.own, ["deploy (eu)"]);
    assert_eq!(found.verdict(), Verdict::Pending);
    assert_eq!(found.not_green(), ["`lint` (queued)"]);
    assert_eq!(
        look(&["test 149", "ci/other"]).await.verdict(),
        Verdict::Passed
    );
    let tired = wait_for_contexts(&client, SHA, &[], &own, Duration::ZERO, Duration::ZERO);
    assert_eq!(tired.await.unwrap().verdict(), Verdict::Pending);
    // It becomes green while it is waited for.
    let names = [];
    let waiting = wait_for_contexts(
        &client,
        SHA,
        &names,
        &own,
        Duration::from_mins(5),
        Duration::from_millis(20),
    );
    let later = async {
        github.seen();
        while !github.seen().iter().any(|line| line.contains("/status?")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let last = checks.len() - 1;
        let mut green = checks.clone();
        green[last] = check(201, "lint", "completed", Some("skipped"));
        set(&green, "success");
    };
    let (found, ()) = tokio::join!(waiting, later);
    assert_eq!(found.unwrap().verdict(), Verdict::Passed);
    set(&checks, "error");
    assert_eq!(look(&[]).await.verdict(), Verdict::Failed);
    set(&[], "success");
    assert_eq!(look(&["nothing"]).await.verdict(), Verdict::Pending);
}

#[tokio::test]
async fn the_job_that_runs_here_is_known_by_its_runner() {
    let github = GitHub::start();
    let client = github.client();
    let job = |id: u64, name: &str, status: &str, runner: &str| json!({"id": id, "name": name, "status": status, "runner_name": runner, "check_run_url": format!("https://api.github.example/repos/acme/app/check-runs/{}", id + 1000)});
    github.set(&json!({"jobs": {"7": [
        job(1, "build", "completed", "runner-1"),
        job(2, "Ship it (eu)", "in_progress", "runner-1"),
        job(3, "Ship it (us)", "in_progress", "runner-2"),
    ]}}));
    let found = own_job(&client, 7, 1, "runner-1").await.unwrap();
    assert_eq!(found, Some(("Ship it (eu)".to_owned(), 1002)));
    assert_eq!(own_job(&client, 7, 1, "runner-3").await.unwrap(), None);
    assert_eq!(own_job(&client, 8, 1, "runner-1").await.unwrap(), None);
}

#[tokio::test]
async fn an_enterprise_server_has_its_api_below_a_path() {
    let github = GitHub::start();
    let mut environment = github.environment();
    environment.set("GITHUB_API_URL", format!("{}/api/v3/", github.url()));
    let http = lockgate::system::http::Http::new(
        &environment,
        Vec::new(),
        lockgate::system::stop::Stop::never(),
    );
    let client = lockgate::github::api::Client::new(
        &environment,
        &lockgate::system::masking::Secret::new("x-y-z"),
        http.unwrap(),
        &lockgate::system::masking::Masker::default(),
    )
    .unwrap();
    let made = create(&client, &wanted("a b&c/ü", 7))
        .await
        .unwrap()
        .deployment;
    set_status(&client, made.id, &Told::new(State::Success, "there"))
        .await
        .unwrap();
    assert_eq!(client.deployment(made.id).await.unwrap(), made);
    assert_eq!(client.deployment(99).await.unwrap_err(), Fault::Missing);
    let seen = github.seen();
    assert!(
        seen.iter().all(|line| line.contains(" /api/v3")),
        "{seen:?}"
    );
}
