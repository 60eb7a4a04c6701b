//! `${{ stages.<stage>.outputs.<output> }}` names what is there, and what was waited for.

use std::collections::HashMap;

use crate::error::{Error, Place, did_you_mean};
use crate::model::pipeline::{Action, Pipeline, Reference, Stage, Template, Variable};
use crate::pipeline::graph::Graph;

/// Everything in a stage that may refer, with its place.
pub fn templates(stage: &Stage) -> impl Iterator<Item = (&Template, &Place)> {
    let words = match &stage.action {
        Action::Exec(words) => words.as_slice(),
        _ => &[],
    };
    let inputs = match &stage.action {
        Action::Step { with, .. } => Some(with),
        _ => None,
    };
    let words = words.iter().map(|word| (&word.value, &word.place));
    let inputs = inputs
        .into_iter()
        .flatten()
        .flat_map(|(_, input)| input.value.iter().map(|value| (value, &input.place)));
    let variables = stage
        .env
        .values()
        .filter_map(|variable| match &variable.value {
            Variable::Set(template) => Some((template, &variable.place)),
            Variable::Passed => None,
        });
    words.chain(inputs).chain(variables)
}

/// Checks every reference.
pub(super) fn check(pipeline: &Pipeline, graph: &Graph, mistakes: &mut Vec<Error>) {
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut groups: HashMap<&str, usize> = HashMap::new();
    for (number, stage) in pipeline.stages.iter().enumerate() {
        index.insert(&stage.name, number);
        *groups.entry(&stage.base_name).or_default() += 1;
    }
    let mut position = vec![0; graph.len()];
    for (at, stage) in graph.order.iter().enumerate() {
        if let Some(position) = position.get_mut(*stage) {
            *position = at;
        }
    }
    let mut search = Search {
        graph,
        position,
        seen: vec![usize::MAX; graph.len()],
        searches: 0,
    };
    for (number, stage) in pipeline.stages.iter().enumerate() {
        for (template, place) in templates(stage) {
            for reference in &template.references {
                let wrong = match index.get(reference.stage.as_str()) {
                    None => Some(unknown_stage(pipeline, &groups, reference)),
                    Some(&other) => known_stage(pipeline, reference, (number, other), &mut search),
                };
                mistakes.extend(wrong.map(|error| error.at(place.clone())));
            }
        }
    }
}

fn unknown_stage(
    pipeline: &Pipeline,
    groups: &HashMap<&str, usize>,
    reference: &Reference,
) -> Error {
    let name = &reference.stage;
    if let Some(number) = groups.get(name.as_str()) {
        let one = pipeline
            .stages
            .iter()
            .find(|stage| stage.base_name == *name);
        let one = one.map_or(name.as_str(), |stage| stage.name.as_str());
        return Error::usage(format!("`{name}` has a matrix: it is {number} stages")).hint(
            format!(
                "name one of them: `${{{{ stages.{one}.outputs.{} }}}}`",
                reference.output
            ),
        );
    }
    let error = Error::usage(format!("there is no stage `{name}` to refer to"));
    match did_you_mean(name, groups.keys().copied()) {
        Some(close) => error.hint(format!(
            "write `${{{{ stages.{close}.outputs.{} }}}}`",
            reference.output
        )),
        None => error,
    }
}

fn known_stage(
    pipeline: &Pipeline,
    reference: &Reference,
    (number, other): (usize, usize),
    search: &mut Search<'_>,
) -> Option<Error> {
    let (stage, named) = (pipeline.stages.get(number)?, pipeline.stages.get(other)?);
    if !named.outputs.contains_key(&reference.output) {
        let message = format!("`{}` has no output `{}`", named.name, reference.output);
        let known = || named.outputs.keys().map(String::as_str);
        let error = Error::usage(message);
        return Some(match did_you_mean(&reference.output, known()) {
            Some(close) => error.hint(format!("write `{close}`")),
            None if named.outputs.is_empty() => {
                let name = &reference.output;
                error.hint(format!(
                    "declare it in that stage: `outputs = {{ {name} = \"dist/*.whl\" }}`"
                ))
            }
            None => error.allowed(known()),
        });
    }
    if number != other && search.is_needed(number, other) {
        return None;
    }
    let message = format!(
        "`{}` refers to `{}` and does not wait for it",
        stage.name, named.name
    );
    let error = Error::usage(message);
    Some(if number == other {
        error.hint("a stage cannot refer to what it makes itself")
    } else if search.is_needed(other, number) {
        error.hint(format!(
            "it cannot: `{}` waits for `{}`",
            named.name, stage.name
        ))
    } else {
        error.hint(format!("add `{}` to its `needs`", named.base_name))
    })
}

/// Finds out whether one stage waits for another.
struct Search<'g> {
    graph: &'g Graph,
    /// By stage: its position in the order.
    position: Vec<usize>,
    /// By stage: the number of the search that came by.
    seen: Vec<usize>,
    searches: usize,
}

impl Search<'_> {
    fn is_needed(&mut self, stage: usize, wanted: usize) -> bool {
        if self.graph.needs_of(stage).contains(&wanted) {
            return true;
        }
        self.searches += 1;
        let limit = self.position.get(wanted).copied();
        let mut open = vec![stage];
        while let Some(stage) = open.pop() {
            for need in self.graph.needs_of(stage) {
                if *need == wanted {
                    return true;
                }
                // What comes before the wanted one cannot wait for it.
                let is_behind = self.position.get(*need).copied() > limit;
                if let Some(seen) = self.seen.get_mut(*need)
                    && *seen != self.searches
                    && is_behind
                {
                    *seen = self.searches;
                    open.push(*need);
                }
            }
        }
        false
    }
}
