//! Deployments that nobody works on any more: their runner is gone, and nothing told how they ended.

use serde::Deserialize;

use crate::github::api::client::Filter;
use crate::github::api::{Client, Fault};
use crate::github::deployments::status::latest;
use crate::github::deployments::walk::{End, Walk};
use crate::github::deployments::{Deployment, Payload, State, Told, set_status, statuses};

/// An open deployment whose run is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Stale {
    /// It.
    pub deployment: Deployment,
    /// What was told of it last.
    pub state: State,
    /// How its run ended, in words of GitHub's or ours: `completed: failure`, `another attempt`, `deleted`.
    pub run: String,
}

/// What a look for such deployments found.
#[derive(Clone, Debug, PartialEq)]
pub struct Swept {
    /// The open ones whose run is over.
    pub stale: Vec<Stale>,
    /// Open ones of ours whose run cannot be seen, with the reason.
    pub unknown: Vec<(u64, Fault)>,
    /// How many deployments were looked at.
    pub looked_at: usize,
    /// Why no more were.
    pub end: End,
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default, rename = "run_attempt")]
    attempt: Option<u64>,
}

/// The open deployments of ours, of one environment or of all, whose run is over, among the newest `depth`.
///
/// `GET deployments`, `GET deployments/{id}/statuses`, `GET actions/runs/{id}`:
/// <https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run>. The last needs `actions: read`.
pub async fn stale(
    client: &Client,
    environment: Option<&str>,
    depth: usize,
) -> Result<Swept, Fault> {
    let filter = Filter {
        environment: environment.map(str::to_owned),
        ..Filter::default()
    };
    let mut walk = Walk::new(client, filter, depth);
    let (mut stale, mut unknown) = (Vec::new(), Vec::new());
    while let Some(deployment) = walk.next().await? {
        let Some(payload) = deployment.payload.ours() else {
            continue;
        };
        let told = match statuses(client, deployment.id).await {
            Err(Fault::Missing) => continue,
            told => latest(&told?),
        };
        if !told.is_open() {
            continue;
        }
        match run_of(client, payload).await {
            Ok(Some(run)) => stale.push(Stale {
                deployment,
                state: told,
                run,
            }),
            Ok(None) => {}
            Err(fault @ Fault::Stopped(_)) => return Err(fault),
            Err(fault) => unknown.push((deployment.id, fault)),
        }
    }
    Ok(Swept {
        stale,
        unknown,
        looked_at: walk.looked_at(),
        end: walk.end(),
    })
}

/// The same, and tells of each that it ended in an error.
///
/// `POST deployments/{id}/statuses`: <https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status>
pub async fn sweep(
    client: &Client,
    environment: Option<&str>,
    depth: usize,
) -> Result<Swept, Fault> {
    let found = stale(client, environment, depth).await?;
    for one in &found.stale {
        let told = Told::new(State::Error, format!("runner lost: run {}", one.run));
        match set_status(client, one.deployment.id, &told).await {
            Ok(()) | Err(Fault::Missing) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

/// How the run ended; none where it goes on.
async fn run_of(client: &Client, payload: &Payload) -> Result<Option<String>, Fault> {
    let number = payload.run_id.to_string();
    match client.get(&["actions", "runs", &number], &[]).await {
        Ok(run) => Ok(ended(&run, payload.run_attempt)),
        Err(Fault::Missing) => Ok(Some("deleted".to_owned())),
        Err(fault) => Err(fault),
    }
}

fn ended(run: &Run, attempt: u64) -> Option<String> {
    if run.attempt.is_some_and(|latest| latest > attempt) {
        return Some("repeated by another attempt".to_owned());
    }
    if run.status.as_deref() != Some("completed") {
        return None;
    }
    let conclusion = run.conclusion.as_deref().unwrap_or("no conclusion");
    Some(format!("completed ({conclusion})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_over_where_it_says_so_or_was_repeated() {
        let run = |text: &str| -> Run { serde_json::from_str(text).unwrap() };
        for (text, expected) in [
            (r#"{"status": "in_progress", "run_attempt": 1}"#, None),
            (
                r#"{"status": "completed", "conclusion": "cancelled", "run_attempt": 1}"#,
                Some("completed (cancelled)"),
            ),
            (
                r#"{"status": "queued", "run_attempt": 2}"#,
                Some("repeated by another attempt"),
            ),
            (
                r#"{"status": "completed", "conclusion": null}"#,
                Some("completed (no conclusion)"),
            ),
            ("{}", None),
        ] {
            assert_eq!(ended(&run(text), 1).as_deref(), expected, "{text}");
        }
    }
}
