//! What stages made that take no part in a run: those that do rely on it, so it must be what the last run of its stage
//! made.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::model::digest::hex;
use crate::model::pipeline::Stage;
use crate::model::pipeline::manifest::{Artifact, Source};
use crate::pipeline::selection::Choice;
use crate::steps::artifacts::collect;
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::stage::promise;
use crate::steps::pipeline::run::values::Made;

/// What is there of stages that take no part and that others rely on: their outputs, and the stages whose outputs come
/// from a store that others write to. Fails where something is missing, has changed, or may not be used for what is
/// given away.
pub fn made(shared: &Shared<'_>, choices: &[Choice]) -> Result<(Made, BTreeSet<usize>)> {
    let (mut made, mut of_others) = (Made::new(), BTreeSet::new());
    for (number, stage) in shared.pipeline.stages.iter().enumerate() {
        if choices.get(number) != Some(&Choice::LeftOut) || stage.outputs.is_empty() {
            continue;
        }
        let relying = relying(shared, choices, number, stage);
        let Some((first, _)) = relying.first() else {
            continue;
        };
        let is_given_away = relying.iter().any(|(_, other)| shared.is_made_here(*other));
        for output in stage.outputs.keys() {
            let artifact = verified(shared, stage, output, first)?;
            if artifact.source == Source::Shared {
                if is_given_away {
                    let error = Error::refused(format!(
                        "output `{output}` of `{}` comes from a store that others write to, and `{first}` may give it away",
                        stage.name
                    ));
                    return Err(again(error, stage));
                }
                of_others.insert(number);
            }
            made.insert((stage.name.clone(), output.clone()), Arc::new(artifact));
        }
    }
    Ok((made, of_others))
}

/// The stages of the run that need this one, or refer to it; with their numbers.
fn relying<'r>(
    shared: &Shared<'r>,
    choices: &[Choice],
    number: usize,
    stage: &Stage,
) -> Vec<(&'r str, usize)> {
    let stages = shared.pipeline.stages.iter().enumerate().zip(choices);
    let taking_part = stages.filter(|(_, choice)| **choice == Choice::Run);
    taking_part
        .filter(|((other, one), _)| {
            shared.graph.needs_of(*other).contains(&number)
                || one
                    .references()
                    .any(|reference| reference.stage == stage.name)
        })
        .map(|((other, one), _)| (&*one.name, other))
        .collect()
}

/// An output as the last run of its stage made it.
fn verified(shared: &Shared<'_>, stage: &Stage, output: &str, relying: &str) -> Result<Artifact> {
    let Some(known) = shared.last.output(&stage.name, output) else {
        let error = Error::usage(format!(
            "`{relying}` relies on the output `{output}` of `{}`, which takes no part, and no run here has made it",
            stage.name
        ));
        return Err(again(error, stage));
    };
    let directory = shared.directory(stage);
    let pattern = stage.outputs.get(output);
    let pattern = pattern.ok_or_else(|| Error::bug("an output has no pattern"))?;
    let promise = promise(stage, output, pattern, &directory);
    let mut artifact =
        collect(&promise, &shared.workspace, &shared.known).map_err(|error| again(error, stage))?;
    if hex(&artifact.digest()) != known.sha256 {
        let error = Error::refused(format!(
            "output `{output}` of `{}` is no longer what its last run made",
            stage.name
        ));
        return Err(again(error, stage));
    }
    artifact.source = if known.shared {
        Source::Shared
    } else {
        Source::Local
    };
    Ok(artifact)
}

fn again(error: Error, stage: &Stage) -> Error {
    error.hint(format!("let it run: `--only \"{}\"`", stage.name))
}
