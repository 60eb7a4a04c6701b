//! The report for a person at a terminal or in a log: findings with their source line and a caret, then the verdict.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::error::{NO_VERDICT_PAGE, count};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::duration;
use crate::model::report::{Report, Status, Verdict};
use crate::model::untrusted;
use crate::report::memo::Memo;
use crate::report::name_of;

/// Writes the report as text, with colour where wanted.
pub fn render(
    report: &Report,
    color: bool,
    ignore_until: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let ignore_until = report.ignore_until(ignore_until);
    let (mut shared, mut block) = (Shared::default(), String::new());
    for finding in &report.findings {
        block.clear();
        one(
            finding,
            &renderer,
            color,
            ignore_until,
            &mut shared,
            &mut block,
        );
        block.push('\n');
        out.write_all(block.as_bytes())?;
    }
    out.write_all(rest(report).as_bytes())
}

/// So many rows of a table are shown.
const ROWS: usize = 30;

/// What comes behind the findings.
fn rest(report: &Report) -> String {
    let mut text = String::new();
    for (check, reason) in report.failures() {
        let _ = write!(
            text,
            "error: {} gave no verdict\n  {}\n  see: {NO_VERDICT_PAGE}\n\n",
            untrusted::line(&check.title()),
            untrusted::lines(reason).replace('\n', "\n  ")
        );
    }
    for check in &report.checks {
        let result = match &check.status {
            Status::Clean => "clean".to_owned(),
            Status::Findings(number) => count(*number, "finding"),
            Status::Failed(_) => "no verdict".to_owned(),
        };
        let files = check
            .files
            .map(|files| format!(", {}", count(files, "file")))
            .unwrap_or_default();
        let version = check
            .version
            .as_deref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {}{} ({}): {result}{files}, {}",
            untrusted::line(&check.title()),
            untrusted::line(&version),
            untrusted::line(&check.origin),
            duration::show(check.duration)
        );
    }
    for table in &report.tables {
        let _ = writeln!(text, "  {}", untrusted::line(&table.title));
        for row in table.rows.iter().take(ROWS) {
            let row = row.join("  ");
            let _ = writeln!(text, "    {}", untrusted::line(&row));
        }
        if let Some(rest @ 1..) = table.rows.len().checked_sub(ROWS) {
            let _ = writeln!(text, "    and {} more", count(rest as u64, "row"));
        }
    }
    for one in &report.left_out {
        let _ = writeln!(text, "  left out: {} {}", one.count, one.reason);
    }
    text.push_str(&verdict(report));
    text
}

fn verdict(report: &Report) -> String {
    let word = match report.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail if report.is_report_only => "fail (report only: exit 0)",
        Verdict::Fail => "fail",
        Verdict::NoVerdict => "no verdict",
    };
    let time = duration::show(report.duration);
    if let Some(headline) = &report.headline {
        let headline = untrusted::line(headline);
        return match report.verdict {
            Verdict::Pass => format!("{}: {headline} · {time}\n", report.step),
            _ => format!("{}: {word} · {headline} · {time}\n", report.step),
        };
    }
    let numbers: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| count(report.count(severity), severity.name()))
        .collect();
    format!(
        "{}: {word} · {} · {}\n",
        report.step,
        numbers.join(", "),
        time
    )
}

