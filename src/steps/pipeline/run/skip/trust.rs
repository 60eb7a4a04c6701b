//! Whose results a run believes: entries of the shared store are named by the kind of event and the ref that made them, and
//! a run reads those of its own ref and of the default branch. What a proposal saved, no other ref ever asks for.

use serde_json::Value;

use crate::github::context::Context;
use crate::model::digest::{Pieces, Sha, hex};

/// Digits of a name that tell refs apart.
const DIGITS: usize = 16;

/// The names under which a run reads and saves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    own: String,
    default: Option<String>,
}

impl Trust {
    /// The names of this run, or why it has none.
    pub fn of(context: &Context) -> Result<Self, String> {
        if !context.is_workflow {
            return Err(
                "it is for workflows: nobody says here whose results may be believed".to_owned(),
            );
        }
        let event = context.event_name.as_str();
        let kind = match event {
            "push" | "schedule" | "workflow_dispatch" => "branch",
            "pull_request" => "proposal",
            "merge_group" => "queue",
            _ => return Err(format!("it is not used on `{event}`")),
        };
        if context.ref_type == "tag" || context.git_ref.starts_with("refs/tags/") {
            return Err("it is not used for tags: what they make is given to others".to_owned());
        }
        if context.git_ref.is_empty() || context.repository.is_empty() {
            return Err("the run's repository or ref is unknown".to_owned());
        }
        let default = context.event.pointer("/repository/default_branch");
        let default = default.and_then(Value::as_str);
        Ok(Self {
            own: class(context, kind, &context.git_ref),
            default: default
                .map(|branch| class(context, "branch", &format!("refs/heads/{branch}"))),
        })
    }

    /// The name under which this run saves a result.
    pub fn own(&self, result: &Sha) -> String {
        format!("{}-{}", self.own, hex(result))
    }

    /// The names under which it looks for one, its own first.
    pub fn readable(&self, result: &Sha) -> Vec<String> {
        let default = self.default.iter().filter(|default| **default != self.own);
        let classes = std::iter::once(&self.own).chain(default);
        classes
            .map(|class| format!("{class}-{}", hex(result)))
            .collect()
    }
}

/// The beginning of the names of one kind of event and ref.
fn class(context: &Context, kind: &str, git_ref: &str) -> String {
    let mut pieces = Pieces::default();
    pieces
        .add(&context.server_url)
        .add(&context.repository)
        .add(kind)
        .add(git_ref);
    let digits: String = hex(&pieces.finish()).chars().take(DIGITS).collect();
    format!("lockgate-result-{kind}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(event: &str, git_ref: &str) -> Context {
        Context {
            is_workflow: true,
            event_name: event.into(),
            git_ref: git_ref.into(),
            repository: "octo-org/octo-repo".into(),
            event: serde_json::json!({"repository": {"default_branch": "main"}}),
            ..Context::default()
        }
    }

    fn reads(reader: &Context, writer: &Context) -> bool {
        let saved = Trust::of(writer).unwrap().own(&[7; 32]);
        Trust::of(reader)
            .unwrap()
            .readable(&[7; 32])
            .contains(&saved)
    }

    #[test]
    fn everybody_reads_the_default_branch_and_nobody_reads_a_proposal() {
        let main = of("push", "refs/heads/main");
        let nightly = of("schedule", "refs/heads/main");
        let branch = of("push", "refs/heads/topic");
        let proposal = of("pull_request", "refs/pull/7/merge");
        let other = of("pull_request", "refs/pull/8/merge");
        let queue = of("merge_group", "refs/heads/gh-readonly-queue/main/pr-7-0");
        // A proposal whose ref is called like the default branch is still none of it.
        let named = of("pull_request", "refs/heads/main");
        let all = [&main, &nightly, &branch, &proposal, &other, &queue, &named];
        for reader in all {
            for writer in all {
                let is_main = [&main, &nightly].iter().any(|one| {
                    one.git_ref == writer.git_ref && one.event_name == writer.event_name
                });
                let is_own =
                    reader.git_ref == writer.git_ref && reader.event_name == writer.event_name;
                assert_eq!(
                    reads(reader, writer),
                    is_main || is_own,
                    "{} {} of {} {}",
                    reader.event_name,
                    reader.git_ref,
                    writer.event_name,
                    writer.git_ref
                );
            }
        }
        let elsewhere = Context {
            repository: "octo-org/fork".into(),
            ..main.clone()
        };
        assert!(!reads(&main, &elsewhere) && !reads(&elsewhere, &main));
    }

    #[test]
    fn where_strangers_decide_or_something_is_given_away_nothing_is_shared() {
        for event in [
            "pull_request_target",
            "workflow_run",
            "issue_comment",
            "release",
            "deployment",
            "repository_dispatch",
            "",
        ] {
            assert!(Trust::of(&of(event, "refs/heads/main")).is_err(), "{event}");
        }
        assert!(Trust::of(&of("push", "refs/tags/v1")).is_err());
        assert!(Trust::of(&of("push", "")).is_err());
        assert!(Trust::of(&Context::default()).is_err());
    }
}
