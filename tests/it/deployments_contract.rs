//! Everything that we ask GitHub for deployments, held against GitHub's own description of its API, both ways.

use lockgate::github::api::Fault;
use lockgate::github::api::client::Filter;
use lockgate::github::deployments::{
    Own, State, Told, Verdict, create, deactivate_older, end_transient, last_good, own_job,
    required_contexts, set_status, statuses, sweep,
};
use serde_json::json;

use crate::support::github::{GitHub, SHA, wanted};

#[tokio::test]
async fn nothing_that_we_ask_contradicts_githubs_description() {
    let github = GitHub::judged();
    let client = github.client();
    let check = json!({"id": 1, "name": "test", "status": "completed", "conclusion": "success"});
    let status = json!({"context": "ci", "state": "success"});
    let job = json!({"id": 5, "name": "deploy", "runner_name": "here"});
    let done = json!({"status": "completed", "conclusion": "failure"});
    github.set(&json!({
        "checks": {SHA: [check]}, "statuses": {SHA: [status]}, "jobs": {"7": [job]}, "runs": {"6": done},
        "limit": {"remaining": 4000},
    }));
    let lost = create(&client, &wanted("prod", 6))
        .await
        .unwrap()
        .deployment;
    let swept = sweep(&client, Some("prod"), 100).await.unwrap();
    assert_eq!(swept.stale.first().unwrap().deployment, lost);
    let own = own_job(&client, 7, 1, "here").await.unwrap();
    assert_eq!(own, Some(("deploy".to_owned(), 5)));
    let found = required_contexts(&client, SHA, &[], &Own::default()).await;
    assert_eq!(found.unwrap().verdict(), Verdict::Passed);
    let mut before = None;
    for run in [7, 8] {
        let mut own = wanted("prod", run);
        own.is_production = Some(true);
        own.payload.previous = before;
        let made = create(&client, &own).await.unwrap().deployment;
        assert!(create(&client, &own).await.unwrap().was_there);
        for state in [
            State::Queued,
            State::Pending,
            State::InProgress,
            State::Success,
        ] {
            let told = Told {
                log_url: Some("https://github.example/log".to_owned()),
                environment_url: Some("https://app.example/".to_owned()),
                ..Told::new(state, "é".repeat(200))
            };
            set_status(&client, made.id, &told).await.unwrap();
        }
        deactivate_older(&client, &made, 100).await.unwrap();
        before = Some(made.id);
    }
    let good = last_good(&client, "prod", before, 100)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(good.payload.run_id, 7);
    let mut review = wanted("pr-7", 9);
    review.is_transient = true;
    let made = create(&client, &review).await.unwrap().deployment;
    for state in [State::Failure, State::Error] {
        set_status(&client, made.id, &Told::new(state, ""))
            .await
            .unwrap();
    }
    let ended = end_transient(&client, "pr-7", "closed", 100).await.unwrap();
    assert_eq!(ended.deployments, [made.id]);
    assert_eq!(client.deployment(made.id).await.unwrap(), made);
    assert_eq!(client.deployment(999).await.unwrap_err(), Fault::Missing);
    // Only what is asked through the judge counts: nothing may have gone past it.
    let asked = github.seen();
    assert!(asked.len() > 40, "{asked:?}");
    what_contradicts_the_description_is_told(&github).await;
}

#[tokio::test]
async fn whatever_fits_the_description_is_read() {
    let github = GitHub::invented();
    let client = github.client();
    let mut read = 0;
    for _ in 0..20 {
        read += statuses(&client, 7).await.unwrap().len();
        let found = required_contexts(&client, SHA, &[], &Own::default()).await;
        read += found.unwrap().contexts.len();
        own_job(&client, 7, 1, "here").await.unwrap();
        client.deployment(7).await.unwrap();
        let listed = client.deployments(&Filter::default(), 1).await;
        read += listed.unwrap().len();
    }
    assert!(read > 50, "{read}");
}

/// That the judge judges.
async fn what_contradicts_the_description_is_told(github: &GitHub) {
    let client = github.client();
    let made = create(&client, &wanted("prod", 7))
        .await
        .unwrap()
        .deployment;
    github.seen();
    let number = made.id.to_string();
    let path = ["deployments", number.as_str(), "statuses"];
    for (path, body, place) in [
        (&path[..], json!({"state": "cancelled"}), "body.state"),
        (&path[..], json!({}), "body"),
        (&["deployments"], json!({"task": "deploy"}), "body"),
        (
            &["deployments"],
            json!({"ref": SHA, "auto_merge": "yes"}),
            "body.auto_merge",
        ),
    ] {
        let fault = client.post(path, &body).await.unwrap_err();
        assert!(
            matches!(
                &fault,
                Fault::Server { status: 422, .. } | Fault::Invalid { .. }
            ),
            "{place}: {fault:?}"
        );
        assert!(fault.to_string().contains("not valid"), "{place}: {fault}");
    }
    // None of them came through.
    assert_eq!(github.seen().len(), 0);
    // An answer that is none is told too.
    let wrong = json!({"id": made.id, "state": "cancelled"});
    github.fail(&json!([{"at": "POST statuses", "kind": "garbage", "body": wrong}]));
    let fault = client
        .post(&path, &json!({"state": "success"}))
        .await
        .unwrap_err();
    assert!(
        matches!(fault, Fault::Server { status: 500, .. }),
        "{fault:?}"
    );
}
