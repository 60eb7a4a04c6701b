//! Which stages take part in a run: what the command line asks for, and what their conditions say of the facts.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, Result, did_you_mean, list};
use crate::globs::{Base, Patterns, parts};
use crate::model::pipeline::{Member, Pipeline, Placed, Stage};
use crate::pipeline::graph::Graph;

/// Patterns that a message names.
const MOST_NAMED: usize = 5;

/// Whether a stage takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It does.
    Run,
    /// It was not asked for, or has passed already: what needs it finds what it makes.
    LeftOut,
    /// Its condition does not hold; which part of it, and why. What needs it does not run either.
    Unmet(String),
}

/// What conditions are judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The files that have changed, from the folder of the definition, with `/`. `None` where that cannot be told: then
    /// whatever depends on it runs.
    pub changed: Option<Vec<String>>,
    /// The branch; `None` where there is none, as for a tag.
    pub branch: Option<String>,
    /// The event; `local` outside of a workflow.
    pub event: String,
}

/// What was asked for. Names are those of stages, or of the file for all combinations of a matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// These and no others.
    pub only: Vec<String>,
    /// These and what depends on them.
    pub from: Vec<String>,
    /// These and what they need.
    pub until: Vec<String>,
    /// Only what the changed files concern.
    pub affected: bool,
    /// The stages that passed in the last run, which is taken up again.
    pub passed: Option<BTreeSet<String>>,
}

/// Chooses the stages of a run, by their number. A service takes part where a stage does that needs it.
///
/// `from` and `until` together are what lies between them; `only` is by itself. Fails where a name is none of a stage.
pub fn select(
    pipeline: &Pipeline,
    graph: &Graph,
    request: &Request,
    facts: &Facts,
) -> Result<Vec<Choice>> {
    let names = Names::of(pipeline);
    let only = names.marked("only", &request.only)?;
    let from = names.marked("from", &request.from)?;
    let until = names.marked("until", &request.until)?;
    let with_dependents = from.map(|mut marked| {
        graph.reach(&mut marked, Graph::dependents_of);
        marked
    });
    let with_needs = until.map(|mut marked| {
        graph.reach(&mut marked, Graph::needs_of);
        marked
    });
    let mut chosen = vec![true; graph.len()];
    for marked in [only, with_dependents, with_needs].into_iter().flatten() {
        keep(&mut chosen, &marked);
    }
    if request.affected {
        keep(&mut chosen, &affected(pipeline, graph, facts));
    }
    if let Some(passed) = &request.passed {
        keep(&mut chosen, &not_passed(pipeline, graph, passed));
    }
    add_services(pipeline, graph, &mut chosen);
    let choices = pipeline.stages.iter().zip(chosen);
    Ok(choices
        .map(|(stage, is_chosen)| match unmet(stage, facts) {
            _ if !is_chosen => Choice::LeftOut,
            Some(why) => Choice::Unmet(why),
            None => Choice::Run,
        })
        .collect())
}

fn keep(chosen: &mut [bool], marked: &[bool]) {
    for (chosen, marked) in chosen.iter_mut().zip(marked) {
        *chosen &= *marked;
    }
}

/// The names that a request may have.
struct Names<'p> {
    by_name: HashMap<&'p str, Vec<usize>>,
    count: usize,
}

impl<'p> Names<'p> {
    fn of(pipeline: &'p Pipeline) -> Self {
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, stage) in pipeline.stages.iter().enumerate() {
            by_name.entry(&stage.name).or_default().push(number);
            if stage.base_name != stage.name {
                by_name.entry(&stage.base_name).or_default().push(number);
            }
        }
        let count = pipeline.stages.len();
        Self { by_name, count }
    }

    /// The stages of these names; `None` where there are no names.
    fn marked(&self, input: &str, names: &[String]) -> Result<Option<Vec<bool>>> {
        if names.is_empty() {
            return Ok(None);
        }
        let mut marked = vec![false; self.count];
        for name in names {
            let stages = self.by_name.get(name.as_str());
            for stage in stages.ok_or_else(|| self.unknown(input, name))? {
                if let Some(mark) = marked.get_mut(*stage) {
                    *mark = true;
                }
            }
        }
        Ok(Some(marked))
    }

    fn unknown(&self, input: &str, name: &str) -> Error {
        let error = Error::usage(format!("`{input}`: there is no stage `{name}`"));
        match did_you_mean(name, self.by_name.keys().copied()) {
            Some(close) => error.hint(format!("write `{close}`")),
            None => error.hint("`lockgate pipeline plan` lists the stages"),
        }
    }
}

