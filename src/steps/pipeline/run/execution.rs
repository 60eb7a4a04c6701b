//! The run itself: the scheduler says what is to be done, stages tell how they ended, and signals stop both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use crate::model::digest::Sha;
use crate::model::pipeline::manifest::Artifact;
use crate::model::pipeline::{Action, Outcome, SkipReason, Stage, StageRecord};
use crate::pipeline::schedule::{Message, Scheduler};
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::stage::{self, Ended, Task};
use crate::steps::pipeline::run::values::Made;
use crate::system::processes::{Halter, Reason, halting};

/// What a run has come to.
#[derive(Debug, Default)]
pub struct Result {
    /// What each stage did, by its number.
    pub records: BTreeMap<usize, StageRecord>,
    /// What stages made.
    pub made: Made,
    /// What stages depended on, by their number.
    pub components: BTreeMap<usize, BTreeMap<String, String>>,
    /// Reports that steps of ours wrote, by the number of their stage.
    pub reports: BTreeMap<usize, Vec<u8>>,
}

/// A stage that runs.
type Running<'r> = LocalBoxFuture<'r, (usize, Ended)>;

struct Execution<'s, 'r> {
    shared: &'s Shared<'r>,
    running: FuturesUnordered<Running<'s>>,
    halters: BTreeMap<usize, Halter>,
    keys: BTreeMap<usize, Sha>,
    /// Stages whose results come from a store that others write to, or were made from such.
    shared_results: BTreeSet<usize>,
    result: Result,
    /// Services tell here that they are ready.
    ready: mpsc::UnboundedSender<usize>,
}

/// Runs everything to its end.
/// The last argument is what stages that take no part have made before, and which of them have it from a store that others
/// write to.
pub async fn execute(
    shared: &Shared<'_>,
    mut scheduler: Scheduler<'_>,
    (made, shared_results): (Made, BTreeSet<usize>),
) -> Result {
    let (ready, mut readies) = mpsc::unbounded_channel();
    let mut execution = Execution {
        shared,
        running: FuturesUnordered::new(),
        halters: BTreeMap::new(),
        keys: BTreeMap::new(),
        shared_results,
        result: Result {
            made,
            ..Result::default()
        },
        ready,
    };
    let mut stop = shared.stop.clone();
    let mut stopped_by = None;
    let mut messages = scheduler.begin();
    let mut tick = tokio::time::interval(crate::steps::pipeline::run::show::TICK);
    loop {
        for message in std::mem::take(&mut messages) {
            execution.act(message, stopped_by);
        }
        if execution.running.is_empty() {
            break;
        }
        tokio::select! {
            Some((number, ended)) = execution.running.next() => {
                let outcome = execution.end(number, ended);
                messages = scheduler.finished(number, &outcome);
            }
            Some(number) = readies.recv() => messages = scheduler.ready(number),
            signal = stop.requested(), if stopped_by.is_none() => {
                stopped_by = Some(signal);
                shared.show().stopping(signal);
                messages = scheduler.stop();
            }
            _ = tick.tick(), if shared.show().is_live() => shared.show().draw(),
        }
    }
    execution.result
}

impl Execution<'_, '_> {
    fn act(&mut self, message: Message, stopped_by: Option<u8>) {
        match message {
            Message::Start(number) => self.start(number),
            Message::Skip(number, reason) => self.skip(number, reason),
            Message::Cancel(number) => {
                let reason = stopped_by.map_or(Reason::OtherFailed, Reason::Signal);
                self.halt(number, reason);
            }
            Message::EndService(number) => self.halt(number, Reason::NotNeeded),
            Message::Done => {}
        }
    }

    fn halt(&self, number: usize, reason: Reason) {
        if let Some(halter) = self.halters.get(&number) {
            halter.halt(reason);
        }
    }

    fn start(&mut self, number: usize) {
        let shared = self.shared;
        let Some(stage) = shared.pipeline.stages.get(number) else {
            return;
        };
        let (halter, halt) = halting(shared.stop.clone());
        self.halters.insert(number, halter);
        shared.show().started(number);
        let task = Task {
            number,
            stage,
            made: self.made_for(number),
            proven: self.proven_for(number),
            needs: self.needs(number),
            is_shared: {
                let mut needs = shared.graph.needs_of(number).iter();
                needs.any(|need| self.shared_results.contains(need))
            },
            // What cleans up has its time after the first signal too.
            halt: if stage.always { halt.last() } else { halt },
            ready: self.ready.clone(),
        };
        self.running.push(Box::pin(
            async move { (number, stage::run(shared, task).await) },
        ));
    }

