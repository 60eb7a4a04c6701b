//! What stages say of each other: who needs whom, and that nobody refers to what is not there.

mod claims;
mod contradictions;
mod cycle;
mod references;
#[cfg(test)]
mod tests;

pub use references::templates;

use std::collections::HashMap;

use crate::error::{Error, did_you_mean};
use crate::model::pipeline::Pipeline;

/// Names are compared with others only so far: with ten thousand of them, one suggestion would cost more than the check.
const MOST_COMPARED: usize = 20_000_000;

/// A pipeline's stages and what connects them, without a cycle. Stages are numbers: their index in the pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// By stage: what it needs, each once, in the order in which it says so.
    pub needs: Vec<Vec<usize>>,
    /// By stage: what needs it, in the order of the file.
    pub dependents: Vec<Vec<usize>>,
    /// All stages, each behind all that it needs; otherwise in the order of the file.
    pub order: Vec<usize>,
}

impl Graph {
    /// Checks what stages say of each other. Fails with every mistake, in the order of the file; there is at least one.
    pub fn of(pipeline: &Pipeline) -> Result<Self, Vec<Error>> {
        let mut mistakes = Vec::new();
        let graph = Self::connect(pipeline, &mut mistakes);
        match cycle::order(&graph) {
            Ok(order) => {
                let graph = Self { order, ..graph };
                references::check(pipeline, &graph, &mut mistakes);
                contradictions::check(pipeline, &graph, &mut mistakes);
                claims::check(pipeline, &mut mistakes);
                if mistakes.is_empty() {
                    return Ok(graph);
                }
            }
            Err(cycle) => mistakes.push(cycle::error(pipeline, &cycle)),
        }
        mistakes.sort_by_key(|error| {
            let place = error.place.as_ref();
            place.map(|place| (place.line, place.column))
        });
        Err(mistakes)
    }

    /// How many stages there are.
    pub fn len(&self) -> usize {
        self.needs.len()
    }

    /// Whether there is no stage.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// Marks the stages that are reached from those marked already, by `next`.
    pub fn reach(&self, marked: &mut [bool], next: impl Fn(&Self, usize) -> &[usize]) {
        let mut open: Vec<usize> = (0..self.len())
            .filter(|stage| marked.get(*stage) == Some(&true))
            .collect();
        while let Some(stage) = open.pop() {
            for other in next(self, stage) {
                if let Some(mark) = marked.get_mut(*other)
                    && !*mark
                {
                    *mark = true;
                    open.push(*other);
                }
            }
        }
    }

    /// What a stage needs.
    pub fn needs_of(&self, stage: usize) -> &[usize] {
        self.needs.get(stage).map_or(&[], Vec::as_slice)
    }

    /// What needs a stage.
    pub fn dependents_of(&self, stage: usize) -> &[usize] {
        self.dependents.get(stage).map_or(&[], Vec::as_slice)
    }

    fn connect(pipeline: &Pipeline, mistakes: &mut Vec<Error>) -> Self {
        let stages = &pipeline.stages;
        let index: HashMap<&str, usize> = stages
            .iter()
            .enumerate()
            .map(|(index, stage)| (stage.name.as_str(), index))
            .collect();
        let mut compared = 0;
        let mut graph = Self {
            needs: vec![Vec::new(); stages.len()],
            dependents: vec![Vec::new(); stages.len()],
            order: Vec::new(),
        };
        // Who was last seen to need a stage: a need that is named twice counts once.
        let mut last = vec![usize::MAX; stages.len()];
        for (number, (stage, needs)) in stages.iter().zip(&mut graph.needs).enumerate() {
            for need in &stage.needs {
                let Some(&other) = index.get(need.value.as_str()) else {
                    compared += stages.len();
                    let names = stages.iter().map(|stage| stage.base_name.as_str());
                    let close = (compared <= MOST_COMPARED)
                        .then(|| did_you_mean(&need.value, names))
                        .flatten();
                    mistakes.push(unknown_need(&stage.name, need, close));
                    continue;
                };
                if let Some(last) = last.get_mut(other)
                    && *last != number
                {
                    *last = number;
                    needs.push(other);
                    if let Some(dependents) = graph.dependents.get_mut(other) {
                        dependents.push(number);
                    }
                }
            }
        }
        graph
    }
}

fn unknown_need(
    stage: &str,
    need: &crate::model::pipeline::Placed<String>,
    close: Option<&str>,
) -> Error {
    let message = format!(
        "`{stage}` needs `{}`, and there is no such stage",
        need.value
    );
    let error = Error::usage(message).at(need.place.clone());
    match close {
        Some(close) => error.hint(format!("write `{close}`")),
        None => error,
    }
}
