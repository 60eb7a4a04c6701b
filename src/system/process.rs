//! Child processes: own group, explicit environment and directory, standard input from memory or closed, both outputs drained
//! together with bounded memory, a time limit, and an end of the whole group whatever happens.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::system::environment::Environment;
use crate::system::lines::Lines;
use crate::system::processes::known;
use crate::system::spool::{self, Follower, Spool};
use crate::system::stop::Stop;

/// How much of the end of standard error is kept.
const TAIL: usize = 64 * 1024;

/// How long a pipe may stay open after the whole group is gone: a daemon that left the group may hold it for ever.
const DRAIN: Duration = Duration::from_millis(500);

/// How long the group has between the request to end and the kill when we are cancelled: within a second in all.
const CANCEL_GRACE: Duration = Duration::from_millis(400);

/// How often a group is asked whether it is still there.
const POLL: Duration = Duration::from_millis(5);

/// What to start, and how.
#[derive(Clone, Debug)]
pub struct Child {
    /// The program: a path, or a name looked up in the `PATH` of `environment`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// All that it sees.
    pub environment: Environment,
    /// How long it may take.
    pub time_limit: Duration,
    /// How long it has between SIGTERM and SIGKILL after a time-out.
    pub grace: Duration,
    /// How many bytes of standard output are kept, on disk; more is an ending of its own.
    pub output_limit: u64,
    /// Whether it writes its standard output into the file that keeps it, past us: it is never stopped by a full pipe,
    /// and we need not wake up for each piece that it writes.
    pub writes_to_file: bool,
    /// What its standard input gives; it is closed where there is nothing.
    pub input: Vec<u8>,
}

