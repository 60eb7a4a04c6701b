//! What is ignored, until when and why: `ruff:F401 src/legacy/** until 2027-01-31: moves out with the old API`.

use globset::GlobMatcher;

use crate::error::{Error, Result};
use crate::steps::gate::globs::glob;
use crate::system::clock::Date;

/// One entry.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// As it was written.
    pub text: String,
    /// `ruff:F401`, or `ruff` for all of a tool.
    rule: String,
    /// Files; all where there is none.
    files: Option<GlobMatcher>,
    /// The last day.
    pub until: Date,
}

impl Ignore {
    /// Reads an entry.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::usage(format!("`ignore`: `{text}` {what}")).hint(format!(
                "write `ruff:F401 src/legacy/** until {}: <reason>`",
                Date::in_days(90)
            ))
        };
        let (what, reason) = text
            .split_once(": ")
            .ok_or_else(|| wrong("gives no reason"))?;
        if reason.trim().is_empty() {
            return Err(wrong("gives no reason"));
        }
        let (what, until) = what
            .rsplit_once(" until ")
            .ok_or_else(|| wrong("has no `until` date"))?;
        let until = Date::parse(until.trim())
            .ok_or_else(|| wrong(&format!("has `{}` where a date belongs", until.trim())))?;
        let (rule, files) = match what.trim().split_once(' ') {
            Some((rule, files)) => (rule, Some(glob("ignore", files.trim())?)),
            None => (what.trim(), None),
        };
        if rule.is_empty() {
            return Err(wrong("names no rule"));
        }
        Ok(Self {
            text: text.to_owned(),
            rule: rule.to_owned(),
            files,
            until,
        })
    }

    /// Whether it covers a finding of this tool and rule in this file, however its path is spelled.
    pub fn covers(&self, tool: &str, rule: Option<&str>, spellings: &[Option<&str>]) -> bool {
        let names_it = match self.rule.split_once(':') {
            Some((its_tool, its_rule)) => its_tool == tool && Some(its_rule) == rule,
            None => self.rule == tool,
        };
        let names_file =
            |files: &GlobMatcher| spellings.iter().flatten().any(|path| files.is_match(path));
        names_it && self.files.as_ref().is_none_or(names_file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_what_it_names() {
        let ignore =
            Ignore::parse("ruff:F401 src/legacy/** until 2027-01-31: moves out: soon").unwrap();
        assert!(ignore.covers("ruff", Some("F401"), &[Some("src/legacy/a/b.py")]));
        assert!(!ignore.covers("ruff", Some("F401"), &[Some("src/new.py")]));
        assert!(!ignore.covers("ruff", Some("F811"), &[Some("src/legacy/b.py")]));
        assert!(!ignore.covers("mypy", Some("F401"), &[Some("src/legacy/b.py")]));
        let all = Ignore::parse("mypy until 2027-01-31: being typed").unwrap();
        assert!(all.covers("mypy", None, &[]));
    }

    #[test]
    fn refuses_what_is_open_ended() {
        for text in [
            "ruff:F401",
            "ruff:F401 until 2027-01-31",
            "ruff:F401: why",
            "ruff:F401 until soon: why",
            " until 2027-01-31: why",
        ] {
            let error = Ignore::parse(text).unwrap_err();
            assert!(error.message.contains(text), "{}", error.message);
        }
    }
}
