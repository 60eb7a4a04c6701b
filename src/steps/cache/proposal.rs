//! Policy cannot be loosened by what it judges: what the configuration file of a proposal says of where bytes go, what is
//! read and written and what fails counts as the file of the base has it.
//!
//! The workflow counts as it is: who may change it for a run decides GitHub. Without a base that can be read, only the
//! workflow counts.

use crate::error::Result;
use crate::model::base::Resolution;
use crate::model::diagnostic::{Finding, Severity};
use crate::steps::Step;
use crate::steps::cache::report::notice;
use crate::steps::cache::{Arguments, SECRETS};
use crate::steps::gate::base;
use crate::steps::world::World;
use crate::system::git::Git;
use crate::system::stop::Stop;

/// The arguments that count, and the inputs of the proposal that do not.
pub async fn judged(
    arguments: &Arguments,
    world: &World,
    stop: Stop,
) -> Result<(Arguments, Vec<&'static str>)> {
    if !world.context.may_hold_a_proposal() {
        return Ok((arguments.clone(), Vec::new()));
    }
    let given: Arguments = base::given(Step::Cache, world)?;
    let (strict, loosened) = held_to(arguments, &given);
    if loosened.is_empty() {
        return Ok((strict, loosened));
    }
    // Only now is the base worth a look.
    let base = of_the_base(world, stop).await.unwrap_or(given);
    Ok(held_to(arguments, &base))
}

/// The arguments as they would be with the file of the base; none where there is none that can be read.
async fn of_the_base(world: &World, stop: Stop) -> Option<Arguments> {
    let git = Git::new(&world.directory, &world.environment, stop);
    let found = async {
        let root = base::git_root(&git, world).await?;
        let git = git.at(&root);
        let resolution = base::resolve(None, SECRETS.first(), world, &git).await?;
        let Resolution::Base(known) = resolution else {
            return Ok(None);
        };
        let read = |arguments: &Arguments| Ok(arguments.clone());
        base::settings(Step::Cache, world, &git, &known.sha, &root, read)
            .await
            .map(Some)
    };
    let found: Result<Option<Arguments>> = found.await;
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "the base cannot be read; what the workflow says counts");
        None
    })
}

/// `head`, with all that a proposal must not decide taken from `base`; and what that was.
fn held_to(head: &Arguments, base: &Arguments) -> (Arguments, Vec<&'static str>) {
    let mut strict = head.clone();
    let mut loosened = Vec::new();
    hold("store", &mut strict.store, &base.store, &mut loosened);
    hold(
        "paths",
        &mut strict.key.paths,
        &base.key.paths,
        &mut loosened,
    );
    hold("save", &mut strict.save, &base.save, &mut loosened);
    hold(
        "required",
        &mut strict.required,
        &base.required,
        &mut loosened,
    );
    hold(
        "fail-on-cache-miss",
        &mut strict.fail_on_cache_miss,
        &base.fail_on_cache_miss,
        &mut loosened,
    );
    hold(
        "max-size",
        &mut strict.max_size,
        &base.max_size,
        &mut loosened,
    );
    (strict, loosened)
}

fn hold<T: Clone + PartialEq>(
    input: &'static str,
    head: &mut T,
    base: &T,
    loosened: &mut Vec<&'static str>,
) {
    if head != base {
        loosened.push(input);
        head.clone_from(base);
    }
}

/// What a person should know of it.
pub fn notice_of(input: &str) -> Finding {
    let message = format!(
        "`{input}` of the configuration file is another one than on the base: the base's counts until this is merged"
    );
    let hint = "name it in the workflow, which counts as it is".to_owned();
    notice("policy-changed", Severity::Note, message, Some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::cache::policy::SavePolicy;

    #[test]
    fn a_proposal_decides_neither_where_bytes_go_nor_what_is_read() {
        let base = Arguments {
            store: Some("s3://ours".into()),
            required: Some(true),
            ..Arguments::default()
        };
        let mut head = Arguments {
            store: Some("s3://theirs".into()),
            save: Some(SavePolicy::Always),
            cache_key: Some("k".into()),
            ..Arguments::default()
        };
        head.key.paths = vec!["~/.ssh".into()];
        let (strict, loosened) = held_to(&head, &base);
        assert_eq!(strict.store.as_deref(), Some("s3://ours"));
        assert_eq!((strict.required, strict.save), (Some(true), None));
        assert!(strict.key.paths.is_empty());
        assert_eq!(strict.cache_key.as_deref(), Some("k"));
        assert_eq!(loosened, ["store", "paths", "save", "required"]);
        assert!(held_to(&base, &base).1.is_empty());
    }
}
