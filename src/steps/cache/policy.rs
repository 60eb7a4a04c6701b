//! Whether this run may save, and whether it should restore. Pure.

use clap::ValueEnum;

use crate::github::context::Context;

/// When the post step saves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SavePolicy {
    /// Where the job has succeeded so far.
    #[default]
    OnSuccess,
    /// Where the job has failed too.
    Always,
    /// Not at all: the step only restores.
    Never,
}

/// Why nothing is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The user said so, or the job went as the user said that nothing is saved.
    Asked(String),
    /// It would not be safe.
    Unsafe(String),
}

impl Refusal {
    /// Why, for people.
    pub fn why(&self) -> &str {
        match self {
            Self::Asked(why) | Self::Unsafe(why) => why,
        }
    }
}

/// Why the post step of a job saves nothing; `None` where it may. `job_status` is what the runner says of the job so far.
pub fn refusal_after_job(policy: SavePolicy, job_status: Option<&str>) -> Option<Refusal> {
    let why = match (policy, job_status) {
        (SavePolicy::Never, _) => "`save: never`".to_owned(),
        (_, Some("success")) | (SavePolicy::Always, Some("failure")) => return None,
        (SavePolicy::OnSuccess, Some("failure")) => {
            "the job has failed, and `save` is `on-success`".to_owned()
        }
        (_, Some("cancelled")) => "the job is cancelled: what is there may be half done".to_owned(),
        (_, Some(other)) => format!("the status of the job is unknown: `{other}`"),
        (_, None) => "the status of the job is unknown".to_owned(),
    };
    Some(Refusal::Asked(why))
}

/// Why a run of this event saves nothing whatever was asked for; `None` where it may. A cache that is saved where strangers
/// decide would be restored by runs that trust it.
pub fn refusal_by_event(context: &Context) -> Option<Refusal> {
    let event = context.event_name.as_str();
    context.is_of_strangers().then(|| {
        Refusal::Unsafe(format!(
            "on `{event}` strangers decide what is run, and what is saved here would be trusted by others"
        ))
    })
}

/// Why a run saves nothing in a store without scopes: what a proposal saves there, everybody would restore. GitHub's own
/// cache keeps what pull requests save for themselves.
pub fn refusal_by_store(context: &Context, has_scopes: bool) -> Option<Refusal> {
    let event = context.event_name.as_str();
    (!has_scopes && context.is_of_a_pull_request()).then(|| {
        Refusal::Unsafe(format!(
            "on `{event}` nothing is saved in a folder or bucket, where what a proposal saves would be restored by all"
        ))
    })
}

/// Why a run should better not restore, as advice: what it makes is given to others, and a cache may have been filled by
/// somebody with fewer rights (CVE-2026-45321).
pub fn advice(context: &Context) -> Option<String> {
    if !context.is_workflow {
        return None;
    }
    let event = context.event_name.as_str();
    let what = if matches!(event, "release" | "deployment" | "registry_package") {
        format!("this run is a `{event}`")
    } else if context.ref_type == "tag" {
        format!("this run builds the tag `{}`", context.ref_name)
    } else if is_release_job(&context.job) {
        format!("the job is called `{}`", context.job)
    } else {
        return None;
    };
    Some(format!(
        "{what}: what it makes is given to others, and a cache may have been filled by code with fewer rights"
    ))
}

/// Whether the name of a job says that it gives something to others.
fn is_release_job(job: &str) -> bool {
    let job = job.to_ascii_lowercase();
    job.split(['-', '_'])
        .any(|word| matches!(word, "release" | "publish" | "deploy"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::context::OF_STRANGERS;

    fn of(event: &str) -> Context {
        Context {
            is_workflow: true,
            event_name: event.into(),
            ..Context::default()
        }
    }

    #[test]
    fn the_status_of_the_job_decides_as_the_user_said() {
        use SavePolicy::{Always, Never, OnSuccess};
        for (policy, status, saves) in [
            (OnSuccess, Some("success"), true),
            (OnSuccess, Some("failure"), false),
            (OnSuccess, Some("cancelled"), false),
            (Always, Some("success"), true),
            (Always, Some("failure"), true),
            (Always, Some("cancelled"), false),
            (Never, Some("success"), false),
            (Always, Some(""), false),
            (Always, Some("Success"), false),
            (Always, None, false),
            (OnSuccess, None, false),
        ] {
            let refusal = refusal_after_job(policy, status);
            assert_eq!(
                refusal.is_none(),
                saves,
                "{policy:?} {status:?}: {refusal:?}"
            );
        }
    }

    #[test]
    fn strangers_do_not_fill_the_cache_of_others() {
        for event in OF_STRANGERS {
            assert!(
                matches!(refusal_by_event(&of(event)), Some(Refusal::Unsafe(_))),
                "{event}"
            );
        }
        for event in [
            "push",
            "pull_request",
            "pull_request_review",
            "merge_group",
            "schedule",
            "workflow_dispatch",
        ] {
            assert_eq!(refusal_by_event(&of(event)), None, "{event}");
        }
        assert_eq!(refusal_by_event(&Context::default()), None);
    }

    #[test]
    fn a_proposal_saves_only_where_nobody_else_reads() {
        for event in [
            "pull_request",
            "pull_request_review",
            "pull_request_review_comment",
        ] {
            assert!(refusal_by_store(&of(event), false).is_some(), "{event}");
            assert_eq!(refusal_by_store(&of(event), true), None, "{event}");
        }
        assert_eq!(refusal_by_store(&of("push"), false), None);
        assert_eq!(refusal_by_store(&of("merge_group"), false), None);
        assert_eq!(refusal_by_store(&Context::default(), false), None);
    }

    #[test]
    fn what_is_given_to_others_is_better_made_without_a_cache() {
        assert!(advice(&of("release")).is_some());
        assert_eq!(advice(&of("push")), None);
        assert_eq!(advice(&Context::default()), None);
        let tag = Context {
            ref_type: "tag".into(),
            ref_name: "v1".into(),
            ..of("push")
        };
        assert!(advice(&tag).is_some_and(|advice| advice.contains("`v1`")));
        for (job, is_release) in [
            ("publish-pypi", true),
            ("Deploy", true),
            ("deployment_test", false),
            ("test", false),
        ] {
            let context = Context {
                job: job.into(),
                ..of("push")
            };
            assert_eq!(advice(&context).is_some(), is_release, "{job}");
        }
    }
}
