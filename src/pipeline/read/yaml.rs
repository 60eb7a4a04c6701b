//! A key of a `lockgate.yaml` as a tree. Scalars mean what the core schema says (YAML 1.2.2, section 10.3).

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span};

use crate::error::Error;
use crate::pipeline::read::source::Source;
use crate::pipeline::read::tree::{Key, Node, Value};

/// A definition is not deeper, and one that is would be too much for whoever walks it.
const DEEPEST: usize = 64;

/// Nodes of a document, those that aliases repeat counted again.
const MOST_NODES: usize = 1_000_000;

/// The value of the key `name`, if there is one.
pub(crate) fn read(
    text: &str,
    source: &Source<'_>,
    path: &str,
    name: &str,
) -> Result<Option<Node>, Error> {
    let mut builder = Builder {
        source,
        text,
        anchors: HashMap::new(),
        open: Vec::new(),
        nodes: 0,
    };
    let mut parser = Parser::new_from_str_with_options(text, Options::default());
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or_default();
            let what = error.info();
            Error::usage(format!("`{path}` is not valid YAML: {what}")).at(source.place(&(at..at)))
        })?;
        if let Some(root) = builder.take(event, span)? {
            let Value::Table(entries) = root.value else {
                return Ok(None);
            };
            let mut entries = entries.into_iter();
            let found = entries.find(|(key, _)| key.text == name);
            return Ok(found.map(|(_, node)| node));
        }
    }
    Ok(None)
}

/// A collection that is being read: its items, for a table keys and values in turn.
struct Open {
    start: usize,
    is_table: bool,
    anchor: usize,
    items: Vec<Node>,
}

struct Builder<'s> {
    source: &'s Source<'s>,
    text: &'s str,
    anchors: HashMap<usize, (Node, Extent)>,
    open: Vec<Open>,
    nodes: usize,
}

impl Builder<'_> {
    /// Takes an event; gives the document where it ends.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<Option<Node>, Error> {
        let bytes = span.byte_range().unwrap_or_default();
        let (node, anchor) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                let value = match is_plain.then(|| scalar(&value)).flatten() {
                    Some(value) => value,
                    None => Value::Text(value.into_owned()),
                };
                let span = trimmed(self.text, bytes);
                (Node { value, span }, anchor)
            }
            Event::Alias(anchor) => {
                let Some((node, extent)) = self.anchors.get(&anchor) else {
                    return Err(self.wrong("the alias stands for what it is in", &bytes));
                };
                if self.open.len() + extent.depth > DEEPEST {
                    return Err(self.wrong("this is too deep", &bytes));
                }
                self.nodes += extent.nodes;
                self.check_nodes(&bytes)?;
                (node.clone(), 0)
            }
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                if self.open.len() >= DEEPEST {
                    return Err(self.wrong("this is too deep", &bytes));
                }
                self.open.push(Open {
                    start: bytes.start,
                    is_table: matches!(event, Event::MappingStart(..)),
                    anchor,
                    items: Vec::new(),
                });
                return Ok(None);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(done) = self.open.pop() else {
                    return Ok(None);
                };
                let span = trimmed(self.text, done.start..bytes.end.max(done.start));
                let anchor = done.anchor;
                let value = self.collection(done)?;
                (Node { value, span }, anchor)
            }
            _ => return Ok(None),
        };
        self.nodes += 1;
        self.check_nodes(&node.span)?;
        if anchor > 0 {
            let extent = Extent::of(&node);
            self.nodes += extent.nodes;
            self.check_nodes(&node.span)?;
            self.anchors.insert(anchor, (node.clone(), extent));
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.items.push(node);
                Ok(None)
            }
            None => Ok(Some(node)),
        }
    }

    fn collection(&self, done: Open) -> Result<Value, Error> {
        if !done.is_table {
            return Ok(Value::List(done.items));
        }
        let mut entries: Vec<(Key, Node)> = Vec::with_capacity(done.items.len() / 2);
        let mut known = HashSet::new();
        let mut items = done.items.into_iter();
        while let (Some(key), Some(node)) = (items.next(), items.next()) {
            let text = match key.value {
                Value::Text(text) | Value::Number(text) => text,
                Value::Integer(number) => number.to_string(),
                Value::Flag(flag) => flag.to_string(),
                _ => return Err(self.wrong("a key must be a text", &key.span)),
            };
            if !known.insert(text.clone()) {
                return Err(self.wrong("the key is here twice", &key.span));
            }
            let span = key.span;
            entries.push((Key { text, span }, node));
        }
        Ok(Value::Table(entries))
    }

    fn check_nodes(&self, at: &Range<usize>) -> Result<(), Error> {
        if self.nodes > MOST_NODES {
            return Err(self.wrong("there is too much, with what aliases repeat", at));
        }
        Ok(())
    }

    fn wrong(&self, what: &str, at: &Range<usize>) -> Error {
        Error::usage(what).at(self.source.place(at))
    }
}

/// How large a node is with all that is in it.
#[derive(Clone, Copy, Debug)]
struct Extent {
    nodes: usize,
    depth: usize,
}

impl Extent {
    fn of(node: &Node) -> Self {
        let around = |inner: Extent, next: &Node| {
            let next = Self::of(next);
            Self {
                nodes: inner.nodes + next.nodes,
                depth: inner.depth.max(next.depth + 1),
            }
        };
        let alone = Self { nodes: 1, depth: 1 };
        match &node.value {
            Value::List(items) => items.iter().fold(alone, around),
            Value::Table(entries) => entries
                .iter()
                .fold(alone, |extent, (_, node)| around(extent, node)),
            _ => alone,
        }
    }
}

/// A block goes on to where the next thing begins, which is not what one would underline.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let own = text.get(range.clone()).unwrap_or_default();
    range.start..range.start + own.trim_end().len()
}

/// What a plain scalar means; `None` for a text.
fn scalar(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Flag(true)),
        "false" | "False" | "FALSE" => return Some(Value::Flag(false)),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Number(text.to_owned())),
        _ => {}
    }
    let radix = |prefix, radix| {
        let digits = text.strip_prefix(prefix)?;
        i64::from_str_radix(digits, radix).ok()
    };
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(number) = radix("0o", 8).or_else(|| radix("0x", 16)) {
        return Some(Value::Integer(number));
    }
    if !unsigned.is_empty() && is_digits(unsigned) {
        let number = text.parse().map(Value::Integer);
        return Some(number.unwrap_or_else(|_| Value::Number(text.to_owned())));
    }
    let is_infinite = matches!(unsigned, ".inf" | ".Inf" | ".INF");
    let starts_as_number = unsigned.starts_with(|c: char| c == '.' || c.is_ascii_digit());
    let is_number = starts_as_number
        && unsigned
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned.parse::<f64>().is_ok();
    (is_infinite || is_number).then(|| Value::Number(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_the_core_schema_says() {
        for (text, kind) in [
            ("12", "a whole number"),
            ("-1", "a whole number"),
            ("0x1F", "a whole number"),
            ("3.10", "a number"),
            ("1e3", "a number"),
            ("99999999999999999999", "a number"),
            ("True", "true or false"),
            ("yes", "a text"),
            ("3.10.1", "a text"),
            ("0x", "a text"),
            ("-", "a text"),
            ("~", "nothing"),
        ] {
            let value = scalar(text).unwrap_or_else(|| Value::Text(text.to_owned()));
            let node = Node { value, span: 0..0 };
            assert_eq!(node.kind(), kind, "{text}");
        }
    }
}
