//! Where we run: the variables of GitHub and its runner, and the event's payload; or no workflow at all.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::base::Trigger;
use crate::system::environment::Environment;
use crate::system::files;

/// Larger payloads are refused: GitHub's own limit for a delivery is 25 MB.
const EVENT_LIMIT: u64 = 32 << 20;

/// Events by which strangers can make code of theirs run beside the caches and secrets of the default branch
/// (<https://docs.github.com/actions/reference/security/secure-use>).
pub const OF_STRANGERS: [&str; 6] = [
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
];

/// The workflow run that we are part of. Outside of one, everything is empty and [`Context::is_workflow`] is false.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Whether a workflow runs us (`GITHUB_ACTIONS`).
    pub is_workflow: bool,
    /// Whether another step of ours runs us: it alone speaks to the runner.
    pub is_nested: bool,
    /// `push`, `pull_request`, …
    pub event_name: String,
    /// The payload of the event; `Null` where there is none.
    pub event: Value,
    /// The commit that started the run (`GITHUB_SHA`).
    pub sha: String,
    /// The full ref (`GITHUB_REF`).
    pub git_ref: String,
    /// The short name of the ref.
    pub ref_name: String,
    /// The target branch of a pull request.
    pub base_ref: String,
    /// The source branch of a pull request.
    pub head_ref: String,
    /// `owner/name`.
    pub repository: String,
    /// `https://github.com` or the enterprise server.
    pub server_url: String,
    /// The REST API's root.
    pub api_url: String,
    /// The checkout.
    pub workspace: Option<PathBuf>,
    /// The workflow's name.
    pub workflow: String,
    /// The job's id.
    pub job: String,
    /// The run's number in GitHub's count.
    pub run_id: String,
    /// The attempt, from 1.
    pub run_attempt: String,
    /// Who started it.
    pub actor: String,
    /// The step's id as the runner knows it.
    pub action: String,
    /// The folder of the composite action that runs us.
    pub action_path: String,
    /// The ref of that action; empty in composite steps (actions/runner#2473).
    pub action_ref: String,
    /// The repository of that action; empty in composite steps.
    pub action_repository: String,
    /// The id of who started it.
    pub actor_id: String,
    /// Who started this attempt.
    pub triggering_actor: String,
    /// The GraphQL API's root.
    pub graphql_url: String,
    /// `branch` or `tag`.
    pub ref_type: String,
    /// `true` where rules protect the ref.
    pub ref_protected: String,
    /// The repository's id.
    pub repository_id: String,
    /// The repository's owner.
    pub repository_owner: String,
    /// The owner's id.
    pub repository_owner_id: String,
    /// How many days logs and artifacts are kept.
    pub retention_days: String,
    /// The run's number in the workflow's count.
    pub run_number: String,
    /// The workflow file and its ref.
    pub workflow_ref: String,
    /// The commit of the workflow file.
    pub workflow_sha: String,
    /// The runner's name.
    pub runner_name: String,
    /// `github-hosted` or `self-hosted`.
    pub runner_environment: String,
    /// `RUNNER_OS`.
    pub runner_os: String,
    /// `RUNNER_ARCH`.
    pub runner_arch: String,
    /// A folder that lives as long as the job (`RUNNER_TEMP`).
    pub runner_temp: Option<PathBuf>,
    /// Tools that outlive the job (`RUNNER_TOOL_CACHE`).
    pub tool_cache: Option<PathBuf>,
    /// Whether the user asked for debug logs (`RUNNER_DEBUG`).
    pub is_debug: bool,
    /// The folder above the checkout (`RUNNER_WORKSPACE`).
    pub runner_workspace: Option<PathBuf>,
    /// Where outputs are written.
    pub output_file: Option<PathBuf>,
    /// Where variables for later steps are written.
    pub env_file: Option<PathBuf>,
    /// Where folders for later steps' PATH are written.
    pub path_file: Option<PathBuf>,
    /// Where state for a post step is written.
    pub state_file: Option<PathBuf>,
    /// Where the job summary is written.
    pub summary_file: Option<PathBuf>,
}

/// Marks a step that another step of ours runs.
pub const NESTED: &str = "LOCKGATE_NESTED";

/// Whether another step of ours runs this process.
pub fn is_nested(environment: &Environment) -> bool {
    environment.get(NESTED).is_some()
}

