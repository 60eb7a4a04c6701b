//! The order of the stages, or why there is none.

use crate::error::Error;
use crate::model::pipeline::Pipeline;
use crate::pipeline::graph::Graph;

/// Stages of a cycle that are shown before it is cut.
const MOST_SHOWN: usize = 20;

/// The stages, each behind what it needs and otherwise in the order of the file; or a cycle: stages each of which needs
/// the next, and the last the first.
pub(super) fn order(graph: &Graph) -> Result<Vec<usize>, Vec<usize>> {
    let mut order = Vec::with_capacity(graph.len());
    // 0: not seen, 1: on the path, 2: in the order.
    let mut seen = vec![0_u8; graph.len()];
    let mut path: Vec<(usize, usize)> = Vec::new();
    for first in 0..graph.len() {
        if seen.get(first) != Some(&0) {
            continue;
        }
        path.push((first, 0));
        set(&mut seen, first, 1);
        while let Some((stage, next)) = path.last_mut() {
            let stage = *stage;
            let Some(&need) = graph.needs_of(stage).get(*next) else {
                set(&mut seen, stage, 2);
                order.push(stage);
                path.pop();
                continue;
            };
            *next += 1;
            match seen.get(need) {
                Some(0) => {
                    set(&mut seen, need, 1);
                    path.push((need, 0));
                }
                Some(1) => {
                    let cycle = path.iter().map(|(stage, _)| *stage);
                    return Err(cycle.skip_while(|stage| *stage != need).collect());
                }
                _ => {}
            }
        }
    }
    Ok(order)
}

fn set(seen: &mut [u8], stage: usize, value: u8) {
    if let Some(own) = seen.get_mut(stage) {
        *own = value;
    }
}

/// The error for a cycle: its path, and the place of each of its needs.
pub(super) fn error(pipeline: &Pipeline, cycle: &[usize]) -> Error {
    // It is shown from the stage that comes first in the file.
    let first = cycle.iter().enumerate().min_by_key(|(_, stage)| **stage);
    let offset = first.map_or(0, |(offset, _)| offset);
    let around = cycle.iter().cycle().skip(offset).take(cycle.len() + 1);
    let path: Vec<_> = around
        .filter_map(|stage| pipeline.stages.get(*stage))
        .collect();
    let mut names: Vec<String> = path
        .iter()
        .take(MOST_SHOWN)
        .map(|stage| format!("`{}`", stage.name))
        .collect();
    if path.len() > MOST_SHOWN {
        names.push(format!("… ({} more) …", path.len() - MOST_SHOWN - 1));
        names.extend(path.last().map(|stage| format!("`{}`", stage.name)));
    }
    let mut error = Error::usage(format!("stages need each other: {}", names.join(" -> ")));
    let mut links = path.windows(2).filter_map(|pair| match pair {
        [stage, need] => {
            let edge = stage.needs.iter().find(|own| own.value == need.name);
            Some((stage, need, edge?.place.clone()))
        }
        _ => None,
    });
    if let Some((.., place)) = links.next() {
        error = error.at(place);
    }
    for (stage, need, place) in links.take(MOST_SHOWN) {
        error = error.cause(format!(
            "`{}` needs `{}` at {}:{}:{}",
            stage.name, need.name, place.path, place.line, place.column
        ));
    }
    error.hint("take one of these needs out")
}
