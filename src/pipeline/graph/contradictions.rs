//! What a stage says that cannot hold together with what it or others say.

use std::collections::HashSet;

use crate::error::{Error, Place};
use crate::model::pipeline::{Action, Pipeline, Reuse, Stage};
use crate::pipeline::graph::Graph;

/// How the variable of an input begins that a step takes from the environment.
const INPUT: &str = "INPUT_";

/// Checks every stage.
pub(super) fn check(pipeline: &Pipeline, graph: &Graph, mistakes: &mut Vec<Error>) {
    for (number, stage) in pipeline.stages.iter().enumerate() {
        let is_wanted = !graph.dependents_of(number).is_empty();
        let found = of_stage(stage, is_wanted);
        mistakes.extend(found.map(|(what, hint, place)| {
            Error::usage(format!("`{}` {what}", stage.name))
                .at(place.clone())
                .hint(hint)
        }));
        mistakes.extend(unused_secrets(stage));
        mistakes.extend(variables_twice(stage));
    }
    let named: HashSet<&str> = pipeline
        .stages
        .iter()
        .flat_map(|stage| stage.secrets.keys().map(String::as_str))
        .collect();
    for (name, secret) in &pipeline.options.secrets {
        if !named.contains(name.as_str()) {
            mistakes.push(
                Error::usage(format!("no stage uses the secret `{name}`"))
                    .at(secret.place.clone())
                    .hint(format!(
                        "write `secrets = [\"{name}\"]` in the stage that needs it, or take it out"
                    )),
            );
        }
    }
}

fn of_stage(
    stage: &Stage,
    is_wanted: bool,
) -> impl Iterator<Item = (&'static str, &'static str, &Place)> {
    let place = &stage.place;
    let does_nothing = stage.action == Action::None;
    let reacts = !stage.condition.result.is_empty();
    let is_service = stage.service.is_some();
    let needs_nothing = stage.needs.is_empty();
    let is_kept = stage.cache.is_some_and(Reuse::is_wanted);
    [
        (
            does_nothing && needs_nothing,
            "does nothing: it has no `run`, no `uses` and no `needs`",
            "write `run = \"…\"`",
        ),
        (
            does_nothing && (is_service || !stage.outputs.is_empty()),
            "has neither `run` nor `uses`, and promises what only a program can do",
            "write `run = \"…\"`",
        ),
        (
            is_service && !is_wanted,
            "is a service that no stage needs",
            "name it in the `needs` of those that use it",
        ),
        (
            is_service && matches!(stage.action, Action::Step { .. }),
            "is a service, and a step of ours ends by itself",
            "write `run = [\"…\"]`",
        ),
        (
            is_service && !stage.outputs.is_empty(),
            "is a service, and what it makes is only there when it has ended",
            "let another stage make the outputs",
        ),
        (
            is_service && stage.always,
            "is a service and `always`: it cannot begin when those that use it have ended",
            "take `always` out",
        ),
        (
            is_service && is_kept,
            "is a service, and `cache` would leave it out",
            "take `cache` out",
        ),
        (
            stage.always && reacts,
            "is `always` and has `if.result`: one says whatever has happened, the other what",
            "keep one of them",
        ),
        (
            stage.always && needs_nothing,
            "is `always` and needs nothing: it would run first",
            "name in `needs` what it cleans up behind",
        ),
        (
            reacts && needs_nothing,
            "has `if.result` and needs nothing whose result could be asked for",
            "name the stages in `needs`",
        ),
        (
            is_kept && !stage.secrets.is_empty(),
            "has secrets, and what has secrets is never left out",
            "take `cache` out",
        ),
        (
            is_kept && stage.always,
            "is `always`, and `cache` would leave it out",
            "take `cache` out",
        ),
    ]
    .into_iter()
    .filter(|(is_wrong, ..)| *is_wrong)
    .map(move |(_, what, hint)| (what, hint, place))
}

/// Steps that read the credentials of clouds and indexes from the variables in which others read them too.
const WITH_CREDENTIALS: &[&str] = &["deploy", "cache"];

/// Secrets that nothing in the stage can use. What a script uses cannot be known.
fn unused_secrets(stage: &Stage) -> impl Iterator<Item = Error> {
    let with = match &stage.action {
        Action::Step { with, .. } => Some(with),
        _ => None,
    };
    let takes_any = match &stage.action {
        Action::Shell(_) | Action::Exec(_) => true,
        Action::Step { step, .. } => {
            let name = step.value.split(' ').next().unwrap_or_default();
            WITH_CREDENTIALS.contains(&name)
        }
        Action::None => false,
    };
    let is_used = move |name: &str| {
        takes_any
            || name.starts_with(INPUT) && with.is_some()
            || with.is_some_and(|with| {
                let mut values = with.values().flat_map(|input| &input.value);
                values.any(|value| words(&value.text).any(|word| word == name))
            })
    };
    let unused = stage.secrets.iter().filter(move |(name, _)| !is_used(name));
    unused.map(|(name, secret)| {
        Error::usage(format!("`{}` does not use the secret `{name}`", stage.name))
            .at(secret.place.clone())
            .hint(format!(
                "a step takes a secret input `x` from `{INPUT}X`, or its `with` names the variable"
            ))
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// A variable is a value or a secret.
fn variables_twice(stage: &Stage) -> impl Iterator<Item = Error> {
    let both = stage
        .secrets
        .iter()
        .filter(|(name, _)| stage.env.contains_key(*name));
    both.map(|(name, secret)| {
        Error::usage(format!(
            "`{name}` of `{}` is declared in `env` and in `secrets`",
            stage.name
        ))
        .at(secret.place.clone())
        .hint("what is a secret stands in `secrets` alone")
    })
}
