//! The end of a run at a terminal or in a log: what each stage did, what failed and why, the critical path, the verdict.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::error::{NO_VERDICT_PAGE, count};
use crate::model::duration;
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};
use crate::model::report::Verdict;
use crate::model::size;
use crate::model::untrusted;
use crate::report::pipeline::verdict::judge;
use crate::report::pipeline::{critical, words};

/// So much of the end of a log is shown of one stage, bytes.
const TAIL: usize = 8 * 1024;

/// A longer name does not widen its column.
const WIDEST: usize = 48;

/// From so many stages on, those that did nothing worth telling are counted.
const MANY: usize = 60;

/// Writes the run as text, with colour where wanted.
pub fn render(record: &RunRecord, color: bool, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(color);
    for stage in record
        .stages
        .iter()
        .filter(|stage| stage.outcome.is_problem())
    {
        let (tail, is_cut) = words::tail(&stage.tail, TAIL);
        if tail.is_empty() {
            continue;
        }
        let name = untrusted::line(&stage.name);
        let title = paint.of(
            stage,
            &format!("{name}: {}", untrusted::line(&words::outcome(stage))),
        );
        writeln!(out, "── {title} ──")?;
        if is_cut {
            writeln!(out, "…")?;
        }
        writeln!(out, "{}", untrusted::lines(tail))?;
        if let Some(log) = &stage.log {
            writeln!(out, "log: {}", untrusted::line(log))?;
        }
        writeln!(out)?;
    }
    table(record, paint, out)?;
    for stage in &record.stages {
        for survivor in &stage.survivors {
            let text = format!(
                "  {} left process {} (`{}`): {}",
                stage.name, survivor.pid, survivor.command, survivor.ended_by
            );
            writeln!(out, "{}", untrusted::line(&text))?;
        }
    }
    if let Some(loosened) = words::loosened(record) {
        writeln!(out, "  policy-changed: {}", untrusted::line(&loosened))?;
    }
    for name in record.missing() {
        writeln!(
            out,
            "  {}: planned, and nothing is known of it",
            untrusted::line(name)
        )?;
    }
    let found = critical::analyse(record);
    for sentence in critical::words(record, &found) {
        writeln!(out, "  {}", untrusted::line(&sentence))?;
    }
    writeln!(out, "{}", verdict(record, paint))
}

/// One line a stage.
fn table(record: &RunRecord, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = record
        .stages
        .iter()
        .map(|stage| untrusted::line(&stage.name))
        .collect();
    let widths = names.iter().map(|name| name.width());
    let width = widths.max().unwrap_or(0).min(WIDEST);
    let is_told = |stage: &StageRecord| {
        record.stages.len() <= MANY || stage.outcome.is_problem() || stage.is_flaky()
    };
    let mut left = 0;
    for (stage, name) in record.stages.iter().zip(&names) {
        if !is_told(stage) {
            left += 1;
            continue;
        }
        let space = " ".repeat(width.saturating_sub(name.width()));
        let time = words::time(stage);
        let service = if stage.is_service { "  service" } else { "" };
        let artifacts: Vec<String> = stage
            .artifacts
            .iter()
            .map(|artifact| {
                format!(
                    "  {} {} {}",
                    artifact.path,
                    size::show(artifact.size),
                    words::short(&artifact.digest)
                )
            })
            .collect();
        writeln!(
            out,
            "  {} {name}{space}  {time:>10}  {}{service}{}",
            paint.of(stage, sign(stage)),
            untrusted::line(&words::outcome(stage)),
            untrusted::line(&artifacts.concat())
        )?;
    }
    if left > 0 {
        writeln!(
            out,
            "  and {} that passed or did not run",
            count(left, "stage")
        )?;
    }
    Ok(())
}

fn sign(stage: &StageRecord) -> &'static str {
    match &stage.outcome {
        Outcome::Passed if stage.is_flaky() => "~",
        Outcome::Passed => "✓",
        Outcome::Skipped(SkipReason::Unchanged) => "=",
        Outcome::Skipped(_) => "-",
        Outcome::Failed(_) | Outcome::TimedOut(_) => "✗",
        Outcome::NoVerdict(_) => "?",
        Outcome::Cancelled(_) => "!",
    }
}

fn verdict(record: &RunRecord, paint: Paint) -> String {
    let (word, code) = match judge(record) {
        (Verdict::Pass, _) => ("pass".to_owned(), "32"),
        (Verdict::Fail, _) => ("fail".to_owned(), "31"),
        (Verdict::NoVerdict, 129..) => {
            let signal = record.stopped_by.unwrap_or_default();
            (format!("stopped by signal {signal}"), "33")
        }
        (Verdict::NoVerdict, _) => (format!("no verdict (see {NO_VERDICT_PAGE})"), "33"),
    };
    format!(
        "pipeline {}: {} · {} · {}",
        untrusted::line(&record.name),
        paint.with(code, &word),
        words::counts(record),
        duration::show(record.duration)
    )
}

/// Colour, where it is wanted.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn of(self, stage: &StageRecord, text: &str) -> String {
        let code = match &stage.outcome {
            Outcome::Passed if !stage.is_flaky() => "32",
            Outcome::Skipped(_) => "2",
            Outcome::Failed(_) | Outcome::TimedOut(_) if !stage.allow_failure => "31",
            _ => "33",
        };
        self.with(code, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pipeline::tests::{everything, run, stage};

    fn rendered(record: &RunRecord, color: bool) -> String {
        let mut out = Vec::new();
        render(record, color, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_is_told_from_what_failed_to_the_verdict() {
        let text = rendered(&everything(), false);
        for expected in [
            "── lint: failed: exit code 1 ──\nsrc/a.py:1: unused import\n```\n</details>\nlog: .lockgate/logs/lint.log\n\n",
            "  ✓ build             1.5 s  passed  dist/shop-1.0-py3-none-any.whl 12 kB abababababab\n",
            "  ~ test (3.12)       4.0 s  passed on attempt 2 (flaky)\n",
            "  ✓ server            4.5 s  passed  service\n",
            "  = docs                     unchanged\n",
            "  lint left process 4242 (`python -m http.server`): SIGKILL\n",
            "  forgotten: planned, and nothing is known of it\n",
            "  Critical path: build → test (3.12) → smoke (5.7 s, 95 % of the run, besides 300 ms of waiting for a free core).\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        let last = text.lines().last().unwrap();
        assert!(
            last.starts_with("pipeline shop: no verdict (see https"),
            "{last}"
        );
        assert!(rendered(&everything(), true).contains("\x1b[31m✗\x1b[0m lint"));
    }

    #[test]
    fn hostile_text_is_no_command_and_moves_no_cursor() {
        let mut record = everything();
        record.map_text(|_| "\x1b[2J\n::error::x\r##[add-mask]y".to_owned().into());
        let text = rendered(&record, false);
        assert!(!text.contains('\x1b') && !text.contains("##["), "{text:?}");
        assert!(
            !text.lines().any(|line| line.trim_start().starts_with("::")),
            "{text}"
        );
    }

    #[test]
    fn many_stages_are_counted_but_for_those_with_news() {
        let mut stages: Vec<_> = (0..500)
            .map(|at| stage(&format!("s{at}"), &[], 0, 10))
            .collect();
        stages[400].outcome = Outcome::TimedOut(std::time::Duration::from_secs(1));
        let text = rendered(&run(stages), false);
        assert!(text.lines().count() < 12, "{text}");
        assert!(text.contains("✗ s400"), "{text}");
        assert!(
            text.contains("  and 499 stages that passed or did not run\n"),
            "{text}"
        );
    }
}
