//! The base: its commit, and the configuration that stood there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::FromArgMatches;

use crate::error::{Error, Kind, Result};
use crate::github::inputs::SecretInput;
use crate::model::base::Resolution;
use crate::steps::Step;
use crate::steps::world::World;
use crate::system::config;
use crate::system::git::{Credential, Git};

/// The root that paths are relative to: the repository around the folder, else the workspace or the folder itself.
pub async fn git_root(git: &Git, world: &World) -> Result<PathBuf> {
    if !world.root.join(".git").exists() {
        return Ok(world.root.clone());
    }
    // Without git itself nothing but a base is missing.
    match git.top_level().await {
        Ok(root) => Ok(root.unwrap_or_else(|| world.root.clone())),
        Err(error) if error.kind == Kind::Usage => Ok(world.root.clone()),
        Err(error) => Err(error),
    }
}

/// The commit to compare with, or why there is none. `token` is for the one fetch that may be needed.
pub async fn resolve(
    named: Option<&str>,
    token: Option<&SecretInput>,
    world: &World,
    git: &Git,
) -> Result<Resolution> {
    let trigger = world.context.trigger()?;
    let credential = token
        .and_then(|input| world.secret(input))
        .map(|token| Credential {
            server: world.context.server_url.clone(),
            token,
        })
        .filter(|credential| !credential.server.is_empty());
    crate::system::base::resolve(git, &trigger, named, credential.as_ref()).await
}

/// The arguments of a step as they would be with the base's own configuration file.
pub async fn arguments<A: FromArgMatches>(
    step: Step,
    world: &World,
    git: &Git,
    sha: &str,
    root: &Path,
) -> Result<A> {
    let config = configuration(world, git, sha, root).await?;
    world.arguments_with(step, &config)
}

/// The configuration as the base has it.
pub async fn configuration(
    world: &World,
    git: &Git,
    sha: &str,
    root: &Path,
) -> Result<config::Config> {
    let mut places = Vec::new();
    for folder in world.directory.ancestors() {
        for name in config::NAMES {
            let path = folder.join(name);
            if let Ok(inside) = path.strip_prefix(root) {
                let inside = inside.to_string_lossy().replace('\\', "/");
                places.push((path, inside));
            }
        }
        if folder == root {
            break;
        }
    }
    let paths: Vec<&str> = places.iter().map(|(_, inside)| &**inside).collect();
    let texts = git.texts(sha, &paths).await?;
    let files: BTreeMap<PathBuf, String> = places
        .into_iter()
        .zip(texts)
        .filter_map(|((path, _), text)| Some((path, text?)))
        .collect();
    config::load_from(&world.directory, root, &Step::names(), &|path| {
        Ok(files.get(path).cloned())
    })
}

/// What the workflow and the command line say, without any file.
pub fn given<A: FromArgMatches>(step: Step, world: &World) -> Result<A> {
    world.arguments_with(step, &config::Config::default())
}

/// Code of the project does not run where the token may do more than the author of the code, unless the workflow or the
/// command line accepts it: what the configuration file says counts for nothing, it is the author's.
pub fn require_permission<A: FromArgMatches>(
    step: Step,
    world: &World,
    accepts: impl Fn(&A) -> bool,
) -> Result<()> {
    if !world.context.is_privileged() || accepts(&given::<A>(step, world)?) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "on `{}` the job's token may do more than the author of the code, so no code of the project runs",
        world.context.event_name
    ))
    .hint(format!(
        "run `{}` on another event, or accept it with `allow-project-code: true` in the workflow",
        step.name()
    )))
}

/// The settings of the base. One that cannot be read is repaired by a proposal that can: the defaults judge that.
pub async fn settings<A: FromArgMatches, S>(
    step: Step,
    world: &World,
    git: &Git,
    sha: &str,
    root: &Path,
    read: impl Fn(&A) -> Result<S>,
) -> Result<S> {
    let own = arguments::<A>(step, world, git, sha, root).await;
    match own.and_then(|arguments| read(&arguments)) {
        Ok(settings) => Ok(settings),
        Err(error) if error.kind == Kind::Usage => {
            tracing::warn!(%error, "the configuration of the base cannot be used; the defaults stand for it");
            read(&given::<A>(step, world)?)
        }
        Err(error) => Err(error),
    }
}
