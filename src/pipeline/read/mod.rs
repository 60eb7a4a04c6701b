//! A definition is read: `[tool.lockgate.pipeline]` of a `pyproject.toml`, or `pipeline` of a `lockgate.yaml`.
//!
//! Both become one tree of values with places, and one reader makes the pipeline of it. It does not stop at the first
//! mistake: a file is repaired in one go. What stages say of each other is judged by [`crate::pipeline::graph`].

pub(crate) mod action;
mod expand;
mod matrix;
mod members;
mod names;
mod needs;
pub(crate) mod options;
pub(crate) mod reader;
pub(crate) mod source;
mod stage;
pub(crate) mod template;
#[cfg(test)]
mod tests;
mod toml;
pub(crate) mod tree;
pub(crate) mod variables;
mod yaml;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::model::pipeline::{Member, Options, Pipeline, StageSecret};
use crate::pipeline::keys;
use reader::Reader;
use source::Source;
use stage::Shared;
use tree::Node;

/// More stages than any runner starts in its time are a mistake.
const MOST_STAGES: usize = 50_000;

/// What a definition is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `[tool.lockgate.pipeline]` of a `pyproject.toml`.
    Toml,
    /// `pipeline` of a `lockgate.yaml`.
    Yaml,
}

/// Reads the definition in `text`, which messages call `path`. `steps` are the names that `uses` may have. Inputs of the
/// step beside the stages, such as `jobs`, are left to whoever reads inputs; their fields of the options stay empty.
///
/// Fails with every mistake that was found, in the order of the file; there is at least one.
pub fn read(
    text: &str,
    path: &str,
    carrier: Carrier,
    steps: &[&str],
) -> Result<Pipeline, Vec<Error>> {
    read_with(text, path, carrier, steps, &[])
}

/// The same, where the workspace has these members.
pub fn read_with(
    text: &str,
    path: &str,
    carrier: Carrier,
    steps: &[&str],
    members: &[Member],
) -> Result<Pipeline, Vec<Error>> {
    let source = Source::new(path, text);
    let Some(table) = table(&source, carrier, "pipeline").map_err(|error| vec![error])? else {
        return Err(vec![nothing(path)]);
    };
    let mut reader = Reader::new(&source);
    let pipeline = whole(&mut reader, &table, (steps, members), path);
    reader.finish(pipeline)
}

/// The table of a step in its text, if there is one.
pub(crate) fn table(
    source: &Source<'_>,
    carrier: Carrier,
    step: &str,
) -> Result<Option<Node>, Error> {
    let (text, path) = (source.text, source.path);
    match carrier {
        Carrier::Toml => toml::read(text, source, path, step),
        Carrier::Yaml => yaml::read(text, source, path, step),
    }
}

fn nothing(path: &str) -> Error {
    Error::usage(format!("`{path}` defines no stages")).hint("lockgate pipeline init")
}

fn whole(
    reader: &mut Reader<'_>,
    table: &Node,
    (steps, members): (&[&str], &[Member]),
    path: &str,
) -> Pipeline {
    let mut pipeline = Pipeline {
        options: options(reader, table),
        stages: Vec::new(),
    };
    let stages = table.get("stages");
    let entries = stages.map(|stages| reader.entries("stages", stages).unwrap_or_default());
    let Some(entries) = entries.filter(|entries| !entries.is_empty()) else {
        if reader.mistakes.is_empty() {
            reader.wrong(nothing(path).at(reader.place(stages.unwrap_or(table))));
        }
        return pipeline;
    };
    let shared = Shared {
        steps,
        members,
        secrets: &pipeline.options.secrets,
    };
    let mut groups = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        let own = stage::read(reader, key, node, &shared);
        let start = pipeline.stages.len();
        pipeline.stages.extend(own);
        groups.push((key.text.as_str(), start..pipeline.stages.len()));
        if pipeline.stages.len() > MOST_STAGES {
            let message = format!("there are more than {MOST_STAGES} stages");
            reader.wrong(Error::usage(message).at(reader.source.place(&key.span)));
            return pipeline;
        }
    }
    needs::expand(reader, &mut pipeline.stages, &groups);
    pipeline
}

/// What stands beside the stages and is no input of the step.
fn options(reader: &mut Reader<'_>, table: &Node) -> Options {
    let mut options = Options::default();
    let known = keys::PIPELINE.iter().map(|key| key.name);
    for name in known.filter(|name| *name != "stages") {
        let Some(node) = table.get(name) else {
            continue;
        };
        match name {
            "name" => options.name = reader.text(name, node),
            "env" => options.env = shared_variables(reader, node),
            _ => options.secrets = shared_secrets(reader, node),
        }
    }
    options
}

/// Variables of every stage cannot refer to what only some stages wait for.
fn shared_variables(
    reader: &mut Reader<'_>,
    node: &Node,
) -> BTreeMap<String, crate::model::pipeline::Placed<crate::model::pipeline::Variable>> {
    use crate::model::pipeline::Variable;
    let variables = variables::env(reader, node);
    for (name, variable) in &variables {
        if let Variable::Set(template) = &variable.value
            && !template.references.is_empty()
        {
            let message =
                format!("`{name}` is for every stage and cannot refer to the outputs of one");
            let error = Error::usage(message).at(variable.place.clone());
            reader.wrong(error.hint("declare it in the `env` of the stages that need it"));
        }
    }
    variables
}

fn shared_secrets(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, StageSecret> {
    variables::secrets(reader, node, &BTreeMap::new())
}
