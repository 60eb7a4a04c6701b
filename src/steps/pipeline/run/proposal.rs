//! What a proposal may not decide by itself: which secrets a stage gets. And what it loosens is told.
//!
//! The definition of a proposal runs, for that is what it proposes. It is compared with that of the base before the first
//! stage runs, which could change what a repository says of itself.

use crate::error::{Error, Kind, Result};
use crate::model::base::Resolution;
use crate::model::pipeline::{Pipeline, Reuse, SecretSource};
use crate::pipeline::policy::{Changes, changes};
use crate::steps::Step;
use crate::steps::gate::base;
use crate::steps::pipeline::definition::of_config;
use crate::steps::pipeline::{Arguments, SECRETS};
use crate::steps::world::World;
use crate::system::config::Config;
use crate::system::git::Git;
use crate::system::masking::Secret;
use crate::system::stop::Stop;

/// Keeps from the stages of a proposal what the base does not give them. Returns what is to be told; nothing on other
/// events.
pub async fn hold(
    pipeline: &mut Pipeline,
    arguments: &Arguments,
    world: &World,
    stop: &Stop,
) -> Result<Vec<String>> {
    if !world.context.judges_a_proposal() {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    let base = match of_the_base(world, stop).await {
        Ok(config) => {
            told.extend(inputs(arguments, &config, world));
            let base = of_config(&config, world).map_err(|mistakes| {
                let first = mistakes.into_iter().next();
                first.map_or_else(String::new, |mistake| mistake.message)
            });
            base.unwrap_or_else(|why| {
                told.push(format!("the definition of the base cannot be used ({why})"));
                None
            })
        }
        Err(error) if matches!(error.kind, Kind::Interrupted(_)) => return Err(error),
        Err(error) => {
            let why = error.message;
            told.push(format!(
                "the base cannot be read ({why}), so what is looser is not known"
            ));
            None
        }
    };
    let Changes { loosened, ungiven } = changes(base.as_ref(), pipeline);
    told.extend(loosened);
    let given: Arguments = base::given(Step::Pipeline, world)?;
    let is_allowed = given.allow_new_secrets.unwrap_or_default();
    for (stage, name) in ungiven {
        if is_allowed {
            told.push(format!(
                "`{stage}` gets `{name}`, as the workflow allows (`allow-new-secrets`)"
            ));
            continue;
        }
        withhold(pipeline, &stage, &name, world);
        told.push(format!(
            "`{stage}` does not get `{name}`, which the base gives to no stage with this command"
        ));
    }
    Ok(told)
}

/// Takes a secret from a stage, which still counts as one that has some: it runs each time, and nobody is given its result.
fn withhold(pipeline: &mut Pipeline, stage: &str, name: &str, world: &World) {
    let environment = &world.environment;
    let hide = |variable: &str| {
        if let Some(value) = environment.get(variable) {
            world.console.hide(&Secret::new(value));
        }
    };
    if pipeline.options.env.contains_key(name) {
        // What all stages see is from now on said by each of them.
        if let Some(variable) = pipeline.options.env.remove(name) {
            for stage in &mut pipeline.stages {
                let of_stage = stage.env.entry(name.to_owned());
                of_stage.or_insert_with(|| variable.clone());
            }
        }
    }
    for stage in pipeline.stages.iter_mut().filter(|one| one.name == stage) {
        match stage.secrets.remove(name).map(|secret| secret.source) {
            Some(SecretSource::Environment(variable)) => hide(&variable),
            Some(SecretSource::Command(_)) => {}
            None => {
                stage.env.remove(name);
                hide(name);
            }
        }
        stage.cache = Some(Reuse::Never);
    }
}

/// The configuration of the base.
async fn of_the_base(world: &World, stop: &Stop) -> Result<Config> {
    let git = Git::new(&world.directory, &world.environment, stop.clone());
    let root = base::git_root(&git, world).await?;
    let git = git.at(&root);
    match base::resolve(None, SECRETS.first(), world, &git).await? {
        Resolution::Base(known) => base::configuration(world, &git, &known.sha, &root).await,
        Resolution::None(why) => Err(Error::no_verdict(why)),
    }
}

/// The inputs that choose what runs and that the file of the base has otherwise. Those of the workflow are the same for both.
fn inputs(arguments: &Arguments, base: &Config, world: &World) -> Vec<String> {
    // What the base says wrongly it does not say.
    let base: Arguments = world
        .arguments_with(Step::Pipeline, base)
        .or_else(|_| base::given(Step::Pipeline, world))
        .unwrap_or_default();
    let is_other = [
        ("only", arguments.only != base.only),
        ("from", arguments.from != base.from),
        ("until", arguments.until != base.until),
        ("resume", arguments.resume != base.resume),
        ("affected", arguments.affected != base.affected),
        ("base", arguments.base != base.base),
    ];
    let other = is_other.into_iter().filter(|(_, is_other)| *is_other);
    other
        .map(|(name, _)| format!("`{name}` of the run is another"))
        .collect()
}
