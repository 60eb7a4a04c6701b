//! How a deployment goes, told to GitHub so that no answer that was lost loses it, and read back.

use serde::Serialize;

use crate::github::api::fault::Delivery;
use crate::github::api::{Client, Fault};
use crate::github::deployments::{State, Status};
use crate::model::untrusted;

/// GitHub takes no longer description.
pub(super) const DESCRIPTION: usize = 140;

/// What is told of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How it goes.
    pub state: State,
    /// In words; cut where it is longer than 140 characters.
    pub description: String,
    /// Where its log is; an `https` address.
    pub log_url: Option<String>,
    /// Where what is deployed can be seen; an `https` address.
    pub environment_url: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    state: &'a State,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_url: Option<&'a str>,
    /// GitHub does it for some environments only; [`super::deactivate_older`] does it for all.
    auto_inactive: bool,
}

impl Told {
    /// A state in words.
    pub fn new(state: State, description: impl Into<String>) -> Self {
        Self {
            state,
            description: description.into(),
            log_url: None,
            environment_url: None,
        }
    }

    /// Whether this is what GitHub has.
    fn is(&self, status: &Status, description: &str) -> bool {
        let same = |told: Option<&str>, found: Option<&str>| {
            told.unwrap_or_default() == found.unwrap_or_default()
        };
        self.state == status.state
            && same(Some(description), status.description.as_deref())
            && same(self.log_url.as_deref(), status.log_url.as_deref())
            && same(
                self.environment_url.as_deref(),
                status.environment_url.as_deref(),
            )
    }
}

/// Tells GitHub how a deployment goes. Where an answer is lost, GitHub is asked what it has before it is told again, and a final
/// status is read back then. What GitHub carries out even later than that can bury it; nobody can know of it.
///
/// `POST deployments/{id}/statuses`: <https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status>
pub async fn set_status(client: &Client, id: u64, told: &Told) -> Result<(), Fault> {
    let description = short(&told.description);
    let mut attempts = client.policy().start();
    loop {
        let fault = match send(client, id, told, &description).await {
            Ok(()) => {
                // An earlier request that got no answer may still come after this one.
                let is_settled = !(told.state.is_final() && client.is_in_doubt())
                    || has(client, id, told, &description).await?;
                if is_settled {
                    return Ok(());
                }
                Fault::Unreadable {
                    what: "the last status is another one".to_owned(),
                }
            }
            Err(fault) => fault,
        };
        let delivery = fault.delivery();
        let pause = attempts
            .pause(fault.after())
            .filter(|_| delivery != Delivery::Answered);
        let Some(pause) = pause else {
            return Err(fault);
        };
        tracing::debug!(id, %fault, ?pause, "telling the status again");
        client.rest(pause).await?;
        if delivery == Delivery::Unknown {
            if has(client, id, told, &description).await? {
                return Ok(());
            }
            client.doubt();
        }
    }
}

/// What was told of a deployment, newest first; the newest hundred.
///
/// `GET deployments/{id}/statuses`: <https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses>
pub async fn statuses(client: &Client, id: u64) -> Result<Vec<Status>, Fault> {
    let number = id.to_string();
    let path = ["deployments", &number, "statuses"];
    let mut all: Vec<Status> = client.get(&path, &[("per_page", "100")]).await?;
    all.sort_by_key(|status| std::cmp::Reverse(status.id));
    Ok(all)
}

/// How a deployment goes by now; one of which nothing was told is pending, as GitHub itself shows it.
pub(super) fn latest(statuses: &[Status]) -> State {
    statuses
        .first()
        .map_or(State::Pending, |status| status.state.clone())
}

async fn send(client: &Client, id: u64, told: &Told, description: &str) -> Result<(), Fault> {
    let body = Body {
        state: &told.state,
        description,
        log_url: told.log_url.as_deref(),
        environment_url: told.environment_url.as_deref(),
        auto_inactive: false,
    };
    let number = id.to_string();
    let path = ["deployments", &number, "statuses"];
    client.post(&path, &body).await.map(|_| ())
}

async fn has(client: &Client, id: u64, told: &Told, description: &str) -> Result<bool, Fault> {
    let found = statuses(client, id).await?;
    Ok(found
        .first()
        .is_some_and(|status| told.is(status, description)))
}

/// A description as GitHub takes it: one line, not too long.
pub(super) fn short(text: &str) -> String {
    let text = untrusted::line(text.trim());
    if text.chars().count() <= DESCRIPTION {
        return text.into_owned();
    }
    let start: String = text.chars().take(DESCRIPTION - 1).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_cut_between_characters() {
        let long = "é".repeat(DESCRIPTION);
        assert_eq!(short(&long), long);
        let cut = short(&format!("{long}ü"));
        assert_eq!(cut.chars().count(), DESCRIPTION);
        assert!(cut.ends_with("é…"));
        let spaced = format!("{} b{}", "a".repeat(DESCRIPTION - 2), "c".repeat(9));
        assert_eq!(short(&spaced), format!("{}…", "a".repeat(DESCRIPTION - 2)));
        assert_eq!(short(" a\nb\u{1b}[0m "), "a␊b␛[0m");
        assert_eq!(short(""), "");
    }
}
