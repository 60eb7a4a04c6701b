//! Deployments where answers are lost, late, wrong or refused: nothing is made twice, nothing is told in vain, and each fault
//! says what it is.

use std::time::Duration;

use lockgate::github::api::{Client, Fault};
use lockgate::github::deployments::{State, Told, create, deactivate_older, set_status, statuses};
use lockgate::system::environment::Environment;
use lockgate::system::http::Http;
use lockgate::system::http::retry::Policy;
use lockgate::system::masking::{Masker, Secret};
use lockgate::system::stop::Stop;
use serde_json::{Value, json};

use crate::support::github::{GitHub, TOKEN, wanted};
use crate::support::log::Log;

/// Faults from which everything recovers, at a request that changes something.
fn recoverable() -> Vec<Value> {
    vec![
        json!({"kind": "status", "status": 500}),
        json!({"kind": "status", "status": 502}),
        json!({"kind": "status", "status": 503, "retryAfter": 0}),
        json!({"kind": "status", "status": 504, "times": 3}),
        json!({"kind": "status", "status": 429, "retryAfter": 0, "times": 2}),
        json!({"kind": "status", "status": 403, "retryAfter": 0, "body": {"message": "You have exceeded a secondary rate limit"}}),
        json!({"kind": "status", "status": 403, "headers": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}}),
        json!({"kind": "status-after", "status": 502}),
        json!({"kind": "status-after", "status": 503}),
        json!({"kind": "reset"}),
        json!({"kind": "reset", "times": 3}),
        json!({"kind": "lost"}),
        json!({"kind": "stall"}),
        json!({"kind": "stall-after"}),
        json!({"kind": "cut"}),
    ]
}

fn at(place: &str, fault: &Value) -> Value {
    let mut fault = fault.clone();
    fault["at"] = place.into();
    json!([fault])
}

fn few(attempts: u32) -> Policy {
    Policy {
        attempts,
        budget: Duration::from_mins(2),
        pause: Duration::from_millis(4),
    }
}

