//! Which stage runs when: a machine of states that is told what has happened and says what is to be done. It starts
//! nothing and waits for nothing.
//!
//! Kahn's algorithm with the ready stages by upward rank (Topcuoglu, Hariri, Wu: *Performance-effective and low-complexity
//! task scheduling for heterogeneous computing*, 2002): of those that could start, the one goes first behind which most
//! time is left. Each change costs the logarithm of the stages that wait.

mod rank;
mod ready;
mod slot;
#[cfg(test)]
mod tests;

pub(in crate::pipeline) use rank::expected;
pub use rank::{Durations, ranks};

use crate::model::pipeline::{Action, Outcome, Pipeline, SkipReason};
use crate::pipeline::graph::Graph;
use crate::pipeline::selection::Choice;
use ready::Ready;
use slot::{Ending, Kind, Results, Slot, State};

/// What the stages share, and what a failure means.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Cores; at least one counts.
    pub cores: u32,
    /// Bytes; `None` for no limit.
    pub memory: Option<u64>,
    /// Whether stages that do not depend on a failed one still start.
    pub keep_going: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// This stage starts now. Its end is told by [`Scheduler::finished`], that a service is ready by [`Scheduler::ready`].
    Start(usize),
    /// This stage does not run. Nothing more is to be told of it.
    Skip(usize, SkipReason),
    /// This stage runs and is to be ended. Its end is still told.
    Cancel(usize),
    /// No stage needs this service any more: it is to be ended. Its end is still told, and as passed if it went well.
    EndService(usize),
    /// Every stage has ended. Comes once, last.
    Done,
}

/// Why stages that could start do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Normal,
    /// A stage has failed, and the others are not to go on.
    Failing,
    /// The run is stopped: only what cleans up still runs.
    Stopping,
    /// Nothing runs any more.
    Aborting,
}

/// The state of a run.
///
/// A stage starts when what it needs has passed (or has failed and may; or is a service and ready), cores and memory are
/// there, and nothing of a higher rank waits for them. One that asks for more than there is runs alone. What does not fit
/// is passed over by others that do, but not for ever. A service takes cores until it is ready and memory until its end.
#[derive(Clone, Debug)]
pub struct Scheduler<'p> {
    pipeline: &'p Pipeline,
    graph: &'p Graph,
    slots: Vec<Slot>,
    ready: Ready,
    mode: Mode,
    keep_going: bool,
    /// Stages that have not ended.
    left: usize,
    has_begun: bool,
    /// Whether it was said that every stage has ended.
    is_told: bool,
    /// Stages that have settled and whose dependents do not know yet.
    settled: Vec<usize>,
    /// Stages of which it is not known whether anything still needs them.
    dying: Vec<usize>,
    messages: Vec<Message>,
}

impl<'p> Scheduler<'p> {
    /// A run of these stages. `choices` says by stage whether it takes part; what is missing there runs.
    pub fn new(
        pipeline: &'p Pipeline,
        graph: &'p Graph,
        choices: &[Choice],
        durations: &Durations,
        limits: Limits,
    ) -> Self {
        let ranks = ranks(pipeline, graph, choices, durations);
        let slots = pipeline.stages.iter().enumerate().zip(ranks);
        let slots = slots.map(|((number, stage), rank)| {
            let is_nothing = stage.action == Action::None;
            Slot {
                kind: Kind {
                    is_service: stage.service.is_some(),
                    always: stage.always,
                    reacts_to: Results::of(&stage.condition.result),
                    allow_failure: stage.allow_failure,
                },
                cpu: if is_nothing { 0 } else { stage.cpu.max(1) },
                memory: if is_nothing { 0 } else { stage.memory },
                rank,
                choice: choices.get(number).cloned().unwrap_or(Choice::Run),
                state: State::Waiting,
                open_needs: graph.needs_of(number).len(),
                seen: Results::default(),
                blocked_by: None,
                is_settled: false,
                live_dependents: graph.dependents_of(number).len(),
                is_dead: false,
            }
        });
        Self {
            pipeline,
            graph,
            slots: slots.collect(),
            ready: Ready::new(limits.cores.max(1), limits.memory),
            mode: Mode::Normal,
            keep_going: limits.keep_going,
            left: graph.len(),
            has_begun: false,
            is_told: false,
            settled: Vec::new(),
            dying: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// The first things to be done.
    pub fn begin(&mut self) -> Vec<Message> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Vec::new();
        }
        for stage in 0..self.slots.len() {
            let is_out = self
                .slot(stage)
                .is_some_and(|slot| slot.choice != Choice::Run);
            if is_out {
                self.let_go_of_needs(stage);
            }
        }
        for stage in 0..self.slots.len() {
            self.judge(stage);
        }
        // A service that no stage of the run needs has no dependent whose end could tell.
        self.dying.extend(0..self.slots.len());
        self.go_on()
    }

