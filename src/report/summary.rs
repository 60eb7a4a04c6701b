//! The job summary: what one wants to know, in ten seconds, in GitHub's Markdown.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::error::{Error, Kind, NO_VERDICT_PAGE, count};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::duration;
use crate::model::report::{Check, Report, Status, Verdict};
use crate::model::untrusted::markdown;
use crate::report::{annotations, sources};

/// From so many findings on they are also counted by rule.
const MANY: usize = 20;

/// So many rules are listed.
const RULES: usize = 15;

/// The report as Markdown of at most `limit` bytes: what does not fit is counted. `without` is how many findings have
/// no annotation.
pub fn render(report: &Report, without: u64, limit: usize) -> String {
    let mut text = headline(report);
    for (name, value) in &report.facts {
        let _ = writeln!(text, "{}: {}<br>", markdown(name), markdown(value));
    }
    text.push_str(&checks(report));
    for (check, reason) in report.failures() {
        let _ = write!(
            text,
            "\n**{}** gave no verdict:\n\n<pre>{}</pre>\n\nWhy this is not green: <{NO_VERDICT_PAGE}>\n",
            markdown(&check.title()),
            preformatted(reason)
        );
    }
    text.push_str(&rules(report));
    text.push_str(&tables(report, limit / 4));
    let tail = tail(report, without);
    // Room for the note on what does not fit.
    let room = limit.saturating_sub(text.len() + tail.len() + 200);
    text.push_str(&findings(report, room));
    text.push_str(&tail);
    if text.len() > limit {
        // Only failures without end get here.
        let mut end = limit.saturating_sub(16);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("…</pre>\n");
    }
    text
}

/// An error that ended a step before it had a report.
pub fn render_error(error: &Error) -> String {
    let word = match error.kind {
        Kind::Usage => "cannot start",
        Kind::Refused => "refused",
        Kind::NoVerdict => "no verdict",
        Kind::Interrupted(_) => "stopped",
        Kind::Bug => "a bug of ours",
    };
    let text = preformatted(&error.render());
    format!("### ⚠️ lockgate: {word}\n\n<pre>{text}</pre>\n")
}

fn headline(report: &Report) -> String {
    let (mark, word) = match report.verdict {
        Verdict::Pass => ("✅", "passed"),
        Verdict::Fail if report.is_report_only => ("🟡", "would fail, and only reports"),
        Verdict::Fail => ("❌", "failed"),
        Verdict::NoVerdict => ("⚠️", "no verdict"),
    };
    let time = duration::show(report.duration);
    if let Some(headline) = &report.headline {
        return format!(
            "### {mark} {}: {word}\n\n{} in {time}<br>\n",
            report.step,
            markdown(headline)
        );
    }
    let numbers: Vec<String> = LEVELS
        .into_iter()
        .map(|severity| (report.count(severity), severity.name()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| count(number, name))
        .collect();
    let numbers = if numbers.is_empty() {
        "no findings".to_owned()
    } else {
        numbers.join(", ")
    };
    format!(
        "### {mark} {}: {word}\n\n{numbers} in {time}<br>\n",
        report.step
    )
}

const LEVELS: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

/// A table of what was done. How many findings of a tool are in the report stands beside how many it had.
fn checks(report: &Report) -> String {
    let mut kept: BTreeMap<(&str, Severity), u64> = BTreeMap::new();
    for finding in &report.findings {
        *kept.entry((&finding.tool, finding.severity)).or_default() += 1;
    }
    if report.checks.is_empty() && report.headline.is_some() {
        return String::new();
    }
    let mut text = "\n| check | result | in this report | version | from | files | time |\n|---|---|---|---|---|--:|--:|\n"
        .to_owned();
    for check in &report.checks {
        let kept: Vec<String> = LEVELS
            .into_iter()
            .filter_map(|severity| {
                let number = kept.get(&(check.name.as_str(), severity))?;
                Some(format!("{} {number}", mark(severity)))
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            markdown(&check.title()),
            result(check),
            kept.join(" "),
            markdown(check.version.as_deref().unwrap_or_default()),
            markdown(&check.origin),
            check
                .files
                .map(|files| files.to_string())
                .unwrap_or_default(),
            duration::show(check.duration),
        );
    }
    text
}

/// The step's own tables, folded, in at most `room` bytes in all.
fn tables(report: &Report, room: usize) -> String {
    let mut text = String::new();
    for table in &report.tables {
        let head = format!(" {} |", table.header.join(" | "));
        let line = "---|".repeat(table.header.len());
        let title = markdown(&table.title);
        let open = format!("\n<details open><summary>{title}</summary>\n\n|{head}\n|{line}\n");
        if text.len() + open.len() > room {
            text.push_str("\nMore tables have no room here.\n");
            break;
        }
        text.push_str(&open);
        for (index, row) in table.rows.iter().enumerate() {
            let cells: Vec<_> = row.iter().map(|cell| markdown(cell)).collect();
            let cells = format!(" {} |", cells.join(" | "));
            if text.len() + cells.len() > room {
                let rest = count((table.rows.len() - index) as u64, "row");
                let _ = writeln!(text, "\n{rest} more have no room here.");
                break;
            }
            let _ = writeln!(text, "|{cells}");
        }
        text.push_str("\n</details>\n");
    }
    text
}

fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "🔴",
        Severity::Warning => "🟠",
        Severity::Note => "🔵",
    }
}

