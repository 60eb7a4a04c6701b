//! The job summary: what one wants to know, in ten seconds, in GitHub's Markdown.

use std::fmt::Write as _;

use crate::error::{Error, Kind, NO_VERDICT_PAGE, count};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::duration;
use crate::model::report::{Check, Report, Status, Verdict};
use crate::model::untrusted::markdown;

/// The report as Markdown of at most `limit` bytes: what does not fit is counted.
pub fn render(report: &Report, limit: usize) -> String {
    let mut text = headline(report);
    for (name, value) in &report.facts {
        let _ = writeln!(text, "{}: {}<br>", markdown(name), markdown(value));
    }
    text.push_str(&checks(report));
    for (check, reason) in report.failures() {
        let _ = write!(
            text,
            "\n**{}** gave no verdict:\n\n<pre>{}</pre>\n\nWhy this is not green: <{NO_VERDICT_PAGE}>\n",
            markdown(&check.name),
            preformatted(reason)
        );
    }
    let tail = tail(report);
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
    let numbers: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
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
        "### {mark} {}: {word}\n\n{numbers} in {}<br>\n",
        report.step,
        duration::show(report.duration)
    )
}

fn checks(report: &Report) -> String {
    let mut text =
        "\n| check | version | from | result | files | time |\n|---|---|---|---|--:|--:|\n"
            .to_owned();
    for check in &report.checks {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            markdown(&check.name),
            markdown(check.version.as_deref().unwrap_or_default()),
            markdown(&check.origin),
            result(check),
            check
                .files
                .map(|files| files.to_string())
                .unwrap_or_default(),
            duration::show(check.duration),
        );
    }
    text
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
    let mark = match finding.severity {
        Severity::Error => "🔴",
        Severity::Warning => "🟠",
        Severity::Note => "🔵",
    };
    let new = if finding.new == Some(true) {
        " **new**"
    } else {
        ""
    };
    let rule = format!(
        "{} {}",
        finding.tool,
        finding.rule.as_deref().unwrap_or_default()
    );
    // A message is one cell; its later lines are in the log and the report.
    let message = finding.message.lines().next().unwrap_or_default();
    format!(
        "| {mark}{new} | {} | {} | {} |\n",
        markdown(&finding.place().unwrap_or_default()),
        markdown(rule.trim_end()),
        markdown(message)
    )
}

fn tail(report: &Report) -> String {
    if report.left_out.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = report
        .left_out
        .iter()
        .map(|one| format!("{} {}", one.count, markdown(&one.reason)))
        .collect();
    format!("\nLeft out: {}.\n", parts.join(", "))
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
    use crate::model::region::{Point, Span};
    use crate::model::report::LeftOut;
    use std::collections::BTreeMap;
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

    /// A report for tests of renderers.
    pub(crate) fn report(findings: Vec<Finding>) -> Report {
        Report {
            step: "lint-gate",
            verdict: if findings.is_empty() {
                Verdict::Pass
            } else {
                Verdict::Fail
            },
            is_report_only: false,
            fail_on: Some(Severity::Error),
            findings,
            checks: vec![Check {
                name: "ruff".into(),
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
        let text = render(&report(vec![hostile]), 10_000);
        assert!(
            !text.contains("<script>") && !text.contains("![x]") && !text.contains("@all"),
            "{text}"
        );
        let rows = text.lines().filter(|line| line.contains("script")).count();
        assert_eq!(rows, 1);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let findings = (1..=5_000)
            .map(|line| finding("ruff", "F401", "a.py", line, "unused import"))
            .collect();
        let text = render(&report(findings), 20_000);
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
        assert!(render(&report, 30_000).len() <= 30_000);
    }
}
