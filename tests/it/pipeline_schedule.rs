//! The scheduler of `pipeline` with random graphs and random answers.
//!
//! `LOCKGATE_CAMPAIGN=<n>` makes n times as many.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use lockgate::model::pipeline::{Outcome, Pipeline, SkipReason};
use lockgate::pipeline::graph::Graph;
use lockgate::pipeline::read::{Carrier, read};
use lockgate::pipeline::schedule::{Durations, Limits, Message, Scheduler, ranks};
use lockgate::pipeline::selection::Choice;

use crate::fuzzing::{Random, campaign};

/// Graphs in a run of the suite.
const RUNS: u64 = 400;

fn of(stages: &str) -> Pipeline {
    let text = format!("[tool.lockgate.pipeline.stages]\n{stages}");
    read(&text, "f", Carrier::Toml, &[]).expect("a definition")
}

/// A random pipeline: stages of all kinds, each of which needs some before it.
fn pipeline_of(random: &mut Random) -> (Pipeline, Graph) {
    let count = 1 + random.below(25);
    let mut text = String::new();
    for stage in 0..count {
        let mut needs: Vec<String> = (0..stage)
            .filter(|_| one_in(random, 4))
            .map(|need| format!("'s{need}'"))
            .collect();
        needs.truncate(4);
        let _ = write!(
            text,
            "s{stage} = {{ run = 'x', cpu = {}, memory = {}",
            1 + random.below(5),
            1 + random.below(40)
        );
        if !needs.is_empty() {
            let _ = write!(text, ", needs = [{}]", needs.join(", "));
            match random.below(8) {
                0 => text.push_str(", always = true"),
                1 => text.push_str(", if = { result = ['failure', 'cancelled'] }"),
                2 => text.push_str(", if = { result = ['success', 'skipped'] }"),
                _ => {}
            }
        }
        if one_in(random, 6) {
            text.push_str(", allow-failure = true");
        }
        text.push_str(" }\n");
    }
    let mut pipeline = of(&text);
    // Services are put in where something needs them, which the reader would ask for.
    let graph = Graph::of(&pipeline).expect("no mistakes");
    let service = of("s = { run = 'x', service = { ready = { tcp = 'h:1' } } }\n").stages[0]
        .service
        .clone();
    for (number, stage) in pipeline.stages.iter_mut().enumerate() {
        if !graph.dependents_of(number).is_empty() && !stage.always && one_in(random, 6) {
            stage.service.clone_from(&service);
        }
    }
    (pipeline, graph)
}

fn one_in(random: &mut Random, times: usize) -> bool {
    random.below(times) == 0
}

/// What a run of a random pipeline has seen.
struct Run<'p> {
    pipeline: &'p Pipeline,
    graph: &'p Graph,
    limits: Limits,
    /// The stages that run, and whether they are services that are ready.
    running: BTreeMap<usize, bool>,
    ended: BTreeMap<usize, Option<Outcome>>,
    is_done: bool,
    log: Vec<String>,
}

impl Run<'_> {
    fn is_ready_service(&self, stage: usize) -> bool {
        self.running.get(&stage) == Some(&true)
    }

    fn take(&mut self, messages: &[Message]) {
        self.log.push(format!("{messages:?}"));
        for message in messages {
            assert!(
                !self.is_done,
                "nothing comes behind the end: {:?}",
                self.log
            );
            match message {
                Message::Start(stage) => self.start(*stage),
                // It counts as ended from the beginning.
                Message::Skip(_, SkipReason::NotSelected) => {}
                Message::Skip(stage, _) => {
                    assert!(!self.running.contains_key(stage), "{:?}", self.log);
                    assert!(self.ended.insert(*stage, None).is_none(), "{:?}", self.log);
                }
                Message::Cancel(stage) => assert!(self.running.contains_key(stage)),
                Message::EndService(stage) => {
                    assert!(self.is_ready_service(*stage), "{:?}", self.log);
                }
                Message::Done => self.is_done = true,
            }
        }
    }

    fn start(&mut self, stage: usize) {
        let own = &self.pipeline.stages[stage];
        assert!(!self.running.contains_key(&stage) && !self.ended.contains_key(&stage));
        for need in self.graph.needs_of(stage) {
            let is_settled = self.ended.contains_key(need) || self.is_ready_service(*need);
            assert!(
                is_settled,
                "{} starts before {need}: {:?}",
                own.name, self.log
            );
            let is_plain = !own.always && own.condition.result.is_empty();
            let passed = match self.ended.get(need) {
                None | Some(Some(Outcome::Passed)) => true,
                Some(Some(Outcome::Failed(_))) => self.pipeline.stages[*need].allow_failure,
                _ => false,
            };
            assert!(
                passed || !is_plain,
                "{} starts without {need}: {:?}",
                own.name,
                self.log
            );
        }
        self.running.insert(stage, false);
        let working: Vec<usize> = self
            .running
            .iter()
            .filter(|(_, ready)| !**ready)
            .map(|(stage, _)| *stage)
            .collect();
        let cores: u32 = working
            .iter()
            .map(|stage| self.pipeline.stages[*stage].cpu)
            .sum();
        let memory: u64 = self
            .running
            .keys()
            .map(|stage| self.pipeline.stages[*stage].memory)
            .sum();
        let fits = cores <= self.limits.cores && self.limits.memory.is_none_or(|all| memory <= all);
        assert!(fits || working == [stage], "too much runs: {:?}", self.log);
    }
}

