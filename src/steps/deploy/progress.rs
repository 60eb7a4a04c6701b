//! How far a deployment is, for who looks on: bytes and their rate on a terminal, each thing that is done as a line.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::github::console::Console;
use crate::model::deploy::{Change, ChangeKind};
use crate::model::size;
use crate::model::untrusted::line;
use crate::system::masking::Secret;
use crate::targets::Progress;

/// How often the line of bytes is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// Tells what is done.
pub struct Told<'c> {
    console: &'c Console,
    sent: Mutex<Sent>,
}

/// The file that is being sent.
#[derive(Debug, Default)]
struct Sent {
    what: String,
    began: Option<Instant>,
    shown: Option<Instant>,
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Told").finish_non_exhaustive()
    }
}

impl<'c> Told<'c> {
    /// Tells it there.
    pub fn new(console: &'c Console) -> Self {
        Self {
            console,
            sent: Mutex::default(),
        }
    }

    /// A line for people.
    pub fn note(&self, text: &str) {
        self.console.live("");
        self.console.note(text);
    }
}

/// `3.0 MB of 10 MB, 1.5 MB/s`.
fn rate(bytes: u64, total: u64, elapsed: Duration) -> String {
    let millis = elapsed.as_millis().max(1);
    let each = u128::from(bytes) * 1_000 / millis;
    let each = u64::try_from(each).unwrap_or(u64::MAX);
    format!(
        "{} of {}, {}/s",
        size::show(bytes),
        size::show(total),
        size::show(each)
    )
}

impl Progress for Told<'_> {
    fn sent(&self, what: &str, bytes: u64, total: u64) {
        if !self.console.is_watched() {
            return;
        }
        // It is whole whatever happened.
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.what != what {
            *sent = Sent {
                what: what.to_owned(),
                began: Some(Instant::now()),
                shown: None,
            };
        }
        if sent.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        sent.shown = Some(Instant::now());
        let elapsed = sent.began.map_or(Duration::ZERO, |began| began.elapsed());
        self.console.live(&format!(
            "  {}: {}",
            line(what),
            rate(bytes, total, elapsed)
        ));
    }

    fn done(&self, change: &Change) {
        self.note(&format!(
            "  {} {}: {}",
            verb(change.kind),
            line(&change.what),
            line(&change.detail)
        ));
    }

    fn retried(&self, what: &str, why: &str) {
        self.note(&format!("  {}: tried again: {}", line(what), line(why)));
    }

    fn conceal(&self, secret: &Secret) {
        self.console.hide(secret);
    }

    fn said(&self, text: &str) {
        self.note(&format!("  | {}", line(text)));
    }
}

/// What happens to a thing, in one word.
pub fn verb(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Create => "create",
        ChangeKind::Replace => "replace",
        ChangeKind::Keep => "keep",
        ChangeKind::Remove => "remove",
        ChangeKind::Refuse => "refuse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_time_so_far() {
        assert_eq!(
            rate(3_000_000, 10_000_000, Duration::from_secs(2)),
            format!(
                "{} of {}, {}/s",
                size::show(3_000_000),
                size::show(10_000_000),
                size::show(1_500_000)
            )
        );
        assert!(rate(u64::MAX, u64::MAX, Duration::ZERO).ends_with("/s"));
    }
}