    /// A service answers its probe.
    pub fn ready(&mut self, stage: usize) -> Vec<Message> {
        let Some(slot) = self.slots.get_mut(stage) else {
            return Vec::new();
        };
        if slot.state == State::Running && slot.kind.is_service {
            slot.state = State::Serving;
            self.ready.release_cores(slot);
            self.settle(stage);
            self.dying.push(stage);
        }
        self.go_on()
    }

    /// A stage that was started has ended, whether by itself, cancelled or as a service that nothing needs any more.
    pub fn finished(&mut self, stage: usize, outcome: &Outcome) -> Vec<Message> {
        let ending = match outcome {
            Outcome::Passed | Outcome::Skipped(SkipReason::Unchanged) => Ending::Success,
            Outcome::Skipped(_) => Ending::Skipped,
            Outcome::Failed(_) | Outcome::TimedOut(_) | Outcome::NoVerdict(_) => Ending::Failure,
            Outcome::Cancelled(_) => Ending::Cancelled,
        };
        let is_running = self.slot(stage).is_some_and(Slot::is_running);
        if is_running {
            self.end(stage, ending, None);
        }
        self.go_on()
    }

    /// The run is to stop: what runs is ended, and nothing starts but what cleans up.
    pub fn stop(&mut self) -> Vec<Message> {
        self.change(Mode::Stopping);
        self.go_on()
    }

    /// The run is to stop at once: what cleans up is ended too.
    pub fn abort(&mut self) -> Vec<Message> {
        self.change(Mode::Aborting);
        self.go_on()
    }

