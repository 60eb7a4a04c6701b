//! How bad a finding is, where the user knows better than the tool: `bandit:B101 note`, `vulture warning`.

use crate::error::{Error, Result};
use crate::model::diagnostic::Severity;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// As it was written.
    pub text: String,
    tool: String,
    /// All rules where there is none; a trailing `*` stands for anything.
    rule: Option<String>,
    /// The severity instead.
    pub severity: Severity,
}

impl Override {
    /// Reads an entry.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::usage(format!("`severity`: `{text}` {what}"))
                .allowed(["note", "warning", "error"])
                .hint("write `bandit:B101 note` or `vulture warning`")
        };
        let (what, severity) = text
            .trim()
            .rsplit_once(' ')
            .ok_or_else(|| wrong("names no severity"))?;
        let severity = Severity::from_name(severity.trim())
            .ok_or_else(|| wrong(&format!("has `{severity}` where a severity belongs")))?;
        let (tool, rule) = match what.trim().split_once(':') {
            Some((tool, rule)) => (tool, Some(rule.to_owned())),
            None => (what.trim(), None),
        };
        if tool.is_empty() || rule.as_ref().is_some_and(String::is_empty) {
            return Err(wrong("names no tool or no rule"));
        }
        Ok(Self {
            text: text.to_owned(),
            tool: tool.to_owned(),
            rule,
            severity,
        })
    }

    fn covers(&self, tool: &str, rule: Option<&str>) -> bool {
        let names_rule = |own: &String| match own.strip_suffix('*') {
            Some(start) => rule.is_some_and(|rule| rule.starts_with(start)),
            None => rule == Some(own),
        };
        self.tool == tool && self.rule.as_ref().is_none_or(names_rule)
    }
}

/// The severity that counts: that of the last entry that fits, else the tool's own.
pub fn severity(overrides: &[Override], tool: &str, rule: Option<&str>, own: Severity) -> Severity {
    overrides
        .iter()
        .rev()
        .find(|one| one.covers(tool, rule))
        .map_or(own, |one| one.severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_that_fits_counts() {
        let overrides: Vec<Override> = ["bandit note", "bandit:B1* warning", "bandit:B102 error"]
            .iter()
            .map(|text| Override::parse(text).unwrap())
            .collect();
        let of = |tool: &str, rule: Option<&str>| severity(&overrides, tool, rule, Severity::Error);
        assert_eq!(of("bandit", Some("B101")), Severity::Warning);
        assert_eq!(of("bandit", Some("B102")), Severity::Error);
        assert_eq!(of("bandit", Some("B300")), Severity::Note);
        assert_eq!(of("bandit", None), Severity::Note);
        assert_eq!(of("ruff", Some("B101")), Severity::Error);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for text in ["bandit", "bandit:B101 fatal", ": note", "bandit: note"] {
            let error = Override::parse(text).unwrap_err();
            assert!(error.message.contains(text), "{}", error.message);
        }
    }
}
