//! A TOML document (<https://toml.io/en/v1.1.0>) as a flat list of nodes with their places: what locks and
//! `pyproject.toml` are read from.
//!
//! A tree of maps costs fifteen times the file in memory and most of the time of a check. Nodes are 32 bytes each, and
//! texts are borrowed. [`plain`] reads the part of the language that tools write, and nothing else; whatever it does
//! not know, [`whole`] gives to the crate `toml`, whose word counts. So there is one place that decides what is valid.

mod date;
mod json;
mod plain;
mod whole;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::lockfiles::fault::{FaultKind, Faults};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// Any other number.
    Float,
    /// True or false.
    Boolean,
    /// A date, a time, or both.
    Datetime,
    /// A list, of tables too.
    Array,
    /// A table, in any spelling.
    Table,
    /// JSON's `null`; TOML has none.
    Null,
}

impl Kind {
    /// For messages: `a text`.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Boolean => "true or false",
            Self::Datetime => "a date",
            Self::Array => "a list",
            Self::Table => "a table",
            Self::Null => "null",
        }
    }
}

/// No node.
const NONE: u32 = u32::MAX;

/// The key is written with escapes: its text is in [`Document::decoded`].
const KEY_IS_DECODED: u8 = 1;
/// The same of the value.
const VALUE_IS_DECODED: u8 = 2;
/// The table was only named on the way to another.
const IMPLICIT: u8 = 4;
/// The table was made by a dotted key.
const DOTTED: u8 = 8;
/// The list is one of `[[tables]]`.
const TABLES: u8 = 16;
/// The keys of the table are in the index.
const INDEXED: u8 = 32;
/// The table stands in braces.
const INLINE: u8 = 64;

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Where its key stands, with quotes; empty for items of lists.
    key: (u32, u32),
    /// Where it stands, with quotes and brackets. A table that has a header of its own stands there.
    value: (u32, u32),
    /// The first node in it.
    first: u32,
    /// The last node in it.
    last: u32,
    /// The next node beside it.
    next: u32,
    kind: Kind,
    flags: u8,
}

/// A document that was read.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    text: &'a str,
    nodes: Vec<Node>,
    /// Texts that were written with escapes, by where they start.
    decoded: BTreeMap<u32, Box<str>>,
}

impl<'a> Document<'a> {
    /// Reads a file. `None` where it is not valid, with at least one fault noted.
    pub fn read(bytes: &'a [u8], faults: &mut Faults) -> Option<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                note_encoding(bytes, error.valid_up_to(), faults);
                return None;
            }
        };
        if let Some(document) = plain::read(text) {
            return Some(document);
        }
        if faults.add_conflict_markers(bytes) {
            return None;
        }
        whole::read(text, faults)
    }

    /// Reads a file of JSON. `None` where it is not valid, with at least one fault noted.
    pub fn read_json(bytes: &'a [u8], faults: &mut Faults) -> Option<Self> {
        json::read(bytes, faults)
    }

    fn empty(text: &'a str) -> Self {
        let root = Node {
            key: (0, 0),
            value: (0, 0),
            first: NONE,
            last: NONE,
            next: NONE,
            kind: Kind::Table,
            flags: 0,
        };
        // What tools write has one value in about 40 bytes.
        let mut nodes = Vec::with_capacity(text.len() / 40 + 8);
        nodes.push(root);
        Self {
            text,
            nodes,
            decoded: BTreeMap::new(),
        }
    }

    /// The table at the top.
    pub fn root(&self) -> Value<'_, 'a> {
        Value {
            document: self,
            index: 0,
        }
    }

    fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(index).ok()?)
    }

    fn node_mut(&mut self, index: u32) -> Option<&mut Node> {
        self.nodes.get_mut(usize::try_from(index).ok()?)
    }

    /// Adds a node as the last one in `parent`. `None` where there are too many.
    fn add(&mut self, parent: u32, node: Node) -> Option<u32> {
        let index = u32::try_from(self.nodes.len())
            .ok()
            .filter(|index| *index < NONE)?;
        let last = {
            let parent = self.node_mut(parent)?;
            if parent.first == NONE {
                parent.first = index;
            }
            std::mem::replace(&mut parent.last, index)
        };
        if last != NONE {
            self.node_mut(last)?.next = index;
        }
        self.nodes.push(node);
        Some(index)
    }

    /// The text of a key or value without its quotes.
    fn text_of(&self, span: (u32, u32), is_decoded: bool) -> Cow<'a, str> {
        if is_decoded {
            let text = self.decoded.get(&span.0).map(|text| String::from(&**text));
            return Cow::Owned(text.unwrap_or_default());
        }
        let raw = self
            .text
            .get(span.0 as usize..span.1 as usize)
            .unwrap_or_default();
        let plain = match raw.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => {
                let quote = char::from(*quote);
                raw.strip_prefix(quote)
                    .and_then(|rest| rest.strip_suffix(quote))
                    .unwrap_or(raw)
            }
            _ => raw,
        };
        Cow::Borrowed(plain)
    }
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d, 'a> {
    document: &'d Document<'a>,
    index: u32,
}

