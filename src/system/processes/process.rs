//! One process of a run, from its start to the end of all that it started.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::sync::mpsc::UnboundedSender;

use super::ending::Tree;
use super::halt::{Halt, Reason, halting};
use super::known::{self, Known};
use super::log::{Channel, Inlet, Log, Logged};
use super::service::Service;
use super::strays::Stray;
use super::supervisor::{Claim, Running, Supervisor, TRACKING};
use crate::system::environment::Environment;
use crate::system::masking::{Secret, channel};
use crate::system::process::{self, Group};
use crate::system::stop::Stop;

/// How long a process has between the request to end and the kill, if nothing else is said: with the rest it fits into
/// the ten seconds that the runner has between its first signal and its kill.
const GRACE: Duration = Duration::from_secs(5);

/// How long a pipe may stay open after all have ended: somebody that we may not end may hold it for ever.
const DRAIN: Duration = Duration::from_millis(300);

/// After so long without output, what was held back for the sake of a few bits is shown.
const IDLE: Duration = Duration::from_millis(100);

/// How much is read at once, bytes: what a pipe holds.
const PIECE: usize = 64 * 1024;

/// What to start, and how.
#[derive(Clone, Debug)]
pub struct Process {
    /// The stage that it belongs to, for the variable that all of its processes carry.
    pub stage: String,
    /// The program: a path, or a name looked up in the `PATH` of `environment`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// All that it sees, but for [`TRACKING`].
    pub environment: Environment,
    /// How long it may take; for ever where there is none.
    pub time_limit: Option<Duration>,
    /// How long it has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Who hears of secrets that it learns, where it is a step of ours: over a pipe that is its standard input.
    pub learned: Option<UnboundedSender<Secret>>,
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Exited(i32),
    /// A signal that we did not send ended it.
    Signalled(i32),
    /// It took too long and was ended.
    TimedOut,
    /// It was ended for this reason.
    Stopped(Reason),
}

impl Ending {
    /// Whether it exited with zero.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => process::Ending::Exited(*code).fmt(formatter),
            Self::Signalled(signal) => process::Ending::Signalled(*signal).fmt(formatter),
            Self::TimedOut => process::Ending::TimedOut.fmt(formatter),
            Self::Stopped(reason) => reason.fmt(formatter),
        }
    }
}

/// What is known of a process and of all that it started, when all of it has ended.
#[derive(Debug)]
pub struct Ended {
    /// How the process itself ended.
    pub ending: Ending,
    /// Who outlived it, left its group or had to be killed.
    pub strays: Vec<Stray>,
    /// What the log took.
    pub logged: Logged,
    /// How long it took, with the end of all that it left.
    pub duration: Duration,
}