/// What changed files concern: stages whose inputs they are or that declare none, what depends on these, and of what these
/// need whatever makes something for them.
fn affected(pipeline: &Pipeline, graph: &Graph, facts: &Facts) -> Vec<bool> {
    let Some(changed) = &facts.changed else {
        return vec![true; graph.len()];
    };
    let members: BTreeSet<&str> = pipeline
        .stages
        .iter()
        .filter_map(|stage| Some(&*stage.member.as_ref()?.path))
        .collect();
    let concerns = |stage: &Stage| match &stage.member {
        Some(member) => concerns_member(stage, member, &members, changed),
        None => {
            stage.inputs.is_empty() && stage.action != crate::model::pipeline::Action::None
                || any_matches(&stage.inputs, stage, changed)
        }
    };
    let mut marked: Vec<bool> = pipeline.stages.iter().map(concerns).collect();
    graph.reach(&mut marked, Graph::dependents_of);
    for stage in graph.order.iter().rev() {
        if marked.get(*stage) != Some(&true) {
            continue;
        }
        for need in graph.needs_of(*stage) {
            let makes = pipeline
                .stages
                .get(*need)
                .is_some_and(|need| !need.outputs.is_empty() || need.service.is_some());
            if let Some(mark) = marked.get_mut(*need) {
                *mark |= makes;
            }
        }
    }
    marked
}

/// A stage for a member is concerned by its inputs, in the member's folder and in those of the members that this one
/// depends on; where it declares none, by all that is there, and by what is in the folder of no member.
fn concerns_member(
    stage: &Stage,
    member: &Member,
    members: &BTreeSet<&str>,
    changed: &[String],
) -> bool {
    if !stage.inputs.is_empty() {
        let own = any_matches(&stage.inputs, stage, changed);
        return own || {
            let mut others = member.depends.iter();
            others.any(|other| matching(&stage.inputs, &format!("/{other}"), changed))
        };
    }
    // The innermost folder counts: a member at the top holds the others.
    let home = |file: &str| {
        let holding = members.iter().filter(|path| Member::holds(path, file));
        holding.max_by_key(|path| path.len()).copied()
    };
    changed.iter().any(|file| match home(file) {
        None => true,
        Some(home) => home == member.path || member.depends.iter().any(|other| other == home),
    })
}

/// What has not passed, and what depends on it.
fn not_passed(pipeline: &Pipeline, graph: &Graph, passed: &BTreeSet<String>) -> Vec<bool> {
    let stages = pipeline.stages.iter();
    let mut marked: Vec<bool> = stages
        .map(|stage| stage.service.is_none() && !passed.contains(&stage.name))
        .collect();
    graph.reach(&mut marked, Graph::dependents_of);
    marked
}

/// Services do not outlive a run: what needs one needs it to run again.
fn add_services(pipeline: &Pipeline, graph: &Graph, chosen: &mut [bool]) {
    for stage in graph.order.iter().rev() {
        if chosen.get(*stage) != Some(&true) {
            continue;
        }
        for need in graph.needs_of(*stage) {
            let is_service = pipeline
                .stages
                .get(*need)
                .is_some_and(|need| need.service.is_some());
            if let Some(chosen) = chosen.get_mut(*need) {
                *chosen |= is_service;
            }
        }
    }
}

/// The part of the condition that does not hold, and why.
fn unmet(stage: &Stage, facts: &Facts) -> Option<String> {
    let condition = &stage.condition;
    if !condition.event.is_empty()
        && !condition
            .event
            .iter()
            .any(|event| event.value == facts.event)
    {
        let named = named(&condition.event);
        return Some(format!("`event`: `{}` is not {named}", facts.event));
    }
    if !condition.branch.is_empty() {
        let named = named(&condition.branch);
        let Some(branch) = &facts.branch else {
            return Some(format!(
                "`branch`: the run is of no branch, and not of {named}"
            ));
        };
        let one = std::slice::from_ref(branch);
        if !matching(&condition.branch, "/", one) {
            return Some(format!("`branch`: `{branch}` does not match {named}"));
        }
    }
    if let (false, Some(changed)) = (condition.changed.is_empty(), &facts.changed)
        && !any_matches(&condition.changed, stage, changed)
    {
        let named = named(&condition.changed);
        return Some(format!("`changed`: no changed file matches {named}"));
    }
    None
}

fn named(values: &[Placed<String>]) -> String {
    let mut names: Vec<String> = values
        .iter()
        .take(MOST_NAMED)
        .map(|value| format!("`{}`", value.value))
        .collect();
    if values.len() > MOST_NAMED {
        names.push(format!("{} more", values.len() - MOST_NAMED));
    }
    list(&names, "or")
}

/// Whether one of the files, from the folder of the definition, matches the patterns, from that of the stage.
fn any_matches(patterns: &[Placed<String>], stage: &Stage, files: &[String]) -> bool {
    let directory = stage
        .directory
        .as_ref()
        .map_or("", |directory| &directory.value);
    let inner = directory
        .split('/')
        .filter(|part| !matches!(*part, "" | "."));
    let absolute = inner.fold(String::new(), |path, part| format!("{path}/{part}"));
    matching(
        patterns,
        if absolute.is_empty() { "/" } else { &absolute },
        files,
    )
}

fn matching(patterns: &[Placed<String>], directory: &str, files: &[String]) -> bool {
    if patterns.is_empty() || files.is_empty() {
        return false;
    }
    let lines: Vec<&str> = patterns
        .iter()
        .map(|pattern| pattern.value.as_str())
        .collect();
    let base = Base {
        directory,
        home: None,
    };
    // The reader has refused what is none; what it did not see here matches nothing.
    let Ok(patterns) = Patterns::parse(&lines.join("\n"), &base) else {
        return false;
    };
    files.iter().any(|file| {
        let absolute = format!("/{file}");
        patterns.matches(&parts(&absolute)).file
    })
}