fn one<'r>(
    finding: &'r Finding,
    renderer: &Renderer,
    color: bool,
    ignore_until: Option<&str>,
    shared: &mut Shared<'r>,
    block: &mut String,
) {
    let own = [Some(&finding.tool), finding.rule.as_ref()];
    let id = shared
        .ids
        .get(own, || untrusted::line(&finding.id()).into_owned());
    let message = message(finding);
    let excerpt = finding
        .span
        .zip(finding.excerpt.as_deref())
        .map(|(span, line)| marked(line, span));
    if let (Some(path), Some((line, range)), Some(span)) = (&finding.path, &excerpt, finding.span) {
        let title = level(finding.severity)
            .primary_title(&*message)
            .id(id.as_str());
        let path = untrusted::line(path);
        let start = usize::try_from(span.start.line).unwrap_or(1);
        let snippet = Snippet::source(line.as_str())
            .line_start(start)
            .path(&*path)
            .fold(false);
        let range = range.clone().unwrap_or(0..line.trim_end().len());
        let snippet = snippet.annotation(AnnotationKind::Primary.span(range));
        block.push_str(&renderer.render(&[title.element(snippet)]));
    } else {
        if !color && needs_no_layout(&id) && needs_no_layout(&message) {
            for part in [finding.severity.name(), "[", &id, "]: ", &message] {
                block.push_str(part);
            }
        } else {
            let title = level(finding.severity)
                .primary_title(&*message)
                .id(id.as_str());
            block.push_str(&renderer.render(&[annotate_snippets::Group::with_title(title)]));
        }
        let place = finding.place();
        if place.is_some() || ignore_until.is_some() {
            block.push_str("\n --> ");
            block.push_str(&untrusted::line(place.as_deref().unwrap_or("(no file)")));
        }
    }
    if !finding.also.is_empty() {
        let names: Vec<String> = finding.also.iter().map(name_of).collect();
        let _ = write!(block, "\n  also: {}", untrusted::line(&names.join(", ")));
    }
    let advice = [finding.help.as_ref(), finding.url.as_ref()];
    block.push_str(&shared.advice.get(advice, || help(finding)));
    if let Some(until) = ignore_until {
        block.push_str("\n  to ignore: ");
        let ignored = [
            Some(&finding.tool),
            finding.rule.as_ref(),
            finding.subject.as_ref(),
            finding.path.as_ref(),
        ];
        block.push_str(&shared.ignores.get(ignored, || {
            untrusted::line(&finding.ignore_line(until)).into_owned()
        }));
    }
    block.push('\n');
}

/// What many findings share: their names, and their last lines.
#[derive(Default)]
struct Shared<'r> {
    ids: Memo<'r, 2, String>,
    advice: Memo<'r, 2, String>,
    ignores: Memo<'r, 4, String>,
}

/// What to do about it, and where to read on.
fn help(finding: &Finding) -> String {
    let mut text = String::new();
    for (name, value) in [("\n  help: ", &finding.help), ("\n  see: ", &finding.url)] {
        if let Some(value) = value {
            text.push_str(name);
            if value.contains(['\n', '\r']) {
                text.push_str(&untrusted::lines(value).replace('\n', "\n        "));
            } else {
                text.push_str(&untrusted::line(value));
            }
        }
    }
    text
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// The message made harmless; whether the change brought it stands at the end of its first line.
fn message(finding: &Finding) -> Cow<'_, str> {
    let has_lines = memchr::memchr2(b'\n', b'\r', finding.message.as_bytes()).is_some();
    let message = if has_lines {
        Cow::Owned(untrusted::lines(&finding.message))
    } else {
        untrusted::line(&finding.message)
    };
    if finding.new != Some(true) {
        return message;
    }
    Cow::Owned(match message.split_once('\n') {
        Some((first, rest)) => format!("{first} (new)\n{rest}"),
        None => format!("{message} (new)"),
    })
}

/// Whether the renderer would print the text as it is. All but the first findings are such a line, and laying each out
/// costs more than finding it.
fn needs_no_layout(text: &str) -> bool {
    text.bytes().fold(true, |is_plain, byte| {
        is_plain & matches!(byte, b' '..=b'~')
    })
}