#[derive(Default)]
struct OfRule<'r> {
    count: u64,
    files: BTreeSet<&'r str>,
    /// The file that was counted last; findings come file by file.
    last: Option<&'r Arc<str>>,
    worst: Option<Severity>,
}

/// Which rules are broken most, where there are many findings.
fn rules(report: &Report) -> String {
    if report.findings.len() < MANY {
        return String::new();
    }
    let mut rules: HashMap<(&str, &str), OfRule> = HashMap::new();
    for finding in &report.findings {
        let rule = finding.rule.as_deref().unwrap_or_default();
        let of_rule = rules.entry((&finding.tool, rule)).or_default();
        of_rule.count += 1;
        if let Some(path) = &finding.path
            && !of_rule.last.is_some_and(|last| Arc::ptr_eq(last, path))
        {
            of_rule.files.insert(path);
            of_rule.last = Some(path);
        }
        of_rule.worst = of_rule.worst.max(Some(finding.severity));
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(name, of_rule)| {
        let severity = std::cmp::Reverse(of_rule.worst);
        (severity, std::cmp::Reverse(of_rule.count), *name)
    });
    let most = rules.iter().map(|(_, of_rule)| of_rule.count).max();
    let mut text = "\n| | rule | findings | files | |\n|---|---|--:|--:|---|\n".to_owned();
    for ((tool, rule), of_rule) in rules.iter().take(RULES) {
        let name = format!("{tool} {rule}");
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            of_rule.worst.map(mark).unwrap_or_default(),
            markdown(name.trim_end()),
            of_rule.count,
            of_rule.files.len(),
            bar(of_rule.count, most.unwrap_or_default()),
        );
    }
    if let Some(others) = rules.get(RULES..).filter(|others| !others.is_empty()) {
        let findings = others.iter().map(|(_, of_rule)| of_rule.count).sum();
        let _ = writeln!(
            text,
            "\n{} of {}.",
            count(findings, "more finding"),
            count(others.len() as u64, "other rule")
        );
    }
    text
}

/// So long as its share of the longest, and never nothing.
fn bar(number: u64, longest: u64) -> String {
    const LENGTH: u64 = 20;
    let length = number.saturating_mul(LENGTH) / longest.max(1);
    "█".repeat(usize::try_from(length.clamp(1, LENGTH)).unwrap_or(1))
}

fn result(check: &Check) -> String {
    match &check.status {
        Status::Clean => "clean".to_owned(),
        Status::Findings(number) => count(*number, "finding"),
        Status::Failed(_) => "**no verdict**".to_owned(),
    }
}

