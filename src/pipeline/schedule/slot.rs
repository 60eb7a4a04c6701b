//! What is known of one stage while it waits and runs.

use crate::model::pipeline::NeedResult;
use crate::pipeline::schedule::Mode;
use crate::pipeline::selection::Choice;

/// A set of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Results(u8);

impl Results {
    pub(super) fn of(results: &[NeedResult]) -> Self {
        let mut all = Self::default();
        for result in results {
            all.add(*result);
        }
        all
    }

    pub(super) fn add(&mut self, result: NeedResult) {
        self.0 |= bit(result);
    }

    pub(super) fn has(self, result: NeedResult) -> bool {
        self.0 & bit(result) != 0
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// For messages: `failure` or `skipped`.
    pub(super) fn names(self) -> String {
        let names = [
            (NeedResult::Success, "`success`"),
            (NeedResult::Failure, "`failure`"),
            (NeedResult::Skipped, "`skipped`"),
            (NeedResult::Cancelled, "`cancelled`"),
        ];
        let own = names.into_iter().filter(|(result, _)| self.has(*result));
        let own: Vec<&str> = own.map(|(_, name)| name).collect();
        crate::error::list(&own, "or")
    }
}

fn bit(result: NeedResult) -> u8 {
    match result {
        NeedResult::Success => 1,
        NeedResult::Failure => 2,
        NeedResult::Skipped => 4,
        NeedResult::Cancelled => 8,
    }
}

/// What of a stage does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) is_service: bool,
    pub(super) always: bool,
    pub(super) reacts_to: Results,
    pub(super) allow_failure: bool,
}

impl Kind {
    /// Whether it runs only where all that it needs has passed.
    pub(super) fn is_plain(self) -> bool {
        !self.always && !self.is_reacting()
    }

    /// Whether `if.result` decides.
    pub(super) fn is_reacting(self) -> bool {
        self.reacts_to != Results::default()
    }
}

/// How a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    Failure,
    Skipped,
    /// The run ended before it could start.
    NotReached,
    Cancelled,
    /// It takes no part in this run, and what it makes is there.
    LeftOut,
}

/// Where a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Something that it needs has not settled.
    Waiting,
    /// It waits for cores or memory.
    Ready,
    Running,
    /// A service that is ready.
    Serving,
    /// It was told to end.
    Leaving,
    Ended(Ending),
}

/// A stage in a run.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// Cores that it takes.
    pub(super) cpu: u32,
    /// Bytes that it takes.
    pub(super) memory: u64,
    /// Upward rank.
    pub(super) rank: u64,
    pub(super) choice: Choice,
    pub(super) state: State,
    /// Needs that have not settled.
    pub(super) open_needs: usize,
    /// How its needs settled.
    pub(super) seen: Results,
    /// A need that did not pass.
    pub(super) blocked_by: Option<usize>,
    /// Whether those that need it know: it has ended, or is a service and ready.
    pub(super) is_settled: bool,
    /// Dependents that have not ended, or are needed by some that have not.
    pub(super) live_dependents: usize,
    /// It takes no part, or has ended and everything that needs it too: nothing is needed for its sake.
    pub(super) is_dead: bool,
}

impl Slot {
    /// Whether it was started and its end was not told.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running | State::Serving | State::Leaving)
    }

    /// What those see that need it, once it has settled.
    pub(super) fn result(&self) -> NeedResult {
        match self.state {
            State::Ended(Ending::Failure) => NeedResult::Failure,
            State::Ended(Ending::Skipped | Ending::NotReached) => NeedResult::Skipped,
            State::Ended(Ending::Cancelled) => NeedResult::Cancelled,
            _ => NeedResult::Success,
        }
    }

    /// Whether it is worth naming where another does not run because of it: it failed, or was left out for its own sake.
    pub(super) fn is_reason(&self) -> bool {
        matches!(self.state, State::Ended(Ending::Failure | Ending::Skipped))
    }

    /// Whether those that need it may start, once it has settled.
    pub(super) fn satisfies(&self) -> bool {
        match self.result() {
            NeedResult::Success => true,
            NeedResult::Failure => self.kind.allow_failure,
            NeedResult::Skipped | NeedResult::Cancelled => false,
        }
    }

    /// Whether it may start, or go on, when the run is in this mode.
    pub(super) fn may_start(&self, mode: Mode) -> bool {
        match mode {
            Mode::Normal => true,
            Mode::Failing => !self.kind.is_plain(),
            Mode::Stopping => {
                let cancelled = NeedResult::Cancelled;
                self.kind.always || self.kind.reacts_to.has(cancelled) && self.seen.has(cancelled)
            }
            Mode::Aborting => false,
        }
    }
}
