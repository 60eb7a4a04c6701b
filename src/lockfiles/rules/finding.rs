//! What a rule found: still with offsets of bytes; lines and columns come when it is reported.

use crate::lockfiles::rules::Rule;
use crate::model::diagnostic::Severity;
use crate::model::sources::Location;

/// Another place that belongs to a finding: the line of `pyproject.toml` that disagrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub at: Location,
    /// What stands there: `declared here`.
    pub what: String,
}

/// A replacement that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub at: Location,
    /// The text instead.
    pub text: String,
}

/// A finding of a rule.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where.
    pub at: Location,
    /// What belongs to it elsewhere.
    pub related: Vec<Related>,
    /// The normalised name of the package that it is about; an ignore can name it.
    pub package: Option<String>,
    /// What would mend it safely; empty where nothing would.
    pub edits: Vec<Edit>,
}

impl Finding {
    /// Says what to do.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds to the message.
    pub fn add(&mut self, more: impl AsRef<str>) -> &mut Self {
        self.message.push_str(more.as_ref());
        self
    }

    /// Names the package that it is about, by its normalised name.
    pub fn about(&mut self, package: &str) -> &mut Self {
        self.package = Some(package.to_owned());
        self
    }

    /// Points at another place.
    pub fn see(&mut self, at: Location, what: impl Into<String>) -> &mut Self {
        self.related.push(Related {
            at,
            what: what.into(),
        });
        self
    }

    /// Makes it count for no more than this.
    pub fn at_most(&mut self, severity: Severity) -> &mut Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// Offers a safe edit.
    pub fn fix(&mut self, at: Location, text: impl Into<String>) -> &mut Self {
        self.edits.push(Edit {
            at,
            text: text.into(),
        });
        self
    }
}

/// Takes what one rule finds.
#[derive(Debug)]
pub struct Findings<'f> {
    rule: &'static Rule,
    severity: Severity,
    found: &'f mut Vec<Finding>,
    last: Finding,
}

impl<'f> Findings<'f> {
    /// For this rule, at the severity that counts for it.
    pub fn new(rule: &'static Rule, severity: Severity, found: &'f mut Vec<Finding>) -> Self {
        let last = finding(rule, severity, Location::default(), String::new());
        Self {
            rule,
            severity,
            found,
            last,
        }
    }

    /// Adds a finding; the returned one can be completed.
    pub fn add(&mut self, at: Location, message: impl Into<String>) -> &mut Finding {
        self.found
            .push(finding(self.rule, self.severity, at, message.into()));
        self.found.last_mut().unwrap_or(&mut self.last)
    }
}

fn finding(rule: &'static Rule, severity: Severity, at: Location, message: String) -> Finding {
    Finding {
        rule,
        severity,
        message,
        help: None,
        at,
        related: Vec::new(),
        package: None,
        edits: Vec::new(),
    }
}
