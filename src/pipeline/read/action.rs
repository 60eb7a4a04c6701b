//! What a stage does: `run`, or `uses` with `with`.

use std::collections::BTreeMap;

use crate::error::{Error, did_you_mean};
use crate::model::pipeline::{Action, Placed, Template};
use crate::pipeline::read::reader::{Fields, Reader, shown};
use crate::pipeline::read::template::{Part, parts};
use crate::pipeline::read::tree::{Node, Value};

/// A script is not longer: the system would not start a shell with it, bytes.
const LONGEST_SCRIPT: usize = 128 << 10;

/// Reads the action of a stage. `steps` are the names of our own.
pub(crate) fn read(reader: &mut Reader<'_>, stage: &Fields<'_>, steps: &[&str]) -> Action {
    let (run, uses) = (stage.get("run"), stage.get("uses"));
    if let (Some(_), Some(uses)) = (run, uses) {
        reader.wrong_at(uses, "a stage has `run` or `uses`, not both");
    }
    if let (None, Some(with)) = (uses, stage.get("with")) {
        let hint = "name the step in `uses`, or give values to `run` by `env`";
        reader.wrong_with(with, "`with` is for a stage with `uses`", hint);
    }
    let action = match (run, uses) {
        (Some(run), _) => self::run(reader, "run", run),
        (None, Some(uses)) => step(reader, uses, stage.get("with"), steps),
        (None, None) => None,
    };
    action.unwrap_or(Action::None)
}

/// `run`: a script, or a program with its arguments.
pub(crate) fn run(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Action> {
    let Value::List(items) = &node.value else {
        return script(reader, key, node);
    };
    reader.check_program(key, node, items)?;
    let words = items.iter().map(|item| {
        let value = reader.template(key, item)?;
        let place = reader.place(item);
        Some(Placed { value, place })
    });
    Some(Action::Exec(words.collect::<Option<_>>()?))
}

/// A script for the shell, which refers to nothing: a value in the text of a script would be read as a script.
pub(crate) fn script(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Action> {
    let text = reader.raw_text(key, node)?;
    for (range, part) in parts(text) {
        let own = text.get(range).unwrap_or_default();
        let (name, value) = match part {
            Part::Plain => continue,
            Part::Output { output, .. } => (variable(output), own),
            Part::Matrix(name) => (variable(name), own),
            Part::Unknown(expression) => {
                // The names that people bring along from workflows.
                let last = expression.rsplit('.').next().unwrap_or_default();
                let message = format!("`{key}` has `{}`, which means nothing here", shown(own));
                let hint = format!(
                    "name the variable in `env = [\"{0}\"]` and write `\"${0}\"` in the script",
                    variable(last)
                );
                reader.wrong_with(node, message, &hint);
                return None;
            }
            Part::Open => {
                reader.wrong_at(node, format!("`${{{{` in `{key}` is not closed by `}}}}`"));
                return None;
            }
        };
        let message = format!(
            "`{}` in the text of a script would be read as a script",
            shown(value)
        );
        let hint = format!(
            "declare `env = {{ {name} = \"{}\" }}` and write `\"${name}\"` in the script",
            shown(value)
        );
        reader.wrong_with(node, message, &hint);
        return None;
    }
    if text.len() > LONGEST_SCRIPT {
        let message = format!(
            "`{key}` has {} bytes, and the system takes {LONGEST_SCRIPT}",
            text.len()
        );
        reader.wrong_with(node, message, "put the script into a file");
        return None;
    }
    Some(Action::Shell(Placed {
        value: text.to_owned(),
        place: reader.place(node),
    }))
}

/// The name of a variable for a value of this name.
fn variable(name: &str) -> String {
    let letters = name.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    let name: String = letters.take(40).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        return format!("VALUE_{name}");
    }
    name
}

/// `uses` and `with`.
fn step(
    reader: &mut Reader<'_>,
    uses: &Node,
    with: Option<&Node>,
    steps: &[&str],
) -> Option<Action> {
    let step = reader.placed("uses", uses)?;
    if !steps.contains(&step.value.as_str()) {
        let error = Error::usage(format!("`uses`: there is no step `{}`", shown(&step.value)))
            .at(step.place.clone())
            .allowed(steps.iter().copied());
        reader.wrong(match did_you_mean(&step.value, steps.iter().copied()) {
            Some(close) => error.hint(format!("write `{close}`")),
            None => error.hint("actions of others run in the workflow, beside the pipeline"),
        });
        return None;
    }
    let mut inputs = BTreeMap::new();
    let entries = with.map(|with| reader.entries("with", with).unwrap_or_default());
    for (key, node) in entries.unwrap_or_default() {
        let items = Reader::items(node).iter();
        let items = items.map(|item| reader.template(&key.text, item));
        if let Some(value) = items.collect::<Option<Vec<Template>>>() {
            let place = reader.place(node);
            inputs.insert(key.text.clone(), Placed { value, place });
        }
    }
    Some(Action::Step { step, with: inputs })
}
