//! What was checked about a commit, and whether it is green: check runs and statuses, without the job that asks.
//!
//! GitHub would look at them itself when a deployment is made, but counts the deploying job, which then waits for itself.

mod judge;

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::github::api::client::PAGE;
use crate::github::api::fault::excerpt;
use crate::github::api::{Client, Fault};
use crate::github::deployments::contexts::judge::{CheckRun, CommitStatus, judge};

/// More pages of one list are not asked for.
const PAGES: usize = 50;

/// What was checked, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The name of the check run or of the status.
    pub name: String,
    /// How it went.
    pub state: ContextState,
    /// The same in GitHub's word: `failure`, `timed_out`, `in_progress`, …
    pub told: String,
    /// Where more is told of it.
    pub url: Option<String>,
}

/// How something went that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextState {
    /// It is green, or does not matter (`neutral`, `skipped`).
    Passed,
    /// It is not over.
    Pending,
    /// It was asked for by name, and nothing of that name is there yet.
    Missing,
    /// It went wrong, or ended in a way that we do not know.
    Failed,
}

/// The job that asks: it does not wait for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The workflow run.
    pub run_id: u64,
    /// The job's id in the workflow (`GITHUB_JOB`). Its check run is known by it where the job has no other name.
    pub job: String,
    /// Names of check runs and statuses that do not count, as they are shown.
    pub names: Vec<String>,
    /// The number of its check run, if [`own_job`] found it.
    pub check_run: Option<u64>,
}

/// Everything that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts {
    /// Each, in the order of GitHub; the missing ones last.
    pub contexts: Vec<Context>,
    /// What was left out, because it is the job that asks.
    pub own: Vec<String>,
}

/// What all of them say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are green.
    Passed,
    /// None went wrong, but not all are over.
    Pending,
    /// At least one went wrong.
    Failed,
    /// Nothing was checked.
    Nothing,
}

impl Contexts {
    /// What all of them say together.
    pub fn verdict(&self) -> Verdict {
        let any = |state| self.contexts.iter().any(|context| context.state == state);
        if self.contexts.is_empty() {
            Verdict::Nothing
        } else if any(ContextState::Failed) {
            Verdict::Failed
        } else if any(ContextState::Pending) || any(ContextState::Missing) {
            Verdict::Pending
        } else {
            Verdict::Passed
        }
    }

    /// Those that are not green, as `name (state)`.
    pub fn not_green(&self) -> Vec<String> {
        let bad = |context: &&Context| context.state != ContextState::Passed;
        let told = |context: &Context| {
            format!("`{}` ({})", excerpt(&context.name), excerpt(&context.told))
        };
        self.contexts.iter().filter(bad).map(told).collect()
    }
}

#[derive(Deserialize)]
struct CheckRuns {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct Statuses {
    statuses: Vec<CommitStatus>,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    id: u64,
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    runner_name: Option<String>,
    #[serde(default)]
    check_run_url: Option<String>,
}

/// What was checked about a commit: all of it, or what `wanted` names. Without the job that asks.
///
/// `GET commits/{ref}/check-runs`: <https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference>, which needs
/// `checks: read`; `GET commits/{ref}/status`:
/// <https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference>, which needs `statuses: read`.
pub async fn required_contexts(
    client: &Client,
    sha: &str,
    wanted: &[String],
    own: &Own,
) -> Result<Contexts, Fault> {
    let mut runs = Vec::new();
    for page in 1..=PAGES {
        let path = ["commits", sha, "check-runs"];
        let page: CheckRuns = client.get(&path, &paged(&page.to_string())).await?;
        let is_last = page.check_runs.len() < usize::from(PAGE);
        runs.extend(page.check_runs);
        if is_last {
            break;
        }
    }
    let mut statuses = Vec::new();
    for page in 1..=PAGES {
        let path = ["commits", sha, "status"];
        let page: Statuses = client.get(&path, &paged(&page.to_string())).await?;
        let is_last = page.statuses.len() < usize::from(PAGE);
        statuses.extend(page.statuses);
        if is_last {
            break;
        }
    }
    Ok(judge(runs, statuses, wanted, own))
}

/// The same, again and again until all are over, one went wrong, or the time is up: then something may still be pending.
pub async fn wait_for_contexts(
    client: &Client,
    sha: &str,
    wanted: &[String],
    own: &Own,
    patience: Duration,
    interval: Duration,
) -> Result<Contexts, Fault> {
    let started = Instant::now();
    loop {
        let contexts = required_contexts(client, sha, wanted, own).await?;
        let left = patience.saturating_sub(started.elapsed());
        if contexts.verdict() != Verdict::Pending || left.is_zero() {
            return Ok(contexts);
        }
        tracing::debug!(pending = ?contexts.not_green(), "waiting for contexts");
        client.rest(interval.min(left)).await?;
    }
}

/// The name and the check run of the job that runs on this runner (`RUNNER_NAME`) in this attempt, if exactly one does.
///
/// `GET actions/runs/{id}/attempts/{attempt}/jobs`:
/// <https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt>, which needs `actions: read`.
pub async fn own_job(
    client: &Client,
    run_id: u64,
    attempt: u64,
    runner_name: &str,
) -> Result<Option<(String, u64)>, Fault> {
    let (run, attempt) = (run_id.to_string(), attempt.to_string());
    let path = ["actions", "runs", &run, "attempts", &attempt, "jobs"];
    let mut own = Vec::new();
    for page in 1..=PAGES {
        let page: Jobs = client.get(&path, &paged(&page.to_string())).await?;
        let is_last = page.jobs.len() < usize::from(PAGE);
        let is_here = |job: &Job| {
            job.status == "in_progress" && job.runner_name.as_deref() == Some(runner_name)
        };
        own.extend(page.jobs.into_iter().filter(is_here));
        if is_last {
            break;
        }
    }
    let [job] = own.as_slice() else {
        return Ok(None);
    };
    let check_run = job
        .check_run_url
        .as_deref()
        .and_then(|url| url.rsplit_once('/')?.1.parse().ok());
    Ok(Some((job.name.clone(), check_run.unwrap_or(job.id))))
}

fn paged(page: &str) -> [(&str, &str); 2] {
    [("per_page", "100"), ("page", page)]
}

#[cfg(test)]
mod tests;
