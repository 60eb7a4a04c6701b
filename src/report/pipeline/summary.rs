//! The job summary of a run: verdict, table, what failed, what was flaky, and where the time went.

use std::fmt::Write as _;

use crate::error::{NO_VERDICT_PAGE, count, exit};
use crate::model::duration;
use crate::model::pipeline::{RunRecord, StageRecord};
use crate::model::report::Verdict;
use crate::model::size;
use crate::model::untrusted::{self, markdown};
use crate::report::pipeline::critical::{self, Critical};
use crate::report::pipeline::verdict::judge;
use crate::report::pipeline::{gantt, words};

/// From so many stages on, those with a problem stand first in the table.
const MANY: usize = 60;

/// So much of the end of a log is shown of one stage, bytes.
const TAIL: usize = 16 * 1024;

/// So many artifacts of one stage are named.
const ARTIFACTS: usize = 5;

/// So many stages are named in a sentence.
const NAMED: usize = 10;

/// The run as Markdown of at most `limit` bytes: what does not fit is counted.
pub fn render(record: &RunRecord, limit: usize) -> String {
    let critical = critical::analyse(record);
    let mut text = headline(record, &critical);
    let chart = chart(record, &critical);
    let tail = tail(record, &critical, limit / 8);
    // The rest is shared by the table and the ends of logs.
    let used = text.len() + tail.len() + chart.len() + 400;
    let chart = if used > limit / 2 {
        String::new()
    } else {
        chart
    };
    let room = limit.saturating_sub(text.len() + tail.len() + chart.len() + 400);
    let table = table(record, room / 2);
    let failures = failures(record, room.saturating_sub(table.len()));
    for part in [table, failures, tail, chart] {
        text.push_str(&part);
    }
    if text.len() > limit {
        let mut end = limit.saturating_sub(8);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("…\n");
    }
    text
}

fn headline(record: &RunRecord, critical: &Critical) -> String {
    let (verdict, exit_code) = judge(record);
    let (mark, word) = match (verdict, exit_code) {
        (Verdict::Pass, _) => ("✅", "passed".to_owned()),
        (Verdict::Fail, _) => ("❌", "failed".to_owned()),
        (Verdict::NoVerdict, 129..) => {
            let signal = record.stopped_by.unwrap_or_default();
            ("🚫", format!("stopped by signal {signal}"))
        }
        (Verdict::NoVerdict, _) => ("⚠️", "no verdict".to_owned()),
    };
    let mut text = format!(
        "### {mark} {}: {word}\n\n{} in {}",
        markdown(&record.name),
        words::counts(record),
        duration::show(record.duration)
    );
    if !critical.path.is_empty() {
        let path = critical::path(record, critical, 6);
        let _ = write!(text, " · critical path {}", markdown(&path));
    }
    text.push_str("<br>\n");
    if exit_code == exit::NO_VERDICT {
        let _ = writeln!(text, "Why this is not green: <{NO_VERDICT_PAGE}>");
    }
    if let Some(loosened) = words::loosened(record) {
        let _ = writeln!(text, "\n**policy-changed**: {}.", markdown(&loosened));
    }
    let missing: Vec<&str> = record.missing().collect();
    if !missing.is_empty() {
        let _ = writeln!(
            text,
            "\n**Nothing is known of {}**, planned but without a result: {}.",
            count(missing.len() as u64, "stage"),
            markdown(&some(&missing))
        );
    }
    text
}