impl Child {
    /// A child with the usual limits: ten minutes, two seconds of grace, 4 GiB of output.
    pub fn new(
        program: impl Into<PathBuf>,
        directory: impl Into<PathBuf>,
        environment: Environment,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            directory: directory.into(),
            environment,
            time_limit: Duration::from_mins(10),
            grace: Duration::from_secs(2),
            output_limit: 4 << 30,
            writes_to_file: false,
            input: Vec::new(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Lets it write its standard output into the file that keeps it.
    #[must_use]
    pub fn writing_to_file(mut self) -> Self {
        self.writes_to_file = true;
        self
    }

    /// Gives it these bytes on its standard input.
    #[must_use]
    pub fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs the child to its end. `on_line` sees each line of standard error as it comes.
    ///
    /// Fails only where the child could not be started or its output could not be kept.
    pub async fn run(
        self,
        stop: &mut Stop,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> io::Result<Finished> {
        let output = Spool::new(self.output_limit)?;
        self.run_into(output, stop, on_line).await
    }

    /// What takes its standard output, and a reader that follows while it is written.
    pub fn followed(&self) -> io::Result<(Spool, Follower)> {
        Spool::followed(self.output_limit)
    }

    /// As [`Child::run`], into a spool that somebody [follows](Child::followed).
    pub async fn run_into(
        self,
        output: Spool,
        stop: &mut Stop,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> io::Result<Finished> {
        let started = Instant::now();
        let direct = self
            .writes_to_file
            .then(|| output.duplicate())
            .transpose()?;
        let is_direct = direct.is_some();
        let (mut child, _known) = known::spawn(&mut self.command(
            input(&self.input)?,
            direct.map_or_else(Stdio::piped, Stdio::from),
        ))?;
        let group = Group::of(&child);
        let mut errors = Tail::default();
        let stdout = child.stdout.take();
        #[cfg(target_os = "linux")]
        if let Some(pipe) = &stdout {
            // Some systems allow less, and then it stays as it is.
            let _ = rustix::pipe::fcntl_setpipe_size(pipe, spool::PIPE);
        }
        let stderr = child.stderr.take();

        // The drains live until the pipes close, or until DRAIN after the group has gone.
        let mut drain = Box::pin(async {
            let (written, ()) = tokio::join!(output.fill(stdout), errors.fill(stderr, on_line));
            written
        });
        let mut drained = None;
        let mut watch = Box::pin(output.watch());
        let limit = tokio::time::sleep(self.time_limit);
        tokio::pin!(limit);
        let ending = loop {
            tokio::select! {
                status = child.wait() => break Ending::of(status?),
                () = &mut limit => {
                    group.end(&mut child, self.grace, &mut drain, &mut drained).await;
                    break Ending::TimedOut;
                }
                signal = stop.requested() => {
                    group.end(&mut child, CANCEL_GRACE, &mut drain, &mut drained).await;
                    break Ending::Stopped(signal);
                }
                written = &mut drain, if drained.is_none() => {
                    let failed = written.is_err();
                    drained = Some(written);
                    // A full disk or a flood: nobody reads the pipe any more, so the child must not go on.
                    if failed {
                        group.end(&mut child, self.grace, &mut drain, &mut drained).await;
                        break Ending::Flooded;
                    }
                }
                failed = &mut watch, if is_direct => {
                    group.end(&mut child, self.grace, &mut drain, &mut drained).await;
                    drained = Some(Err(failed));
                    break Ending::Flooded;
                }
            }
        };
        if matches!(ending, Ending::Exited(_) | Ending::Signalled(_)) {
            group.sweep(CANCEL_GRACE).await;
        }
        // Nobody reads what a run that is stopped has printed, and it has a second in all.
        let at_end = output.passed();
        while drained.is_none() && !matches!(ending, Ending::Stopped(_)) {
            drained = tokio::time::timeout(DRAIN, &mut drain).await.ok();
            // What was in the pipe at the end may wait for its reader longer.
            if !output.is_handing_over() || output.passed() > at_end + spool::PIPE as u64 {
                break;
            }
        }
        drop((drain, watch));
        let is_too_much = output.len()? > self.output_limit;
        let ending = match drained {
            Some(Ok(())) if is_too_much && matches!(ending, Ending::Exited(_)) => Ending::Flooded,
            Some(Err(error)) if error.kind() != io::ErrorKind::FileTooLarge => return Err(error),
            Some(Err(_)) => Ending::Flooded,
            _ => ending,
        };
        Ok(Finished {
            ending,
            stdout: output.finish(matches!(ending, Ending::Exited(_))).await?,
            stderr: errors.into_text(),
            duration: started.elapsed(),
        })
    }

    fn command(&self, stdin: Stdio, stdout: Stdio) -> tokio::process::Command {
        let mut command = command(&self.program, &self.directory, &self.environment);
        command.args(&self.arguments).stdin(stdin).stdout(stdout);
        command
    }
}

/// A command that leads a group of its own, sees this environment and no other, and has its outputs piped. Nothing of
/// it keeps the standard library from `posix_spawn`: a `fork` of a large process takes a hundred times as long.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that starts children"
)]
pub(super) fn command(
    program: &Path,
    directory: &Path,
    environment: &Environment,
) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(program);
    command
        .current_dir(directory)
        .env_clear()
        .envs(environment.iter())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command
}

/// Standard input that gives these bytes: a file, so that nobody has to feed it.
fn input(bytes: &[u8]) -> io::Result<Stdio> {
    if bytes.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(Stdio::from(file))
}

/// How a child came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Exited(i32),
    /// A signal that we did not send ended it.
    Signalled(i32),
    /// It took too long and was ended.
    TimedOut,
    /// It wrote more than could be kept and was ended.
    Flooded,
    /// We were asked to stop by this signal and ended it.
    Stopped(u8),
}

impl Ending {
    pub(super) fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signalled(signal);
        }
        Self::Exited(status.code().unwrap_or(-1))
    }

    /// Whether it exited with zero.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "exit code {code}"),
            Self::Signalled(signal) => write!(formatter, "killed by signal {signal}"),
            Self::TimedOut => formatter.write_str("timed out"),
            Self::Flooded => formatter.write_str("wrote more output than can be kept"),
            Self::Stopped(signal) => write!(formatter, "stopped by signal {signal}"),
        }
    }
}

