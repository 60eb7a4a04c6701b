//! What a run would do: the scheduler, told that every stage passes in the time that it took before.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::model::pipeline::{Outcome, Pipeline, SkipReason};
use crate::pipeline::graph::Graph;
use crate::pipeline::schedule::{Durations, Limits, Message, Scheduler, expected, ranks};
use crate::pipeline::selection::Choice;

/// A stage in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its number.
    pub stage: usize,
    /// When it would start, from the run's beginning; or why it would not.
    pub start: Result<Duration, SkipReason>,
    /// How long it would take: as long as last time, or a second where nothing is known.
    pub expected: Duration,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All stages: first those that run, in the order in which they start, then the others in the order of the file.
    pub stages: Vec<Planned>,
    /// How long it would take.
    pub duration: Duration,
    /// The stages behind each other that would take longest, whatever cores there are.
    pub critical_path: Vec<usize>,
}

/// Plans a run.
pub fn plan(
    pipeline: &Pipeline,
    graph: &Graph,
    choices: &[Choice],
    durations: &Durations,
    limits: Limits,
) -> Plan {
    let mut scheduler = Scheduler::new(pipeline, graph, choices, durations, limits);
    let time_of = |stage: usize| expected(pipeline, stage, choices, durations);
    let planned = |stage: usize, start| Planned {
        stage,
        start,
        expected: Duration::from_micros(time_of(stage)),
    };
    let is_service = |stage: usize| {
        let stage = pipeline.stages.get(stage);
        stage.is_some_and(|stage| stage.service.is_some())
    };
    let mut stages = Vec::with_capacity(graph.len());
    let mut left_out = Vec::new();
    let mut running = BinaryHeap::new();
    let mut now = 0_u64;
    let mut messages = std::collections::VecDeque::from(scheduler.begin());
    loop {
        while let Some(message) = messages.pop_front() {
            match message {
                Message::Start(stage) => {
                    stages.push(planned(stage, Ok(Duration::from_micros(now))));
                    if is_service(stage) {
                        messages.extend(scheduler.ready(stage));
                    } else {
                        running.push(Reverse((now.saturating_add(time_of(stage)), stage)));
                    }
                }
                Message::Skip(stage, reason) => left_out.push(planned(stage, Err(reason))),
                Message::EndService(stage) | Message::Cancel(stage) => {
                    messages.extend(scheduler.finished(stage, &Outcome::Passed));
                }
                Message::Done => {}
            }
        }
        let Some(Reverse((end, stage))) = running.pop() else {
            break;
        };
        now = end;
        messages.extend(scheduler.finished(stage, &Outcome::Passed));
    }
    left_out.sort_by_key(|planned| planned.stage);
    let mut runs = vec![false; graph.len()];
    for planned in &stages {
        if let Some(runs) = runs.get_mut(planned.stage) {
            *runs = true;
        }
    }
    stages.append(&mut left_out);
    Plan {
        stages,
        duration: Duration::from_micros(now),
        critical_path: critical_path(graph, &ranks(pipeline, graph, choices, durations), &runs),
    }
}

/// From the stage of the highest rank always on to the one of the highest rank that needs it.
fn critical_path(graph: &Graph, ranks: &[u64], runs: &[bool]) -> Vec<usize> {
    let runs = |stage: &usize| runs.get(*stage) == Some(&true);
    let highest = |stages: &mut dyn Iterator<Item = usize>| {
        stages
            .filter(runs)
            .max_by_key(|stage| (ranks.get(*stage).copied(), Reverse(*stage)))
    };
    let mut path = Vec::new();
    let mut next = highest(&mut (0..graph.len()));
    while let Some(stage) = next {
        path.push(stage);
        next = highest(&mut graph.dependents_of(stage).iter().copied());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::{Carrier, read};

    #[test]
    fn what_is_on_the_longest_way_goes_first() {
        let text = "
[tool.lockgate.pipeline.stages]
lint = 'x'
build = 'x'
api = { run = 'x', needs = ['build'], service = { ready = { tcp = 'h:1' } } }
e2e = { run = 'x', needs = ['api'] }
all = { needs = ['lint', 'e2e'] }
alarm = { run = 'x', needs = ['all'], if = { result = 'failure' } }
";
        let pipeline = read(text, "f", Carrier::Toml, &[]).unwrap();
        let graph = Graph::of(&pipeline).unwrap();
        let mut durations = Durations::new();
        durations.insert("lint".into(), Duration::from_secs(3));
        let limits = Limits {
            cores: 1,
            memory: None,
            keep_going: false,
        };
        let plan = plan(&pipeline, &graph, &[], &durations, limits);
        let seconds: Vec<(usize, Option<u64>)> = plan
            .stages
            .iter()
            .map(|planned| {
                let start = planned.start.as_ref().ok();
                (planned.stage, start.map(Duration::as_secs))
            })
            .collect();
        // The service's own time counts in its rank: it was recorded, or is a second.
        assert_eq!(
            seconds,
            [
                (0, Some(0)),
                (1, Some(3)),
                (2, Some(4)),
                (3, Some(4)),
                (4, Some(5)),
                (5, None)
            ]
        );
        assert_eq!(plan.duration, Duration::from_secs(5));
        assert_eq!(plan.critical_path, [0, 4]);
        assert!(
            matches!(&plan.stages[5].start, Err(SkipReason::Condition(why)) if why.contains("`failure`"))
        );
    }
}
