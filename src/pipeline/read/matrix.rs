//! `matrix`: the combinations of its values.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::model::pipeline::Member;
use crate::pipeline::read::names::is_word;
use crate::pipeline::read::reader::{Reader, shown};
use crate::pipeline::read::tree::{Node, Value};

/// GitHub's own limit for the jobs of a matrix.
pub(super) const MOST: usize = 256;

/// One combination: what its stage is called behind its name, and the values by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Combination {
    pub(super) member: Option<Member>,
    pub(super) label: String,
    pub(super) values: BTreeMap<String, String>,
}

/// Reads a matrix: its combinations, the last key changing first. `None` where it is wrong.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Combination>> {
    let entries = reader.entries("matrix", node)?;
    if entries.is_empty() {
        reader.wrong_at(node, "`matrix` is empty");
        return None;
    }
    let mut combinations = vec![Combination::default()];
    for (key, node) in entries {
        if !is_word(&key.text) {
            let message = format!("`{}` cannot be a key of a matrix", shown(&key.text));
            let error = Error::usage(message).at(reader.source.place(&key.span));
            reader.wrong(
                error.hint("letters, digits, `_` and `-`, and a letter or `_` at the start"),
            );
            return None;
        }
        let values = values(reader, &key.text, node)?;
        if combinations.len() * values.len() > MOST {
            reader.wrong_at(
                node,
                format!("the matrix has more than {MOST} combinations"),
            );
            return None;
        }
        let grown = combinations.iter().flat_map(|combination| {
            values.iter().map(|value| {
                let mut grown = combination.clone();
                if !grown.label.is_empty() {
                    grown.label.push_str(", ");
                }
                grown.label.push_str(value);
                grown.values.insert(key.text.clone(), value.clone());
                grown
            })
        });
        combinations = grown.collect();
    }
    Some(combinations)
}

fn values(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Vec<String>> {
    let Value::List(items) = &node.value else {
        let kind = node.kind();
        let message = format!("`{key}` must be a list of values, and is {kind}");
        reader.wrong_at(node, message);
        return None;
    };
    if items.is_empty() {
        reader.wrong_at(
            node,
            format!("`{key}` is an empty list: the stage would not run at all"),
        );
        return None;
    }
    let mut values: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        let value = match &item.value {
            Value::Number(number) => {
                let message = format!(
                    "`{key}`: `{}` is a number, and loses its zeros",
                    shown(number)
                );
                let hint = format!("write it in quotes: `\"{}\"`", shown(number));
                reader.wrong_with(item, message, &hint);
                return None;
            }
            Value::Integer(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            _ => reader.raw_text(key, item)?.to_owned(),
        };
        if values.contains(&value) {
            reader.wrong_at(item, format!("`{key}`: `{}` is here twice", shown(&value)));
            return None;
        }
        values.push(value);
    }
    Some(values)
}
