//! `plan`: what would run, in which order, and why the rest would not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::error::{Error, Result, count, exit};
use crate::github::console::OutputFormat;
use crate::model::duration;
use crate::model::pipeline::{SkipReason, Stage};
use crate::model::untrusted::line;
use crate::pipeline::plan::{Plan, Planned, plan as plan_of};
use crate::pipeline::selection::{Choice, Facts, Request, select};
use crate::steps::emit;
use crate::steps::pipeline::definition::{self, Definition};
use crate::steps::pipeline::last::Last;
use crate::steps::pipeline::settings::Settings;
use crate::steps::pipeline::{Arguments, facts, no_sarif};
use crate::steps::waiting;
use crate::steps::world::World;

/// Names are aligned up to this width.
const WIDEST: usize = 40;

/// Says what would run.
pub fn plan(arguments: &Arguments, world: &World) -> Result<u8> {
    no_sarif(arguments, world)?;
    let settings = Settings::new(arguments)?;
    let definition = definition::load(world, &settings)?;
    let last = Last::read(world, &definition.folder);
    let runtime = waiting::runtime()?;
    let facts = runtime.block_on(async {
        let stop = waiting::listen(world)?;
        facts::for_outputs(&definition, &settings, world, stop).await
    })?;
    let choices = choose(&definition, &settings, &last, &facts)?;
    let durations = last.durations();
    let (pipeline, graph) = (&definition.pipeline, &definition.graph);
    let plan = plan_of(pipeline, graph, &choices, &durations, settings.limits());
    let shown = Shown {
        definition: &definition,
        settings: &settings,
        plan: &plan,
    };
    let affected = affected(&definition, &settings, &facts, &choices)?;
    let outputs = BTreeMap::from([("affected".to_owned(), affected)]);
    emit::write_outputs(&outputs, world)?;
    match world.console.format() {
        OutputFormat::Human => {
            let text = shown.text();
            world.console.text_by(|out| out.write_all(text.as_bytes()));
        }
        OutputFormat::Json => world.console.document(&format!("{:#}", shown.document())),
        OutputFormat::Sarif | OutputFormat::Github => {}
    }
    Ok(exit::PASS)
}

/// The stages that the changed files concern, as a JSON list: the chosen ones where that was asked for, else all of them.
/// Empty where the changed files are not known.
pub fn affected(
    definition: &Definition,
    settings: &Settings,
    facts: &Facts,
    choices: &[Choice],
) -> Result<String> {
    let all;
    let choices = if settings.asked.affected {
        choices
    } else if facts.changed.is_some() {
        let request = Request {
            affected: true,
            ..Request::default()
        };
        all = select(&definition.pipeline, &definition.graph, &request, facts)?;
        &all
    } else {
        return Ok(String::new());
    };
    let stages = definition.pipeline.stages.iter().zip(choices);
    let chosen = stages.filter(|(_, choice)| **choice == Choice::Run);
    let names: Vec<&str> = chosen.map(|(stage, _)| stage.name.as_str()).collect();
    Ok(json!(names).to_string())
}

/// The stages that take part, by what was asked for and what conditions say.
pub fn choose(
    definition: &Definition,
    settings: &Settings,
    last: &Last,
    facts: &Facts,
) -> Result<Vec<Choice>> {
    let asked = &settings.asked;
    if asked.resume && last.is_empty() {
        return Err(
            Error::usage("`resume`: no run is known that could be taken up")
                .hint("lockgate pipeline run"),
        );
    }
    let request = Request {
        only: asked.only.clone(),
        from: asked.from.clone(),
        until: asked.until.clone(),
        affected: asked.affected,
        passed: asked.resume.then(|| last.passed()),
    };
    select(&definition.pipeline, &definition.graph, &request, facts)
}

