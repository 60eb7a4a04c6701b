//! Whether the run's own token can record deployments at all.

use std::fmt;

use serde_json::Value;

use crate::github::context::Context;

/// Why the run's own token only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// The pull request comes from a fork.
    Fork,
    /// Dependabot started the run.
    Dependabot,
}

/// Why the token that this run gets from GitHub only reads, where that can be told beforehand. A token of the user's own may
/// still write. <https://docs.github.com/en/actions/security-for-github-actions/security-guides/automatic-token-authentication>
pub fn read_only(context: &Context) -> Option<ReadOnly> {
    if context.event_name == "pull_request_target" {
        return None;
    }
    let names = |pointer: &str| context.event.pointer(pointer).and_then(Value::as_str);
    let is_pull_request = context.event.get("pull_request").is_some();
    let head = names("/pull_request/head/repo/full_name");
    let base = names("/pull_request/base/repo/full_name").unwrap_or(&context.repository);
    // The fork of a pull request may be gone.
    if is_pull_request && head.is_none_or(|head| !head.eq_ignore_ascii_case(base)) {
        return Some(ReadOnly::Fork);
    }
    (context.actor == "dependabot[bot]").then_some(ReadOnly::Dependabot)
}

impl fmt::Display for ReadOnly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fork => "the pull request comes from a fork, so the run's token only reads",
            Self::Dependabot => "Dependabot started the run, so its token only reads",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forks_and_dependabot_only_read() {
        let context = |event_name: &str, actor: &str, head: Value| Context {
            is_workflow: true,
            event_name: event_name.to_owned(),
            actor: actor.to_owned(),
            repository: "acme/app".to_owned(),
            event: json!({"pull_request": {"head": {"repo": head}, "base": {"repo": {"full_name": "acme/app"}}}}),
            ..Context::default()
        };
        let own = json!({"full_name": "Acme/App"});
        let fork = json!({"full_name": "other/app"});
        for (event, actor, head, expected) in [
            ("pull_request", "me", own.clone(), None),
            ("pull_request", "me", fork.clone(), Some(ReadOnly::Fork)),
            ("pull_request", "me", json!(null), Some(ReadOnly::Fork)),
            (
                "pull_request",
                "dependabot[bot]",
                own,
                Some(ReadOnly::Dependabot),
            ),
            ("pull_request_target", "dependabot[bot]", fork, None),
        ] {
            let found = read_only(&context(event, actor, head));
            assert_eq!(found, expected, "{event} {actor}");
        }
        assert_eq!(read_only(&Context::default()), None);
    }
}
