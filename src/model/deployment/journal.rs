//! What a line of the journal holds.

use serde::{Deserialize, Serialize};

use crate::model::deployment::state::State;

/// One line: a deployment entered a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When, RFC 3339 with milliseconds, UTC.
    pub time: String,
    /// The hash of the line before; of the first line, zeros.
    pub previous: String,
    /// The deployment.
    pub deployment: String,
    /// The state that it entered.
    pub event: State,
    /// What is known besides.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What a line says besides the state, as far as it is new.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Facts {
    /// `deploy`, or `rollback` where somebody asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What is deployed, or stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Stand>,
    /// What stood before, or is put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Stand>,
    /// Where people find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The process that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The workflow run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The id of the deployment on GitHub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Bytes that were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// Bytes of a line that was not written to its end and was taken out before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<u64>,
}

/// What stands at a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Stand {
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of it, in hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The target's own name of it; none before the target has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A process, told from every other one that ever had its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Owner {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks of the machine.
    pub started: u64,
    /// The machine, since it was started.
    pub boot: String,
    /// The name of its program.
    pub program: String,
}

/// The run of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its attempt.
    pub attempt: String,
    /// Its job.
    pub job: String,
    /// Who started it.
    pub actor: String,
    /// The commit.
    pub sha: String,
}
