//! The stages that could start, and the cores and the memory that they share.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::pipeline::schedule::slot::{Slot, State};

/// What a stage takes: cores, and bytes.
type Weight = (u32, u64);

/// The stages of one weight, the highest rank first, and of the same rank the first in the file.
type Heap = BinaryHeap<(u64, Reverse<usize>)>;

/// The ready stages.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    cores: u32,
    memory: Option<u64>,
    used_cores: u32,
    used_memory: u64,
    /// Stages that run and are no services that are ready.
    working: usize,
    /// By weight: of one weight all fit or none does.
    waiting: BTreeMap<Weight, Heap>,
    /// The first stage, where it does not fit, and how often others went before it.
    passed_over: (usize, u32),
}

impl Ready {
    pub(super) fn new(cores: u32, memory: Option<u64>) -> Self {
        Self {
            cores,
            memory,
            used_cores: 0,
            used_memory: 0,
            working: 0,
            waiting: BTreeMap::new(),
            passed_over: (usize::MAX, 0),
        }
    }

    /// Another stage could start.
    pub(super) fn add(&mut self, stage: usize, slot: &Slot) {
        let weight = (slot.cpu, slot.memory);
        let heap = self.waiting.entry(weight).or_default();
        heap.push((slot.rank, Reverse(stage)));
    }

    /// Takes the stage that starts now, if one does.
    pub(super) fn take(&mut self, slots: &mut [Slot]) -> Option<usize> {
        self.forget_left_out(slots);
        let first = self.highest(|_| true)?;
        let weight = if self.fits(first) {
            first
        } else {
            let (_, Reverse(stage)) = *self.waiting.get(&first)?.peek()?;
            if self.passed_over.0 != stage {
                self.passed_over = (stage, 0);
            }
            if self.passed_over.1 >= self.cores {
                return None;
            }
            let other = self.highest(|weight| self.fits(weight))?;
            self.passed_over.1 += 1;
            other
        };
        let (_, Reverse(stage)) = self.waiting.get_mut(&weight)?.pop()?;
        let slot = slots.get_mut(stage)?;
        slot.state = State::Running;
        self.used_cores = self.used_cores.saturating_add(slot.cpu);
        self.used_memory = self.used_memory.saturating_add(slot.memory);
        self.working += 1;
        Some(stage)
    }

    /// A service is ready: it waits more than it works.
    pub(super) fn release_cores(&mut self, slot: &Slot) {
        self.used_cores = self.used_cores.saturating_sub(slot.cpu);
        self.working = self.working.saturating_sub(1);
    }

    /// A stage that ran has ended.
    pub(super) fn release(&mut self, slot: &Slot) {
        self.used_memory = self.used_memory.saturating_sub(slot.memory);
        // A service that settled without having ended has given its cores back.
        if !slot.is_settled {
            self.release_cores(slot);
        }
    }

    /// The weight whose first stage has the highest rank, of the weights that are asked for.
    fn highest(&self, is_asked: impl Fn(Weight) -> bool) -> Option<Weight> {
        let tops = self.waiting.iter().filter(|(weight, _)| is_asked(**weight));
        let tops = tops.filter_map(|(weight, heap)| Some((heap.peek()?, *weight)));
        tops.max().map(|(_, weight)| weight)
    }

    /// Whether a stage of this weight may start. Where nothing works, everything may: it would not fit later either.
    fn fits(&self, (cpu, memory): Weight) -> bool {
        let has_cores = cpu <= self.cores.saturating_sub(self.used_cores);
        let has_memory = self
            .memory
            .is_none_or(|all| memory <= all.saturating_sub(self.used_memory));
        self.working == 0 || has_cores && has_memory || cpu == 0 && memory == 0
    }

    /// What was left out since it was added is no longer here.
    fn forget_left_out(&mut self, slots: &[Slot]) {
        self.waiting.retain(|_, heap| {
            while let Some((_, Reverse(stage))) = heap.peek() {
                let slot = slots.get(*stage);
                if slot.is_some_and(|slot| slot.state == State::Ready) {
                    return true;
                }
                heap.pop();
            }
            false
        });
    }
}
