//! A stage whose result is there already does not run: its key, what is kept under it, and what is kept of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::model::pipeline::manifest::{Entry, Source};
use crate::model::pipeline::{Action, Outcome, Reuse, SkipReason, Stage};
use crate::steps::pipeline::run::command::Command;
use crate::steps::pipeline::run::facts;
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::skip::{self, Dependencies, Fetched, Programs, Saved, StageKey};
use crate::steps::pipeline::run::stage::{Ended, Task, shown};
use crate::system::environment::Environment;

/// The key of the stage and the files that it reads, where it may be skipped.
pub async fn key_of(
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
    let folders = shared.folders(stage);
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    let texts = command
        .map(|command| command.texts.clone())
        .unwrap_or_default();
    let path = facts::folders(environment.os("PATH"));
    let needs = task.needs.clone();
    let stage = stage.clone();
    let work = move || {
        let inputs = facts::inputs(&stage, &folders, &workspace, &known)?;
        let programs = Programs {
            known: &known,
            path: &path,
            directory: &folders.own,
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
    let usual = !stage.inputs.is_empty() && !is_step;
    let wanted = stage.cache.map_or(usual, Reuse::is_wanted);
    wanted && stage.secrets.is_empty() && stage.service.is_none() && !stage.always
}

/// The outcome of a stage whose result is there already.
pub async fn restored(
    shared: &Shared<'_>,
    task: &Task<'_>,
    key: &StageKey,
    ended: &mut Ended,
) -> Option<Outcome> {
    let saved = match kept(shared, task, key).await {
        Kept::Nothing if fetched(shared, task, key).await => kept(shared, task, key).await,
        kept => kept,
    };
    if let Kept::Restored(saved) = saved {
        ended.is_shared = saved.source == Source::Shared;
        ended.record.source = saved.source;
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

/// What the store of this machine has of a key.
enum Kept {
    /// Nothing that may be used.
    Nothing,
    /// Something that cannot be put in place: a fault of the store, files of somebody.
    Unusable,
    /// A result, which is in place.
    Restored(Saved),
}

async fn kept(shared: &Shared<'_>, task: &Task<'_>, key: &StageKey) -> Kept {
    let Some(store) = shared.store.clone() else {
        return Kept::Nothing;
    };
    let (workspace, known) = (Arc::clone(&shared.workspace), Arc::clone(&shared.known));
    let (digest, log) = (key.digest, shared.log(task.number));
    let only_own = shared.is_made_here(task.number);
    let kept = Shared::aside(move || {
        let is_fine = |saved: &Saved| !only_own || saved.source != Source::Shared;
        let Some(saved) = store.get(&digest).filter(is_fine) else {
            return Ok(Kept::Nothing);
        };
        // A fault of the store means that the stage runs.
        let restored = store.restore(&saved, &workspace, &known, &log);
        Ok(match restored {
            Ok(()) => Kept::Restored(saved),
            Err(_) => Kept::Unusable,
        })
    });
    kept.await.unwrap_or(Kept::Unusable)
}

/// Whether the shared store had the result, which is in that of this machine now.
async fn fetched(shared: &Shared<'_>, task: &Task<'_>, key: &StageKey) -> bool {
    let remote = shared.remote_for(task.number).zip(shared.store.as_ref());
    let Some((remote, store)) = remote else {
        return false;
    };
    let mut halt = task.halt.clone();
    let fetched = tokio::select! {
        fetched = remote.fetch(&key.digest, store) => fetched,
        _ = halt.requested() => Fetched::Nothing,
    };
    match fetched {
        Fetched::Here => true,
        Fetched::Nothing => false,
        Fetched::Failed(why) => {
            shared.show().said(task.number, &why);
            false
        }
    }
}

/// Keeps the result for later runs, unless a file that the stage read has changed meanwhile: nobody knows which it saw.
pub async fn keep(
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
    let (stage, folders) = (task.stage.clone(), shared.folders(task.stage));
    let (artifacts, log) = (ended.artifacts.clone(), shared.log(task.number));
    let (digest, components) = (key.digest, key.components.clone());
    let is_shared = task.is_shared;
    let duration = ended
        .record
        .attempts
        .last()
        .map_or(Duration::ZERO, |attempt| attempt.duration);
    let kept = Shared::aside(move || {
        if facts::inputs(&stage, &folders, &workspace, &known)? != inputs {
            return Ok(Some(
                "a file that it reads changed while it ran, so its result is not kept".to_owned(),
            ));
        }
        let made = skip::Made {
            artifacts: &artifacts,
            log: &log,
            duration,
            components: &components,
            is_shared,
        };
        let kept = store.put(&digest, &made, &workspace);
        Ok(kept
            .err()
            .map(|error| format!("its result is not kept: {error}")))
    });
    match kept.await {
        Ok(None) => {
            let is_for_others = task.stage.cache != Some(Reuse::Local);
            if let Some(remote) = shared.remote.as_ref().filter(|_| is_for_others) {
                remote.made(&key.digest);
            }
        }
        Ok(Some(why)) => shared.show().said(task.number, &why),
        Err(error) => shared.show().said(task.number, &error.message),
    }
}
