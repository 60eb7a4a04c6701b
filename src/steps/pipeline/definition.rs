//! The definition of this project: read from the configuration file, and checked.

use std::path::PathBuf;

use crate::error::{Error, Result, did_you_mean};
use crate::github::inputs;
use crate::model::pipeline::{Action, Pipeline, Stage};
use crate::pipeline::graph::Graph;
use crate::pipeline::read::read_with;
use crate::steps::Step;
use crate::steps::definition::{Text, tell};
use crate::steps::pipeline::NAME;
use crate::steps::pipeline::settings::Settings;
use crate::steps::world::World;
use crate::system::config::Config;

/// The key by which a stage is for each member of the workspace.
const MEMBERS: &str = "members";

/// A definition without a mistake.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The stages and the options of the run.
    pub pipeline: Pipeline,
    /// What connects the stages.
    pub graph: Graph,
    /// The folder of the file, from which stages run.
    pub folder: PathBuf,
    /// The file as people know it.
    pub file: String,
}

/// Reads the definition and checks it. Fails with the last mistake; those before it have been told.
pub fn load(world: &World, settings: &Settings) -> Result<Definition> {
    let mut definition = read_all(world).map_err(|mistakes| tell(NAME, world, mistakes))?;
    let options = &mut definition.pipeline.options;
    options.jobs = Some(settings.jobs);
    options.memory = settings.memory;
    options.keep_going = settings.keep_going;
    options.grace = Some(settings.grace);
    options.timeout = Some(settings.timeout);
    Ok(definition)
}

/// The stages of another configuration, that of the base for example; none where it defines none. What its steps are
/// given is not looked at.
pub fn of_config(
    config: &Config,
    world: &World,
) -> std::result::Result<Option<Pipeline>, Vec<Error>> {
    let Some(text) = Text::in_config(config, world).filter(|_| config.defines(NAME)) else {
        return Ok(None);
    };
    read_text(&text, world).map(Some)
}

fn read_text(text: &Text<'_>, world: &World) -> std::result::Result<Pipeline, Vec<Error>> {
    // Only a definition with the word can mean them.
    let members = if text.text.contains(MEMBERS) {
        let members = crate::steps::project::members(&text.folder, &world.root);
        members.map_err(|error| vec![error])?
    } else {
        Vec::new()
    };
    read_with(
        text.text,
        &text.file,
        text.carrier,
        &usable_steps(),
        &members,
    )
}

fn read_all(world: &World) -> std::result::Result<Definition, Vec<Error>> {
    let one = |error: Error| vec![error];
    let Some(text) = Text::of(world) else {
        let error = Error::usage("nothing here defines a pipeline");
        return Err(one(error.hint("lockgate pipeline init")));
    };
    let pipeline = read_text(&text, world)?;
    let mut mistakes = check_inputs(&pipeline);
    let graph = match Graph::of(&pipeline) {
        Ok(graph) if mistakes.is_empty() => graph,
        Ok(_) => return Err(mistakes),
        Err(found) => {
            mistakes.extend(found);
            mistakes
                .sort_by_key(|error| error.place.as_ref().map(|place| (place.line, place.column)));
            return Err(mistakes);
        }
    };
    Ok(Definition {
        pipeline,
        graph,
        folder: text.folder,
        file: text.file,
    })
}

/// Steps that must be told what to do, each with what a stage may let it do.
const OPERATIONS: &[(&str, &[&str])] =
    &[("cache", &["cache restore", "cache save", "cache prune"])];

/// The steps that a stage may use, with their operation where they have one: all but this one.
pub fn usable_steps() -> Vec<&'static str> {
    let names = Step::names().into_iter().filter(|name| *name != NAME);
    names
        .flat_map(|name| {
            let of_name = OPERATIONS.iter().find(|(step, _)| *step == name);
            of_name.map_or_else(|| vec![name], |(_, operations)| operations.to_vec())
        })
        .collect()
}

/// Inputs that the steps do not have. A stage with a matrix says the same in each of its combinations.
fn check_inputs(pipeline: &Pipeline) -> Vec<Error> {
    let mut mistakes: Vec<Error> = Vec::new();
    for stage in &pipeline.stages {
        for mistake in check_stage(stage) {
            if mistakes
                .last()
                .is_none_or(|last| last.place != mistake.place)
            {
                mistakes.push(mistake);
            }
        }
    }
    mistakes
}

fn check_stage(stage: &Stage) -> Vec<Error> {
    let Action::Step { step, with } = &stage.action else {
        return Vec::new();
    };
    let Some(own) = Step::from_name(step_of(&step.value)) else {
        return Vec::new();
    };
    let command = own.command();
    let known: Vec<(&str, bool)> = inputs::names(&command)
        .map(|(name, argument)| (name, inputs::is_list(argument)))
        .collect();
    let wrong = with.iter().filter_map(|(name, values)| {
        let input = known.iter().find(|(known, _)| known == name);
        let error = match input {
            Some((name, _)) if own.each_time().contains(name) => Error::usage(format!(
                "`{name}` is given for each deployment, and `with` sets it for all"
            ))
            .hint(format!(
                "deploy in a job of its own, and name it with `--{name}`, or `{name}` in the workflow"
            )),
            Some((_, is_list)) if *is_list || values.value.len() == 1 => return None,
            Some(_) => Error::usage(format!("`{name}` takes one value, not a list")),
            None if own.secrets().iter().any(|secret| secret.name == name) => {
                let variable = format!("INPUT_{}", name.to_uppercase().replace('-', "_"));
                Error::usage(format!("`{name}` is a secret and does not stand in `with`")).hint(
                    format!("write `secrets = {{ {variable} = {{ env = \"…\" }} }}`"),
                )
            }
            None => {
                let error = Error::usage(format!("`{}` has no input `{name}`", step.value));
                let names = || known.iter().map(|(name, _)| *name);
                match did_you_mean(name, names()) {
                    Some(close) => error.hint(format!("write `{close}`")),
                    None => error.allowed(names()),
                }
            }
        };
        Some(error.at(values.place.clone()))
    });
    wrong.collect()
}

/// The name of the step in the value of `uses`: what stands before its operation.
pub fn step_of(uses: &str) -> &str {
    uses.split(' ').next().unwrap_or(uses)
}
