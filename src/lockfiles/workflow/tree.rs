//! A YAML document as a tree with places. Aliases share the node of their anchor; a node that holds itself is nothing.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, Span};

/// The number of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NodeId(usize);

/// A node.
#[derive(Clone, Debug)]
enum Node {
    /// Not read to its end yet, or nothing that is known.
    Open,
    /// A text, and the bytes that it stands at, quotes counted.
    Text(String, Range<usize>),
    /// A list.
    List(Vec<NodeId>),
    /// Keys and values in the order of the file.
    Map(Vec<(NodeId, NodeId)>),
}

/// A document.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    root: Option<NodeId>,
}

/// A collection that is being read.
struct Open {
    id: NodeId,
    is_map: bool,
    items: Vec<NodeId>,
}

impl Tree {
    /// Reads the first document of a text; says why it cannot.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut tree = Self::default();
        let mut anchors: HashMap<usize, NodeId> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        let mut parser = Parser::new_from_str_with_options(text, Options::default());
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| error.to_string())?;
            let (id, anchor) = match event {
                Event::Scalar(value, _, anchor, _) => (
                    tree.add(Node::Text(value.into_owned(), range(span, text))),
                    anchor,
                ),
                Event::Alias(anchor) => {
                    let known = anchors.get(&anchor).copied();
                    (known.unwrap_or_else(|| tree.add(Node::Open)), 0)
                }
                Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                    let is_map = matches!(event, Event::MappingStart(..));
                    let id = tree.add(Node::Open);
                    if anchor > 0 {
                        anchors.insert(anchor, id);
                    }
                    open.push(Open {
                        id,
                        is_map,
                        items: Vec::new(),
                    });
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(done) = open.pop() else { continue };
                    tree.close(&done);
                    (done.id, 0)
                }
                Event::DocumentEnd => break,
                _ => continue,
            };
            if anchor > 0 {
                anchors.insert(anchor, id);
            }
            match open.last_mut() {
                Some(parent) => parent.items.push(id),
                None => tree.root = tree.root.or(Some(id)),
            }
        }
        Ok(tree)
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    fn close(&mut self, done: &Open) {
        let node = if done.is_map {
            let pairs = done.items.chunks_exact(2);
            Node::Map(
                pairs
                    .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
                    .collect(),
            )
        } else {
            Node::List(done.items.clone())
        };
        if let Some(slot) = self.nodes.get_mut(done.id.0) {
            *slot = node;
        }
    }

    /// The outermost node.
    pub(super) fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// A text and where it stands.
    pub(super) fn text(&self, id: NodeId) -> Option<(&str, Range<usize>)> {
        match self.nodes.get(id.0)? {
            Node::Text(text, range) => Some((text, range.clone())),
            _ => None,
        }
    }

    /// The items of a list; none where it is none.
    pub(super) fn items(&self, id: NodeId) -> &[NodeId] {
        match self.nodes.get(id.0) {
            Some(Node::List(items)) => items,
            _ => &[],
        }
    }

    /// The keys and values of a table; none where it is none.
    pub(super) fn pairs(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match self.nodes.get(id.0) {
            Some(Node::Map(pairs)) => pairs,
            _ => &[],
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let is_meant = |id: NodeId| self.text(id).is_some_and(|(text, _)| text == key);
        let found = self.pairs(id).iter().find(|(own, _)| is_meant(*own))?;
        Some(found.1)
    }
}

fn range(span: Span, text: &str) -> Range<usize> {
    let range = span.byte_range().unwrap_or_default();
    // A block scalar goes on to where the next thing begins.
    let own = text.get(range.clone()).unwrap_or_default();
    range.start..range.start + own.trim_end().len()
}
