//! One stage, from what it needs to what it made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::error::{Error, Kind, Result};
use crate::model::digest::{Sha, hex};
use crate::model::pipeline::manifest::{Artifact, Source};
use crate::model::pipeline::{
    Action, Artifact as ArtifactRecord, Outcome, Placed, Stage, StageRecord,
};
use crate::steps::artifacts::{HANDED, Manifest, Promise, collect, verify};
use crate::steps::pipeline::run::command::{self, Command};
use crate::steps::pipeline::run::environment::{self, Variables};
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::skip::StageKey;
use crate::steps::pipeline::run::values::{Made, Values};
use crate::steps::pipeline::run::{attempts, reuse, secrets, venv};
use crate::system::environment::Environment;
use crate::system::files::write_atomically;
use crate::system::processes::Halt;

/// A stage that is to run.
#[derive(Debug)]
pub struct Task<'r> {
    /// Its number.
    pub number: usize,
    /// What it is.
    pub stage: &'r Stage,
    /// What it may refer to.
    pub made: Made,
    /// What the stages before it have made in this run, for a step of ours.
    pub proven: Vec<Artifact>,
    /// What it needs, for its key.
    pub needs: BTreeMap<String, Sha>,
    /// Whether something that it needs comes from a store that others write to.
    pub is_shared: bool,
    /// Whether it is to end.
    pub halt: Halt,
    /// Where a service tells that it is ready.
    pub ready: mpsc::UnboundedSender<usize>,
}

/// A stage that has ended.
#[derive(Debug)]
pub struct Ended {
    /// What it did.
    pub record: StageRecord,
    /// What it made.
    pub artifacts: Vec<Artifact>,
    /// What it depended on, where that is known.
    pub key: Option<StageKey>,
    /// The report of a step of ours.
    pub report: Option<Vec<u8>>,
    /// Whether its result, or something that it was made from, comes from a store that others write to.
    pub is_shared: bool,
}

/// All that is known of a stage when it is started.
#[derive(Debug)]
pub struct Ready {
    /// What is started; nothing for a stage that only gathers others.
    pub command: Option<Command>,
    /// What it sees, secrets included.
    pub environment: Environment,
    /// Where it runs.
    pub directory: PathBuf,
    /// Where a step of ours writes its report.
    pub report: PathBuf,
}

/// The record of a stage with this outcome that did nothing yet.
pub fn record(shared: &Shared<'_>, number: usize, stage: &Stage, outcome: Outcome) -> StageRecord {
    StageRecord {
        name: stage.name.clone(),
        needs: shared.graph.needs_of(number).to_vec(),
        outcome,
        source: Source::Run,
        allow_failure: stage.allow_failure,
        is_service: stage.service.is_some(),
        cpu: stage.cpu,
        ready: None,
        began: None,
        duration: Duration::ZERO,
        attempts: Vec::new(),
        artifacts: Vec::new(),
        survivors: Vec::new(),
        log: None,
        tail: String::new(),
        report: None,
    }
}

/// Runs a stage to its end, whatever that is.
pub async fn run(shared: &Shared<'_>, mut task: Task<'_>) -> Ended {
    let began = Instant::now();
    let mut ended = Ended {
        record: record(shared, task.number, task.stage, Outcome::Passed),
        artifacts: Vec::new(),
        key: None,
        report: None,
        is_shared: task.is_shared,
    };
    ended.record.began = Some(began.duration_since(shared.started));
    let halt = task.halt.clone();
    let outcome = go(shared, &mut task, &mut ended).await;
    ended.record.outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let outcome = match (error.kind, halt.reason()) {
                (Kind::Interrupted(_), _) => Outcome::Cancelled(error.message.clone()),
                (_, Some(reason)) => Outcome::Cancelled(reason.to_string()),
                (Kind::NoVerdict | Kind::Bug, None) => Outcome::NoVerdict(error.message.clone()),
                (Kind::Usage | Kind::Refused, None) => Outcome::Failed(error.message.clone()),
            };
            let text = shared
                .world
                .console
                .masker()
                .mask(&error.render())
                .into_owned();
            if !ended.record.tail.is_empty() {
                ended.record.tail.push('\n');
            }
            ended.record.tail.push_str(&text);
            outcome
        }
    };
    ended.record.duration = began.elapsed();
    ended
}