/// The line made harmless, and the range to underline in it. Every byte may have become several.
fn marked(
    line: &str,
    span: crate::model::region::Span,
) -> (String, Option<std::ops::Range<usize>>) {
    let tame = |text: &str| untrusted::line(text).into_owned();
    let Some(start) = span.start.byte.and_then(|byte| usize::try_from(byte).ok()) else {
        return (tame(line), None);
    };
    let end = match span.end.byte.and_then(|byte| usize::try_from(byte).ok()) {
        Some(end) if span.end.line == span.start.line => end.max(start),
        _ => line.len(),
    };
    match (line.get(..start), line.get(start..end), line.get(end..)) {
        (Some(before), Some(inside), Some(after)) => {
            let (before, inside) = (tame(before), tame(inside));
            let range = before.len()..before.len() + inside.len();
            (before + &inside + &tame(after), Some(range))
        }
        // The line was no UTF-8 and has other bytes now.
        _ => (tame(line), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::tests::{everything, finding, report};

    fn rendered(report: &Report) -> String {
        let mut out = Vec::new();
        render(report, false, "2027-01-01", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn other_tools_that_say_the_same_are_named() {
        let text = rendered(&report(vec![everything()]));
        assert!(
            text.contains("\n  also: pylint:W0611, vulture\n  help: "),
            "{text}"
        );
    }

    #[test]
    fn a_finding_shows_its_line_and_a_caret() {
        let text = rendered(&report(vec![finding(
            "ruff",
            "F401",
            "src/a.py",
            7,
            "unused import",
        )]));
        assert_eq!(
            text,
            "error[ruff:F401]: unused import (new)\n --> src/a.py:7:1\n  |\n7 | import os\n  | ^^\n  to ignore: ignore = [\"ruff:F401 src/a.py until 2027-01-01: <reason>\"]\n\n  ruff 0.17.6 (uv.lock): clean, 3 files, 12 ms\n  left out: 4 not on a changed line\nlint-gate: fail · 1 error, 0 warnings, 0 notes · 34 ms\n"
        );
    }

    #[test]
    fn a_line_without_source_looks_as_if_it_were_laid_out() {
        let renderer = Renderer::plain();
        for message in [
            "unused import",
            "x `a` [b]: {c}  d",
            "naïve",
            "two\nlines",
            "a\tb",
            "",
        ] {
            for severity in [Severity::Error, Severity::Warning, Severity::Note] {
                let mut bare = finding("ruff", "F401", "src/a.py", 7, message);
                bare.severity = severity;
                bare.excerpt = None;
                let [plain, laid_out] = [false, true].map(|color| {
                    let mut block = String::new();
                    let mut shared = Shared::default();
                    one(
                        &bare,
                        &renderer,
                        color,
                        Some("2027-01-01"),
                        &mut shared,
                        &mut block,
                    );
                    block
                });
                assert_eq!(plain, laid_out, "{message:?}");
            }
        }
    }

    #[test]
    fn hostile_source_and_wide_characters_do_not_break_the_caret() {
        let mut wide = finding("ruff", "E1", "a.py", 1, "::error::x\n##[add-mask]y");
        wide.excerpt = Some("é\x1b[2J😀 ##[x]".into());
        for (start, end) in [(0, 2), (2, 6), (6, 99), (1, 2), (99, 100)] {
            if let Some(span) = &mut wide.span {
                span.start.byte = Some(start);
                span.end.byte = Some(end);
            }
            let text = rendered(&report(vec![wide.clone()]));
            assert!(!text.contains('\x1b') && !text.contains("##["), "{text:?}");
            assert!(
                !text.lines().any(|line| line.trim_start().starts_with("::")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_step_that_judges_nothing_says_what_it_did_and_offers_no_ignores() {
        let report = Report {
            headline: Some("restored `k` ##[x]".into()),
            checks: Vec::new(),
            left_out: Vec::new(),
            verdict: Verdict::Pass,
            ..report(vec![Finding::new(
                "cache",
                "network",
                Severity::Warning,
                "reset",
            )])
        };
        let mut out = Vec::new();
        render(&report, false, "2027-01-01", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "warning[cache:network]: reset\n\nlint-gate: restored `k` ##\u{200b}[x] · 34 ms\n"
        );
    }
}
