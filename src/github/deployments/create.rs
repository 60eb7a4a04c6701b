//! A deployment is made once, whatever happens to the answers.

use serde::Serialize;

use crate::github::api::client::{Filter, created};
use crate::github::api::fault::Delivery;
use crate::github::api::{Client, Fault};
use crate::github::deployments::status::{latest, short};
use crate::github::deployments::walk::Walk;
use crate::github::deployments::{Deployment, Payload, State, Told, set_status, statuses};
use crate::system::http::retry::Attempts;

/// A deployment that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The commit, whole.
    pub sha: String,
    /// Where.
    pub environment: String,
    /// What for: `deploy`, `rollback`.
    pub task: String,
    /// In words; cut where it is longer than 140 characters.
    pub description: String,
    /// Whether the environment is to go away again.
    pub is_transient: bool,
    /// Whether users see the environment; GitHub takes the name `production` for it where nothing is said.
    pub is_production: Option<bool>,
    /// What we write into it. Run, attempt and job tell it from all others.
    pub payload: Payload,
}

/// A deployment that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Created {
    /// It.
    pub deployment: Deployment,
    /// Whether this job had made it before.
    pub was_there: bool,
}

#[derive(Serialize)]
struct Body<'a, P> {
    #[serde(rename = "ref")]
    git_ref: &'a str,
    task: &'a str,
    environment: &'a str,
    description: String,
    payload: P,
    transient_environment: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    production_environment: Option<bool>,
    /// Nothing is merged on the way.
    auto_merge: bool,
    /// None: we look at them ourselves, without our own job.
    required_contexts: [&'a str; 0],
}

/// The open deployment of this commit, environment and task that this very attempt at this job made.
///
/// `GET deployments`: <https://docs.github.com/en/rest/deployments/deployments#list-deployments>
pub async fn find(client: &Client, wanted: &Wanted) -> Result<Option<Deployment>, Fault> {
    Ok(open(client, wanted).await?.pop())
}

/// Makes a deployment, or finds the one that this job made before and did not end. An answer that is lost makes no second one:
/// GitHub is asked whether it has it before it is told again.
///
/// `POST deployments`: <https://docs.github.com/en/rest/deployments/deployments#create-a-deployment>
pub async fn create(client: &Client, wanted: &Wanted) -> Result<Created, Fault> {
    if let Some(deployment) = find(client, wanted).await? {
        return Ok(Created {
            deployment,
            was_there: true,
        });
    }
    let mut attempts = client.policy().start();
    let mut is_in_doubt = false;
    loop {
        let fault = match send(client, wanted).await {
            Ok(deployment) if is_in_doubt => {
                let deployment = only_one(client, wanted, deployment).await?;
                return Ok(fresh(deployment));
            }
            Ok(deployment) => return Ok(fresh(deployment)),
            Err(fault) => fault,
        };
        let delivery = fault.delivery();
        if delivery == Delivery::Answered || !pause(client, &mut attempts, &fault).await? {
            return Err(fault);
        }
        if delivery == Delivery::Unknown {
            if let Some(deployment) = find(client, wanted).await? {
                return Ok(fresh(deployment));
            }
            is_in_doubt = true;
            client.doubt();
        }
    }
}

fn fresh(deployment: Deployment) -> Created {
    Created {
        deployment,
        was_there: false,
    }
}

/// Waits for the next attempt, if there is one.
async fn pause(client: &Client, attempts: &mut Attempts, fault: &Fault) -> Result<bool, Fault> {
    let Some(mut pause) = attempts.pause(fault.after()) else {
        return Ok(false);
    };
    if fault.delivery() == Delivery::Unknown {
        // It may be at work on it.
        pause = pause.max(client.policy().pause);
    }
    tracing::debug!(%fault, ?pause, "asking for the deployment again");
    client.rest(pause).await?;
    Ok(true)
}

async fn send(client: &Client, wanted: &Wanted) -> Result<Deployment, Fault> {
    let body = Body {
        git_ref: &wanted.sha,
        task: &wanted.task,
        environment: &wanted.environment,
        description: short(&wanted.description),
        payload: wanted.payload.document(),
        transient_environment: wanted.is_transient,
        production_environment: wanted.is_production,
        auto_merge: false,
        required_contexts: [],
    };
    let (status, answer) = client.post(&["deployments"], &body).await?;
    if status == 202 {
        return Err(Fault::merged(&answer));
    }
    created(&answer)
}

/// Open deployments of this job, newest first.
async fn open(client: &Client, wanted: &Wanted) -> Result<Vec<Deployment>, Fault> {
    let filter = Filter {
        environment: Some(wanted.environment.clone()),
        sha: Some(wanted.sha.clone()),
        task: Some(wanted.task.clone()),
    };
    let mut walk = Walk::thorough(client, filter);
    let mut open = Vec::new();
    while let Some(deployment) = walk.next().await? {
        let payload = deployment.payload.ours();
        if !payload.is_some_and(|payload| payload.is_of_same_job(&wanted.payload)) {
            continue;
        }
        if !latest(&statuses(client, deployment.id).await?).is_final() {
            open.push(deployment);
        }
    }
    Ok(open)
}

/// A request that was given up may have been carried out after all: the first one counts, the others are ended.
async fn only_one(client: &Client, wanted: &Wanted, made: Deployment) -> Result<Deployment, Fault> {
    let mut all = open(client, wanted).await?;
    all.sort_by_key(|deployment| deployment.id);
    let mut all = all.into_iter();
    let Some(first) = all.next() else {
        return Ok(made);
    };
    for other in all {
        let words = format!("the same as deployment {}", first.id);
        set_status(client, other.id, &Told::new(State::Inactive, words)).await?;
    }
    Ok(first)
}
