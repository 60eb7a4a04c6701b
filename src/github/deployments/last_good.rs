//! What was there when all was well, to go back to.

use crate::github::api::client::Filter;
use crate::github::api::{Client, Fault};
use crate::github::deployments::walk::Walk;
use crate::github::deployments::{Deployment, Payload, State, Status, statuses};

/// A deployment that was good, with the digests of what was deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct Good {
    /// It.
    pub deployment: Deployment,
    /// What we wrote into it; names at least one artifact.
    pub payload: Payload,
}

/// The newest deployment of an environment that succeeded, of those before `before`, whose payload names artifacts. One that
/// became inactive after its success counts: it was replaced. None where there is none among the newest `depth`.
///
/// `GET deployments`, `GET deployments/{id}/statuses`: <https://docs.github.com/en/rest/deployments>
pub async fn last_good(
    client: &Client,
    environment: &str,
    before: Option<u64>,
    depth: usize,
) -> Result<Option<Good>, Fault> {
    let filter = Filter {
        environment: Some(environment.to_owned()),
        ..Filter::default()
    };
    let mut walk = Walk::new(client, filter, depth);
    while let Some(deployment) = walk.next().await? {
        let is_newer = before.is_some_and(|before| deployment.id >= before);
        let payload = deployment.payload.ours();
        let Some(payload) = payload.filter(|payload| !is_newer && !payload.artifacts.is_empty())
        else {
            continue;
        };
        let told = match statuses(client, deployment.id).await {
            Err(Fault::Missing) => continue,
            told => told?,
        };
        if succeeded(&told) {
            let payload = payload.clone();
            return Ok(Some(Good {
                deployment,
                payload,
            }));
        }
    }
    Ok(None)
}

/// Whether a success is the last that was told, but for that it is there no longer.
fn succeeded(statuses: &[Status]) -> bool {
    let last = statuses
        .iter()
        .find(|status| status.state != State::Inactive);
    last.is_some_and(|status| status.state == State::Success)
}

#[cfg(test)]
mod tests {
    use State::{Error, Failure, InProgress, Inactive, Success};

    use super::*;

    #[test]
    fn good_is_what_succeeded_and_was_replaced_at_most() {
        let told = |states: &[State]| -> Vec<Status> {
            let status = |state: &State| Status {
                id: 1,
                state: state.clone(),
                description: None,
                log_url: None,
                environment_url: None,
            };
            states.iter().map(status).collect()
        };
        for (newest_first, expected) in [
            (&[Success, InProgress][..], true),
            (&[Inactive, Success, InProgress], true),
            (&[Inactive, Inactive, Success], true),
            (&[Inactive, Failure, Success], false),
            (&[Failure, Success], false),
            (&[Inactive, InProgress], false),
            (&[Error], false),
            (&[Inactive], false),
            (&[], false),
        ] {
            assert_eq!(succeeded(&told(newest_first)), expected, "{newest_first:?}");
        }
    }
}
