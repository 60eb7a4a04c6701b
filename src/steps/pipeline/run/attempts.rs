//! The tries of a stage, each a process of its own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use regex::Regex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{mpsc, watch};

use crate::error::{Error, Result};
use crate::model::pipeline::{Action, Attempt, Outcome, Stage, StageRecord, Survivor};
use crate::steps::pipeline::run::retry::{is_worth_it, pause};
use crate::steps::pipeline::run::serve::serve;
use crate::steps::pipeline::run::shared::Shared;
use crate::steps::pipeline::run::stage::{Ready, Task};
use crate::system::masking::Secret;
use crate::system::processes::{Ended, Ending, Fate, Log, Process, Stray};

/// Of a failed attempt so much of the end of its log is shown, bytes.
const TAIL: u64 = 8 << 10;

/// How long the end of what a step tells is waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The exit code by which a step of ours says that it could not look.
const NO_VERDICT: i32 = crate::error::exit::NO_VERDICT as i32;

/// Runs a stage until it passes, or until there is no reason to try again.
pub async fn run(
    shared: &Shared<'_>,
    task: &mut Task<'_>,
    ready: &Ready,
    record: &mut StageRecord,
) -> Result<Outcome> {
    let Some(process) = process(shared, task, ready) else {
        return Ok(Outcome::Passed);
    };
    let path = shared.log(task.number);
    record.log = Some(path.display().to_string());
    if let Some(service) = &task.stage.service {
        return serve(shared, task, ready, process, service, record).await;
    }
    let began = Instant::now();
    let retry = task.stage.retry.as_ref();
    let pattern = retry.and_then(|retry| retry.on_output.as_ref());
    let pattern = pattern
        .map(|placed| compiled(&placed.value, &placed.place))
        .transpose()?;
    for number in 1.. {
        let mut process = process.clone();
        let mut secrets = learned(task.stage, &mut process);
        for (name, value) in shared.trace.variables(&task.stage.name, number) {
            process.environment.set(name, value);
        }
        let (seen, matched) = watch::channel(false);
        let log = log(shared, task, &path, number, pattern.clone(), seen)?;
        let started = Instant::now();
        let ended = process
            .run(&shared.supervisor, log, &mut task.halt)
            .await
            .map_err(|error| unstartable(ready, &error))?;
        hide_learned(shared, &mut secrets).await;
        remember(record, &ended);
        let outcome = outcome(shared, task, &ended);
        let passed = outcome == Outcome::Passed;
        let tail = if passed { String::new() } else { tail(&path) };
        record.attempts.push(Attempt {
            began: started.duration_since(shared.started),
            duration: started.elapsed(),
            ending: ended.ending.to_string(),
            passed,
            tail: tail.clone(),
        });
        record.tail = tail;
        let again = retry
            .filter(|retry| !passed && is_worth_it(retry, number, ended.ending, *matched.borrow()));
        let pause = again.and_then(|retry| pause(retry, number, began.elapsed()));
        let Some(pause) = pause else {
            return Ok(outcome);
        };
        let why = ended.ending.to_string();
        shared.show().retried(task.number, number + 1, pause, &why);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            reason = task.halt.requested() => return Ok(Outcome::Cancelled(reason.to_string())),
        }
    }
    Err(Error::bug("a stage was tried for ever"))
}

/// Lets a step of ours tell what secrets it learns.
fn learned(stage: &Stage, process: &mut Process) -> Option<UnboundedReceiver<Secret>> {
    matches!(stage.action, Action::Step { .. }).then(|| {
        let (sender, receiver) = mpsc::unbounded_channel();
        process.learned = Some(sender);
        receiver
    })
}

/// Hides what a step that has ended had told, from the runner too.
async fn hide_learned(shared: &Shared<'_>, secrets: &mut Option<UnboundedReceiver<Secret>>) {
    let Some(secrets) = secrets else { return };
    let all = async {
        while let Some(secret) = secrets.recv().await {
            shared.world.console.hide(&secret);
        }
    };
    // Whoever holds the pipe although the step has ended has nothing to tell.
    let _ = tokio::time::timeout(LAST_WORDS, all).await;
}

