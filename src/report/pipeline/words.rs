//! What all forms for people call things.

use crate::error::count;
use crate::model::duration;
use crate::model::pipeline::manifest::Source;
use crate::model::pipeline::{Outcome, RunRecord, SkipReason, StageRecord};

/// One sign for how a stage ended.
pub(super) fn mark(stage: &StageRecord) -> &'static str {
    match &stage.outcome {
        Outcome::Passed if stage.is_flaky() => "🔁",
        Outcome::Passed => "✅",
        Outcome::Skipped(SkipReason::Unchanged) => "♻️",
        Outcome::Skipped(_) => "⏭️",
        _ if stage.allow_failure => "🟡",
        Outcome::Failed(_) | Outcome::TimedOut(_) => "❌",
        Outcome::NoVerdict(_) => "⚠️",
        Outcome::Cancelled(_) => "🚫",
    }
}

/// How a stage ended, in words without a text of anybody's: `passed on attempt 2`, `timed out`.
pub(super) fn ending(stage: &StageRecord) -> String {
    let word = match &stage.outcome {
        Outcome::Passed if stage.is_flaky() => {
            format!("passed on attempt {} (flaky)", stage.attempts.len())
        }
        Outcome::Passed => "passed".to_owned(),
        Outcome::Skipped(SkipReason::Unchanged) if stage.source == Source::Shared => {
            "unchanged, from the shared store".to_owned()
        }
        Outcome::Skipped(SkipReason::Unchanged) => "unchanged".to_owned(),
        Outcome::Skipped(_) => "skipped".to_owned(),
        Outcome::Failed(_) => "failed".to_owned(),
        Outcome::TimedOut(_) => "timed out".to_owned(),
        Outcome::NoVerdict(_) => "no verdict".to_owned(),
        Outcome::Cancelled(_) => "cancelled".to_owned(),
    };
    if stage.allow_failure && stage.outcome.is_problem() {
        return format!("{word} (allowed)");
    }
    word
}

/// The same with the reason, which may hold text of strangers.
pub(super) fn outcome(stage: &StageRecord) -> String {
    match stage.outcome.reason() {
        Some(reason) if stage.outcome != Outcome::Skipped(SkipReason::Unchanged) => {
            format!("{}: {}", ending(stage), cut(&reason))
        }
        _ => ending(stage),
    }
}

/// What a proposal has made looser than the base has it: one line with the list, the end of a long one counted.
pub(super) fn loosened(record: &RunRecord) -> Option<String> {
    const NAMED: usize = 20;
    let shown: Vec<&str> = record.loosened.iter().map(|one| &**one).collect();
    let (shown, rest) = shown.split_at(shown.len().min(NAMED));
    let more = match rest.len() {
        0 => String::new(),
        rest => format!("; and {rest} more"),
    };
    let list = shown.join("; ");
    (!shown.is_empty()).then(|| format!("not as on the base: {list}{more}"))
}

/// A reason is one line of a table.
fn cut(reason: &str) -> String {
    const MOST: usize = 200;
    let mut cut: String = reason.chars().take(MOST).collect();
    if cut.len() < reason.len() {
        cut.push('…');
    }
    cut
}

/// How long it took; nothing of a stage that did not run.
pub(super) fn time(stage: &StageRecord) -> String {
    match stage.began {
        Some(_) => duration::show(stage.duration),
        None => String::new(),
    }
}

/// `7 stages: 4 passed, 1 failed, 2 skipped`.
pub(super) fn counts(record: &RunRecord) -> String {
    const NAMES: [&str; 6] = [
        "failed",
        "timed-out",
        "no-verdict",
        "cancelled",
        "passed",
        "skipped",
    ];
    let parts: Vec<String> = NAMES
        .into_iter()
        .map(|name| {
            let is = |stage: &&StageRecord| stage.outcome.name() == name;
            (record.stages.iter().filter(is).count(), name)
        })
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {}", name.replace('-', " ")))
        .collect();
    let all = count(record.stages.len() as u64, "stage");
    if parts.is_empty() {
        return all;
    }
    format!("{all}: {}", parts.join(", "))
}

/// The first twelve digits of a digest.
pub(super) fn short(digest: &crate::model::digest::Sha) -> String {
    crate::model::digest::hex(&digest[..6])
}

/// The last lines of a text, at most so many bytes, and whether something is missing.
pub(super) fn tail(text: &str, limit: usize) -> (&str, bool) {
    let text = text.trim_end();
    if text.len() <= limit {
        return (text, false);
    }
    let mut from = text.len() - limit;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let cut = text.get(from..).unwrap_or_default();
    // Whole lines, unless there is only one.
    let whole = cut.split_once('\n').map_or(cut, |(_, rest)| rest);
    (if whole.is_empty() { cut } else { whole }, true)
}