fn findings(report: &Report, room: usize) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    let mut text = "\n| | where | rule | what |\n|---|---|---|---|\n".to_owned();
    for (index, finding) in report.findings.iter().enumerate() {
        let row = row(finding);
        if text.len() + row.len() > room {
            let _ = writeln!(
                text,
                "\n{} more in the JSON report.",
                count((report.findings.len() - index) as u64, "finding")
            );
            break;
        }
        text.push_str(&row);
    }
    text
}

fn row(finding: &Finding) -> String {
    let mark = mark(finding.severity);
    let new = if finding.new == Some(true) {
        " **new**"
    } else {
        ""
    };
    // A message is one cell; its later lines are in the log and the report.
    let message = finding.message.lines().next().unwrap_or_default();
    format!(
        "| {mark}{new} | {} | {} | {} |\n",
        markdown(&finding.place().unwrap_or_default()),
        markdown(&sources(finding)),
        markdown(message)
    )
}

/// What is not here, and why.
fn tail(report: &Report, without: u64) -> String {
    let mut text = String::new();
    if without > 0 {
        let _ = write!(
            text,
            "\nWithout an annotation: {} ({}).\n",
            count(without, "finding"),
            markdown(&annotations::limit(report))
        );
    }
    if !report.left_out.is_empty() {
        let parts: Vec<String> = report
            .left_out
            .iter()
            .map(|one| format!("{} {}", one.count, markdown(&one.reason)))
            .collect();
        let _ = write!(text, "\nLeft out: {}.\n", parts.join(", "));
    }
    text
}