async fn go(shared: &Shared<'_>, task: &mut Task<'_>, ended: &mut Ended) -> Result<Outcome> {
    let stage = task.stage;
    let directory = shared.directory(stage);
    let values = Values {
        made: &task.made,
        root: shared.workspace.root(),
        directory: &directory,
    };
    verify_made(shared, &task.made).await?;
    let Variables {
        environment,
        declared,
    } = environment::variables(
        &shared.world.environment,
        &shared.pipeline.options,
        stage,
        &values,
    )?;
    let (mut environment, lock) = activate(shared, task, environment).await?;
    let report = shared.log(task.number).with_extension("json");
    let mut command = command::command(stage, &values, &environment, &report)?;
    if let (Action::Step { .. }, Some(command)) = (&stage.action, &mut command) {
        command.inputs.extend(handed(shared, task)?);
    }

    let key = reuse::key_of(shared, task, declared, lock, command.as_ref(), &environment).await?;
    if let Some((key, _)) = &key
        && let Some(outcome) = reuse::restored(shared, task, key, ended).await
    {
        ended.key = Some(key.clone());
        return Ok(outcome);
    }
    for (name, secret) in secrets::of_stage(stage, shared.world, &shared.stop).await? {
        environment.set(name, secret.reveal());
    }
    let inputs = command.iter().flat_map(|command| &command.inputs);
    for (name, value) in inputs {
        environment.set(name, value);
    }
    let ready = Ready {
        command,
        environment,
        directory,
        report,
    };
    let outcome = attempts::run(shared, task, &ready, &mut ended.record).await?;
    if matches!(stage.action, Action::Step { .. }) {
        ended.report = std::fs::read(&ready.report).ok();
        ended.record.report = ended
            .report
            .is_some()
            .then(|| ready.report.display().to_string());
    }
    if outcome != Outcome::Passed {
        return Ok(outcome);
    }
    ended.artifacts = promised(shared, stage, &ready.directory).await?;
    if task.is_shared {
        for artifact in &mut ended.artifacts {
            artifact.source = Source::Shared;
        }
    }
    ended.record.artifacts = shown(&ended.artifacts);
    if let Some((key, inputs)) = key {
        reuse::keep(shared, task, &key, inputs, ended).await;
        ended.key = Some(key);
    }
    Ok(outcome)
}

/// The manifest of what the stages before have made, and the variables that say where it is and which bytes it has.
fn handed(shared: &Shared<'_>, task: &Task<'_>) -> Result<[(String, String); 2]> {
    let path = shared.log(task.number).with_extension("manifest.json");
    let manifest = Manifest {
        artifacts: task.proven.clone(),
    };
    let document = manifest.to_json()?;
    write_atomically(&path, &document).map_err(|error| {
        Error::no_verdict("the manifest of the run cannot be written").cause(error)
    })?;
    let digest = hex(&Sha256::digest(&document));
    let [name_of_path, name_of_digest] = HANDED.map(str::to_owned);
    Ok([
        (name_of_path, path.display().to_string()),
        (name_of_digest, digest),
    ])
}

/// A consumer gets the bytes that were verified, or an error.
async fn verify_made(shared: &Shared<'_>, made: &Made) -> Result<()> {
    if made.is_empty() {
        return Ok(());
    }
    let artifacts: Vec<Arc<Artifact>> = made.values().cloned().collect();
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    Shared::aside(move || {
        artifacts
            .iter()
            .try_for_each(|artifact| verify(artifact, &workspace, &known))
    })
    .await
}

/// The environment in which the programs of the stage's isolated environment come first, and what it is made from.
async fn activate(
    shared: &Shared<'_>,
    task: &Task<'_>,
    environment: Environment,
) -> Result<(Environment, Option<String>)> {
    let Some(wanted) = &task.stage.venv else {
        return Ok((environment, None));
    };
    let directory = shared.directory(task.stage);
    let (recipe, _) = venv::recipe(wanted, &directory, &shared.world.root).map_err(|error| {
        match error.place {
            Some(_) => error,
            None => error.at(task.stage.place.clone()),
        }
    })?;
    let mut say = |line: &str| shared.show().said(task.number, line);
    if let (Some(downloads), Some(remote)) = (&shared.downloads, &shared.remote) {
        downloads.fetch(remote, &mut say).await;
    }
    let provided = shared
        .provider
        .provide(&recipe, &directory, &mut say)
        .await?;
    let lock = format!(
        "{} {:?} {:?}",
        recipe.digest, recipe.installer, recipe.python
    );
    Ok((provided.activate(&environment), Some(lock)))
}

/// What the stage promised.
async fn promised(shared: &Shared<'_>, stage: &Stage, directory: &Path) -> Result<Vec<Artifact>> {
    if stage.outputs.is_empty() {
        return Ok(Vec::new());
    }
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    let (stage, directory) = (stage.clone(), directory.to_owned());
    Shared::aside(move || {
        let artifacts = stage.outputs.iter().map(|(output, pattern)| {
            collect(
                &promise(&stage, output, pattern, &directory),
                &workspace,
                &known,
            )
        });
        artifacts.collect()
    })
    .await
}

/// One output of a stage that runs in this folder.
pub fn promise<'p>(
    stage: &'p Stage,
    output: &'p str,
    pattern: &'p Placed<String>,
    directory: &'p Path,
) -> Promise<'p> {
    Promise {
        stage: &stage.name,
        output,
        pattern: &pattern.value,
        place: &pattern.place,
        directory,
    }
}

/// Artifacts as records show them.
pub fn shown(artifacts: &[Artifact]) -> Vec<ArtifactRecord> {
    let records = artifacts.iter().map(|artifact| ArtifactRecord {
        output: artifact.output.clone(),
        path: artifact.paths().join(", "),
        size: artifact.size(),
        digest: artifact.digest(),
        source: artifact.source,
    });
    records.collect()
}
