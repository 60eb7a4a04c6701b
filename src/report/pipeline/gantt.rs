//! The run as a Gantt chart in mermaid's language (<https://mermaid.js.org/syntax/gantt.html>).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::error::count;
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};
use crate::model::untrusted;
use crate::report::pipeline::critical::{Critical, is_shown};

/// So many bars are drawn.
const BARS: usize = 100;

/// So much of a name is drawn, characters.
const NAME: usize = 48;

/// What one line of the chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Critical,
    Beside,
    Services,
    NotRun,
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Self::Critical => "critical path",
            Self::Beside => "beside it",
            Self::Services => "services",
            Self::NotRun => "not run",
        }
    }
}

struct Bar<'r> {
    section: Section,
    stage: &'r StageRecord,
    wait: Duration,
    began: Duration,
}

/// The chart and how many stages are not in it; `None` where nothing ran. Its text is safe inside of a fenced block of
/// Markdown: no line of it holds a backtick.
pub(super) fn render(record: &RunRecord, critical: &Critical) -> Option<(String, usize)> {
    let waits: HashMap<usize, Duration> = critical
        .path
        .iter()
        .map(|step| (step.stage, step.wait))
        .collect();
    let mut bars = Vec::new();
    for (at, stage) in record.stages.iter().enumerate() {
        let wait = waits.get(&at).copied();
        bars.push(Bar {
            section: match (stage.began, wait.is_some()) {
                (None, _) => Section::NotRun,
                _ if stage.is_service => Section::Services,
                (_, true) => Section::Critical,
                (_, false) => Section::Beside,
            },
            stage,
            wait: wait.unwrap_or_default(),
            began: stage.began.unwrap_or_default(),
        });
    }
    if bars.iter().all(|bar| bar.section == Section::NotRun) {
        return None;
    }
    // What counts most first, then as it is read.
    bars.sort_by_key(|bar| (bar.section, std::cmp::Reverse(bar.stage.duration)));
    let left = bars.len().saturating_sub(BARS);
    bars.truncate(BARS);
    bars.sort_by_key(|bar| (bar.section, bar.began));
    let axis = match record.duration.as_secs() {
        0..10 => "%S.%L",
        10..3_600 => "%M:%S",
        _ => "%H:%M:%S",
    };
    let mut text = format!(
        "gantt\n    dateFormat YYYY-MM-DD HH:mm:ss.SSS\n    axisFormat {axis}\n    todayMarker off\n"
    );
    let mut section = None;
    for bar in bars {
        if section.replace(bar.section) != Some(bar.section) {
            let _ = writeln!(text, "    section {}", bar.section.title());
        }
        if is_shown(bar.wait, record) {
            let from = bar.began.saturating_sub(bar.wait);
            let _ = writeln!(
                text,
                "    … {} waits :done, {}, {}ms",
                name(&bar.stage.name),
                moment(from),
                bar.wait.as_millis().max(1)
            );
        }
        let _ = writeln!(
            text,
            "    {} {} :{}{}, {}ms",
            sign(bar.stage),
            name(&bar.stage.name),
            tags(&bar),
            moment(bar.began),
            bar.stage.duration.as_millis().max(1)
        );
    }
    Some((text, left))
}

/// The sentence on what is not drawn.
pub(super) fn left_out(left: usize) -> String {
    format!("{} not drawn.", count(left as u64, "more stage"))
}

