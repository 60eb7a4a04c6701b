//! Which findings become annotations: all nested steps of one composite share 10 errors, 10 warnings and 10 notices,
//! and what is beyond is dropped without a word (actions/runner, `ExecutionContext.cs`).

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::error::NO_VERDICT_PAGE;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::Report;

/// Annotations of each level in one composite action.
pub const BUDGET: usize = 10;

/// One annotation, for a workflow command or a check run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How loud.
    pub severity: Severity,
    /// A short headline: tool and rule.
    pub title: String,
    /// What is wrong, and how to ignore it.
    pub message: String,
    /// The file, relative to the repository.
    pub path: Option<String>,
    /// First and last line, 1-based.
    pub lines: Option<(u32, u32)>,
    /// First and last column, 1-based; only on one line, since the runner drops them elsewhere.
    pub columns: Option<(u32, u32)>,
}

/// The annotations of a report within the budget, and how many findings got none.
pub fn annotations(report: &Report, ignore_until: &str) -> (Vec<Annotation>, u64) {
    let mut annotations: Vec<Annotation> = report
        .failures()
        .take(BUDGET)
        .map(|(check, reason)| failure(&check.name, reason))
        .collect();
    let mut left_out = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let taken = annotations
            .iter()
            .filter(|annotation| annotation.severity == severity)
            .count();
        let groups = repeats(
            report
                .findings
                .iter()
                .filter(|finding| finding.severity == severity),
        );
        let chosen = spread(&groups, BUDGET - taken);
        let total: usize = groups.iter().map(Vec::len).sum();
        let shown: usize = chosen.iter().map(|index| groups[*index].len()).sum();
        left_out += (total - shown) as u64;
        annotations.extend(
            chosen
                .into_iter()
                .map(|index| annotation(&groups[index], ignore_until)),
        );
    }
    (annotations, left_out)
}

fn failure(check: &str, reason: &str) -> Annotation {
    Annotation {
        severity: Severity::Error,
        title: format!("{check}: no verdict"),
        message: format!("{reason}\nsee: {NO_VERDICT_PAGE}"),
        path: None,
        lines: None,
        columns: None,
    }
}

/// Findings of one rule in one file that say the same are one annotation. The order stays.
fn repeats<'r>(findings: impl Iterator<Item = &'r Finding>) -> Vec<Vec<&'r Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known = HashMap::new();
    for finding in findings {
        let key = (
            finding.path.as_deref(),
            (&*finding.tool, finding.rule.as_deref()),
            &*finding.message,
            finding.new,
        );
        let index = *known.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(finding);
    }
    groups
}

/// So many groups: of those that the change brought first, then of the others; each time one of every tool and file
/// before a second of any.
fn spread(groups: &[Vec<&Finding>], budget: usize) -> Vec<usize> {
    let mut chosen = Vec::new();
    for is_old in [false, true] {
        let mut rest: Vec<usize> = (0..groups.len())
            .filter(|index| {
                groups[*index]
                    .first()
                    .is_some_and(|first| (first.new == Some(false)) == is_old)
            })
            .collect();
        while chosen.len() < budget && !rest.is_empty() {
            let mut seen = BTreeSet::new();
            let mut later = Vec::new();
            for index in rest {
                let first = groups[index].first();
                let is_fresh =
                    first.is_some_and(|first| seen.insert((&*first.tool, first.path.as_deref())));
                if is_fresh && chosen.len() < budget {
                    chosen.push(index);
                } else {
                    later.push(index);
                }
            }
            rest = later;
        }
    }
    chosen.sort_unstable();
    chosen
}

fn annotation(group: &[&Finding], ignore_until: &str) -> Annotation {
    // Groups are never empty; an impossible one would be an empty annotation, not a panic.
    let Some(first) = group.first() else {
        return failure("lockgate", "an empty group of findings");
    };
    let mut message = first.message.to_string();
    if group.len() > 1 {
        let lines: Vec<String> = group
            .iter()
            .skip(1)
            .take(20)
            .filter_map(|finding| finding.line())
            .map(|line| line.to_string())
            .collect();
        let more = if group.len() > 21 { ", …" } else { "" };
        let _ = write!(
            message,
            "\nand {} more in this file (lines {}{more})",
            group.len() - 1,
            lines.join(", ")
        );
    }
    if let Some(help) = &first.help {
        let _ = write!(message, "\n{help}");
    }
    if let Some(url) = &first.url {
        let _ = write!(message, "\n{url}");
    }
    let _ = write!(message, "\nto ignore: {}", first.ignore_line(ignore_until));
    let lines = first.span.map(|span| (span.start.line, span.end.line));
    let columns = first
        .span
        .filter(|span| span.start.line == span.end.line)
        .and_then(|span| {
            // The runner's columns are both inclusive.
            let (start, end) = (span.start.column?, span.end.column?);
            Some((start, end.saturating_sub(1).max(start)))
        });
    let rule = first
        .rule
        .as_deref()
        .map(|rule| format!(" {rule}"))
        .unwrap_or_default();
    Annotation {
        severity: first.severity,
        title: format!("{}{rule}", first.tool),
        message,
        path: first.path.as_deref().map(str::to_owned),
        lines,
        columns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::tests::{finding, report};

    #[test]
    fn never_more_than_the_budget_and_the_rest_is_counted() {
        let findings = (0..30)
            .map(|line| finding("ruff", "F401", "a.py", line + 1, &format!("unused {line}")))
            .collect();
        let (shown, left_out) = annotations(&report(findings), "2027-01-01");
        assert_eq!((shown.len(), left_out), (10, 20));
    }

    #[test]
    fn every_tool_and_file_comes_before_a_second_of_any() {
        let mut findings: Vec<Finding> = (0..20)
            .map(|line| finding("ruff", "E1", "a.py", line + 1, &format!("x{line}")))
            .collect();
        findings.push(finding("mypy", "arg-type", "z.py", 9, "bad"));
        let (shown, _) = annotations(&report(findings), "2027-01-01");
        assert!(
            shown
                .iter()
                .any(|annotation| annotation.title == "mypy arg-type")
        );
    }

    #[test]
    fn repeats_are_one_annotation_that_names_the_lines() {
        let findings = (1..=3)
            .map(|line| finding("ruff", "E711", "a.py", line, "comparison"))
            .collect();
        let (shown, left_out) = annotations(&report(findings), "2027-01-01");
        assert_eq!((shown.len(), left_out), (1, 0));
        assert!(
            shown[0]
                .message
                .starts_with("comparison\nand 2 more in this file (lines 2, 3)"),
            "{}",
            shown[0].message
        );
        assert!(
            shown[0]
                .message
                .ends_with("to ignore: ignore = [\"ruff:E711 a.py until 2027-01-01: <reason>\"]")
        );
    }
}
