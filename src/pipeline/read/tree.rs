//! A document as values with places, whatever it was written in.

use std::ops::Range;

/// A value and the bytes that it stands at.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Range<usize>,
}

/// A key and the bytes that it stands at.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// What a document is made of.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    /// A number with a point, or one that is too large; as it was written.
    Number(String),
    Flag(bool),
    Date,
    Null,
    List(Vec<Node>),
    /// In the order of the file.
    Table(Vec<(Key, Node)>),
}

impl Node {
    /// For messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Date => "a date",
            Value::Null => "nothing",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let Value::Table(entries) = &self.value else {
            return None;
        };
        let found = entries.iter().find(|(key, _)| key.text == name);
        found.map(|(_, node)| node)
    }
}
