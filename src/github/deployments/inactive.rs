//! What is deployed no longer is told to be inactive, in every kind of environment.
//!
//! GitHub's own `auto_inactive` leaves production and transient environments out.

use crate::github::api::client::Filter;
use crate::github::api::{Client, Fault};
use crate::github::deployments::status::latest;
use crate::github::deployments::walk::{End, Walk};
use crate::github::deployments::{Deployment, State, Told, set_status, statuses};

/// After so many inactive ones in a row, those before were ended when it was their time.
const IN_A_ROW: usize = 20;

/// What was told to be inactive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The numbers of these deployments.
    pub deployments: Vec<u64>,
    /// How many were looked at.
    pub looked_at: usize,
    /// Why no more were.
    pub end: End,
}

/// Ends what was deployed to an environment before `current`: each older deployment whose latest status is a success becomes
/// inactive, and so does an open one that this very attempt at this job made by mistake, as when an answer was lost. Stops
/// after twenty in a row that are inactive already, or where little is left of the rate limit.
///
/// `GET deployments`, `GET deployments/{id}/statuses`, `POST deployments/{id}/statuses`:
/// <https://docs.github.com/en/rest/deployments/statuses>
pub async fn deactivate_older(
    client: &Client,
    current: &Deployment,
    depth: usize,
) -> Result<Ended, Fault> {
    let words = format!("deployment {} is there now", current.id);
    let told = Told::new(State::Inactive, words);
    let replaced = |other: &Deployment, state: &State| {
        let is_older = other.id < current.id && *state == State::Success;
        let is_double = other.id != current.id && state.is_open() && current.is_twin(other);
        is_older || is_double
    };
    end(client, &current.environment, depth, &told, replaced).await
}

/// Ends all deployments of a transient environment, as when its pull request is closed: whatever is not inactive becomes it.
/// Deployments of that name that were not made as transient ones stay as they are.
///
/// The same endpoints as [`deactivate_older`].
pub async fn end_transient(
    client: &Client,
    environment: &str,
    why: &str,
    depth: usize,
) -> Result<Ended, Fault> {
    let told = Told::new(State::Inactive, why);
    let is_over = |deployment: &Deployment, _: &State| deployment.is_transient;
    end(client, environment, depth, &told, is_over).await
}

async fn end(
    client: &Client,
    environment: &str,
    depth: usize,
    told: &Told,
    is_over: impl Fn(&Deployment, &State) -> bool,
) -> Result<Ended, Fault> {
    let filter = Filter {
        environment: Some(environment.to_owned()),
        ..Filter::default()
    };
    let mut walk = Walk::new(client, filter, depth);
    let mut deployments = Vec::new();
    let mut in_a_row = 0;
    while let Some(deployment) = walk.next().await? {
        let state = match statuses(client, deployment.id).await {
            Ok(statuses) => latest(&statuses),
            // Somebody deleted it meanwhile.
            Err(Fault::Missing) => continue,
            Err(fault) => return Err(fault),
        };
        if state == State::Inactive {
            in_a_row += 1;
            if in_a_row >= IN_A_ROW {
                break;
            }
        } else if is_over(&deployment, &state) {
            in_a_row = 0;
            match set_status(client, deployment.id, told).await {
                Ok(()) => deployments.push(deployment.id),
                Err(Fault::Missing) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(Ended {
        deployments,
        looked_at: walk.looked_at(),
        end: walk.end(),
    })
}
