//! Markers (<https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>): read, put
//! together, and compared by what they mean.
//!
//! Two markers agree if they have the same value in every environment that differs in what they ask for: each stretch of
//! Pythons between two versions that they name, each text that they name and one that they do not, each extra on and
//! off. The number of such environments is bounded, so that no marker of a stranger takes long: `pep508_rs` decides the
//! same by diagrams that can grow without bound and are never freed.

mod compare;
mod parse;
mod python;
mod sets;

pub use crate::lockfiles::marker::compare::{Agreement, agree};
pub use crate::lockfiles::marker::python::{Pythons, Range};
pub use crate::lockfiles::marker::sets::{Asked, Condition};

/// A marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Each of them; none for what always holds.
    All(Vec<Self>),
    /// One of them; none for what never holds.
    Any(Vec<Self>),
    /// Not this one.
    Not(Box<Self>),
    /// The Python is in one of these ranges.
    Python(Vec<Range>),
    /// The value of a variable is this text.
    Is(&'static str, String),
    /// Something that holds or not, by itself: `extra == 'x'`.
    Flag(Flag),
}

/// What can only be told to be the same or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flag {
    /// Its text in a normal form.
    pub text: String,
    /// Whether it depends on nothing else that a marker can ask for. Comparing texts by order or by what they contain
    /// depends on the variable.
    pub is_free: bool,
}

impl Marker {
    /// Holds everywhere.
    pub const TRUE: Self = Self::All(Vec::new());

    /// Holds nowhere.
    pub const FALSE: Self = Self::Any(Vec::new());

    /// Reads a marker; `None` for what is none, and for what is too long or too deep to be looked at.
    pub fn parse(text: &str) -> Option<Self> {
        parse::parse(text)
    }

    /// `extra == 'name'`.
    pub fn extra(name: &str) -> Self {
        Self::Flag(Flag {
            text: format!("extra {}", crate::lockfiles::normalise_name(name)),
            is_free: true,
        })
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::All(vec![self, other])
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}
