//! Which findings become annotations: all nested steps of one composite share 10 errors, 10 warnings and 10 notices,
//! and what is beyond is dropped without a word (actions/runner, `ExecutionContext.cs`).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::error::NO_VERDICT_PAGE;
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::Report;
use crate::report::sources;

/// Annotations of each level in one composite action.
pub const BUDGET: usize = 10;

/// So many groups of each tool are looked at: enough to choose from, and few enough to be quick.
const CHOICE: usize = 1_000;

/// So many lines of a repeated finding are named.
const LINES: usize = 20;

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
    let budget = report.max_annotations.min(BUDGET);
    let ignore_until = report.ignore_until(ignore_until);
    let mut annotations: Vec<Annotation> = report
        .failures()
        .take(budget)
        .map(|(check, reason)| failure(&check.title(), reason))
        .collect();
    let mut left_out = 0;
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let taken = annotations
            .iter()
            .filter(|annotation| annotation.severity == severity)
            .count();
        let room = budget - taken;
        let findings = || {
            let findings = report.findings.iter();
            findings.filter(move |finding| finding.severity == severity)
        };
        let groups = same_message(findings(), room).unwrap_or_else(|| same_rule(findings()));
        let chosen = spread(&groups, room);
        let shown: usize = chosen.iter().map(|group| group.count).sum();
        left_out += (findings().count() - shown) as u64;
        annotations.extend(
            chosen
                .into_iter()
                .map(|group| annotation(group, ignore_until)),
        );
    }
    (annotations, left_out)
}

/// Why there are no more annotations, for people.
pub fn limit(report: &Report) -> String {
    if report.max_annotations < BUDGET {
        format!("`max-annotations` is {}", report.max_annotations)
    } else {
        "GitHub shows ten of each level".to_owned()
    }
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

/// Findings that share an annotation.
struct Group<'r> {
    first: &'r Finding,
    count: usize,
    /// The lines of the others, as far as they are named.
    lines: Vec<u32>,
    has_more_lines: bool,
    /// Whether all say the same.
    is_uniform: bool,
}

impl<'r> Group<'r> {
    fn new(first: &'r Finding) -> Self {
        Self {
            first,
            count: 1,
            lines: Vec::new(),
            has_more_lines: false,
            is_uniform: true,
        }
    }

    fn add(&mut self, finding: &Finding) {
        self.count += 1;
        self.is_uniform &= finding.message == self.first.message;
        let line = finding.line().filter(|line| {
            let is_first = self.first.line() == Some(*line);
            !is_first && self.lines.last() != Some(line)
        });
        if self.lines.len() < LINES {
            self.lines.extend(line);
        } else {
            self.has_more_lines |= line.is_some();
        }
    }
}

/// A rule of a tool in a file; apart, what the change brought and what was there.
type Key<'r> = (Option<&'r str>, &'r str, Option<&'r str>, Option<bool>);

fn key(finding: &Finding) -> Key<'_> {
    (
        finding.path.as_deref(),
        &*finding.tool,
        finding.rule.as_deref(),
        finding.new,
    )
}

/// Findings of one rule in one file that say the same are one group. `None` if there are more groups than room.
fn same_message<'r>(
    findings: impl Iterator<Item = &'r Finding>,
    room: usize,
) -> Option<Vec<Group<'r>>> {
    let mut groups: Vec<Group> = Vec::new();
    for finding in findings {
        let is_same = |group: &Group| {
            group.first.message == finding.message && key(group.first) == key(finding)
        };
        match groups.iter().position(is_same) {
            Some(at) => groups.get_mut(at)?.add(finding),
            None if groups.len() == room => return None,
            None => groups.push(Group::new(finding)),
        }
    }
    Some(groups)
}

/// Findings of one rule in one file are one group, whatever they say. The order stays.
fn same_rule<'r>(findings: impl Iterator<Item = &'r Finding>) -> Vec<Group<'r>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut known: HashMap<Key, usize> = HashMap::new();
    for finding in findings {
        let at = *known.entry(key(finding)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.add(finding),
            None => groups.push(Group::new(finding)),
        }
    }
    groups
}

