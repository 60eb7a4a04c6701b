//! A deployment, what is told of it, and what we write into it.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::deployment::Stand;

/// What a payload of ours calls itself.
const SCHEMA: &str = "lockgate.deployment/1";

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Its number.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// What was asked to be deployed: a branch, a tag or the commit.
    pub git_ref: String,
    /// What it was made for: `deploy`, `rollback`.
    pub task: String,
    /// Where.
    pub environment: String,
    /// What it says of itself; may be empty.
    pub description: String,
    /// What its maker wrote into it.
    pub payload: Record,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Whether its environment is to go away again.
    pub is_transient: bool,
    /// Whether users see its environment.
    pub is_production: bool,
}

impl Deployment {
    /// Whether one attempt at one job made both, for the same.
    pub(super) fn is_twin(&self, other: &Self) -> bool {
        let same_job = match (self.payload.ours(), other.payload.ours()) {
            (Some(own), Some(theirs)) => own.is_of_same_job(theirs),
            _ => false,
        };
        same_job
            && (&self.sha, &self.environment, &self.task)
                == (&other.sha, &other.environment, &other.task)
    }
}

/// What its maker wrote into a deployment.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// We did.
    Ours(Payload),
    /// Somebody else did.
    Foreign(Value),
}

/// What we write into a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The workflow run.
    pub run_id: u64,
    /// Its attempt, from 1.
    pub run_attempt: u64,
    /// The job, with what tells it from others of its matrix.
    pub job: String,
    /// The artifacts that are deployed: name and digest.
    #[serde(default)]
    pub artifacts: BTreeMap<String, String>,
    /// The deployment that was there before.
    #[serde(default)]
    pub previous: Option<u64>,
    /// When it was started, as RFC 3339.
    #[serde(default)]
    pub started: String,
    /// Version and digest of what is deployed as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Stand>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    payload: &'a Payload,
}

impl Payload {
    /// The document that is written.
    pub fn document(&self) -> impl Serialize {
        Document {
            schema: SCHEMA,
            payload: self,
        }
    }

    /// Whether both are of one attempt at one job.
    pub fn is_of_same_job(&self, other: &Self) -> bool {
        (self.run_id, self.run_attempt, &self.job) == (other.run_id, other.run_attempt, &other.job)
    }
}

impl Record {
    /// What we wrote.
    pub fn ours(&self) -> Option<&Payload> {
        match self {
            Self::Ours(payload) => Some(payload),
            Self::Foreign(_) => None,
        }
    }
}

/// GitHub gives an object as it was, or as the text that it was sent as.
impl From<Value> for Record {
    fn from(value: Value) -> Self {
        let parsed = value
            .as_str()
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let document = parsed.as_ref().unwrap_or(&value);
        let payload = (document["schema"] == SCHEMA)
            .then(|| Payload::deserialize(document).ok())
            .flatten();
        payload.map_or(Self::Foreign(value), Self::Ours)
    }
}

/// How a deployment goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It waits.
    Pending,
    /// It goes on.
    InProgress,
    /// It is there.
    Success,
    /// It could not be done.
    Failure,
    /// Something went wrong that has nothing to do with it.
    Error,
    /// It is there no longer.
    Inactive,
    /// What GitHub adds one day.
    #[serde(untagged)]
    Other(String),
}

impl State {
    /// Whether nothing more comes.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Success | Self::Failure | Self::Error | Self::Inactive
        )
    }

    /// Whether somebody is to be at work on it.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Queued | Self::Pending | Self::InProgress)
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Inactive => "inactive",
            Self::Other(other) => other,
        })
    }
}

/// What was told of a deployment at some time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// Its number; later ones have greater ones.
    pub id: u64,
    /// How it goes.
    pub state: State,
    /// In words.
    #[serde(default)]
    pub description: Option<String>,
    /// Where its log is.
    #[serde(default)]
    pub log_url: Option<String>,
    /// Where what is deployed can be seen.
    #[serde(default)]
    pub environment_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_we_write_is_known_again_also_as_text() {
        let payload = Payload {
            run_id: 7,
            run_attempt: 2,
            job: "deploy (eu)".to_owned(),
            artifacts: [("app.whl".to_owned(), "sha256:00".to_owned())].into(),
            previous: Some(5),
            started: "2026-08-06T00:00:00Z".to_owned(),
            release: Some(Stand {
                version: Some("1.0".to_owned()),
                ..Stand::default()
            }),
        };
        let document = serde_json::to_value(payload.document()).unwrap();
        assert_eq!(document["schema"], "lockgate.deployment/1");
        assert_eq!(Record::from(document.clone()).ours(), Some(&payload));
        let text = Value::String(document.to_string());
        assert_eq!(Record::from(text).ours(), Some(&payload));
    }

    #[test]
    fn the_payload_of_others_stays_theirs() {
        for foreign in [
            json!(null),
            json!(""),
            json!("{"),
            json!("{\"a\": 1}"),
            json!([1]),
            json!({"run_id": 7, "run_attempt": 1, "job": "x"}),
            json!({"schema": SCHEMA, "run_id": -7}),
            json!({"schema": SCHEMA, "run_id": 7, "run_attempt": 1, "job": "x", "artifacts": [1]}),
        ] {
            assert_eq!(Record::from(foreign.clone()), Record::Foreign(foreign));
        }
    }

    #[test]
    fn states_of_the_future_are_read_and_are_neither_open_nor_final() {
        for (text, is_open, is_final) in [
            ("queued", true, false),
            ("pending", true, false),
            ("in_progress", true, false),
            ("success", false, true),
            ("failure", false, true),
            ("error", false, true),
            ("inactive", false, true),
            ("waiting", false, false),
        ] {
            let state: State = serde_json::from_value(json!(text)).unwrap();
            assert_eq!((state.is_open(), state.is_final()), (is_open, is_final));
            assert_eq!(state.to_string(), text);
            assert_eq!(serde_json::to_value(&state).unwrap(), json!(text));
        }
    }
}
