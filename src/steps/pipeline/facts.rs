//! What conditions are judged by: the changed files, the branch and the event. What no condition asks for is not looked up.

use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::model::base::{Base, Resolution};
use crate::model::pipeline::Pipeline;
use crate::pipeline::selection::Facts;
use crate::steps::gate::base;
use crate::steps::pipeline::definition::Definition;
use crate::steps::pipeline::settings::Settings;
use crate::steps::pipeline::{NAME, SECRETS};
use crate::steps::world::World;
use crate::system::base::at_hand;
use crate::system::git::Git;
use crate::system::stop::Stop;

/// The event outside of a workflow.
const LOCAL: &str = "local";

/// Gathers the facts that the definition and the settings ask for.
pub async fn gather(
    definition: &Definition,
    settings: &Settings,
    world: &World,
    stop: Stop,
) -> Result<Facts> {
    let wanted = Wanted::of(&definition.pipeline, settings);
    let context = &world.context;
    let git = Git::new(&definition.folder, &world.environment, stop);
    let changed = if wanted.changed {
        changed(definition, settings, world, &git).await?
    } else {
        None
    };
    let branch = match (wanted.branch, context.is_workflow) {
        (false, _) => None,
        (true, true) => (context.ref_type == "branch").then(|| context.ref_name.clone()),
        (true, false) => current_branch(&git).await?,
    };
    let event = if context.is_workflow {
        context.event_name.clone()
    } else {
        LOCAL.to_owned()
    };
    Ok(Facts {
        changed,
        branch,
        event,
    })
}

/// The same, and what has changed also where only an output asks for it and it is at hand.
pub async fn for_outputs(
    definition: &Definition,
    settings: &Settings,
    world: &World,
    stop: Stop,
) -> Result<Facts> {
    let mut facts = gather(definition, settings, world, stop.clone()).await?;
    let is_asked_for = Wanted::of(&definition.pipeline, settings).changed;
    if world.context.output_file.is_some() && !is_asked_for {
        facts.changed = changed_at_hand(definition, world, stop).await;
    }
    Ok(facts)
}

/// What is asked for.
struct Wanted {
    changed: bool,
    branch: bool,
}

impl Wanted {
    fn of(pipeline: &Pipeline, settings: &Settings) -> Self {
        let conditions = || pipeline.stages.iter().map(|stage| &stage.condition);
        Self {
            changed: settings.asked.affected || conditions().any(|one| !one.changed.is_empty()),
            branch: conditions().any(|one| !one.branch.is_empty()),
        }
    }
}

/// The branch of a checkout on a laptop; none where it is detached or there is no repository.
async fn current_branch(git: &Git) -> Result<Option<String>> {
    let arguments = ["symbolic-ref", "--quiet", "--short", "HEAD"];
    let answer = match git.answer(arguments).await {
        // Without git itself there is no branch either.
        Err(error) if error.kind == Kind::Usage => None,
        other => other?,
    };
    let branch = answer.map(|branch| branch.trim().to_owned());
    Ok(branch.filter(|branch| !branch.is_empty()))
}

/// The changed files, from the folder of the definition. Where there is nothing to compare with, everything counts as
/// changed: a stage too many costs time, and one too few a verdict.
async fn changed(
    definition: &Definition,
    settings: &Settings,
    world: &World,
    git: &Git,
) -> Result<Option<Vec<String>>> {
    let resolved = base::resolve(settings.base.as_deref(), SECRETS.first(), world, git).await;
    let base = match resolved {
        Ok(Resolution::Base(base)) => base,
        Ok(Resolution::None(why)) => return Ok(all(world, &why)),
        Err(error) if settings.base.is_none() => return Ok(all(world, &error.message)),
        Err(error) => return Err(error),
    };
    within(definition, world, git, &base).await.map(Some)
}

/// The files that changed since a base that is at hand; none where it takes more to know.
async fn changed_at_hand(
    definition: &Definition,
    world: &World,
    stop: Stop,
) -> Option<Vec<String>> {
    let git = Git::new(&definition.folder, &world.environment, stop);
    let trigger = world.context.trigger().ok()?;
    let base = at_hand(&git, &trigger).await.ok().flatten()?;
    within(definition, world, &git, &base).await.ok()
}

/// The files that differ from the base, from the folder of the definition.
async fn within(
    definition: &Definition,
    world: &World,
    git: &Git,
    base: &Base,
) -> Result<Vec<String>> {
    let root = base::git_root(git, world).await?;
    let files = differing(base, &git.at(&root)).await?;
    let folder = definition
        .folder
        .strip_prefix(&root)
        .unwrap_or(Path::new(""));
    let folder = folder.to_string_lossy().replace('\\', "/");
    let prefix = if folder.is_empty() {
        folder
    } else {
        folder + "/"
    };
    let inside = files.iter().filter_map(|file| file.strip_prefix(&prefix));
    Ok(inside.map(str::to_owned).collect())
}

fn all(world: &World, why: &str) -> Option<Vec<String>> {
    let line = format!("{NAME}: there is no base ({why}): everything counts as changed");
    world.console.note(&line);
    None
}

/// The names of the files that are not as in the base, from the root of the repository.
async fn differing(base: &Base, git: &Git) -> Result<Vec<String>> {
    let unreadable = || {
        Error::no_verdict(format!("git cannot compare with the base `{}`", base.sha))
            .hint("look at it with `git diff --name-only`")
    };
    // A file that was renamed has changed under both names.
    let arguments = [
        "diff",
        "--name-only",
        "--no-renames",
        "--no-ext-diff",
        "-z",
        &base.sha,
        "--",
    ];
    let mut names = git.answer(arguments).await?.ok_or_else(unreadable)?;
    if base.with_untracked {
        let arguments = ["ls-files", "--others", "--exclude-standard", "-z"];
        names.push_str(&git.answer(arguments).await?.ok_or_else(unreadable)?);
    }
    let names = names.split('\0').filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}
