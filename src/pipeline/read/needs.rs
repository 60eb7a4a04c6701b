//! A need of a stage with a matrix is one of each of its combinations.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::error::Error;
use crate::model::pipeline::{Placed, Stage};
use crate::pipeline::read::reader::Reader;

/// More edges than this are no pipeline that anybody wrote.
const MOST_NEEDS: usize = 500_000;

/// Puts the combinations into all needs. `groups` are the names of the file, each with its stages.
pub(super) fn expand(
    reader: &mut Reader<'_>,
    stages: &mut [Stage],
    groups: &[(&str, Range<usize>)],
) {
    let names: Vec<String> = stages.iter().map(|stage| stage.name.clone()).collect();
    if let Some(stage) = twice(stages) {
        let message = format!("two stages are called `{}`", stage.name);
        let hint = "one of them by its matrix: give the other another name";
        reader.wrong(Error::usage(message).at(stage.place.clone()).hint(hint));
        return;
    }
    let combined: HashMap<&str, &[String]> = groups
        .iter()
        .filter_map(|(name, range)| Some((*name, names.get(range.clone())?)))
        .filter(|(name, own)| own.iter().any(|own| own != name))
        .collect();
    if combined.is_empty() {
        return;
    }
    let mut total = 0;
    for stage in stages {
        let meant = |need: &Placed<String>| combined.get(need.value.as_str()).copied();
        let expanded: usize = stage
            .needs
            .iter()
            .map(|need| meant(need).map_or(1, <[String]>::len))
            .sum();
        total += expanded;
        if total > MOST_NEEDS {
            let message = format!("the stages need each other more than {MOST_NEEDS} times");
            let error = Error::usage(message).at(stage.place.clone());
            reader.wrong(
                error.hint("put a stage without `run` between them, which needs all the others"),
            );
            return;
        }
        if expanded == stage.needs.len() && !stage.needs.iter().any(|need| meant(need).is_some()) {
            continue;
        }
        let mut needs = Vec::with_capacity(expanded);
        for need in std::mem::take(&mut stage.needs) {
            match meant(&need) {
                Some(own) => needs.extend(own.iter().map(|name| Placed {
                    value: name.clone(),
                    place: need.place.clone(),
                })),
                None => needs.push(need),
            }
        }
        stage.needs = needs;
    }
}

/// A stage whose name another has too.
fn twice(stages: &[Stage]) -> Option<&Stage> {
    let mut known = HashSet::with_capacity(stages.len());
    stages
        .iter()
        .find(|stage| !known.insert(stage.name.as_str()))
}