#[test]
fn random_runs_end_with_every_stage_ended_once_and_nothing_started_too_early() {
    for seed in 0..RUNS * campaign() {
        let mut random = Random(seed);
        let (pipeline, graph) = pipeline_of(&mut random);
        let limits = Limits {
            cores: 1 + u32::try_from(random.below(6)).expect("small"),
            memory: one_in(&mut random, 2).then_some(60),
            keep_going: one_in(&mut random, 2),
        };
        let choices: Vec<Choice> = pipeline
            .stages
            .iter()
            .map(|_| match random.below(20) {
                0 => Choice::LeftOut,
                1 => Choice::Unmet("x".into()),
                _ => Choice::Run,
            })
            .collect();
        let durations = Durations::new();
        let mut log = Vec::new();
        for _ in 0..2 {
            let mut random = Random(seed ^ 0xabcd);
            let mut scheduler = Scheduler::new(&pipeline, &graph, &choices, &durations, limits);
            let mut run = Run {
                pipeline: &pipeline,
                graph: &graph,
                limits,
                running: BTreeMap::new(),
                ended: BTreeMap::new(),
                is_done: false,
                log: Vec::new(),
            };
            // What is left out counts as there, as one that passed.
            for (stage, choice) in choices.iter().enumerate() {
                if *choice == Choice::LeftOut {
                    run.ended.insert(stage, Some(Outcome::Passed));
                }
            }
            let first = scheduler.begin();
            run.take(&first);
            while !run.is_done {
                let all: Vec<usize> = run.running.keys().copied().collect();
                assert!(
                    !all.is_empty(),
                    "nothing runs and it is not done, seed {seed}: {:?}",
                    run.log
                );
                let stage = all[random.below(all.len())];
                let is_service = pipeline.stages[stage].service.is_some();
                let messages = match random.below(60) {
                    0 => scheduler.stop(),
                    1 => scheduler.abort(),
                    _ if is_service && !run.is_ready_service(stage) && !one_in(&mut random, 5) => {
                        run.running.insert(stage, true);
                        run.log.push(format!("s{stage} is ready"));
                        scheduler.ready(stage)
                    }
                    _ => {
                        let outcome = match random.below(8) {
                            0 => Outcome::Failed("exit code 1".into()),
                            1 => Outcome::Cancelled("x".into()),
                            _ => Outcome::Passed,
                        };
                        run.running.remove(&stage);
                        run.log.push(format!("s{stage} {outcome:?}"));
                        run.ended.insert(stage, Some(outcome.clone()));
                        scheduler.finished(stage, &outcome)
                    }
                };
                run.take(&messages);
            }
            assert!(run.running.is_empty(), "seed {seed}: {:?}", run.log);
            assert_eq!(run.ended.len(), pipeline.stages.len(), "seed {seed}");
            assert!(scheduler.is_done());
            if log.is_empty() {
                log = run.log;
            } else {
                assert_eq!(log, run.log, "the same answers make the same run");
            }
        }
    }
}

#[test]
fn of_equal_stages_the_higher_rank_starts_first() {
    for seed in 0..100 {
        let mut random = Random(seed);
        let (mut pipeline, graph) = pipeline_of(&mut random);
        let mut durations = Durations::new();
        for stage in &mut pipeline.stages {
            (stage.cpu, stage.memory, stage.service) = (1, 0, None);
            (stage.always, stage.condition.result) = (false, Vec::new());
            durations.insert(
                stage.name.clone(),
                Duration::from_secs(1 + random.below(50) as u64),
            );
        }
        let ranks = ranks(&pipeline, &graph, &[], &durations);
        let limits = Limits {
            cores: 1,
            memory: None,
            keep_going: false,
        };
        let mut scheduler = Scheduler::new(&pipeline, &graph, &[], &durations, limits);
        let mut messages = scheduler.begin();
        let mut left: Vec<usize> = (0..graph.len()).collect();
        while let Some(Message::Start(stage)) = messages.first().cloned() {
            let can_start = left.iter().filter(|other| {
                graph
                    .needs_of(**other)
                    .iter()
                    .all(|need| !left.contains(need))
            });
            let best = can_start
                .map(|other| ranks[*other])
                .max()
                .expect("one that can start");
            assert_eq!(ranks[stage], best, "seed {seed}");
            left.retain(|other| *other != stage);
            messages = scheduler.finished(stage, &Outcome::Passed);
        }
        assert!(left.is_empty());
    }
}
