//! `--explain`: why a finding was kept, left out, merged or baselined.

use std::fmt::Write as _;

use crate::error::{Error, Result, count};
use crate::model::diagnostic::{Finding, Source};
use crate::model::report::Report;
use crate::steps::lint_gate::sift::Aside;

/// Which findings are asked about: `ruff:F401 src/app.py:3`, or any part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    text: String,
    tool: Option<String>,
    rule: Option<String>,
    path: Option<String>,
    line: Option<u32>,
}

impl Query {
    /// Reads a query. A word with a dot or a slash is a path, another one a tool or `tool:rule`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::usage(format!("`explain`: `{text}` {what}"))
                .hint("write `ruff:F401 src/app.py:3`, or a part of it")
        };
        let mut query = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        for word in text.split_whitespace() {
            let is_path = word.contains(['.', '/']) && query.path.is_none();
            if is_path {
                let (path, line) = match word.rsplit_once(':') {
                    Some((path, line)) if line.bytes().all(|byte| byte.is_ascii_digit()) => (
                        path,
                        Some(line.parse().map_err(|_| wrong("has no line number"))?),
                    ),
                    _ => (word, None),
                };
                query.path = Some(path.trim_start_matches("./").to_owned());
                query.line = line;
            } else if query.tool.is_none() {
                match word.split_once(':') {
                    Some((tool, rule)) => {
                        query.tool = Some(tool.to_owned());
                        query.rule = Some(rule.to_owned());
                    }
                    None => query.tool = Some(word.to_owned()),
                }
            } else {
                return Err(wrong("has a word too many"));
            }
        }
        if query.tool.is_none() && query.path.is_none() {
            return Err(wrong("names no finding"));
        }
        Ok(query)
    }

    fn names(&self, finding: &Finding) -> bool {
        let own = Source {
            tool: finding.tool.clone(),
            rule: finding.rule.clone(),
        };
        let is_source = |source: &Source| {
            self.tool
                .as_deref()
                .is_none_or(|tool| *source.tool == *tool)
                && self
                    .rule
                    .as_deref()
                    .is_none_or(|rule| source.rule.as_deref() == Some(rule))
        };
        let is_path = |path: &str| {
            self.path
                .as_deref()
                .is_none_or(|own| path == own || path.strip_suffix(own).is_some_and(is_folder))
        };
        let in_lines = |line: u32| {
            self.line.is_none_or(|own| {
                let end = finding.span.map_or(line, |span| span.end.line.max(line));
                (line..=end).contains(&own)
            })
        };
        (is_source(&own) || finding.also.iter().any(is_source))
            && finding.path.as_deref().map_or(self.path.is_none(), is_path)
            && finding.line().map_or(self.line.is_none(), in_lines)
    }

    /// What became of each finding that the query names.
    pub fn answer(&self, report: &Report, aside: &[Aside]) -> String {
        let mut text = String::new();
        let mut found = 0;
        for finding in report.findings.iter().filter(|finding| self.names(finding)) {
            found += 1;
            let _ = writeln!(text, "{}\n  {}", headline(finding), fate(finding, report));
        }
        for one in aside.iter().filter(|one| self.names(&one.finding)) {
            found += 1;
            let _ = writeln!(text, "{}\n  left out: {}", headline(&one.finding), one.why);
        }
        if found == 0 {
            let _ = writeln!(
                text,
                "no finding of this run is named by `{}`: no tool reports it",
                self.text
            );
        } else {
            let _ = writeln!(text, "{} named by `{}`", count(found, "finding"), self.text);
        }
        text
    }
}

fn is_folder(prefix: &str) -> bool {
    prefix.ends_with('/')
}

fn headline(finding: &Finding) -> String {
    let place = finding.place().unwrap_or_else(|| "(no file)".to_owned());
    let message = finding.message.lines().next().unwrap_or_default();
    format!("{place} {} {message}", finding.id())
}

fn fate(finding: &Finding, report: &Report) -> String {
    let why = match finding.new {
        Some(true) => "the change brought it",
        Some(false) => "it was there before, and the scope has it all the same",
        None => "there is no base to compare with, so that everything counts",
    };
    let counts = if report.counts(finding) {
        "it fails the gate"
    } else {
        "it does not fail the gate"
    };
    let mut text = format!(
        "kept: {why}; severity {}: {counts}",
        finding.severity.name()
    );
    if !finding.also.is_empty() {
        let also: Vec<String> = finding.also.iter().map(Source::id).collect();
        let _ = write!(text, "; merged with {}", also.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::tests::{finding, report};

    #[test]
    fn a_query_names_findings_by_any_of_its_parts() {
        let mut one = finding("ruff", "F401", "src/app.py", 3, "unused");
        one.also = vec![Source {
            tool: "pylint".into(),
            rule: Some("W0611".into()),
        }];
        for (text, names) in [
            ("ruff", true),
            ("ruff:F401", true),
            ("pylint:W0611 app.py", true),
            ("src/app.py:3", true),
            ("./src/app.py", true),
            ("ruff:F401 src/app.py:3", true),
            ("ruff:F811", false),
            ("mypy", false),
            ("pp.py", false),
            ("src/app.py:4", false),
        ] {
            assert_eq!(Query::parse(text).unwrap().names(&one), names, "{text}");
        }
        for text in ["", "ruff mypy x"] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_named_finding_gets_its_answer() {
        let report = report(vec![finding("ruff", "F401", "a.py", 3, "unused")]);
        let aside = [Aside {
            finding: finding("ruff", "F401", "b.py", 9, "unused"),
            why: "not on a changed line".into(),
        }];
        let text = Query::parse("ruff:F401").unwrap().answer(&report, &aside);
        assert!(
            text.contains("a.py:3:1 ruff:F401 unused\n  kept: the change brought it"),
            "{text}"
        );
        assert!(
            text.contains("b.py:9:1 ruff:F401 unused\n  left out: not on a changed line"),
            "{text}"
        );
        let none = Query::parse("mypy").unwrap().answer(&report, &aside);
        assert!(none.starts_with("no finding of this run"), "{none}");
    }
}