/// Text inside `<pre>`: entities, no blank lines (they would end the HTML block).
fn preformatted(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(40)
        .map(markdown)
        .collect();
    lines.join("\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::diagnostic::{Fingerprints, Source};
    use crate::model::fix::{Applicability, Edit, Fix};
    use crate::model::region::{Point, Span};
    use crate::model::report::LeftOut;
    use crate::model::report::Table;
    use std::time::Duration;

    /// A finding for tests of renderers.
    pub(crate) fn finding(tool: &str, rule: &str, path: &str, line: u32, message: &str) -> Finding {
        let point = |column| Point {
            line,
            byte: Some(column - 1),
            column: Some(column),
        };
        Finding {
            path: Some(path.into()),
            span: Some(Span {
                start: point(1),
                end: point(3),
            }),
            new: Some(true),
            excerpt: Some("import os".into()),
            ..Finding::new(tool, rule, Severity::Error, message)
        }
    }

    /// A finding that has everything that a finding can have.
    pub(crate) fn everything() -> Finding {
        let point = |line| Point {
            line,
            byte: Some(0),
            column: Some(1),
        };
        let source = |tool: &str, rule: Option<&str>| Source {
            tool: tool.into(),
            rule: rule.map(Into::into),
        };
        Finding {
            url: Some("https://docs.astral.sh/ruff/rules/unused-import".into()),
            help: Some("Remove unused import".into()),
            fix: Some(Box::new(Fix {
                message: Some("Remove it".into()),
                applicability: Applicability::Unsafe,
                edits: vec![Edit {
                    place: Span {
                        start: point(3),
                        end: point(4),
                    },
                    text: "".into(),
                }],
            })),
            also: vec![source("pylint", Some("W0611")), source("vulture", None)],
            fingerprints: Some(Fingerprints {
                line: Some((0xa1, 2)),
                key: 0xff,
            }),
            ..finding("ruff", "F401", "src/a.py", 3, "unused import")
        }
    }

    /// A report for tests of renderers.
    pub(crate) fn report(findings: Vec<Finding>) -> Report {
        Report {
            step: "lint-gate",
            verdict: if findings.is_empty() {
                Verdict::Pass
            } else {
                Verdict::Fail
            },
            headline: None,
            is_report_only: false,
            fail_on: Some(Severity::Error),
            findings,
            checks: vec![Check {
                name: "ruff".into(),
                project: None,
                version: Some("0.17.6".into()),
                origin: "uv.lock".into(),
                status: Status::Clean,
                files: Some(3),
                duration: Duration::from_millis(12),
            }],
            left_out: vec![LeftOut {
                reason: "not on a changed line".into(),
                count: 4,
            }],
            facts: vec![("scope".into(), "changed-lines".into())],
            tables: Vec::new(),
            max_annotations: 10,
            outputs: BTreeMap::new(),
            duration: Duration::from_millis(34),
        }
    }

    #[test]
    fn strangers_write_no_markup() {
        let hostile = finding(
            "ruff",
            "X|Y",
            "a|b<script>.py",
            1,
            "![x](http://e) | `c` <img> @all\n| new | row |",
        );
        let text = render(&report(vec![hostile]), 0, 10_000);
        assert!(
            !text.contains("<script>") && !text.contains("![x]") && !text.contains("@all"),
            "{text}"
        );
        let rows = text.lines().filter(|line| line.contains("script")).count();
        assert_eq!(rows, 1);
    }

    #[test]
    fn tables_are_shown_as_far_as_there_is_room() {
        let table = |rows: usize| Table {
            title: "a|b.lock: changed".into(),
            header: vec!["package", "change"],
            rows: (0..rows)
                .map(|number| vec![format!("six{number}<img>"), "up|graded".to_owned()])
                .collect(),
        };
        let mut report = report(vec![]);
        report.tables = vec![table(1)];
        let text = render(&report, 0, 20_000);
        assert!(
            text.contains("| package | change |\n|---|---|\n| six0"),
            "{text}"
        );
        assert!(
            !text.contains("<img>") && !text.contains("up|graded"),
            "{text}"
        );
        report.tables = vec![table(5_000), table(1)];
        let text = render(&report, 0, 20_000);
        assert!(text.len() <= 20_000 && text.contains(" rows more have no room here."));
        assert!(text.contains("More tables have no room here."), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let findings = (1..=5_000)
            .map(|line| finding("ruff", "F401", "a.py", line, "unused import"))
            .collect();
        let text = render(&report(findings), 0, 20_000);
        assert!(text.len() <= 20_000);
        assert!(
            text.contains("findings more in the JSON report"),
            "{}",
            &text[text.len() - 300..]
        );
        assert!(text.ends_with("Left out: 4 not on a changed line.\n"));
    }

    #[test]
    fn a_flood_of_failures_stays_below_the_limit() {
        let mut report = report(vec![]);
        report.checks = (0..200)
            .map(|_| Check {
                status: Status::Failed("x\n".repeat(100) + &"é".repeat(9_000)),
                ..report.checks[0].clone()
            })
            .collect();
        assert!(render(&report, 0, 30_000).len() <= 30_000);
    }

    #[test]
    fn ten_seconds_are_enough() {
        let mut findings: Vec<Finding> = (0..30)
            .map(|line| finding("ruff", "F401", &format!("{}.py", line % 3), line + 1, "x"))
            .chain((0..6).map(|line| finding("mypy", "", "a.py", line + 1, "y")))
            .chain([everything()])
            .collect();
        for note in &mut findings[30..] {
            note.severity = Severity::Note;
        }
        let text = render(&report(findings), 7, 20_000);
        for expected in [
            "\n30 errors, 7 notes in 34 ms<br>\n",
            "| ruff | clean | 🔴 30 🔵 1 | 0.17.6 | uv.lock | 3 | 12 ms |\n",
            "| 🔴 | ruff F401 | 31 | 4 | ████████████████████ |\n| 🔵 | mypy | 6 | 1 | ███ |\n\n| | where",
            "| 🔵 **new** | src/a.py&#58;3&#58;1 | ruff F401 = pylint W0611 = vulture | unused import |\n",
            "\nWithout an annotation: 7 findings (GitHub shows ten of each level).\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let few = render(&report(vec![everything()]), 0, 20_000);
        assert!(!few.contains('█') && !few.contains("Without"), "{few}");
    }

    #[test]
    fn the_rules_that_are_not_listed_are_counted() {
        let findings = (0..40)
            .map(|line| finding("ruff", &format!("R{:02}", line % 20), "a.py", line + 1, "x"))
            .collect();
        let text = render(&report(findings), 0, 20_000);
        assert!(
            text.contains("\n10 more findings of 5 other rules.\n"),
            "{text}"
        );
    }
}
