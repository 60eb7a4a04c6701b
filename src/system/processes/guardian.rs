//! Who ends what a run started where SIGKILL ended the run itself: a process of our own program, which waits for the end of
//! a pipe that only we hold. It is started beside the first stage, knows no secret, and is ended with the run.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;

use super::halt::halting;
use super::known::{self, Known};
use super::supervisor::Supervisor;
use crate::system::environment::Environment;
use crate::system::masking::Masker;
use crate::system::process;
use crate::system::stop::Stop;

/// The first argument of a guardian; then follow the run and the milliseconds of grace.
const GUARD: &str = "--guard-run";

/// How often it is looked whether a group has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How often at most a guardian wakes up for what it is told: stages come by the thousand.
const PAUSE: Duration = Duration::from_millis(20);

/// What a pipe holds, bytes.
const PIPE: usize = 64 * 1024;

/// What a guardian is to be.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub program: PathBuf,
    pub run: String,
    pub grace: Duration,
}

/// A guardian at work. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Guardian {
    child: Child,
    _known: Known,
    /// Its end is ours.
    pipe: PipeWriter,
}

impl Guardian {
    pub(super) fn start(plan: &Plan) -> io::Result<Self> {
        let (from, pipe) = io::pipe()?;
        // A guardian that does not read keeps nobody waiting.
        rustix::io::ioctl_fionbio(&pipe, true)?;
        // It belongs to no run, and holds neither our folder nor our outputs.
        let environment = Environment::default();
        let mut command = process::command(&plan.program, Path::new("/"), &environment);
        command
            .arg(GUARD)
            .arg(&plan.run)
            .arg(plan.grace.as_millis().to_string())
            .stdin(from)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let (child, known) = known::spawn(&mut command)?;
        Ok(Self {
            child,
            _known: known,
            pipe,
        })
    }

    /// A group is there from now on, or no more.
    pub(super) fn tell(&mut self, group: u32, is_there: bool) {
        let sign = if is_there { '+' } else { '-' };
        // Whoever has ended it has no guardian.
        let _ = self.pipe.write_all(format!("{sign}{group}\n").as_bytes());
    }

    /// Its work is over.
    pub(super) async fn dismiss(mut self) {
        let _ = self.child.kill().await;
    }
}

/// Whether the process was started as a guardian; then it is one, until all is done.
pub fn guards(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str());
    if words.next() != Some(Some(GUARD)) {
        return false;
    }
    let (run, grace) = (words.next().flatten(), words.next().flatten());
    let grace = grace.and_then(|grace| grace.parse().ok());
    if let (Some(run), Some(grace)) = (run, grace.map(Duration::from_millis)) {
        let told = BufReader::with_capacity(PIPE, Seldom(io::stdin().lock()));
        end(run, &groups(told), grace);
    }
    true
}

/// The groups that were there when whoever told of them ended.
fn groups(from: impl BufRead) -> BTreeSet<u32> {
    let mut groups = BTreeSet::new();
    for line in from.lines().map_while(Result::ok) {
        let group = |sign| {
            line.strip_prefix(sign)
                .and_then(|rest: &str| rest.parse().ok())
        };
        groups.extend(group('+'));
        if let Some(group) = group('-') {
            groups.remove(&group);
        }
    }
    groups
}

/// Takes what is there, and then waits a little until there is more of it; not where it has ended.
struct Seldom<R>(R);

impl<R: Read> Read for Seldom<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        if length > 0 {
            std::thread::sleep(PAUSE);
        }
        Ok(length)
    }
}

/// Ends the groups and all that bears the mark of the run.
fn end(run: &str, groups: &BTreeSet<u32>, grace: Duration) {
    let groups = groups.iter().filter_map(|id| i32::try_from(*id).ok());
    let groups: Vec<Pid> = groups.filter_map(Pid::from_raw).collect();
    let signal = |signal| {
        for group in &groups {
            // It may have ended already, which is what we want.
            let _ = kill_process_group(*group, signal);
        }
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return signal(Signal::KILL);
    };
    let supervisor = Supervisor::new(run, &Environment::default(), &Masker::default());
    let (_halter, halt) = halting(Stop::never());
    let deadline = Instant::now() + grace;
    signal(Signal::TERM);
    runtime.block_on(async {
        supervisor.sweep(grace, &halt).await;
        let lives = |group: &Pid| test_kill_process_group(*group).is_ok();
        while groups.iter().any(lives) && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
        signal(Signal::KILL);
        supervisor.sweep(Duration::ZERO, &halt).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_and_go() {
        let told = "+12\n+13\n-12\n+x\n14\n-99\n+15\n";
        assert_eq!(groups(told.as_bytes()), BTreeSet::from([13, 15]));
        assert!(groups(io::empty()).is_empty());
    }

    #[test]
    fn only_its_argument_makes_a_guardian() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert!(!guards(&words(&["lockgate"])));
        assert!(!guards(&words(&["lockgate", "pipeline", GUARD])));
        // One that is not told whom to guard ends.
        assert!(guards(&words(&["lockgate", GUARD])));
        assert!(guards(&words(&["lockgate", GUARD, "run", "soon"])));
    }
}
