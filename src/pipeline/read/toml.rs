//! A table of `[tool.lockgate]` of a `pyproject.toml` as a tree.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Error;
use crate::pipeline::read::source::Source;
use crate::pipeline::read::tree::{Key, Node, Value};

/// The table `name`, if there is one.
pub(crate) fn read(
    text: &str,
    source: &Source<'_>,
    path: &str,
    name: &str,
) -> Result<Option<Node>, Error> {
    let document = DeTable::parse(text).map_err(|error| {
        let wrong = Error::usage(format!("`{path}` is not valid TOML: {}", error.message()));
        match error.span() {
            Some(span) => wrong.at(source.place(&span)),
            None => wrong,
        }
    })?;
    let tools = document.get_ref().get("tool");
    let ours = tools.and_then(|tools| tools.get_ref().get("lockgate"));
    let table = ours.and_then(|ours| ours.get_ref().get(name));
    Ok(table.map(|table| node(table.get_ref(), table.span())))
}

/// The parser allows no depth that would be too much for this.
fn node(value: &DeValue<'_>, span: Range<usize>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Number(number.to_string()),
        },
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::List(items.iter().map(spanned).collect()),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| {
                let key = Key {
                    text: key.get_ref().to_string(),
                    span: key.span(),
                };
                (key, spanned(value))
            });
            let mut entries: Vec<(Key, Node)> = entries.collect();
            entries.sort_by_key(|(key, _)| key.span.start);
            Value::Table(entries)
        }
    };
    Node { value, span }
}

fn spanned(value: &Spanned<DeValue<'_>>) -> Node {
    node(value.get_ref(), value.span())
}
