//! What a process left behind, and what became of it.

use std::fmt;

/// How much of a command line is shown, characters.
const SHOWN: usize = 160;

/// A process that outlived the one that started it, or left its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its number.
    pub id: u32,
    /// Its command line, cut and masked. Text of strangers.
    pub command: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a [`Stray`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It ended when it was asked to, by SIGTERM.
    Ended,
    /// It was killed, by SIGKILL.
    Killed,
    /// It is still there.
    Remains,
}

impl fmt::Display for Stray {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fate = match self.fate {
            Fate::Ended => "ended when asked to",
            Fate::Killed => "killed",
            Fate::Remains => "could not be ended",
        };
        write!(
            formatter,
            "process {} (`{}`): {fate}",
            self.id, self.command
        )
    }
}

/// The beginning of a command line.
#[cfg(target_os = "linux")]
pub(super) fn shortened(command: &str) -> String {
    let mut shown: String = command.chars().take(SHOWN).collect();
    if shown.len() < command.len() {
        shown.push('…');
    }
    shown
}
