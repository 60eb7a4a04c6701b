//! What would mend a finding.

/// How far the tool trusts a fix; as ruff names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// It only shows what is meant.
    Display,
    /// It may change what the program does.
    Unsafe,
    /// It keeps what the program does.
    Safe,
}

impl Applicability {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Display => "display",
            Self::Unsafe => "unsafe",
            Self::Safe => "safe",
        }
    }
}

/// Edits of one file that belong together: all or none. `P` is a place: as the tool states it
/// ([`Region`](crate::model::region::Region)), or settled ([`Span`](crate::model::region::Span)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix<P> {
    /// What it does, in the tool's words.
    pub message: Option<Box<str>>,
    /// How far the tool trusts it.
    pub applicability: Applicability,
    /// The edits, in the order of the tool; they do not overlap.
    pub edits: Vec<Edit<P>>,
}

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit<P> {
    /// What is replaced; empty where text is inserted. Has lines and columns.
    pub place: P,
    /// The text instead; empty where text is deleted.
    pub text: Box<str>,
}
