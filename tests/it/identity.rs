//! The identity token of a job, asked for as the runner offers it.

use std::cell::RefCell;
use std::time::Duration;

use lockgate::error::Kind;
use lockgate::github::identity::{Claims, identity_token};
use lockgate::system::environment::Environment;
use lockgate::system::http::Http;
use lockgate::system::http::retry::Policy;
use lockgate::system::masking::Secret;
use lockgate::system::stop::Stop;
use serde_json::{Value, json};

use crate::support::github::GitHub;

const BEARER: &str = "not-a-real-bearer";

fn environment(url: &str) -> Environment {
    [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER),
    ]
    .into_iter()
    .collect()
}

fn http() -> Http {
    Http::new(&Environment::default(), Vec::new(), Stop::never()).unwrap()
}

fn policy() -> Policy {
    Policy {
        attempts: 4,
        budget: Duration::from_mins(1),
        pause: Duration::from_millis(4),
    }
}

#[tokio::test]
async fn a_token_is_hidden_before_anybody_has_it_and_says_who_the_job_is() {
    let github = GitHub::start();
    let url = format!("{}/identity?api-version=2.0", github.url());
    github.set(&json!({"claims": {"environment": "prod"}}));
    github.fail(&json!([
        {"at": "GET identity", "kind": "status", "status": 503, "retryAfter": 0},
        {"at": "GET identity", "kind": "reset"},
        {"at": "GET identity", "kind": "cut"},
    ]));
    let hidden = RefCell::new(Vec::new());
    let identity = identity_token(
        &environment(&url),
        &http(),
        policy(),
        Some("https://index.example/a&b"),
        |secret: &Secret| hidden.borrow_mut().push(secret.reveal().to_owned()),
    )
    .await
    .unwrap();
    let hidden = hidden.into_inner();
    assert_eq!(hidden, [BEARER, identity.token.reveal()]);
    assert_eq!(
        identity.claims.text("aud"),
        Some("https://index.example/a&b")
    );
    assert_eq!(identity.claims.text("environment"), Some("prod"));
    assert_eq!(Claims::of(&identity.token), Some(identity.claims.clone()));
    let told = format!("{identity:?}");
    assert!(!told.contains(identity.token.reveal()), "{told}");
    let seen = github.seen();
    assert_eq!(seen.len(), 4);
    let expected = "/identity?api-version=2.0&audience=https%3A%2F%2Findex.example%2Fa%26b";
    assert!(seen.iter().all(|line| line.ends_with(expected)), "{seen:?}");
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_without_any_secret() {
    let github = GitHub::start();
    let ask = async |environment: &Environment| {
        let answer = identity_token(environment, &http(), policy(), None, |_| {}).await;
        let error = answer.unwrap_err();
        let told = error.render();
        assert!(
            !told.contains(BEARER) && !told.contains("not-shown"),
            "{told}"
        );
        error
    };
    let hint = "add `id-token: write` to the job's `permissions`; runs for forks and of Dependabot cannot have it";
    let error = ask(&Environment::default()).await;
    assert_eq!(
        (error.kind, error.hint.as_deref(), error.message.as_str()),
        (
            Kind::Usage,
            Some(hint),
            "the job has no identity token: `ACTIONS_ID_TOKEN_REQUEST_URL` is not set"
        )
    );
    let mut half = environment("https://runner.example/?key=not-shown");
    half.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "");
    assert!(ask(&half).await.message.contains("_TOKEN` is not set"));
    for address in ["http://runner.example/?key=not-shown", "not-shown"] {
        let error = ask(&environment(address)).await;
        assert_eq!(
            error.message,
            "`ACTIONS_ID_TOKEN_REQUEST_URL` is no `https` address"
        );
    }
    let good = environment(&format!("{}/identity?key=not-shown", github.url()));
    for (fault, cause) in [
        (json!({"kind": "status", "status": 403}), "it answers 403"),
        (json!({"kind": "status", "status": 302}), "it answers 302"),
        (
            json!({"kind": "status", "status": 502, "times": 4}),
            "it answers 502",
        ),
        (
            json!({"kind": "garbage", "body": "{\"value\": 7}"}),
            "its answer holds no `value`",
        ),
        (
            json!({"kind": "garbage", "body": "{\"value\": \"not-shown\"}"}),
            "its answer is no JWT",
        ),
    ] {
        let mut placed: Value = fault;
        placed["at"] = "GET identity".into();
        github.fail(&json!([placed]));
        let error = ask(&good).await;
        assert_eq!(error.kind, Kind::NoVerdict);
        assert_eq!(error.causes, [cause]);
    }
}