/// What a child left.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ending: Ending,
    /// Its standard output, an unnamed file at its beginning.
    pub stdout: File,
    /// The end of its standard error, invalid UTF-8 replaced.
    pub stderr: String,
    /// How long it took.
    pub duration: Duration,
}

impl Finished {
    /// The whole standard output, which must not be longer than `limit` bytes.
    pub fn read_stdout(&mut self, limit: u64) -> io::Result<Vec<u8>> {
        use std::io::Read;
        let mut bytes = Vec::new();
        let read = (&mut self.stdout).take(limit + 1).read_to_end(&mut bytes)?;
        if read as u64 > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("more than {limit} bytes of output"),
            ));
        }
        Ok(bytes)
    }
}

/// The process group that a child leads.
pub(super) struct Group {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    pub(super) fn of(child: &tokio::process::Child) -> Self {
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        Self { id }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(id) = self.id {
            // The group may have ended already, which is what we want.
            let _ = rustix::process::kill_process_group(id, signal);
        }
    }

    /// Asks all of the group to end.
    pub(super) fn ask(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Ends all of the group.
    pub(super) fn kill(&self) {
        self.signal(rustix::process::Signal::KILL);
    }

    /// Its number.
    pub(super) fn number(&self) -> Option<u32> {
        u32::try_from(self.id?.as_raw_nonzero().get()).ok()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.id
            .is_some_and(|id| rustix::process::test_kill_process_group(id).is_ok())
    }

    /// Ends the group while the leader lives: gracefully, then hard. The others of the group have the same grace, also
    /// where the leader ends first. The pipes are drained all the while, so that a child which writes its last words
    /// does not block on them.
    async fn end<D: Future<Output = io::Result<()>> + Unpin>(
        &self,
        child: &mut tokio::process::Child,
        grace: Duration,
        drain: &mut D,
        drained: &mut Option<io::Result<()>>,
    ) {
        self.ask();
        {
            let all_ended = tokio::time::timeout(grace, async {
                let _ = child.wait().await;
                while self.is_alive() {
                    tokio::time::sleep(POLL).await;
                }
            });
            tokio::pin!(all_ended);
            loop {
                tokio::select! {
                    _ = &mut all_ended => break,
                    written = &mut *drain, if drained.is_none() => *drained = Some(written),
                }
            }
        }
        self.kill();
        let _ = child.wait().await;
    }

    /// Ends what the leader left behind in its group.
    async fn sweep(&self, grace: Duration) {
        if !self.is_alive() {
            return;
        }
        self.ask();
        let deadline = Instant::now() + grace;
        while self.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        self.kill();
    }
}

/// Elsewhere only the child itself is ended; untried.
#[cfg(not(unix))]
impl Group {
    pub(super) fn of(_child: &tokio::process::Child) -> Self {
        Self {}
    }

    pub(super) fn ask(&self) {}

    pub(super) fn kill(&self) {}

    pub(super) fn is_alive(&self) -> bool {
        false
    }

    async fn end<D: Future<Output = io::Result<()>> + Unpin>(
        &self,
        child: &mut tokio::process::Child,
        _grace: Duration,
        _drain: &mut D,
        _drained: &mut Option<io::Result<()>>,
    ) {
        let _ = child.kill().await;
    }

    async fn sweep(&self, _grace: Duration) {}
}

/// The end of standard error, and the line that is being written.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    lines: Lines,
}

impl Tail {
    async fn fill(
        &mut self,
        pipe: Option<impl AsyncRead + Unpin>,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; 16 * 1024];
        // A broken pipe is the end of it: what was said so far is what there is.
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            self.keep(&buffer[..read]);
            self.lines.split(&buffer[..read], on_line);
        }
        self.lines.finish(on_line);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * TAIL {
            self.bytes.drain(..self.bytes.len() - TAIL);
        }
    }

    fn into_text(self) -> String {
        let from = self.bytes.len().saturating_sub(TAIL);
        String::from_utf8_lossy(&self.bytes[from..]).into_owned()
    }
}
