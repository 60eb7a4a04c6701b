//! One stage, from what it needs to what it made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::error::{Kind, Result};
use crate::model::digest::Sha;
use crate::model::pipeline::manifest::{Artifact, Entry};
use crate::model::pipeline::{
    Action, Artifact as ArtifactRecord, Outcome, Placed, SkipReason, Stage, StageRecord,
};
use crate::steps::artifacts::{Known, Promise, collect, verify};
use crate::steps::pipeline::run::command::{self, Command};
use crate::steps::pipeline::run::environment::{self, Variables};
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::skip::{Dependencies, Programs, StageKey};
use crate::steps::pipeline::run::values::{Made, Values};
use crate::steps::pipeline::run::{attempts, facts, secrets, venv};
use crate::system::environment::Environment;
use crate::system::files::Workspace;
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
    /// What it needs, for its key.
    pub needs: BTreeMap<String, Sha>,
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
    let command = command::command(stage, &values, &environment, &report)?;

    let key = key_of(shared, task, declared, lock, command.as_ref(), &environment).await?;
    if let Some((key, _)) = &key
        && let Some(outcome) = restored(shared, task, key, ended).await
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
    ended.record.artifacts = shown(&ended.artifacts);
    if let Some((key, inputs)) = key {
        keep(shared, task, &key, inputs, ended).await;
        ended.key = Some(key);
    }
    Ok(outcome)
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

/// The key of the stage and the files that it reads, where it may be skipped.
async fn key_of(
    shared: &Shared<'_>,
    task: &Task<'_>,
    variables: BTreeMap<String, Option<String>>,
    lock: Option<String>,
    command: Option<&Command>,
    environment: &Environment,
) -> Result<Option<(StageKey, Vec<Entry>)>> {
    let stage = task.stage;
    if shared.store.is_none() || !may_skip(stage) {
        return Ok(None);
    }
    let directory = shared.directory(stage);
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    let texts = command
        .map(|command| command.texts.clone())
        .unwrap_or_default();
    let path = facts::folders(environment.os("PATH"));
    let needs = task.needs.clone();
    let stage = stage.clone();
    let work = move || {
        let inputs = facts::inputs(&stage, &directory, &workspace, &known)?;
        let programs = Programs {
            known: &known,
            path: &path,
            directory: &directory,
        };
        let dependencies = Dependencies {
            programs: programs.of(&stage, &texts),
            arguments: texts,
            variables,
            inputs,
            environment: lock,
            needs,
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        };
        let key = StageKey::of(&stage, &dependencies);
        Ok(Some((key, dependencies.inputs)))
    };
    Shared::aside(work).await
}

/// Whether a result of a stage may be taken for another run: it says what it reads, and has nothing secret. A step of
/// ours may look at more than files, such as the base of a change, so that it has to be asked for.
fn may_skip(stage: &Stage) -> bool {
    let is_step = matches!(stage.action, Action::Step { .. });
    let wanted = stage.cache.unwrap_or(!stage.inputs.is_empty() && !is_step);
    wanted && stage.secrets.is_empty() && stage.service.is_none() && !stage.always
}

/// The outcome of a stage whose result is there already.
async fn restored(
    shared: &Shared<'_>,
    task: &Task<'_>,
    key: &StageKey,
    ended: &mut Ended,
) -> Option<Outcome> {
    let store = shared.store.clone()?;
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    let (digest, log) = (key.digest, shared.log(task.number));
    let saved = Shared::aside(move || {
        let Some(saved) = store.get(&digest) else {
            return Ok(None);
        };
        // A fault of the store means that the stage runs.
        let restored = store.restore(&saved, &workspace, &known, &log);
        Ok(restored.is_ok().then_some(saved))
    });
    if let Some(saved) = saved.await.ok().flatten() {
        ended.record.artifacts = shown(&saved.artifacts);
        ended.record.log = Some(shared.log(task.number).display().to_string());
        ended.artifacts = saved.artifacts;
        return Some(Outcome::Skipped(SkipReason::Unchanged));
    }
    if shared.explain {
        let earlier = shared.last.components(&task.stage.name);
        let lines = match earlier {
            Some(earlier) => key.difference(earlier),
            None => vec!["there is no earlier run".to_owned()],
        };
        let lines = if lines.is_empty() {
            vec!["nothing has changed, and no result is kept".to_owned()]
        } else {
            lines
        };
        for line in lines {
            shared.show().said(task.number, &format!("runs: {line}"));
        }
    }
    None
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

/// What a stage has made that takes no part in this run, as far as it is there.
pub fn present(
    stage: &Stage,
    directory: &Path,
    workspace: &Workspace,
    known: &Known,
) -> Vec<Artifact> {
    let artifacts = stage.outputs.iter().map(|(output, pattern)| {
        collect(
            &promise(stage, output, pattern, directory),
            workspace,
            known,
        )
    });
    artifacts.filter_map(Result::ok).collect()
}

fn promise<'p>(
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

fn shown(artifacts: &[Artifact]) -> Vec<ArtifactRecord> {
    let records = artifacts.iter().map(|artifact| ArtifactRecord {
        output: artifact.output.clone(),
        path: artifact.paths().join(", "),
        size: artifact.size(),
        digest: artifact.digest(),
    });
    records.collect()
}

/// Keeps the result for later runs, unless a file that the stage read has changed meanwhile: nobody knows which it saw.
async fn keep(
    shared: &Shared<'_>,
    task: &Task<'_>,
    key: &StageKey,
    inputs: Vec<Entry>,
    ended: &Ended,
) {
    let Some(store) = shared.store.clone() else {
        return;
    };
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    let (stage, directory) = (task.stage.clone(), shared.directory(task.stage));
    let (artifacts, log) = (ended.artifacts.clone(), shared.log(task.number));
    let (digest, components) = (key.digest, key.components.clone());
    let duration = ended
        .record
        .attempts
        .last()
        .map_or(Duration::ZERO, |attempt| attempt.duration);
    let kept = Shared::aside(move || {
        if facts::inputs(&stage, &directory, &workspace, &known)? != inputs {
            return Ok(Some(
                "a file that it reads changed while it ran, so its result is not kept".to_owned(),
            ));
        }
        let kept = store.put(&digest, &artifacts, &log, duration, &components, &workspace);
        Ok(kept
            .err()
            .map(|error| format!("its result is not kept: {error}")))
    });
    match kept.await {
        Ok(None) => {}
        Ok(Some(why)) => shared.show().said(task.number, &why),
        Err(error) => shared.show().said(task.number, &error.message),
    }
}
