//! When to stop: SIGINT, SIGTERM, SIGHUP, or, in a workflow, the end of the process that started us.

use std::io;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The signals that stop a run.
#[cfg(unix)]
const SIGHUP: u8 = 1;
const SIGINT: u8 = 2;
const SIGTERM: u8 = 15;

/// Tells everybody who waits that the run is to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: watch::Receiver<Heard>,
    // Keeps the channel open where nobody listens to signals.
    _sender: Sender,
}

type Sender = std::sync::Arc<watch::Sender<Heard>>;

/// A second signal that comes so soon is the same request: a terminal sends one to all who run in it, and many programs
/// pass theirs on.
const SAME: Duration = Duration::from_millis(250);

/// What asked us to stop so far.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    first: Option<(u8, Instant)>,
    is_repeated: bool,
}

/// Tells those who wait of the first signal, and that there was another.
fn tell(sender: &Sender, signal: u8) {
    sender.send_modify(|heard| match heard.first {
        None => heard.first = Some((signal, Instant::now())),
        Some((_, at)) => heard.is_repeated |= at.elapsed() > SAME,
    });
}

impl Stop {
    /// Listens from now on. With `watch_parent`, the end of the parent process counts as SIGTERM: a cancelled
    /// job must not leave an orphan that goes on working.
    pub fn listen(watch_parent: bool) -> io::Result<Self> {
        let (sender, signal) = watch::channel(Heard::default());
        let sender = std::sync::Arc::new(sender);
        listen_to_signals(&sender)?;
        if watch_parent {
            listen_to_parent(&sender)?;
        }
        Ok(Self {
            signal,
            _sender: sender,
        })
    }

    /// A run that nothing stops.
    pub fn never() -> Self {
        let (sender, signal) = watch::channel(Heard::default());
        Self {
            signal,
            _sender: std::sync::Arc::new(sender),
        }
    }

    /// The signal that asked us to stop, if any did.
    pub fn signal(&self) -> Option<u8> {
        self.signal.borrow().first.map(|(signal, _)| signal)
    }

    /// How long ago the first signal came.
    pub fn since(&self) -> Option<Duration> {
        self.signal.borrow().first.map(|(_, at)| at.elapsed())
    }

    /// Whether it was asked more than once: whoever asks again does not want to wait.
    pub fn is_repeated(&self) -> bool {
        self.signal.borrow().is_repeated
    }

    /// Waits until the run is to stop; returns the signal's number.
    pub async fn requested(&mut self) -> u8 {
        loop {
            if let Some(signal) = self.signal() {
                return signal;
            }
            self.changed().await;
        }
    }

    /// Waits until another signal comes.
    pub(super) async fn changed(&mut self) {
        if self.signal.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
fn listen_to_signals(sender: &Sender) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for (kind, number) in [
        (SignalKind::interrupt(), SIGINT),
        (SignalKind::terminate(), SIGTERM),
        (SignalKind::hangup(), SIGHUP),
    ] {
        // `nohup` wants us to go on when the terminal is closed.
        if number == SIGHUP && is_ignored(SIGHUP) {
            continue;
        }
        let mut stream = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                tell(&sender, number);
            }
        });
    }
    Ok(())
}

/// Whether whoever started us made us deaf to a signal. Linux alone tells it.
#[cfg(unix)]
fn is_ignored(signal: u8) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(not(unix))]
fn listen_to_signals(sender: &Sender) -> io::Result<()> {
    let sender = sender.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            tell(&sender, SIGINT);
        }
    });
    Ok(())
}

#[cfg(target_os = "linux")]
fn listen_to_parent(sender: &Sender) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{PidfdFlags, getppid, pidfd_open};

    let Some(parent) = getppid() else {
        return Ok(());
    };
    // An old kernel or a sandbox without pidfd: we lose the watch, not the run.
    let Ok(handle) = pidfd_open(parent, PidfdFlags::empty()) else {
        return Ok(());
    };
    let sender = sender.clone();
    let wait = move || {
        loop {
            match poll(&mut [PollFd::new(&handle, PollFlags::IN)], None) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
        // Who asked us before has ended now, and does not ask again.
        if sender.borrow().first.is_none() {
            tell(&sender, SIGTERM);
        }
    };
    std::thread::Builder::new()
        .name("parent-watch".into())
        .stack_size(64 * 1024)
        .spawn(wait)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Linux")]
fn listen_to_parent(_sender: &Sender) -> io::Result<()> {
    Ok(())
}

/// Makes this process unreadable to others of the same user, so that a tool cannot look up our environment.
pub fn hide_from_siblings() {
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::debug!(%error, "this process stays readable to others of the same user");
    }
}
