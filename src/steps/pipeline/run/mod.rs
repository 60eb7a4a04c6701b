//! `run`: starts the stages, each when what it needs is there, and tells what became of them.
//!
//! The scheduler ([`crate::pipeline::schedule`]) says what is to be done, [`execution`] does it, and processes
//! ([`crate::system::processes`]) tell how they ended.

mod attempts;
mod command;
mod downloads;
mod emit;
mod environment;
mod execution;
mod facts;
mod left_out;
mod probe;
mod proposal;
mod retry;
mod reuse;
mod secrets;
mod serve;
mod shared;
mod show;
mod skip;
mod stage;
mod tell;
mod values;
mod venv;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, Result};
use crate::model::digest::hex;
use crate::model::pipeline::{Outcome, Pipeline, RunRecord, SkipReason};
use crate::pipeline::deployed::made_here;
use crate::pipeline::schedule::Scheduler;
use crate::pipeline::selection::{Choice, Facts};
use crate::report::pipeline::events::Event;
use crate::report::read::nested;
use crate::steps::Step;
use crate::steps::artifacts::{Known, Manifest, write_bundle};
use crate::steps::gate::base;
use crate::steps::pipeline::definition::{self, Definition};
use crate::steps::pipeline::last::Last;
use crate::steps::pipeline::settings::Settings;
use crate::steps::pipeline::{Arguments, NAME, facts as conditions, plan};
use crate::steps::waiting;
use crate::steps::world::World;
use crate::system::files::Workspace;
use crate::system::http::Http;
use crate::system::processes::{Supervisor, halting};
use crate::system::python::Provider;
use crate::system::stop::Stop;
use crate::system::telemetry::{self, Telemetry};
use downloads::Downloads;
use emit::Emission;
use execution::execute;
use shared::Shared;
use show::Show;
use skip::{Remote, Store};
use tell::Events;

/// How long a collector of traces may keep a run that has ended.
const TELLING: Duration = Duration::from_secs(10);

/// The same, where the run was stopped: the runner waits for nobody.
const TELLING_STOPPED: Duration = Duration::from_secs(1);

/// Runs the stages.
pub fn run(arguments: &Arguments, world: &World) -> Result<u8> {
    let (started, clock) = (Instant::now(), SystemTime::now());
    let settings = Settings::new(arguments)?;
    require_permission(world)?;
    let mut definition = definition::load(world, &settings)?;
    let runtime = waiting::runtime()?;
    for secret in telemetry::secrets(&world.environment) {
        world.console.hide(&secret);
    }
    runtime.block_on(async {
        let stop = waiting::listen(world)?;
        let loosened = proposal::hold(&mut definition.pipeline, arguments, world, &stop).await?;
        let run = Run {
            arguments,
            world,
            settings: &settings,
            definition: &definition,
            loosened,
            stop,
            started,
            clock,
        };
        run.go().await
    })
}

/// Stages are code of the project.
fn require_permission(world: &World) -> Result<()> {
    base::require_permission(Step::Pipeline, world, |given: &Arguments| {
        given.allow_project_code.unwrap_or_default()
    })
}

struct Run<'r> {
    arguments: &'r Arguments,
    world: &'r World,
    settings: &'r Settings,
    definition: &'r Definition,
    /// What a proposal has made looser than the base has it.
    loosened: Vec<String>,
    stop: Stop,
    started: Instant,
    clock: SystemTime,
}