    /// Whether every stage has ended.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    fn slot(&self, stage: usize) -> Option<&Slot> {
        self.slots.get(stage)
    }

    /// Brings everything to rest, and takes what is to be done.
    fn go_on(&mut self) -> Vec<Message> {
        loop {
            if let Some(stage) = self.settled.pop() {
                self.tell_dependents(stage);
            } else if let Some(stage) = self.dying.pop() {
                self.bury(stage);
            } else {
                break;
            }
        }
        if self.has_begun {
            while let Some(stage) = self.ready.take(&mut self.slots) {
                self.messages.push(Message::Start(stage));
            }
        }
        if self.left == 0 && !std::mem::replace(&mut self.is_told, true) {
            self.messages.push(Message::Done);
        }
        std::mem::take(&mut self.messages)
    }

    /// A need of these has settled.
    fn tell_dependents(&mut self, stage: usize) {
        let graph = self.graph;
        let Some(slot) = self.slot(stage) else { return };
        let (result, blocks) = (slot.result(), !slot.satisfies());
        for dependent in graph.dependents_of(stage) {
            if blocks {
                self.block(*dependent, stage);
            }
            if let Some(slot) = self.slots.get_mut(*dependent) {
                slot.open_needs = slot.open_needs.saturating_sub(1);
                slot.seen.add(result);
            }
            self.judge(*dependent);
        }
    }

    /// A stage will not run because of this need; one that has failed is worth telling rather than one that was ended.
    fn block(&mut self, stage: usize, need: usize) {
        let is_worth = |need: usize| self.slot(need).is_some_and(Slot::is_reason);
        let before = self.slot(stage).and_then(|slot| slot.blocked_by);
        let is_better = before.is_none_or(|before| !is_worth(before) && is_worth(need));
        if is_better && let Some(slot) = self.slots.get_mut(stage) {
            slot.blocked_by = Some(need);
        }
    }

    fn name(&self, stage: usize) -> String {
        let stage = self.pipeline.stages.get(stage);
        stage.map(|stage| stage.name.clone()).unwrap_or_default()
    }

    /// A stage whose needs have all settled becomes ready, or is left out. It is left out no sooner: what cleans up behind
    /// it also cleans up behind what it needs.
    fn judge(&mut self, stage: usize) {
        let mode = self.mode;
        let Some(slot) = self.slots.get_mut(stage) else {
            return;
        };
        if slot.state != State::Waiting || slot.open_needs > 0 {
            return;
        }
        match (&slot.choice, slot.blocked_by) {
            (Choice::LeftOut, _) => {
                self.end(stage, Ending::LeftOut, Some(SkipReason::NotSelected));
            }
            (Choice::Unmet(why), _) => {
                let why = why.clone();
                self.skip(stage, SkipReason::Condition(why));
            }
            (Choice::Run, Some(need)) if slot.kind.is_plain() => self.skip_behind(stage, need),
            _ if slot.kind.is_reacting() && !slot.kind.reacts_to.meets(slot.seen) => {
                let wanted = slot.kind.reacts_to.names();
                let why = format!("`result`: none of what it needs ended with {wanted}");
                self.skip(stage, SkipReason::Condition(why));
            }
            _ if !slot.may_start(mode) => self.skip(stage, SkipReason::NotReached),
            _ => {
                slot.state = State::Ready;
                self.ready.add(stage, slot);
            }
        }
    }

    /// A stage does not run because of a need that did not pass.
    fn skip_behind(&mut self, stage: usize, need: usize) {
        let is_reason = self.slot(need).is_some_and(Slot::is_reason);
        let reason = if is_reason || self.mode == Mode::Normal {
            SkipReason::Need(self.name(need))
        } else {
            SkipReason::NotReached
        };
        self.skip(stage, reason);
    }

    fn skip(&mut self, stage: usize, reason: SkipReason) {
        let ending = match reason {
            SkipReason::NotReached => Ending::NotReached,
            _ => Ending::Skipped,
        };
        self.end(stage, ending, Some(reason));
    }

    /// A stage has ended; `reason` where it never ran.
    fn end(&mut self, stage: usize, ending: Ending, reason: Option<SkipReason>) {
        let Some(slot) = self.slots.get_mut(stage) else {
            return;
        };
        if slot.is_running() {
            self.ready.release(slot);
        }
        let was_serving = slot.state == State::Serving;
        let fails = ending == Ending::Failure && !slot.kind.allow_failure;
        slot.state = State::Ended(ending);
        let blocks = !slot.satisfies();
        self.left = self.left.saturating_sub(1);
        self.messages
            .extend(reason.map(|reason| Message::Skip(stage, reason)));
        if was_serving && blocks {
            self.drop_unstarted(stage);
        }
        self.settle(stage);
        self.dying.push(stage);
        if fails && !self.keep_going {
            self.change(Mode::Failing);
        }
    }

    /// A service has ended that was ready and needed: what needs it and did not start yet does not.
    fn drop_unstarted(&mut self, service: usize) {
        let graph = self.graph;
        for dependent in graph.dependents_of(service) {
            self.block(*dependent, service);
            let is_ready = self
                .slot(*dependent)
                .is_some_and(|slot| slot.state == State::Ready && slot.kind.is_plain());
            if is_ready {
                self.skip_behind(*dependent, service);
            }
        }
    }

    fn settle(&mut self, stage: usize) {
        if let Some(slot) = self.slots.get_mut(stage)
            && !slot.is_settled
        {
            slot.is_settled = true;
            self.settled.push(stage);
        }
    }

    /// The run goes on in another way from here, if that is a harder one.
    fn change(&mut self, mode: Mode) {
        if self.mode >= mode || self.left == 0 {
            return;
        }
        self.mode = mode;
        for stage in 0..self.slots.len() {
            let Some(slot) = self.slots.get_mut(stage) else {
                continue;
            };
            if slot.may_start(mode) {
                continue;
            }
            match slot.state {
                // Services end when nothing needs them any more, since what cleans up may.
                State::Running if !slot.kind.is_service || mode == Mode::Aborting => {
                    slot.state = State::Leaving;
                    self.messages.push(Message::Cancel(stage));
                }
                State::Serving if mode == Mode::Aborting => {
                    slot.state = State::Leaving;
                    self.messages.push(Message::EndService(stage));
                }
                State::Ready => self.skip(stage, SkipReason::NotReached),
                // One that waits is left out when what it needs has ended.
                _ => {}
            }
        }
    }

    /// Looks whether a stage has ended and everything that needs it too, and then the same of what it needs.
    fn bury(&mut self, stage: usize) {
        let Some(slot) = self.slots.get_mut(stage) else {
            return;
        };
        if slot.is_dead || slot.live_dependents > 0 {
            return;
        }
        match slot.state {
            State::Ended(_) => self.let_go_of_needs(stage),
            State::Serving => {
                slot.state = State::Leaving;
                self.messages.push(Message::EndService(stage));
            }
            State::Running if slot.kind.is_service => {
                slot.state = State::Leaving;
                self.messages.push(Message::Cancel(stage));
            }
            State::Waiting | State::Ready if slot.kind.is_service => {
                let why = "no stage that needs it is left".to_owned();
                self.skip(stage, SkipReason::Condition(why));
            }
            _ => {}
        }
    }

    /// Nothing that a stage needs is needed for it any more.
    fn let_go_of_needs(&mut self, stage: usize) {
        let graph = self.graph;
        let Some(slot) = self.slots.get_mut(stage) else {
            return;
        };
        if std::mem::replace(&mut slot.is_dead, true) {
            return;
        }
        for need in graph.needs_of(stage) {
            if let Some(slot) = self.slots.get_mut(*need) {
                slot.live_dependents = slot.live_dependents.saturating_sub(1);
                self.dying.push(*need);
            }
        }
    }
}