/// What is started; nothing for a stage that only gathers others.
fn process(shared: &Shared<'_>, task: &Task<'_>, ready: &Ready) -> Option<Process> {
    let command = ready.command.as_ref()?;
    let stage = task.stage;
    let process = Process::new(
        &stage.name,
        &command.program,
        &ready.directory,
        ready.environment.clone(),
    );
    let process = process
        .arguments(command.arguments.iter().map(String::as_str))
        .grace(shared.grace(stage));
    Some(match stage.service {
        Some(_) => process,
        None => process.time_limit(shared.timeout(stage)),
    })
}

pub(super) fn unstartable(ready: &Ready, error: &io::Error) -> Error {
    let program = ready
        .command
        .as_ref()
        .map(|command| command.program.display().to_string());
    let program = program.unwrap_or_default();
    let refused = Error::refused(format!("`{program}` could not be started")).cause(error);
    if ready.directory.is_dir() {
        refused
    } else {
        refused.hint(format!("make the folder `{}`", ready.directory.display()))
    }
}

/// The log of an attempt, behind those of the attempts before it. `matched` hears of a line that matches the pattern.
pub(super) fn log(
    shared: &Shared<'_>,
    task: &Task<'_>,
    path: &Path,
    attempt: usize,
    pattern: Option<Regex>,
    matched: watch::Sender<bool>,
) -> Result<Log> {
    let unwritable = |error| {
        Error::no_verdict(format!("the log `{}` cannot be written", path.display())).cause(error)
    };
    let mut file = File::options()
        .create(true)
        .append(attempt > 1)
        .write(true)
        .truncate(attempt == 1)
        .open(path)
        .map_err(unwritable)?;
    if attempt > 1 {
        writeln!(file, "--- attempt {attempt} ---").map_err(unwritable)?;
    }
    let (last, number) = (shared.show().last_lines(), task.number);
    let is_live = shared.show().is_live();
    let log = Log::new(file);
    if pattern.is_none() && !is_live {
        return Ok(log);
    }
    Ok(log.on_line(move |_, line| {
        if pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(line))
        {
            matched.send_replace(true);
        }
        if is_live
            && !line.trim().is_empty()
            && let Ok(mut last) = last.lock()
        {
            last.insert(number, line.chars().take(400).collect());
        }
    }))
}

pub(super) fn compiled(pattern: &str, place: &crate::error::Place) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        Error::usage(format!("`{pattern}` is no regular expression"))
            .at(place.clone())
            .cause(error)
    })
}

/// What a process leaves in the record besides how it ended.
pub(super) fn remember(record: &mut StageRecord, ended: &Ended) {
    record.survivors.extend(ended.strays.iter().map(survivor));
}

/// A process that was left behind, for the record.
pub fn survivor(stray: &Stray) -> Survivor {
    let ended_by = match stray.fate {
        Fate::Ended => "SIGTERM",
        Fate::Killed => "SIGKILL",
        Fate::Remains => "could not be ended",
    };
    Survivor {
        pid: stray.id,
        command: stray.command.clone(),
        ended_by: ended_by.to_owned(),
    }
}

fn outcome(shared: &Shared<'_>, task: &Task<'_>, ended: &Ended) -> Outcome {
    let is_own_step = matches!(task.stage.action, Action::Step { .. });
    if let Some(failure) = &ended.logged.failure {
        return Outcome::NoVerdict(format!("its log could not be written: {failure}"));
    }
    match ended.ending {
        Ending::Exited(0) => Outcome::Passed,
        Ending::Exited(NO_VERDICT) if is_own_step => {
            Outcome::NoVerdict(format!("exit code {NO_VERDICT}"))
        }
        Ending::TimedOut => Outcome::TimedOut(shared.timeout(task.stage)),
        Ending::Stopped(reason) => Outcome::Cancelled(reason.to_string()),
        ending @ (Ending::Exited(_) | Ending::Signalled(_)) => Outcome::Failed(ending.to_string()),
    }
}

/// The end of a log, from the beginning of a line.
pub(super) fn tail(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        if length > TAIL
            && let Some(at) = memchr::memchr(b'\n', &bytes)
        {
            bytes.drain(..=at);
        }
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
