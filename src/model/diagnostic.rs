//! One finding of one tool.

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
}

/// A finding with its place settled: what is judged, annotated and reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The tool that found it: `ruff`, `mypy`, or the driver's name in a SARIF report.
    pub tool: String,
    /// See [`RawFinding::rule`].
    pub rule: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Relative to the workspace root, with `/`. `None` for a finding that belongs to no file in the workspace.
    pub path: Option<String>,
    /// Where in the file; `None` for the file as a whole.
    pub span: Option<Span>,
    /// The rule's documentation.
    pub url: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether it stands on a line that the change added or edited. `None` where there is no base to compare with.
    pub new: Option<bool>,
    /// The first line of the place, for the findings that are shown with their source.
    pub excerpt: Option<String>,
}

impl Finding {
    /// The line it begins on, 1-based.
    pub fn line(&self) -> Option<u32> {
        self.span.map(|span| span.start.line)
    }

    /// `ruff:F401`, or the tool alone for a finding without a rule: how ignores name it.
    pub fn id(&self) -> String {
        match &self.rule {
            Some(rule) => format!("{}:{rule}", self.tool),
            None => self.tool.clone(),
        }
    }

    /// The entry of `ignore` that would leave this finding out, but for the reason. The path is a glob that means only
    /// itself.
    pub fn ignore_entry(&self, until: &str) -> String {
        let mut entry = self.id();
        if let Some(path) = &self.path {
            entry.push(' ');
            for character in path.chars() {
                if matches!(character, '*' | '?' | '[' | ']' | '{' | '}') {
                    entry.extend(['[', character, ']']);
                } else {
                    entry.push(character);
                }
            }
        }
        for part in [" until ", until, ": <reason>"] {
            entry.push_str(part);
        }
        entry
    }

    /// The line of `[tool.lockgate.lint-gate]` in TOML that would leave this finding out, but for the reason.
    pub fn ignore_line(&self, until: &str) -> String {
        let entry = self.ignore_entry(until);
        let escaped = entry.replace('\\', "\\\\").replace('"', "\\\"");
        format!("ignore = [\"{escaped}\"]")
    }

    /// `src/app.py:3:7`, as far as it is known.
    pub fn place(&self) -> Option<String> {
        use std::fmt::Write as _;
        let mut place = self.path.clone()?;
        if let Some(span) = self.span {
            let _ = write!(place, ":{}", span.start.line);
            if let Some(column) = span.start.column {
                let _ = write!(place, ":{column}");
            }
        }
        Some(place)
    }
}