/// The first names, the rest counted.
fn some(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().checked_sub(NAMED) {
        Some(rest @ 1..) => format!("{} and {rest} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

fn table(record: &RunRecord, room: usize) -> String {
    let mut stages: Vec<&StageRecord> = record.stages.iter().collect();
    if stages.is_empty() {
        return String::new();
    }
    if stages.len() > MANY {
        let has_no_news = |stage: &&StageRecord| !(stage.outcome.is_problem() || stage.is_flaky());
        stages.sort_by_key(has_no_news);
    }
    let mut text =
        "\n| | stage | result | time | attempts | artifacts |\n|---|---|---|--:|--:|---|\n"
            .to_owned();
    for (at, stage) in stages.iter().enumerate() {
        let row = row(stage);
        if text.len() + row.len() > room {
            let rest = count((stages.len() - at) as u64, "more stage");
            let _ = writeln!(text, "\n{rest} in the JSON report.");
            break;
        }
        text.push_str(&row);
    }
    text
}

fn row(stage: &StageRecord) -> String {
    let attempts = match stage.attempts.len() {
        0 => String::new(),
        number => number.to_string(),
    };
    let service = if stage.is_service { " (service)" } else { "" };
    let mut artifacts: Vec<String> = stage
        .artifacts
        .iter()
        .take(ARTIFACTS)
        .map(|artifact| {
            format!(
                "{}: {} ({}, sha256 <code>{}</code>)",
                markdown(&artifact.output),
                markdown(&artifact.path),
                size::show(artifact.size),
                words::short(&artifact.digest)
            )
        })
        .collect();
    if let Some(rest @ 1..) = stage.artifacts.len().checked_sub(ARTIFACTS) {
        artifacts.push(format!("and {rest} more"));
    }
    format!(
        "| {} | {}{service} | {} | {} | {attempts} | {} |\n",
        words::mark(stage),
        markdown(&stage.name),
        markdown(&words::outcome(stage)),
        words::time(stage),
        artifacts.join("<br>")
    )
}

/// The stages that did not pass, each with the end of its log.
fn failures(record: &RunRecord, room: usize) -> String {
    let failed: Vec<&StageRecord> = record
        .stages
        .iter()
        .filter(|stage| stage.outcome.is_problem() && !stage.tail.trim().is_empty())
        .collect();
    let share = (room / failed.len().max(1)).clamp(2_048, TAIL);
    let mut text = String::new();
    for (at, stage) in failed.iter().enumerate() {
        let one = failure(stage, share);
        if text.len() + one.len() > room {
            let rest = count((failed.len() - at) as u64, "more stage");
            let _ = writeln!(text, "\nThe ends of the logs of {rest} have no room here.");
            break;
        }
        text.push_str(&one);
    }
    text
}

fn failure(stage: &StageRecord, room: usize) -> String {
    let (tail, is_cut) = words::tail(&stage.tail, room.saturating_sub(512) / 2);
    let mut text = format!(
        "\n#### {} {}\n\n{}\n",
        words::mark(stage),
        markdown(&stage.name),
        fenced(tail, "text")
    );
    let note = match (&stage.log, is_cut) {
        (Some(log), _) => format!("The whole log: {}", markdown(log)),
        (None, true) => "Only its end is shown.".to_owned(),
        (None, false) => return text,
    };
    let _ = writeln!(text, "{note}");
    text
}

/// A block that no line of its content can end: its fence is longer than any run of backticks in it
/// (<https://github.github.com/gfm/#fenced-code-blocks>).
fn fenced(content: &str, language: &str) -> String {
    let content = untrusted::lines(content);
    let longest = content.split(|sign| sign != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", content.trim_end())
}

/// Flaky stages, survivors, and where the time went, in at most about `room` bytes.
fn tail(record: &RunRecord, critical: &Critical, room: usize) -> String {
    let mut text = String::new();
    let flaky: Vec<&StageRecord> = record
        .stages
        .iter()
        .filter(|stage| stage.is_flaky())
        .collect();
    if !flaky.is_empty() {
        let number = count(flaky.len() as u64, "stage");
        let _ = write!(
            text,
            "\n**Flaky**: {number} passed only when tried again\n\n"
        );
        list(&mut text, room / 2, flaky.into_iter().map(attempts));
    }
    let survivors = record
        .stages
        .iter()
        .flat_map(|stage| stage.survivors.iter().map(move |one| (stage, one)))
        .map(|(stage, survivor)| {
            format!(
                "{} left process {} (`{}`): {}",
                stage.name, survivor.pid, survivor.command, survivor.ended_by
            )
        });
    let mut survivors = survivors.peekable();
    if survivors.peek().is_some() {
        text.push_str("\n**Processes that outlived their stage** and were ended\n\n");
        list(&mut text, room, survivors);
    }
    let sentences = critical::words(record, critical);
    if !sentences.is_empty() {
        text.push('\n');
        for sentence in sentences {
            let _ = writeln!(text, "{}<br>", markdown(&sentence));
        }
    }
    text
}

/// How each attempt of a stage ended.
fn attempts(stage: &StageRecord) -> String {
    let endings: Vec<String> = stage
        .attempts
        .iter()
        .map(|attempt| {
            format!(
                "{} after {}",
                attempt.ending,
                duration::show(attempt.duration)
            )
        })
        .collect();
    format!("{}: {}", stage.name, endings.join(", then "))
}

/// One item a line until `text` is as long as `room`; the rest is counted.
fn list(text: &mut String, room: usize, items: impl Iterator<Item = String>) {
    let mut rest = 0;
    for item in items {
        let line = format!("- {}\n", markdown(&item));
        if rest > 0 || text.len() + line.len() > room {
            rest += 1;
        } else {
            text.push_str(&line);
        }
    }
    if rest > 0 {
        let _ = writeln!(text, "- and {rest} more");
    }
}

fn chart(record: &RunRecord, critical: &Critical) -> String {
    let Some((chart, left)) = gantt::render(record, critical) else {
        return String::new();
    };
    let mut text = format!("\n{}", fenced(&chart, "mermaid"));
    if left > 0 {
        let _ = writeln!(text, "\n{}", gantt::left_out(left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::pipeline::Outcome;
    use crate::report::pipeline::tests::{everything, run, stage};

    const LIMIT: usize = 1_024 * 1_024;

    #[test]
    fn ten_seconds_are_enough() {
        let text = render(&everything(), LIMIT);
        for expected in [
            "### ⚠️ shop: no verdict\n\n8 stages: 1 failed, 1 timed out, 4 passed, 2 skipped in 6.0 s · critical path build → test &#40;3.12&#41; → smoke<br>\n",
            "**Nothing is known of 1 stage**, planned but without a result: &#96;forgotten&#96;.",
            "| ✅ | build | passed | 1.5 s | 1 | wheel: dist/shop-1.0-py3-none-any.whl (12 kB, sha256 <code>abababababab</code>) |\n",
            "| 🔁 | test &#40;3.12&#41; | passed on attempt 2 &#40;flaky&#41; | 4.0 s | 2 |  |\n",
            "| ❌ | lint | failed&#58; exit code 1 | 500 ms | 1 |  |\n",
            "| 🟡 | slow | timed out &#40;allowed&#41;&#58; longer than 1.0 s |",
            "| ✅ | server (service) | passed |",
            "| ♻️ | docs | unchanged |  |  |  |\n",
            "| ⏭️ | deploy | skipped&#58; needs &#96;lint&#96;, which did not pass |",
            "#### ❌ lint\n\n````text\nsrc/a.py:1: unused import\n```\n</details>\n````\n\nThe whole log: .lockgate/logs/lint.log",
            "**Flaky**: 1 stage passed only when tried again\n\n- test &#40;3.12&#41;&#58; exit code 1 after 2.5 s, then exit code 0 after 1.4 s\n",
            "- lint left process 4242 &#40;&#96;python -m http.server&#96;&#41;&#58; SIGKILL\n",
            "Critical path&#58; build → test",
            "\n```mermaid\ngantt\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn no_text_of_strangers_is_markup() {
        let hostile = "x|y\n| z |<img>`@all`\n```\n::error::x";
        let mut record = everything();
        record.map_text(|_| hostile.to_owned().into());
        let text = render(&record, LIMIT);
        let mut fence = None;
        for line in text.lines() {
            let run = line.bytes().take_while(|byte| *byte == b'`').count();
            match fence {
                Some(length) if run >= length && line.len() == run => fence = None,
                Some(_) => {}
                None if run >= 3 => fence = Some(run),
                None => {
                    assert!(!line.contains("<img>") && !line.contains("@all"), "{line}");
                    assert!(!line.starts_with("| z") && !line.contains("x|y"), "{line}");
                }
            }
        }
        assert_eq!(fence, None);
    }

    #[test]
    fn a_flood_stays_below_the_limit_and_is_counted() {
        let failed = |at: usize| {
            let mut stage = stage(&format!("stage {at} {}", "é".repeat(200)), &[], 0, 10);
            stage.outcome = Outcome::Failed("x".repeat(5_000));
            stage.tail = "`".repeat(70_000) + "\n" + &"error\n".repeat(4_000);
            stage.survivors = vec![everything().stages[2].survivors[0].clone(); 20];
            stage
        };
        let record = run((0..800).map(failed).collect());
        for limit in [5_000, 60_000, LIMIT] {
            let text = render(&record, limit);
            assert!(text.len() <= limit, "{} > {limit}", text.len());
        }
        let text = render(&record, LIMIT);
        assert!(text.len() > LIMIT / 2, "{}", text.len());
        for expected in [
            " more stages in the JSON report.\n",
            " more stages have no room here.",
            "more stages not drawn.",
            "\n- and 1",
        ] {
            assert!(text.contains(expected), "{expected}");
        }
    }

    #[test]
    fn what_went_wrong_stands_first_where_there_is_much() {
        let mut stages: Vec<_> = (0..100)
            .map(|at| stage(&format!("s{at}"), &[], 0, 10))
            .collect();
        stages[90].outcome = Outcome::Cancelled("stopped by signal 15".into());
        let mut record = run(stages);
        record.stopped_by = Some(15);
        let text = render(&record, LIMIT);
        assert!(
            text.starts_with("### 🚫 shop: stopped by signal 15\n"),
            "{text}"
        );
        assert!(
            text.contains("--:|---|\n| 🚫 | s90 | cancelled&#58; stopped by signal 15 |"),
            "{text}"
        );
    }

    #[test]
    fn a_run_without_stages_says_so() {
        let text = render(&run(vec![]), LIMIT);
        let start = "### ⚠️ shop: no verdict\n\n0 stages in 0 ms<br>\nWhy this is not green: <";
        assert!(text.starts_with(start), "{text}");
    }
}