    /// The artifacts that a stage refers to, and those of the stages that it needs.
    fn made_for(&self, number: usize) -> Made {
        let Some(stage) = self.shared.pipeline.stages.get(number) else {
            return Made::new();
        };
        let referred = stage.references();
        let referred =
            referred.map(|reference| (reference.stage.clone(), reference.output.clone()));
        let needed = self.shared.graph.needs_of(number).iter();
        let needed = needed.filter_map(|need| self.shared.pipeline.stages.get(*need));
        let needed = needed.flat_map(|stage| {
            let outputs = stage.outputs.keys();
            outputs.map(|output| (stage.name.clone(), output.clone()))
        });
        let artifacts = referred.chain(needed).filter_map(|key| {
            let artifact = Arc::clone(self.result.made.get(&key)?);
            Some((key, artifact))
        });
        artifacts.collect()
    }

    /// What all stages before a step of ours have made in this run; not what lay there before it.
    fn proven_for(&self, number: usize) -> Vec<Artifact> {
        let stages = &self.shared.pipeline.stages;
        let is_step = |stage: &Stage| matches!(stage.action, Action::Step { .. });
        if !stages.get(number).is_some_and(is_step) {
            return Vec::new();
        }
        let mut before = BTreeSet::new();
        let mut next = vec![number];
        while let Some(number) = next.pop() {
            let needs = self.shared.graph.needs_of(number).iter();
            next.extend(needs.copied().filter(|need| before.insert(*need)));
        }
        let proven = before.into_iter().filter_map(|number| {
            let record = self.result.records.get(&number)?;
            let unchanged = Outcome::Skipped(SkipReason::Unchanged);
            let is_proven = record.outcome == Outcome::Passed || record.outcome == unchanged;
            is_proven.then_some(&stages.get(number)?.name)
        });
        let proven: BTreeSet<&String> = proven.collect();
        let artifacts = self.result.made.iter();
        let artifacts = artifacts.filter(|((stage, _), _)| proven.contains(stage));
        artifacts
            .map(|(_, artifact)| (**artifact).clone())
            .collect()
    }

    /// What a stage needs, for its key.
    fn needs(&self, number: usize) -> BTreeMap<String, Sha> {
        let needed = self
            .shared
            .graph
            .needs_of(number)
            .iter()
            .filter_map(|number| {
                let stage = self.shared.pipeline.stages.get(*number)?;
                let outputs = stage.outputs.keys().filter_map(|output| {
                    let artifact = self
                        .result
                        .made
                        .get(&(stage.name.clone(), output.clone()))?;
                    Some((output.clone(), artifact.digest()))
                });
                Some((stage, self.keys.get(number).copied(), outputs.collect()))
            });
        crate::steps::pipeline::run::facts::needs(needed)
    }

    fn skip(&mut self, number: usize, reason: SkipReason) {
        let Some(stage) = self.shared.pipeline.stages.get(number) else {
            return;
        };
        let record = stage::record(self.shared, number, stage, Outcome::Skipped(reason));
        self.shared.show().ended(number, &record);
        self.result.records.insert(number, record);
    }

    fn end(&mut self, number: usize, ended: Ended) -> Outcome {
        self.halters.remove(&number);
        let outcome = ended.record.outcome.clone();
        for artifact in ended.artifacts {
            let key = (artifact.stage.clone(), artifact.output.clone());
            self.result.made.insert(key, Arc::<Artifact>::new(artifact));
        }
        if ended.is_shared {
            self.shared_results.insert(number);
        }
        if let Some(key) = ended.key {
            self.keys.insert(number, key.digest);
            self.result.components.insert(number, key.components);
        }
        self.result
            .reports
            .extend(ended.report.map(|report| (number, report)));
        self.shared.show().ended(number, &ended.record);
        self.result.records.insert(number, ended.record);
        outcome
    }
}