impl<'d, 'a> Value<'d, 'a> {
    fn node(self) -> Option<&'d Node> {
        self.document.node(self.index)
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Table, |node| node.kind)
    }

    /// Its key; empty for the items of a list.
    pub fn key(self) -> Cow<'a, str> {
        self.node().map_or(Cow::Borrowed(""), |node| {
            self.document
                .text_of(node.key, node.flags & KEY_IS_DECODED != 0)
        })
    }

    /// Where its key stands.
    pub fn key_range(self) -> std::ops::Range<usize> {
        self.node()
            .map_or(0..0, |node| node.key.0 as usize..node.key.1 as usize)
    }

    /// Where it stands, with its quotes, brackets or braces. A table with a header stands where its header is.
    pub fn range(self) -> std::ops::Range<usize> {
        self.node()
            .map_or(0..0, |node| node.value.0 as usize..node.value.1 as usize)
    }

    /// Where the text of a string stands, without its quotes.
    pub fn inner_range(self) -> std::ops::Range<usize> {
        let range = self.range();
        let raw = self.document.text.get(range.clone()).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
            3
        } else {
            usize::from(raw.starts_with(['"', '\'']))
        };
        if range.len() < 2 * quotes {
            return range;
        }
        range.start + quotes..range.end - quotes
    }

    /// From its key, or its own start, to the end of the last thing in it.
    pub fn extent(self) -> std::ops::Range<usize> {
        let (key, mut range) = (self.key_range(), self.range());
        if !key.is_empty() {
            range.start = range.start.min(key.start);
        }
        let mut inside = self;
        while let Some(last) = inside.last() {
            range.end = range.end.max(last.range().end);
            inside = last;
        }
        range
    }

    /// The text, if it is one.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let node = self.node().filter(|node| node.kind == Kind::String)?;
        Some(
            self.document
                .text_of(node.value, node.flags & VALUE_IS_DECODED != 0),
        )
    }

    /// As it was written, quotes and all; the header of a table that has one.
    pub fn raw(self) -> &'a str {
        self.document.text.get(self.range()).unwrap_or_default()
    }

    /// The number, if it is a whole one of 64 bits.
    pub fn as_integer(self) -> Option<i64> {
        if self.kind() != Kind::Integer {
            return None;
        }
        if let Ok(number) = self.raw().parse() {
            return Some(number);
        }
        let digits = self.raw().replace('_', "");
        let radix = |prefix: &str, radix| {
            let digits = digits.strip_prefix(prefix)?;
            i64::from_str_radix(digits, radix).ok()
        };
        digits
            .parse()
            .ok()
            .or_else(|| radix("0x", 16))
            .or_else(|| radix("0o", 8))
            .or_else(|| radix("0b", 2))
    }

    /// True or false, if it is either.
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Boolean).then(|| self.raw() == "true")
    }

    /// The entries of a table, or the items of a list, in the order of the file; none of anything else.
    pub fn entries(self) -> impl Iterator<Item = Self> + 'd + use<'d, 'a> {
        let document = self.document;
        let mut next = self.node().map_or(NONE, |node| node.first);
        std::iter::from_fn(move || {
            let index = next;
            next = document.node(index)?.next;
            Some(Self { document, index })
        })
    }

    fn last(self) -> Option<Self> {
        let index = self.node()?.last;
        self.document.node(index).map(|_| Self {
            document: self.document,
            index,
        })
    }

    /// The entry of a table with this key.
    pub fn get(self, key: &str) -> Option<Self> {
        (self.kind() == Kind::Table)
            .then(|| self.entries().find(|entry| entry.key() == key))
            .flatten()
    }

    /// The entry behind several keys.
    pub fn path(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }
}

/// What the first bytes of a file that is no UTF-8 say about it.
fn note_encoding(bytes: &[u8], valid: usize, faults: &mut Faults) {
    let found = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        _ => "no UTF-8 text",
    };
    let at = faults.at(valid..valid + 1);
    faults.add_with_help(
        FaultKind::Syntax,
        at,
        format!("the file is {found}; its tool reads UTF-8"),
        "save it as UTF-8, or write it anew",
    );
}

#[cfg(test)]
mod tests;
