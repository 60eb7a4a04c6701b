//! `env` and `secrets`.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::model::pipeline::{Placed, SecretSource, StageSecret, Variable};
use crate::pipeline::keys;
use crate::pipeline::read::names::is_variable;
use crate::pipeline::read::reader::{Reader, shown};
use crate::pipeline::read::tree::{Key, Node, Value};

/// Variables that a pipeline cannot declare: what starts a program would load or run something else.
const REFUSED: [&str; 4] = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "BASH_ENV",
];

/// Reads `env`: names that are passed through, a table of values, or a list of both.
pub(crate) fn env(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, Placed<Variable>> {
    let mut variables = BTreeMap::new();
    for item in Reader::items(node) {
        if let Value::Table(entries) = &item.value {
            for (key, node) in entries {
                let value = reader.template(&key.text, node);
                if let (Some(()), Some(value)) = (name(reader, key), value) {
                    add(reader, &mut variables, key, Variable::Set(value));
                }
            }
        } else if let Some(text) = reader.text("env", item) {
            let span = item.span.clone();
            let key = Key { text, span };
            if name(reader, &key).is_some() {
                add(reader, &mut variables, &key, Variable::Passed);
            }
        }
    }
    variables
}

fn add(
    reader: &mut Reader<'_>,
    variables: &mut BTreeMap<String, Placed<Variable>>,
    key: &Key,
    value: Variable,
) {
    let place = reader.source.place(&key.span);
    if variables.contains_key(&key.text) {
        let message = format!("the variable `{}` is declared twice", key.text);
        reader.wrong(Error::usage(message).at(place));
        return;
    }
    variables.insert(key.text.clone(), Placed { value, place });
}

fn name(reader: &mut Reader<'_>, key: &Key) -> Option<()> {
    let place = || reader.source.place(&key.span);
    let error = if key.text.contains('=') {
        let (name, value) = key.text.split_once('=').unwrap_or_default();
        Error::usage(format!(
            "`{}` is not the name of a variable",
            shown(&key.text)
        ))
        .at(place())
        .hint(format!(
            "write `env = {{ {} = \"{}\" }}`",
            shown(name),
            shown(value)
        ))
    } else if !is_variable(&key.text) {
        Error::usage(format!(
            "`{}` is not the name of a variable",
            shown(&key.text)
        ))
        .at(place())
        .hint("letters, digits and `_`, and no digit at the start")
    } else if REFUSED.contains(&key.text.as_str()) {
        Error::usage(format!(
            "`{}` would make every program run another",
            key.text
        ))
        .at(place())
    } else {
        return Some(());
    };
    reader.wrong(error);
    None
}

/// Reads `secrets`: names, or a table of where they come from. `known` are those that the pipeline declares.
pub(crate) fn secrets(
    reader: &mut Reader<'_>,
    node: &Node,
    known: &BTreeMap<String, StageSecret>,
) -> BTreeMap<String, StageSecret> {
    let mut secrets = BTreeMap::new();
    if let Value::Table(entries) = &node.value {
        for (key, node) in entries {
            let source = source(reader, node);
            if let (Some(()), Some(source)) = (name(reader, key), source) {
                let place = reader.source.place(&key.span);
                secrets.insert(key.text.clone(), StageSecret { source, place });
            }
        }
        return secrets;
    }
    for item in Reader::items(node) {
        let Some(text) = reader.text("secrets", item) else {
            continue;
        };
        let span = item.span.clone();
        let key = Key { text, span };
        if name(reader, &key).is_none() {
            continue;
        }
        let place = reader.place(item);
        let source = match known.get(&key.text) {
            Some(secret) => secret.source.clone(),
            None => SecretSource::Environment(key.text.clone()),
        };
        if secrets
            .insert(key.text.clone(), StageSecret { source, place })
            .is_some()
        {
            reader.wrong_at(item, format!("the secret `{}` is declared twice", key.text));
        }
    }
    secrets
}

/// `{ env = "NAME" }` or `{ command = ["…"] }`.
fn source(reader: &mut Reader<'_>, node: &Node) -> Option<SecretSource> {
    if matches!(node.value, Value::Text(_)) {
        // The value may be one: neither it nor its line is shown.
        let mut place = reader.place(node);
        place.excerpt = None;
        let hint =
            "write `{ env = \"NAME\" }`, or `{ command = [\"…\"] }` for a program that prints it";
        reader.wrong(
            Error::usage("a secret does not stand in a file")
                .at(place)
                .hint(hint),
        );
        return None;
    }
    let fields = reader.fields("secrets", node, keys::SECRET)?;
    match (fields.get("env"), fields.get("command")) {
        (Some(env), None) => {
            let text = reader.text("env", env)?;
            let span = env.span.clone();
            let key = Key { text, span };
            name(reader, &key)?;
            Some(SecretSource::Environment(key.text))
        }
        (None, Some(command)) => Some(SecretSource::Command(reader.program("command", command)?)),
        _ => {
            reader.wrong_at(node, "a secret has `env` or `command`, one of them");
            None
        }
    }
}
