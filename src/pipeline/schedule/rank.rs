//! How much time lies behind each stage.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::pipeline::{Action, Pipeline};
use crate::pipeline::graph::Graph;
use crate::pipeline::selection::Choice;

/// How long stages took in earlier runs, by name.
pub type Durations = HashMap<String, Duration>;

/// How long a stage takes of which nothing is known.
const UNKNOWN: Duration = Duration::from_secs(1);

/// How long a stage is expected to take, microseconds; at least one, so that what comes first ranks higher.
pub(in crate::pipeline) fn expected(
    pipeline: &Pipeline,
    stage: usize,
    choices: &[Choice],
    durations: &Durations,
) -> u64 {
    let Some(own) = pipeline.stages.get(stage) else {
        return 0;
    };
    if choices
        .get(stage)
        .is_some_and(|choice| *choice != Choice::Run)
        || own.action == Action::None
    {
        return 0;
    }
    let duration = durations.get(&own.name).copied().unwrap_or(UNKNOWN);
    u64::try_from(duration.as_micros())
        .unwrap_or(u64::MAX / 2)
        .max(1)
}

/// The upward rank of each stage: its own time and the longest way behind it, microseconds. What takes no part takes none.
pub fn ranks(
    pipeline: &Pipeline,
    graph: &Graph,
    choices: &[Choice],
    durations: &Durations,
) -> Vec<u64> {
    let mut ranks = vec![0_u64; graph.len()];
    for stage in graph.order.iter().rev() {
        let behind = graph.dependents_of(*stage).iter();
        let longest = behind.filter_map(|other| ranks.get(*other)).max();
        let longest = longest.copied().unwrap_or_default();
        let own = expected(pipeline, *stage, choices, durations);
        if let Some(rank) = ranks.get_mut(*stage) {
            *rank = own.saturating_add(longest);
        }
    }
    ranks
}