/// Why a stage would not run, for people.
fn why(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Unchanged => "nothing that it depends on has changed".to_owned(),
        SkipReason::Condition(what) => what.clone(),
        SkipReason::Need(stage) => format!("`{stage}` would not run"),
        SkipReason::NotReached => "the run would have ended".to_owned(),
        SkipReason::NotSelected => "it was not asked for".to_owned(),
    }
}

/// A plan as it is shown.
struct Shown<'p> {
    definition: &'p Definition,
    settings: &'p Settings,
    plan: &'p Plan,
}

impl Shown<'_> {
    fn stage(&self, number: usize) -> Option<&Stage> {
        self.definition.pipeline.stages.get(number)
    }

    fn name(&self, number: usize) -> String {
        let stage = self.stage(number);
        stage
            .map(|stage| line(&stage.name).into_owned())
            .unwrap_or_default()
    }

    fn needs(&self, number: usize) -> Vec<String> {
        let needs = self.definition.graph.needs_of(number).iter();
        needs.map(|need| self.name(*need)).collect()
    }

    fn runs(&self) -> usize {
        let stages = self.plan.stages.iter();
        stages.filter(|planned| planned.start.is_ok()).count()
    }

    fn text(&self) -> String {
        let all = count(self.plan.stages.len() as u64, "stage");
        let mut text = format!(
            "{} of {all} would run on {}, in about {}\n",
            self.runs(),
            count(u64::from(self.settings.jobs), "core"),
            duration::show(self.plan.duration)
        );
        let names = self
            .plan
            .stages
            .iter()
            .map(|planned| self.name(planned.stage));
        let widest = names.map(|name| name.chars().count()).max().unwrap_or(0);
        let width = widest.min(WIDEST);
        for planned in &self.plan.stages {
            let name = self.name(planned.stage);
            let gap = " ".repeat(width.saturating_sub(name.chars().count()));
            let _ = match &planned.start {
                Ok(start) => {
                    let start = format!("{:.1} s", start.as_secs_f64());
                    let needs = self.needs(planned.stage);
                    let behind = if needs.is_empty() {
                        String::new()
                    } else {
                        format!("  behind {}", needs.join(", "))
                    };
                    writeln!(
                        text,
                        "{start:>10}  {}",
                        format!("{name}{gap}{behind}").trim_end()
                    )
                }
                Err(reason) => {
                    let why = why(reason);
                    writeln!(text, "{:>10}  {name}{gap}  {}", "not", line(&why))
                }
            };
        }
        let path: Vec<String> = self
            .plan
            .critical_path
            .iter()
            .map(|stage| self.name(*stage))
            .collect();
        if path.len() > 1 {
            let _ = writeln!(text, "the longest way: {}", path.join(" -> "));
        }
        text
    }

    fn document(&self) -> Value {
        let stages: Vec<Value> = self
            .plan
            .stages
            .iter()
            .map(|planned| self.entry(planned))
            .collect();
        let path: Vec<String> = self
            .plan
            .critical_path
            .iter()
            .map(|stage| self.name(*stage))
            .collect();
        json!({
            "schema": "lockgate.pipeline-plan/1",
            "version": crate::VERSION,
            "file": self.definition.file,
            "name": self.definition.pipeline.options.name,
            "jobs": self.settings.jobs,
            "duration-ms": milliseconds(self.plan.duration),
            "stages": stages,
            "critical-path": path,
        })
    }

    fn entry(&self, planned: &Planned) -> Value {
        let stage = self.stage(planned.stage);
        let mut entry = json!({
            "name": self.name(planned.stage),
            "stage": stage.map(|stage| line(&stage.base_name)),
            "needs": self.needs(planned.stage),
            "runs": planned.start.is_ok(),
            "expected-ms": milliseconds(planned.expected),
        });
        match &planned.start {
            Ok(start) => entry["start-ms"] = json!(milliseconds(*start)),
            Err(reason) => entry["why"] = json!(why(reason)),
        }
        if let Some(stage) = stage.filter(|stage| !stage.matrix.is_empty()) {
            entry["matrix"] = json!(stage.matrix);
        }
        entry
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
