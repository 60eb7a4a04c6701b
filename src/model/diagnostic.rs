//! One finding of one tool.

use std::sync::Arc;

use crate::model::fix::Fix;
use crate::model::region::{Region, Span};

/// How bad a finding is; ordered from harmless to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information.
    Note,
    /// May be wrong.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// The severity of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Error]
            .into_iter()
            .find(|severity| severity.name() == name)
    }

    /// The name used in inputs, reports and SARIF levels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A finding as an adapter reads it, before its path and place are settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFinding {
    /// The rule as the tool names it: `F401`, `attr-defined`, `reportReturnType`. `None` for syntax errors of some tools.
    pub rule: Option<String>,
    /// How bad the tool thinks it is.
    pub severity: Severity,
    /// What is wrong, in the tool's words.
    pub message: String,
    /// The file as the tool spells it: absolute, relative to its directory, or a `file://` URI already decoded to a path.
    pub path: Option<String>,
    /// Where in the file.
    pub region: Region,
    /// The rule's documentation.
    pub url: Option<String>,
    /// What to do about it, where the tool says.
    pub help: Option<String>,
    /// The edits that would mend it, in the tool's own terms.
    pub fix: Option<Fix<Region>>,
}

/// A finding with its place settled: what is judged, annotated and reported.
///
/// Texts are shared: half a million findings have a few hundred rules and a few thousand files among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The tool that found it: `ruff`, `mypy`, or the driver's name in a SARIF report.
    pub tool: Arc<str>,
    /// See [`RawFinding::rule`].
    pub rule: Option<Arc<str>>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: Arc<str>,
    /// Relative to the workspace root, with `/`. `None` for a finding that belongs to no file in the workspace.
    pub path: Option<Arc<str>>,
    /// Where in the file; `None` for the file as a whole.
    pub span: Option<Span>,
    /// What in the file it is about, as ignores name it: a package.
    pub subject: Option<Arc<str>>,
    /// The rule's documentation.
    pub url: Option<Arc<str>>,
    /// What to do about it.
    pub help: Option<Arc<str>>,
    /// Whether it stands on a line that the change added or edited. `None` where there is no base to compare with.
    pub new: Option<bool>,
    /// The first line of the place, for the findings that are shown with their source.
    pub excerpt: Option<Box<str>>,
    /// The edits that would mend it, where the tool offers some and they fit the file.
    pub fix: Option<Box<Fix<Span>>>,
    /// Other tools that say the same of the same line, and how they call it.
    pub also: Vec<Source>,
    /// What it is known by in later runs; see [`Fingerprints`].
    pub fingerprints: Option<Fingerprints>,
}

/// A tool and its rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The tool.
    pub tool: Arc<str>,
    /// Its rule.
    pub rule: Option<Arc<str>>,
}

impl Source {
    /// `ruff:F401`, or the tool alone.
    pub fn id(&self) -> String {
        match &self.rule {
            Some(rule) => format!("{}:{rule}", self.tool),
            None => self.tool.to_string(),
        }
    }
}

/// By what a finding is known again in another run, whatever happened to the lines around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprints {
    /// GitHub's `primaryLocationLineHash`: the rolling hash of the text from the line on, and its how-many-eth
    /// occurrence in the file, from 1 on. `None` for a finding without a line.
    pub line: Option<(u64, u32)>,
    /// Our own: tool, rule, message and the code it stands in, but neither path nor line.
    pub key: u64,
}

impl Finding {
    /// A finding that is about no file.
    pub fn new(
        tool: impl Into<Arc<str>>,
        rule: &str,
        severity: Severity,
        message: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            tool: tool.into(),
            rule: Some(rule.into()),
            severity,
            message: message.into(),
            path: None,
            span: None,
            subject: None,
            url: None,
            help: None,
            new: None,
            excerpt: None,
            fix: None,
            also: Vec::new(),
            fingerprints: None,
        }
    }

    /// The line it begins on, 1-based.
    pub fn line(&self) -> Option<u32> {
        self.span.map(|span| span.start.line)
    }

    /// `ruff:F401`, or the tool alone for a finding without a rule: how ignores name it.
    pub fn id(&self) -> String {
        match &self.rule {
            Some(rule) => format!("{}:{rule}", self.tool),
            None => self.tool.to_string(),
        }
    }

    /// The entry of `ignore` that would leave this finding out, but for the reason. The path is a glob that means only
    /// itself.
    pub fn ignore_entry(&self, until: &str) -> String {
        const GLOB: [char; 6] = ['*', '?', '[', ']', '{', '}'];
        let path = self.path.as_deref().unwrap_or_default();
        let mut entry = String::with_capacity(64 + path.len() + until.len());
        entry.push_str(&self.tool);
        if let Some(rule) = &self.rule {
            entry.extend([":", rule]);
        }
        if let Some(subject) = &self.subject {
            entry.extend([":", subject]);
        }
        if !path.is_empty() {
            entry.push(' ');
            for piece in path.split_inclusive(GLOB) {
                match piece.chars().next_back().filter(|last| GLOB.contains(last)) {
                    Some(last) => {
                        entry.push_str(piece.strip_suffix(GLOB).unwrap_or_default());
                        entry.extend(['[', last, ']']);
                    }
                    None => entry.push_str(piece),
                }
            }
        }
        for part in [" until ", until, ": <reason>"] {
            entry.push_str(part);
        }
        entry
    }

    /// The line of the step's table in TOML that would leave this finding out, but for the reason.
    pub fn ignore_line(&self, until: &str) -> String {
        let mut entry = self.ignore_entry(until);
        if entry.contains(['\\', '"']) {
            entry = entry.replace('\\', "\\\\").replace('"', "\\\"");
        }
        ["ignore = [\"", &entry, "\"]"].concat()
    }

    /// `src/app.py:3:7`, as far as it is known.
    pub fn place(&self) -> Option<String> {
        use std::fmt::Write as _;
        let mut place = self.path.as_deref()?.to_owned();
        if let Some(span) = self.span {
            let _ = write!(place, ":{}", span.start.line);
            if let Some(column) = span.start.column {
                let _ = write!(place, ":{column}");
            }
        }
        Some(place)
    }
}