impl Context {
    /// Reads the context. Fails where a workflow names an event payload that cannot be read.
    pub fn read(environment: &Environment) -> Result<Self> {
        if environment.get("GITHUB_ACTIONS") != Some("true") {
            return Ok(Self::default());
        }
        let text = |name: &str| environment.get(name).unwrap_or_default().to_owned();
        let path = |name: &str| environment.os(name).map(PathBuf::from);
        Ok(Self {
            is_workflow: true,
            is_nested: is_nested(environment),
            event_name: text("GITHUB_EVENT_NAME"),
            event: read_event(environment)?,
            sha: text("GITHUB_SHA"),
            git_ref: text("GITHUB_REF"),
            ref_name: text("GITHUB_REF_NAME"),
            base_ref: text("GITHUB_BASE_REF"),
            head_ref: text("GITHUB_HEAD_REF"),
            repository: text("GITHUB_REPOSITORY"),
            server_url: text("GITHUB_SERVER_URL"),
            api_url: text("GITHUB_API_URL"),
            // The current folder comes without links too.
            workspace: path("GITHUB_WORKSPACE").map(|path| files::real(&path)),
            workflow: text("GITHUB_WORKFLOW"),
            job: text("GITHUB_JOB"),
            run_id: text("GITHUB_RUN_ID"),
            run_attempt: text("GITHUB_RUN_ATTEMPT"),
            actor: text("GITHUB_ACTOR"),
            action: text("GITHUB_ACTION"),
            action_path: text("GITHUB_ACTION_PATH"),
            action_ref: text("GITHUB_ACTION_REF"),
            action_repository: text("GITHUB_ACTION_REPOSITORY"),
            actor_id: text("GITHUB_ACTOR_ID"),
            triggering_actor: text("GITHUB_TRIGGERING_ACTOR"),
            graphql_url: text("GITHUB_GRAPHQL_URL"),
            ref_type: text("GITHUB_REF_TYPE"),
            ref_protected: text("GITHUB_REF_PROTECTED"),
            repository_id: text("GITHUB_REPOSITORY_ID"),
            repository_owner: text("GITHUB_REPOSITORY_OWNER"),
            repository_owner_id: text("GITHUB_REPOSITORY_OWNER_ID"),
            retention_days: text("GITHUB_RETENTION_DAYS"),
            run_number: text("GITHUB_RUN_NUMBER"),
            workflow_ref: text("GITHUB_WORKFLOW_REF"),
            workflow_sha: text("GITHUB_WORKFLOW_SHA"),
            runner_name: text("RUNNER_NAME"),
            runner_environment: text("RUNNER_ENVIRONMENT"),
            runner_os: text("RUNNER_OS"),
            runner_arch: text("RUNNER_ARCH"),
            runner_temp: path("RUNNER_TEMP"),
            tool_cache: path("RUNNER_TOOL_CACHE"),
            runner_workspace: path("RUNNER_WORKSPACE"),
            is_debug: environment.get("RUNNER_DEBUG") == Some("1"),
            output_file: path("GITHUB_OUTPUT"),
            env_file: path("GITHUB_ENV"),
            path_file: path("GITHUB_PATH"),
            state_file: path("GITHUB_STATE"),
            summary_file: path("GITHUB_STEP_SUMMARY"),
        })
    }

    /// Why the run happens, for the base resolver.
    pub fn trigger(&self) -> Result<Trigger> {
        if !self.is_workflow {
            return Ok(Trigger::Laptop);
        }
        match self.event_name.as_str() {
            _ if self.is_of_a_pull_request() => Ok(Trigger::PullRequest {
                head: self.sha_at("/pull_request/head/sha")?,
                base: self.sha_at("/pull_request/base/sha")?,
            }),
            "merge_group" => Ok(Trigger::MergeGroup {
                base: self.sha_at("/merge_group/base_sha")?,
            }),
            "push" => {
                let before = self.sha_at("/before")?;
                let is_new = before.bytes().all(|byte| byte == b'0');
                let pushed = self.event.pointer("/ref").and_then(Value::as_str);
                let default_branch = self
                    .event
                    .pointer("/repository/default_branch")
                    .and_then(Value::as_str)
                    // It has nothing in common with itself but everything: the change would be empty.
                    .filter(|branch| {
                        pushed.and_then(|pushed| pushed.strip_prefix("refs/heads/"))
                            != Some(*branch)
                    });
                Ok(Trigger::Push {
                    before: (!is_new).then_some(before),
                    default_branch: default_branch.map(str::to_owned),
                })
            }
            other => Ok(Trigger::Other(other.to_owned())),
        }
    }

    /// Whether the run has rights that the author of the code under test should not have: no project code runs then.
    pub fn is_privileged(&self) -> bool {
        matches!(
            self.event_name.as_str(),
            "pull_request_target" | "workflow_run"
        )
    }