#[tokio::test]
async fn whatever_happens_to_the_answer_one_deployment_is_made() {
    let github = GitHub::start();
    let client = github.client().with_patience(Duration::from_secs(2));
    let garbage = [
        json!({"kind": "garbage"}),
        json!({"kind": "garbage", "body": "[]"}),
    ];
    for (number, fault) in recoverable().iter().chain(&garbage).enumerate() {
        let environment = format!("env-{number}");
        github.fail(&at("POST deployments", fault));
        let made = create(&client, &wanted(&environment, 7)).await;
        let made = made.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert!(!made.was_there, "{fault}");
        let all = github.deployments(&environment);
        let numbers: Vec<u64> = all.iter().map(|one| one.id).collect();
        assert_eq!(numbers, [made.deployment.id], "{fault}");
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_looked_up_before_it_is_asked_again() {
    let github = GitHub::start();
    let client = github.client();
    let methods = |kind: Value| {
        let (github, client) = (&github, &client);
        async move {
            let environment = kind.to_string();
            github.fail(&at("POST deployments", &kind));
            github.seen();
            create(client, &wanted(&environment, 7)).await.unwrap();
            let seen = github.seen();
            let first = |line: &String| line.chars().next().unwrap();
            seen.iter().map(first).collect::<String>()
        }
    };
    // G looks up (the second one what was told of it), P makes.
    assert_eq!(methods(json!({"kind": "lost"})).await, "GPGG");
    assert_eq!(methods(json!({"kind": "reset"})).await, "GPGPGG");
    // A rate limit did nothing for sure.
    let limited = json!({"kind": "status", "status": 429, "retryAfter": 0});
    assert_eq!(methods(limited).await, "GPP");
}

#[tokio::test]
async fn what_was_made_late_is_ended() {
    let github = GitHub::start();
    let client = github.client();
    let late = json!({"kind": "late", "requests": 99});
    github.fail(&at("POST deployments", &late));
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    assert_eq!(github.deployments("prod").len(), 2);
    // Asked again, it is the same one.
    let again = create(&client, &wanted("prod", 7)).await.unwrap();
    assert_eq!((again.deployment.id, again.was_there), (made.id, true));
    set_status(&client, made.id, &Told::new(State::Success, "there"))
        .await
        .unwrap();
    deactivate_older(&client, &made, 100).await.unwrap();
    let all = github.deployments("prod");
    let states: Vec<(u64, &str)> = all.iter().map(|one| (one.id, one.state())).collect();
    assert_eq!(states[0], (made.id, "success"));
    assert_eq!(states[1].1, "inactive");
}

#[tokio::test]
async fn no_status_is_lost_or_told_twice() {
    let github = GitHub::start();
    let client = github.client().with_patience(Duration::from_secs(2));
    for (number, fault) in recoverable().iter().enumerate() {
        let environment = format!("env-{number}");
        let made = create(&client, &wanted(&environment, 7)).await.unwrap();
        github.fail(&at("POST statuses", fault));
        let told = Told {
            log_url: Some("https://github.example/log".to_owned()),
            ..Told::new(State::InProgress, "goes on\n::error::x")
        };
        let outcome = set_status(&client, made.deployment.id, &told).await;
        assert_eq!(outcome, Ok(()), "{fault}");
        let all = github.deployments(&environment);
        assert_eq!(all[0].states, ["in_progress"], "{fault}");
        assert_eq!(all[0].statuses[0]["description"], "goes on␊::error::x");
    }
}

#[tokio::test]
async fn a_status_that_comes_late_does_not_bury_the_final_one() {
    let github = GitHub::start();
    let client = github.client();
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    // It comes between the final one and the look at what GitHub has: after the look for itself, and both that were told.
    let late = json!({"kind": "late", "requests": 3});
    github.fail(&at("POST statuses", &late));
    for state in [State::InProgress, State::Success] {
        set_status(&client, made.id, &Told::new(state, "x"))
            .await
            .unwrap();
    }
    let all = github.deployments("prod");
    let states = ["success", "in_progress", "success", "in_progress"];
    assert_eq!(all[0].states, states);
}

#[tokio::test]
async fn what_never_recovers_is_told_as_what_it_is() {
    let github = GitHub::start();
    let client = github.client_with(few(3), &Masker::default());
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    let body = |message: &str| json!({"message": message, "errors": []});
    for (fault, expected) in [
        (
            json!({"status": 502, "times": 99, "body": "<html>\u{1b}[31mUnicorn\n::error::x"}),
            "GitHub answers 502: <html>␛[31mUnicorn␊::error::x",
        ),
        (
            json!({"status": 401, "body": body("Bad credentials")}),
            "GitHub answers 401: Bad credentials",
        ),
        (
            json!({"status": 403, "body": body("Must have admin rights")}),
            "GitHub answers 403: Must have admin rights",
        ),
        (
            json!({"status": 404}),
            "GitHub knows nothing of what is asked for",
        ),
        (
            json!({"status": 429, "retryAfter": 999, "times": 9}),
            "the rate limit of GitHub's API is reached for another 999 s",
        ),
        (
            json!({"status": 422, "body": {"message": "Validation Failed", "errors": [{"field": "state", "code": "invalid"}, "no", {"code": "x"}, 7]}}),
            "GitHub does not take the request: Validation Failed: `state` is invalid; no; x",
        ),
        (
            json!({"status": 301, "body": body("Moved Permanently")}),
            "GitHub answers 301: Moved Permanently",
        ),
        (
            json!({"status": 400, "body": "{"}),
            "GitHub does not take the request: {",
        ),
        (
            json!({"status": 418, "body": ""}),
            "GitHub answers 418: I'm a teapot",
        ),
    ] {
        let mut placed = fault.clone();
        placed["kind"] = "status".into();
        github.fail(&at("POST statuses", &placed));
        let told = Told::new(State::Success, fault.to_string());
        let found = set_status(&client, made.id, &told).await.unwrap_err();
        assert_eq!(found.to_string(), expected, "{found:?}");
        assert!(!format!("{found:?}").contains(TOKEN));
    }
    github.fail(&json!([{"at": "POST statuses", "kind": "reset", "times": 99}]));
    let told = Told::new(State::Failure, "x");
    let found = set_status(&client, made.id, &told).await.unwrap_err();
    assert!(matches!(found, Fault::Lost { .. }), "{found:?}");
}

#[tokio::test]
async fn a_refused_deployment_names_the_contexts_and_a_merge_is_no_deployment() {
    let github = GitHub::start();
    let client = github.client();
    let refused = json!({
        "message": "Conflict: Commit status checks failed for main.",
        "errors": [{"contexts": [
            {"context": "lint\n::x", "state": "pending"}, {"context": "test", "state": "failure"}, {"context": "ok", "state": "success"}, {},
        ], "resource": "Deployment", "field": "required_contexts", "code": "invalid"}],
    });
    let merged = json!({"message": "Auto-merged main into topic on deployment."});
    let both = [
        (
            json!({"status": 409, "body": refused}),
            "GitHub refuses the deployment: Conflict: Commit status checks failed for main.: `lint␊::x` (pending), `test` (failure) and `?` (?)",
        ),
        (
            json!({"status": 409, "body": {"message": "Conflict merging main into 0123."}}),
            "GitHub refuses the deployment: Conflict merging main into 0123.",
        ),
        (
            json!({"status": 202, "body": merged}),
            "GitHub merged in place of deploying: Auto-merged main into topic on deployment.",
        ),
    ];
    for (fault, expected) in both {
        let mut placed = fault;
        placed["kind"] = "status".into();
        github.fail(&at("POST deployments", &placed));
        let found = create(&client, &wanted("prod", 7)).await.unwrap_err();
        assert_eq!(found.to_string(), expected);
        assert!(found.error().hint.is_some());
    }
    assert!(github.deployments("prod").is_empty());
}

#[tokio::test]
async fn a_token_that_only_reads_is_told_from_all_else() {
    let github = GitHub::start();
    let client = github.client();
    github.set(&json!({"access": "read"}));
    let found = create(&client, &wanted("prod", 7)).await.unwrap_err();
    assert!(found.is_read_only());
    assert_eq!(
        found.clone().error().render(),
        "error: the token may not record deployments: Resource not accessible by integration\n\nhint: add `deployments: write` to the job's `permissions`; runs for forks and of Dependabot cannot have it"
    );
    assert_eq!(github.seen().len(), 2);
    github.set(&json!({"access": "none"}));
    let found = create(&client, &wanted("prod", 7)).await.unwrap_err();
    assert_eq!(found, Fault::Missing);
    assert!(!found.is_read_only());
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_while_it_is_short() {
    let github = GitHub::start();
    let client = github.client();
    let limit = |reset: u64| json!({"limit": {"remaining": 0, "reset": reset, "refusals": 3}});
    github.set(&limit(1));
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    assert!(client.remaining().is_some_and(|left| left > 4000));
    github.set(&limit(1));
    set_status(&client, made.id, &Told::new(State::Success, ""))
        .await
        .unwrap();
    github.set(&limit(99_999_999_999));
    github.seen();
    let found = statuses(&client, made.id).await.unwrap_err();
    assert!(
        matches!(found, Fault::RateLimited { after: Some(after) } if after > Duration::from_hours(1)),
        "{found:?}"
    );
    assert_eq!(github.seen().len(), 1);
}

#[tokio::test]
async fn answers_that_are_none_are_faults() {
    let github = GitHub::start();
    let client = github.client_with(few(2), &Masker::default());
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    for body in [
        "",
        "null",
        "{}",
        "[{}]",
        "[1]",
        "\"x\"",
        "{\"id\"",
        &"[".repeat(9999),
    ] {
        for (place, is_list) in [("GET deployments", true), ("GET statuses", false)] {
            github.fail(&at(
                place,
                &json!({"kind": "garbage", "body": body, "times": 9}),
            ));
            let found = if is_list {
                create(&client, &wanted("prod", 8)).await.unwrap_err()
            } else {
                statuses(&client, made.id).await.unwrap_err()
            };
            assert!(
                matches!(found, Fault::Unreadable { .. }),
                "{body}: {found:?}"
            );
            assert!(found.to_string().len() < 500, "{found}");
        }
    }
    // A state of the future is one.
    let future = json!([{"id": 9, "state": "waiting", "more": [1]}]).to_string();
    github.fail(&at(
        "GET statuses",
        &json!({"kind": "garbage", "body": future}),
    ));
    let found = statuses(&client, made.id).await.unwrap();
    assert_eq!(
        found.first().unwrap().state,
        State::Other("waiting".to_owned())
    );
}

#[tokio::test]
async fn a_server_that_is_down_and_a_wrong_address_are_told() {
    let address = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", socket.local_addr().unwrap())
    };
    let client = |address: &str| {
        let pairs = [
            ("GITHUB_API_URL", address),
            ("GITHUB_REPOSITORY", "acme/app"),
        ];
        let environment: Environment = pairs.into_iter().collect();
        let http = Http::new(&environment, Vec::new(), Stop::never()).unwrap();
        Client::new(&environment, &Secret::new(TOKEN), http, &Masker::default())
    };
    let down = client(&address).unwrap().with_policy(few(3));
    let found = create(&down, &wanted("prod", 7)).await.unwrap_err();
    assert!(
        matches!(found, Fault::Unreached { attempts: 3, .. }),
        "{found:?}"
    );
    assert!(!found.to_string().contains(&address), "{found}");
    let found = client("http://ghe.example").unwrap_err();
    assert!(matches!(found, Fault::Usage(_)), "{found:?}");
}

#[tokio::test]
async fn no_log_shows_the_token_and_the_masker_knows_it() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_writer(move || writer.clone())
        .finish();
    let github = GitHub::start();
    let masker = Masker::default();
    let guard = tracing::subscriber::set_default(subscriber);
    let client = github.client_with(few(3), &masker);
    github.fail(&json!([
        {"at": "POST deployments", "kind": "lost"},
        {"at": "GET deployments", "kind": "reset"},
        {"at": "POST statuses", "kind": "status", "status": 502},
    ]));
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    set_status(&client, made.id, &Told::new(State::Success, ""))
        .await
        .unwrap();
    drop(guard);
    let text = log.text();
    for words in [
        "asking for the deployment again",
        "telling the status again",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains(TOKEN), "{text}");
    assert!(!format!("{client:?}").contains(TOKEN));
    assert_eq!(masker.mask(TOKEN), "***");
}