impl Run<'_> {
    async fn go(&self) -> Result<u8> {
        let (world, definition) = (self.world, self.definition);
        let (pipeline, graph) = (&definition.pipeline, &definition.graph);
        let last = Last::read(world, &definition.folder);
        let (choices, facts) = self.choices(&last).await?;
        let takes_part = pipeline.stages.iter().zip(&choices);
        let takes_part = takes_part.filter(|(_, choice)| **choice == Choice::Run);
        secrets::hide_all(takes_part.map(|(stage, _)| stage), world)?;
        let limits = self.settings.limits();
        let scheduler = Scheduler::new(pipeline, graph, &choices, &last.durations(), limits);
        let run_id = run_id(world)?;
        let trace = telemetry::trace(&world.environment, &run_id);
        let cache = world.cache_folder()?;
        let logs = Last::logs(world, &definition.folder, &run_id).map_err(|error| {
            Error::no_verdict("the logs of stages cannot be kept")
                .cause(error)
                .hint("set LOCKGATE_CACHE_DIR to a folder that can be written")
        })?;
        let masker = world.console.masker();
        let events = self.settings.events_file.as_deref();
        let events = events.map(|path| world.directory.join(path));
        let events = Events::new(events.as_deref(), trace.clone(), masker.clone())?;
        let show = Show::new(world, pipeline, self.started, events);
        let store = (!self.settings.no_cache).then(|| Store::new(cache.join("pipeline/store")));
        let limit = self.settings.shared_store_timeout;
        let remote = Remote::open(world, limit, self.stop.clone())?;
        let takes_part: Vec<bool> = choices
            .iter()
            .map(|choice| *choice == Choice::Run)
            .collect();
        let with_bundle = self.settings.bundle.is_some();
        let made_here = made_here(pipeline, graph, &takes_part, with_bundle);
        let remote = remote.filter(|_| store.is_some());
        let venvs = pipeline
            .stages
            .iter()
            .zip(takes_part.iter().zip(&made_here));
        let venvs = venvs
            .filter(|(stage, (takes_part, _))| **takes_part && stage.venv.is_some())
            .map(|(stage, (_, made_here))| (stage, *made_here));
        let downloads = remote
            .as_ref()
            .and_then(|_| Downloads::of(venvs, &definition.folder, &cache, world));
        let installing = match &downloads {
            Some(downloads) => downloads.environment(&world.environment),
            None => world.environment.clone(),
        };
        let shared = Shared {
            world,
            pipeline,
            graph,
            folder: definition.folder.clone(),
            workspace: Arc::new(Workspace::new(&world.root)),
            known: Arc::new(Known::default()),
            remote,
            downloads,
            store,
            made_here,
            explain: self.settings.explain_skip,
            last: &last,
            supervisor: Supervisor::adopting(&run_id, &world.environment, masker),
            provider: Provider::new(cache, &installing, &[], self.stop.clone()),
            trace,
            run_id,
            logs,
            started: self.started,
            stop: self.stop.clone(),
            show: Mutex::new(show),
        };
        let own = command::own_program()?.into();
        let guarded = &shared.supervisor;
        guarded.guarded_by(own, &shared.run_id, self.settings.grace);
        let name = name(pipeline, &definition.folder);
        shared.show().tell(Event::RunStarted {
            name: &name,
            run_id: &shared.run_id,
            jobs: self.settings.jobs,
            stages: pipeline.stages.len(),
        });
        let left_out = left_out::made(&shared, &choices)?;
        let mut result = execute(&shared, scheduler, left_out).await;
        shared.show().clear();
        let (_halter, halt) = halting(self.stop.clone());
        let strays = shared.supervisor.sweep(self.settings.grace, &halt).await;
        shared.supervisor.dismiss().await;
        if let Some(record) = result.records.values_mut().next_back() {
            record
                .survivors
                .extend(strays.iter().map(attempts::survivor));
        }
        let mut record = RunRecord {
            name,
            run_id: shared.run_id.clone(),
            url: url(world),
            started: self.clock,
            duration: self.started.elapsed(),
            jobs: self.settings.jobs,
            stopped_by: self.stop.signal(),
            loosened: self.loosened.clone(),
            planned: pipeline
                .stages
                .iter()
                .map(|stage| stage.name.clone())
                .collect(),
            stages: std::mem::take(&mut result.records).into_values().collect(),
        };
        record.map_text(|text| masker.mask(text));
        shared.show().tell(Event::RunEnded(&record));
        self.remember(last.clone(), &record, &result);
        if let Some(store) = &shared.store {
            if let Some(remote) = &shared.remote
                && self.stop.signal().is_none()
            {
                remote.save(store, world).await;
                if let Some(downloads) = &shared.downloads {
                    downloads.save(remote, world).await;
                }
            }
            // A fault of the store is none of the run.
            if let Err(error) = store.prune() {
                tracing::debug!(%error, "what is kept of earlier runs cannot be tidied");
            }
        }
        let mut outputs = self.outputs(&shared, &result, &record)?;
        let affected = plan::affected(definition, self.settings, &facts, &choices)?;
        outputs.insert("affected".to_owned(), affected);
        self.tell(&record, &shared).await;
        let emission = Emission {
            record: &record,
            trace: &shared.trace,
            nested: self.nested(&result),
            summaries: self.summaries(&shared, &result),
            outputs,
            junit_file: self.settings.junit_file.clone(),
        };
        emit::emit(emission, &self.arguments.common, world)
    }

    async fn choices(&self, last: &Last) -> Result<(Vec<Choice>, Facts)> {
        let (definition, settings) = (self.definition, self.settings);
        let stop = self.stop.clone();
        let facts = conditions::for_outputs(definition, settings, self.world, stop).await?;
        let choices = plan::choose(definition, settings, last, &facts)?;
        Ok((choices, facts))
    }

    /// A memory that cannot be written costs the next run time, and this one nothing.
    fn remember(&self, last: Last, record: &RunRecord, result: &execution::Result) {
        let stages = &self.definition.pipeline.stages;
        let components = result.components.iter().filter_map(|(number, components)| {
            Some((stages.get(*number)?.name.clone(), components.clone()))
        });
        let components: BTreeMap<_, _> = components.collect();
        let written = last.write(record, components, self.world, &self.definition.folder);
        if let Err(error) = written {
            self.world.console.note(&format!(
                "{NAME}: what this run has shown cannot be kept for the next one: {error}"
            ));
        }
    }

    fn outputs(
        &self,
        shared: &Shared<'_>,
        result: &execution::Result,
        record: &RunRecord,
    ) -> Result<BTreeMap<String, String>> {
        let mut outputs = BTreeMap::new();
        let bundle = self.settings.bundle.as_deref();
        let passed = crate::report::pipeline::verdict::judge(record).1 == 0;
        let digest = match bundle.filter(|_| passed) {
            Some(folder) => {
                // Not what lay there before this run: nobody has tested it here.
                let stages = record.stages.iter();
                let proven: BTreeSet<&str> = stages
                    .filter(|stage| {
                        let unchanged = Outcome::Skipped(SkipReason::Unchanged);
                        stage.outcome == Outcome::Passed || stage.outcome == unchanged
                    })
                    .map(|stage| stage.name.as_str())
                    .collect();
                let artifacts = result.made.values();
                let artifacts = artifacts.filter(|artifact| proven.contains(&*artifact.stage));
                let manifest = Manifest {
                    artifacts: artifacts.map(|artifact| (**artifact).clone()).collect(),
                };
                let folder = self.world.directory.join(folder);
                hex(&write_bundle(
                    &folder,
                    &manifest,
                    &shared.workspace,
                    &shared.known,
                )?)
            }
            None => String::new(),
        };
        outputs.insert("bundle-digest".to_owned(), digest);
        Ok(outputs)
    }

    /// Tells the collector of traces, if there is one.
    async fn tell(&self, record: &RunRecord, shared: &Shared<'_>) {
        let warn = |text: &str| self.world.console.note(&format!("{NAME}: warning: {text}"));
        let telemetry = match Telemetry::of(&self.world.environment) {
            Ok(Some(telemetry)) => telemetry,
            Ok(None) => return,
            Err(warning) => return warn(&warning),
        };
        let limit = match record.stopped_by {
            Some(_) => TELLING_STOPPED,
            None => TELLING,
        };
        let http = match Http::new(&self.world.environment, Vec::new(), Stop::never()) {
            Ok(http) => http,
            Err(error) => return warn(&error.message),
        };
        if let Some(warning) = telemetry.export(&http, record, &shared.trace, limit).await {
            warn(&warning);
        }
    }

    /// What steps of ours found that stages used.
    fn nested(&self, result: &execution::Result) -> Vec<(String, crate::report::read::Nested)> {
        let stages = &self.definition.pipeline.stages;
        let nested = result.reports.iter().filter_map(|(number, report)| {
            Some((stages.get(*number)?.name.clone(), nested(report).ok()?))
        });
        nested.collect()
    }

    fn summaries(&self, shared: &Shared<'_>, result: &execution::Result) -> Vec<(String, PathBuf)> {
        let stages = &self.definition.pipeline.stages;
        let summaries = result.reports.keys().filter_map(|number| {
            let path = shared.log(*number).with_extension("md");
            Some((stages.get(*number)?.name.clone(), path))
        });
        summaries.collect()
    }
}

/// An id of this run alone, on this machine and in the workflow.
fn run_id(world: &World) -> Result<String> {
    let mut random = [0; 6];
    getrandom::fill(&mut random)
        .map_err(|error| Error::no_verdict("the system gives no random numbers").cause(error))?;
    let random = hex(&random);
    let context = &world.context;
    Ok(if context.run_id.is_empty() {
        random
    } else {
        format!("{}-{}-{random}", context.run_id, context.run_attempt)
    })
}

/// What the run is called: as the definition says, else the project's folder.
fn name(pipeline: &Pipeline, folder: &Path) -> String {
    let named = pipeline.options.name.clone();
    let folder = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    named.or(folder).unwrap_or_else(|| NAME.to_owned())
}

/// Where the run is shown.
fn url(world: &World) -> Option<String> {
    let context = &world.context;
    let is_known = !context.run_id.is_empty() && !context.server_url.is_empty();
    is_known.then(|| {
        format!(
            "{}/{}/actions/runs/{}/attempts/{}",
            context.server_url, context.repository, context.run_id, context.run_attempt
        )
    })
}