    /// Whether a pull request started the run: its commits, a review, a comment in one.
    pub fn is_of_a_pull_request(&self) -> bool {
        let rest = self.event_name.strip_prefix("pull_request");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }

    /// Whether what is judged may try to loosen its own judgement.
    pub fn judges_a_proposal(&self) -> bool {
        self.is_of_a_pull_request() || self.event_name == "merge_group"
    }

    /// Whether strangers may decide what runs.
    pub fn is_of_strangers(&self) -> bool {
        OF_STRANGERS.contains(&self.event_name.as_str())
    }

    /// Whether the files of the workspace may be those of a proposal, which nobody has agreed to yet, also where nothing says
    /// of which one.
    pub fn may_hold_a_proposal(&self) -> bool {
        self.judges_a_proposal() || self.is_of_strangers()
    }

    fn sha_at(&self, pointer: &str) -> Result<String> {
        let value = self
            .event
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if matches!(value.len(), 40 | 64) && value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(value.to_owned());
        }
        let field = pointer.trim_start_matches('/').replace('/', ".");
        Err(Error::no_verdict(format!(
            "the `{}` event has no SHA at `{field}`: `{value}`",
            self.event_name
        ))
        .hint("the file that GITHUB_EVENT_PATH names must hold the payload of the event"))
    }
}

fn read_event(environment: &Environment) -> Result<Value> {
    let Some(path) = environment.get("GITHUB_EVENT_PATH") else {
        return Ok(Value::Null);
    };
    let unreadable = |cause: &dyn std::fmt::Display| {
        Error::no_verdict(format!("the event payload `{path}` cannot be read")).cause(cause)
    };
    let length = std::fs::metadata(path)
        .map_err(|error| unreadable(&error))?
        .len();
    if length > EVENT_LIMIT {
        return Err(unreadable(&format!(
            "it has {length} bytes, more than {EVENT_LIMIT}"
        )));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(event_name: &str, event: Value) -> Context {
        Context {
            is_workflow: true,
            event_name: event_name.into(),
            event,
            ..Context::default()
        }
    }

    #[test]
    fn a_new_branch_has_nothing_before_it() {
        let zeros = "0".repeat(40);
        let event = serde_json::json!({"before": zeros, "repository": {"default_branch": "main"}});
        let trigger = context("push", event).trigger().unwrap();
        assert_eq!(
            trigger,
            Trigger::Push {
                before: None,
                default_branch: Some("main".into())
            }
        );
    }

    #[test]
    fn a_payload_without_its_shas_is_no_verdict() {
        for (event, payload) in [
            ("pull_request", serde_json::json!({})),
            (
                "merge_group",
                serde_json::json!({"merge_group": {"base_sha": "--upload-pack=evil"}}),
            ),
            ("push", serde_json::json!({"before": 7})),
        ] {
            let error = context(event, payload).trigger().unwrap_err();
            assert_eq!(error.kind, crate::error::Kind::NoVerdict);
        }
    }

    #[test]
    fn all_that_comes_of_a_pull_request_is_a_proposal() {
        let (head, base) = ("1".repeat(40), "2".repeat(40));
        let payload =
            serde_json::json!({"pull_request": {"head": {"sha": head}, "base": {"sha": base}}});
        for event in [
            "pull_request",
            "pull_request_target",
            "pull_request_review",
            "pull_request_review_comment",
        ] {
            let context = context(event, payload.clone());
            assert!(context.judges_a_proposal() && context.may_hold_a_proposal());
            let (head, base) = (head.clone(), base.clone());
            let expected = Trigger::PullRequest { head, base };
            assert_eq!(context.trigger().unwrap(), expected, "{event}");
        }
        for (event, judges, may_hold) in [
            ("merge_group", true, true),
            ("workflow_run", false, true),
            ("issue_comment", false, true),
            ("push", false, false),
            ("schedule", false, false),
            ("", false, false),
        ] {
            let context = context(event, Value::Null);
            assert!(!context.is_of_a_pull_request(), "{event}");
            assert_eq!(context.judges_a_proposal(), judges, "{event}");
            assert_eq!(context.may_hold_a_proposal(), may_hold, "{event}");
        }
    }

    #[test]
    fn outside_a_workflow_nothing_is_read() {
        let environment = [
            ("GITHUB_EVENT_PATH", "/missing"),
            ("GITHUB_WORKSPACE", "/w"),
        ]
        .into_iter()
        .collect();
        let context = Context::read(&environment).unwrap();
        assert!(!context.is_workflow && context.workspace.is_none());
        assert_eq!(context.trigger().unwrap(), Trigger::Laptop);
    }
}
