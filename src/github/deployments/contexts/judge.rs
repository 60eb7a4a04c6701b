//! Which check runs and statuses count, and what each says. Pure.

use serde::Deserialize;

use crate::github::deployments::contexts::{Context, ContextState, Contexts, Own};

#[derive(Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) conclusion: Option<String>,
    #[serde(default)]
    pub(super) details_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CommitStatus {
    pub(super) context: String,
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) target_url: Option<String>,
}

/// What counts of it, and how it went.
pub(super) fn judge(
    runs: Vec<CheckRun>,
    statuses: Vec<CommitStatus>,
    wanted: &[String],
    own: &Own,
) -> Contexts {
    let mut found = Contexts::default();
    let is_wanted = |name: &String| wanted.is_empty() || wanted.contains(name);
    for run in runs {
        if own.is(&run) {
            found.own.push(run.name);
        } else if is_wanted(&run.name) {
            found.contexts.push(of_run(run));
        }
    }
    for status in statuses {
        if own.is_named(&status.context) {
            found.own.push(status.context);
        } else if is_wanted(&status.context) {
            found.contexts.push(of_status(status));
        }
    }
    for name in wanted {
        let is_there = found.contexts.iter().any(|context| context.name == *name);
        if !is_there && !found.own.contains(name) {
            found.contexts.push(Context {
                name: name.clone(),
                state: ContextState::Missing,
                told: "not there".to_owned(),
                url: None,
            });
        }
    }
    found
}

pub(super) fn of_run(run: CheckRun) -> Context {
    let is_over = run.status == "completed";
    let conclusion = run.conclusion.filter(|_| is_over);
    let state = match conclusion.as_deref() {
        _ if !is_over => ContextState::Pending,
        Some("success" | "neutral" | "skipped") => ContextState::Passed,
        _ => ContextState::Failed,
    };
    Context {
        name: run.name,
        state,
        told: conclusion.unwrap_or(run.status),
        url: run.details_url,
    }
}

pub(super) fn of_status(status: CommitStatus) -> Context {
    let state = match status.state.as_str() {
        "success" => ContextState::Passed,
        "pending" => ContextState::Pending,
        _ => ContextState::Failed,
    };
    Context {
        name: status.context,
        state,
        told: status.state,
        url: status.target_url,
    }
}

impl Own {
    /// Whether a check run is the job's own.
    fn is(&self, run: &CheckRun) -> bool {
        if self.check_run.is_some() {
            return self.check_run == Some(run.id) || self.is_named(&run.name);
        }
        let of_run = format!("/actions/runs/{}/", self.run_id);
        let is_of_run = run
            .details_url
            .as_deref()
            .is_some_and(|url| url.contains(&of_run));
        self.is_named(&run.name) || (is_of_run && is_job(&run.name, &self.job))
    }

    fn is_named(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }
}

/// Whether a check run's name is that of a job, perhaps with its matrix behind it or its caller before it.
fn is_job(name: &str, job: &str) -> bool {
    let inner = name.rsplit_once(" / ").map_or(name, |(_, inner)| inner);
    let plain = inner.split_once(" (").map_or(inner, |(plain, _)| plain);
    !job.is_empty() && (name == job || inner == job || plain == job)
}