/// What annotations are spread over, the most important first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trait<'r> {
    Tool(&'r str),
    File(Option<&'r str>),
    Rule(Option<&'r str>),
}

fn traits(finding: &Finding) -> [Trait<'_>; 3] {
    [
        Trait::Tool(&finding.tool),
        Trait::File(finding.path.as_deref()),
        Trait::Rule(finding.rule.as_deref()),
    ]
}

/// So many groups: of those that the change brought first, then of the others; each time one of the tool that has had
/// the fewest, then of the file, then of the rule. In the order of the groups.
fn spread<'g, 'r>(groups: &'g [Group<'r>], budget: usize) -> Vec<&'g Group<'r>> {
    let mut had: BTreeMap<Trait, usize> = BTreeMap::new();
    let mut chosen: Vec<usize> = Vec::new();
    for is_old in [false, true] {
        let mut of_tool: BTreeMap<&str, usize> = BTreeMap::new();
        let mut rest: Vec<(usize, &Group)> = groups
            .iter()
            .enumerate()
            .filter(|(_, group)| (group.first.new == Some(false)) == is_old)
            .filter(|(_, group)| {
                let number = of_tool.entry(&group.first.tool).or_default();
                *number += 1;
                *number <= CHOICE
            })
            .collect();
        while chosen.len() < budget {
            let cost = |at: &usize| {
                let (_, group) = rest.get(*at)?;
                Some(traits(group.first).map(|one| had.get(&one).copied().unwrap_or_default()))
            };
            // Of equals the first, which ranks highest.
            let Some(best) = (0..rest.len()).min_by_key(cost) else {
                break;
            };
            let (index, group) = rest.remove(best);
            for one in traits(group.first) {
                *had.entry(one).or_default() += 1;
            }
            chosen.push(index);
        }
    }
    chosen.sort_unstable();
    chosen
        .into_iter()
        .filter_map(|index| groups.get(index))
        .collect()
}

fn annotation(group: &Group<'_>, ignore_until: Option<&str>) -> Annotation {
    let first = group.first;
    let mut message = first.message.to_string();
    let others = group.count - 1;
    if others > 0 {
        let lines: Vec<String> = group.lines.iter().map(u32::to_string).collect();
        let lines = match (&lines[..], group.has_more_lines) {
            ([], _) => String::new(),
            ([line], false) => format!(" (line {line})"),
            (lines, false) => format!(" (lines {})", lines.join(", ")),
            (lines, true) => format!(" (lines {}, …)", lines.join(", ")),
        };
        let what = if group.is_uniform {
            ""
        } else {
            " of this rule"
        };
        let _ = write!(message, "\nand {others} more{what} in this file{lines}");
    }
    if let Some(help) = &first.help {
        let _ = write!(message, "\n{help}");
    }
    if let Some(url) = &first.url {
        let _ = write!(message, "\n{url}");
    }
    if let Some(until) = ignore_until {
        let _ = write!(message, "\nto ignore: {}", first.ignore_line(until));
    }
    let lines = first.span.map(|span| (span.start.line, span.end.line));
    let columns = first
        .span
        .filter(|span| span.start.line == span.end.line)
        .and_then(|span| {
            // The runner's columns are both inclusive.
            let (start, end) = (span.start.column?, span.end.column?);
            Some((start, end.saturating_sub(1).max(start)))
        });
    let mut title = sources(first);
    if others > 0 {
        let _ = write!(title, " × {}", group.count);
    }
    Annotation {
        severity: first.severity,
        title,
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

    fn of(findings: Vec<Finding>) -> (Vec<Annotation>, u64) {
        annotations(&report(findings), "2027-01-01")
    }

    fn titles(annotations: &[Annotation]) -> Vec<&str> {
        annotations
            .iter()
            .map(|annotation| &*annotation.title)
            .collect()
    }

    #[test]
    fn never_more_than_the_budget_and_the_rest_is_counted() {
        let findings: Vec<Finding> = (0..30)
            .map(|line| finding("ruff", "F401", &format!("{line}.py"), line + 1, "unused"))
            .collect();
        let (shown, left_out) = of(findings.clone());
        assert_eq!((shown.len(), left_out), (10, 20));
        for (most, expected) in [(0, (0, 30)), (3, (3, 27)), (99, (10, 20))] {
            let mut report = report(findings.clone());
            report.max_annotations = most;
            let (shown, left_out) = annotations(&report, "2027-01-01");
            assert_eq!((shown.len(), left_out), expected);
        }
    }

    #[test]
    fn a_rule_is_one_annotation_of_a_file_where_room_is_short() {
        let unused =
            |number: u32| finding("ruff", "F401", "a.py", number, &format!("unused {number}"));
        let (shown, left_out) = of((1..=10).map(unused).collect());
        assert_eq!((shown.len(), left_out), (10, 0));
        let (shown, left_out) = of((1..=30).map(unused).collect());
        assert_eq!((titles(&shown), left_out), (vec!["ruff F401 × 30"], 0));
        let lines: Vec<String> = (2..=21).map(|line: u32| line.to_string()).collect();
        let expected = format!(
            "unused 1\nand 29 more of this rule in this file (lines {}, …)\n",
            lines.join(", ")
        );
        assert!(
            shown[0].message.starts_with(&expected),
            "{}",
            shown[0].message
        );
    }

    #[test]
    fn every_tool_comes_first_then_every_file() {
        let mut findings: Vec<Finding> = (0..20)
            .flat_map(|file| {
                let path = format!("{file:02}.py");
                [("E1", 1), ("E2", 2)].map(|(rule, line)| finding("ruff", rule, &path, line, "x"))
            })
            .collect();
        findings.push(finding("mypy", "arg-type", "z.py", 9, "bad"));
        findings.push(finding("mypy", "misc", "z.py", 10, "bad"));
        let (shown, left_out) = of(findings);
        assert_eq!((shown.len(), left_out), (10, 32));
        let of_mypy = titles(&shown)
            .iter()
            .filter(|title| title.starts_with("mypy"))
            .count();
        assert_eq!(of_mypy, 2);
        let files: std::collections::BTreeSet<&Option<String>> =
            shown.iter().map(|annotation| &annotation.path).collect();
        assert_eq!(files.len(), 9);
        assert!(titles(&shown).contains(&"ruff E2"));
    }

    #[test]
    fn what_the_change_brought_comes_before_what_was_there() {
        let mut findings: Vec<Finding> = (0..20)
            .map(|file| finding("ruff", "E1", &format!("{file:02}.py"), 1, "x"))
            .collect();
        for old in &mut findings[..12] {
            old.new = Some(false);
        }
        let (shown, _) = of(findings);
        let new = shown
            .iter()
            .filter(|annotation| annotation.path.as_deref() >= Some("12.py"))
            .count();
        assert_eq!((shown.len(), new), (10, 8));
    }

    #[test]
    fn a_line_is_named_once() {
        let lines = |numbers: &[u32]| {
            let all = numbers
                .iter()
                .map(|line| finding("ruff", "Q000", "a.py", *line, "x"));
            let (shown, _) = of(all.collect());
            shown[0].message.lines().nth(1).unwrap().to_owned()
        };
        assert_eq!(
            lines(&[3, 3, 4, 4, 5]),
            "and 4 more in this file (lines 4, 5)"
        );
        assert_eq!(lines(&[3, 4]), "and 1 more in this file (line 4)");
        assert_eq!(lines(&[3, 3]), "and 1 more in this file");
    }

    #[test]
    fn all_who_say_it_are_named() {
        let (shown, _) = of(vec![crate::report::summary::tests::everything()]);
        assert_eq!(titles(&shown), ["ruff F401 = pylint W0611 = vulture"]);
    }

    #[test]
    fn repeats_are_one_annotation_that_names_the_lines() {
        let findings = (1..=3)
            .map(|line| finding("ruff", "E711", "a.py", line, "comparison"))
            .collect();
        let (shown, left_out) = of(findings);
        assert_eq!((titles(&shown), left_out), (vec!["ruff E711 × 3"], 0));
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