fn tags(bar: &Bar<'_>) -> &'static str {
    match bar.section {
        Section::Critical => "crit, ",
        Section::Beside => "",
        Section::Services => "active, ",
        Section::NotRun => "done, milestone, ",
    }
}

/// One sign in front of each name, so that none begins a word of the language.
fn sign(stage: &StageRecord) -> char {
    match &stage.outcome {
        Outcome::Passed if stage.is_flaky() => '↻',
        Outcome::Passed => '✓',
        Outcome::Skipped(SkipReason::Unchanged) => '=',
        Outcome::Skipped(_) => '–',
        Outcome::Failed(_) | Outcome::TimedOut(_) => '✗',
        Outcome::NoVerdict(_) => '?',
        Outcome::Cancelled(_) => '∅',
    }
}

/// A name without a sign that means anything to mermaid, Markdown or HTML: such signs become their wide twins
/// (U+FF01 to U+FF5E), which look alike and mean nothing.
fn name(name: &str) -> String {
    let line = untrusted::line(name);
    let mut drawn = String::with_capacity(name.len());
    for (at, character) in line.chars().enumerate() {
        if at == NAME {
            drawn.push('…');
            break;
        }
        let is_safe = character.is_ascii_alphanumeric()
            || matches!(
                character,
                ' ' | '-' | '_' | '.' | '(' | ')' | '+' | '=' | ',' | '/'
            );
        drawn.push(match character {
            '\u{200b}' | '\t' => ' ',
            _ if is_safe || !character.is_ascii() => character,
            _ => char::from_u32(u32::from(character) + 0xfee0).unwrap_or('�'),
        });
    }
    let drawn = drawn.trim();
    if drawn.is_empty() { "…" } else { drawn }.to_owned()
}

/// So long after the beginning of a day without a change of clocks: mermaid reads and draws in the reader's own zone.
fn moment(since: Duration) -> String {
    let (seconds, milliseconds) = (since.as_secs(), since.subsec_millis());
    let day = (seconds / 86_400).min(27) + 1;
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!(
        "2000-01-{day:02} {hours:02}:{minutes:02}:{:02}.{milliseconds:03}",
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::pipeline::critical::analyse;
    use crate::report::pipeline::tests::{everything, ms, run, skipped, stage};

    fn drawn(record: &RunRecord) -> (String, usize) {
        render(record, &analyse(record)).unwrap()
    }

    #[test]
    fn each_kind_of_stage_is_drawn_in_its_own_way() {
        let (text, left) = drawn(&everything());
        assert_eq!(left, 0);
        for expected in [
            "    axisFormat %S.%L\n",
            "    section critical path\n    ✓ build :crit, 2000-01-01 00:00:00.000, 1500ms\n    ↻ test (3.12) :crit, 2000-01-01 00:00:01.500, 4000ms\n",
            "    … smoke waits :done, 2000-01-01 00:00:05.500, 300ms\n",
            "    section beside it\n    ✗ slow :2000-01-01 00:00:00.000, 1000ms\n    ✗ lint :",
            "    section services\n    ✓ server :active, ",
            "    section not run\n    = docs :done, milestone, 2000-01-01 00:00:00.000, 1ms\n    – deploy :",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn what_is_not_drawn_is_counted_and_the_critical_path_is_drawn_first() {
        let mut stages: Vec<_> = (0..150)
            .map(|at| stage(&format!("s{at}"), &[], 0, 10))
            .collect();
        stages.push(stage("the long one", &[], 0, 5_000));
        let (text, left) = drawn(&run(stages));
        assert_eq!(left, 51);
        assert_eq!(text.matches("ms\n").count(), BARS);
        assert!(
            text.contains("section critical path\n    ✓ the long one"),
            "{text}"
        );
        assert_eq!(left_out(1), "1 more stage not drawn.");
        assert!(render(&run(vec![]), &analyse(&run(vec![]))).is_none());
        let idle = run(vec![skipped("x", &[], SkipReason::NotReached)]);
        assert!(render(&idle, &analyse(&idle)).is_none());
    }

    #[test]
    fn names_mean_nothing_to_mermaid() {
        for (written, expected) in [
            ("a:b;c#d", "a：b；c＃d"),
            ("x\n    section y", "x␊    section y"),
            ("%%{init: {}}%%", "％％｛init： ｛｝｝％％"),
            ("```", "｀｀｀"),
            ("<script>&amp;", "＜script＞＆amp；"),
            ("  ", "…"),
            ("\u{202e}x", "\u{fffd}x"),
            ("test (3.12, lowest)", "test (3.12, lowest)"),
        ] {
            assert_eq!(name(written), expected);
        }
        assert_eq!(name(&"é".repeat(200)).chars().count(), NAME + 1);
    }

    #[test]
    fn a_moment_is_told_with_its_day() {
        assert_eq!(moment(ms(90_061_001)), "2000-01-02 01:01:01.001");
        assert_eq!(moment(Duration::MAX).len(), "2000-01-02 01:01:01.001".len());
    }
}