impl Process {
    /// A process without a time limit, and with five seconds of grace.
    pub fn new(
        stage: impl Into<String>,
        program: impl Into<PathBuf>,
        directory: impl Into<PathBuf>,
        environment: Environment,
    ) -> Self {
        Self {
            stage: stage.into(),
            program: program.into(),
            arguments: Vec::new(),
            directory: directory.into(),
            environment,
            time_limit: None,
            grace: GRACE,
            learned: None,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Sets the grace.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Runs it to its end, and ends whatever it left. After a time-out or a request to stop this takes the grace and a
    /// second at most.
    ///
    /// Fails only where it could not be started. Dropped before its end, it kills the group.
    pub async fn run(
        self,
        supervisor: &Supervisor,
        log: Log,
        halt: &mut Halt,
    ) -> io::Result<Ended> {
        let started = self.start(supervisor, log)?;
        Ok(started.watch(halt).await)
    }

    /// Starts it as a service: it goes on, and its output is taken, until it is [ended](Service::end) or ends by
    /// itself. A signal that `stop` tells of ends it too, if it is given. Needs a runtime.
    pub fn serve(
        self,
        supervisor: &Supervisor,
        log: Log,
        stop: Option<Stop>,
    ) -> io::Result<Service> {
        let started = self.start(supervisor, log)?;
        let (halter, mut halt) = halting(stop.unwrap_or_else(Stop::never));
        let id = started.child.id();
        let task = tokio::spawn(async move { started.watch(&mut halt).await });
        Ok(Service::new(id, halter, task))
    }

    fn start(self, supervisor: &Supervisor, log: Log) -> io::Result<Started> {
        let mark = supervisor.mark(&self.stage);
        let mut command = process::command(&self.program, &self.directory, &self.environment);
        command
            .args(&self.arguments)
            .env(TRACKING, supervisor.tracking(&mark));
        let began = Instant::now();
        let masker = supervisor.masker();
        let secrets = self.learned.map(|learned| (learned, masker.clone()));
        let secrets = match secrets {
            None => None,
            Some(secrets) => Some((secrets, attach(&mut command)?)),
        };
        let (mut child, known) = known::spawn(&mut command)?;
        // With it goes our copy of the pipe's end.
        drop(command);
        if let Some(((learned, masker), from)) = secrets {
            tokio::task::spawn_blocking(move || {
                channel::listen(from, |secret| {
                    masker.register(&secret);
                    // Fails where nobody waits any more.
                    let _ = learned.send(secret);
                });
            });
        }
        Ok(Started {
            leash: Leash {
                group: Group::of(&child),
                is_over: false,
            },
            _running: supervisor.enter(&mark, child.id()),
            _known: known,
            drains: Drains {
                stdout: child.stdout.take(),
                stderr: child.stderr.take(),
                out: Inlet::new(Channel::Out, masker),
                err: Inlet::new(Channel::Err, masker),
                log,
            },
            supervisor: supervisor.clone(),
            mark,
            child,
            began,
            time_limit: self.time_limit,
            grace: self.grace,
        })
    }
}

/// Gives a command an end of a pipe as its standard input; the other end.
fn attach(command: &mut tokio::process::Command) -> io::Result<io::PipeReader> {
    let (from, to) = io::pipe()?;
    command
        .stdin(to)
        .env(channel::VARIABLE, channel::STANDARD_INPUT);
    Ok(from)
}

/// Kills the group where nobody waited for its end.
struct Leash {
    group: Group,
    is_over: bool,
}

impl Drop for Leash {
    fn drop(&mut self) {
        if !self.is_over {
            self.group.kill();
        }
    }
}

struct Started {
    leash: Leash,
    _running: Running,
    _known: Known,
    drains: Drains,
    supervisor: Supervisor,
    mark: String,
    child: Child,
    began: Instant,
    time_limit: Option<Duration>,
    grace: Duration,
}

impl Started {
    async fn watch(mut self, halt: &mut Halt) -> Ended {
        let claim = Claim {
            group: group_number(&self.leash.group),
            mark: Some(self.mark.clone()),
            pipes: self.drains.pipes(),
        };
        let tree = Tree::new(&self.supervisor, &self.leash.group, claim);
        let mut drain = Box::pin(self.drains.run());
        let mut is_drained = false;
        let (child, limit) = (&mut self.child, self.time_limit);
        let over = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            tokio::select! {
                status = child.wait() => match status.map(process::Ending::of) {
                    Ok(process::Ending::Signalled(signal)) => Ending::Signalled(signal),
                    Ok(process::Ending::Exited(code)) => Ending::Exited(code),
                    // Somebody else waited for it: there is no code.
                    _ => Ending::Exited(-1),
                },
                () = over => Ending::TimedOut,
                reason = halt.requested() => Ending::Stopped(reason),
            }
        };
        let ending = alongside(ended, &mut drain, &mut is_drained).await;
        let is_own = matches!(ending, Ending::Exited(_) | Ending::Signalled(_));
        let mut strays = Vec::new();
        if !is_own {
            let ended = tree.end(Some(&mut self.child), self.grace, halt, true);
            strays = alongside(ended, &mut drain, &mut is_drained).await;
        } else if tree.seems_left() {
            let ended = tree.end(None, self.grace, halt, false);
            strays = alongside(ended, &mut drain, &mut is_drained).await;
        }
        if !is_drained {
            is_drained = tokio::time::timeout(DRAIN, &mut drain).await.is_ok();
        }
        if !is_drained && is_own {
            let ended = tree.end(None, self.grace, halt, false);
            strays.extend(alongside(ended, &mut drain, &mut is_drained).await);
        }
        if !is_drained {
            tree.holders(&mut strays);
        }
        drop(drain);
        self.leash.is_over = true;
        Ended {
            ending,
            strays,
            logged: self.drains.finish(),
            duration: self.began.elapsed(),
        }
    }
}

#[cfg(unix)]
fn group_number(group: &Group) -> Option<u32> {
    group.number()
}

#[cfg(not(unix))]
fn group_number(_group: &Group) -> Option<u32> {
    None
}

/// Does something while the output is taken.
async fn alongside<T>(
    work: impl Future<Output = T>,
    drain: &mut (impl Future<Output = ()> + Unpin),
    is_drained: &mut bool,
) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = &mut *drain, if !*is_drained => *is_drained = true,
        }
    }
}

/// Both outputs, on their way into the log.
struct Drains {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    out: Inlet,
    err: Inlet,
    log: Log,
}

impl Drains {
    /// Takes everything until both are closed.
    async fn run(&mut self) {
        let Self {
            stdout: Some(stdout),
            stderr: Some(stderr),
            out,
            err,
            log,
        } = self
        else {
            return;
        };
        let (mut from_out, mut from_err) = (vec![0; PIECE], vec![0; PIECE]);
        let (mut out_open, mut err_open) = (true, true);
        let mut is_idle = false;
        while out_open || err_open {
            let waits = !is_idle && (out.is_waiting() || err.is_waiting());
            is_idle = false;
            tokio::select! {
                read = stdout.read(&mut from_out), if out_open => {
                    out_open = take(&read, &from_out, out, log);
                }
                read = stderr.read(&mut from_err), if err_open => {
                    err_open = take(&read, &from_err, err, log);
                }
                () = tokio::time::sleep(IDLE), if waits => {
                    out.rest(log);
                    err.rest(log);
                    is_idle = true;
                }
            }
        }
    }

    /// What was held back follows.
    fn finish(mut self) -> Logged {
        self.out.finish(&mut self.log);
        self.err.finish(&mut self.log);
        self.log.into_logged()
    }

    #[cfg(target_os = "linux")]
    fn pipes(&self) -> Vec<u64> {
        let stdout = self.stdout.as_ref().and_then(super::table::pipe);
        let stderr = self.stderr.as_ref().and_then(super::table::pipe);
        stdout.into_iter().chain(stderr).collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn pipes(&self) -> Vec<u64> {
        let _ = self;
        Vec::new()
    }
}

/// Whether there may be more. A broken pipe is the end of it.
fn take(read: &io::Result<usize>, buffer: &[u8], inlet: &mut Inlet, log: &mut Log) -> bool {
    match read {
        Ok(0) | Err(_) => false,
        Ok(length) => {
            inlet.push(buffer.get(..*length).unwrap_or_default(), log);
            true
        }
    }
}
