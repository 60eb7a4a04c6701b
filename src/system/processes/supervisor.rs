//! One run: who belongs to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::ending::Tree;
use super::halt::Halt;
use super::strays::Stray;
use crate::system::environment::Environment;
use crate::system::masking::Masker;

/// The variable by which a process is known to belong to a stage: `<run>/<stage>`, both percent-encoded; behind that of
/// the run that started ours and a `;`, if there is one.
pub const TRACKING: &str = "LOCKGATE_TRACKING_ID";

/// Knows which processes belong to a run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Supervisor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    run: String,
    outer: Option<String>,
    adopts: bool,
    masker: Masker,
    /// How many processes run now for each mark.
    running: Mutex<BTreeMap<String, usize>>,
    guard: Mutex<Guard>,
}

/// Who ends what is left where nobody of us can.
#[derive(Debug, Default)]
enum Guard {
    /// Nobody.
    #[default]
    None,
    /// One is started with the first process.
    #[cfg(target_os = "linux")]
    Planned(super::guardian::Plan),
    /// One is there.
    #[cfg(target_os = "linux")]
    There(super::guardian::Guardian),
}

impl Supervisor {
    /// The run with this name, which must not be that of another run on this machine. `environment` is ours.
    pub fn new(run: &str, environment: &Environment, masker: &Masker) -> Self {
        Self::with(run, environment, masker, false)
    }

    /// The same; and this process becomes the one to whom those come who lose their parent. From then on any child that
    /// [`system`](crate::system) did not start is held for one of them, and ended: only for a program of our own.
    pub fn adopting(run: &str, environment: &Environment, masker: &Masker) -> Self {
        Self::with(run, environment, masker, adopt())
    }

    fn with(run: &str, environment: &Environment, masker: &Masker, adopts: bool) -> Self {
        let shared = Shared {
            run: encoded(run),
            outer: environment.get(TRACKING).map(str::to_owned),
            adopts,
            masker: masker.clone(),
            running: Mutex::default(),
            guard: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// From the first process of the run on, `program`, which is ours, watches over us: where SIGKILL ends us, it ends what
    /// is left, with this grace. Only on Linux.
    pub fn guarded_by(&self, program: PathBuf, run: &str, grace: Duration) {
        #[cfg(target_os = "linux")]
        {
            let run = run.to_owned();
            let plan = super::guardian::Plan {
                program,
                run,
                grace,
            };
            *self.guard() = Guard::Planned(plan);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (program, run, grace);
    }

    /// Nobody needs to watch over us any more.
    pub async fn dismiss(&self) {
        let guard = std::mem::take(&mut *self.guard());
        #[cfg(target_os = "linux")]
        if let Guard::There(guardian) = guard {
            guardian.dismiss().await;
        }
        #[cfg(not(target_os = "linux"))]
        drop(guard);
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        // It is whole whatever happened.
        let guard = self.shared.guard.lock();
        guard.unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the guardian, if there is to be one, that a group is there or no more.
    #[cfg(target_os = "linux")]
    fn tell(&self, group: Option<u32>, is_there: bool) {
        let mut guard = self.guard();
        if let (Guard::Planned(plan), true) = (&*guard, is_there) {
            *guard = match super::guardian::Guardian::start(plan) {
                Ok(guardian) => Guard::There(guardian),
                Err(error) => {
                    tracing::debug!(%error, "nobody ends what is left where SIGKILL ends us");
                    Guard::None
                }
            };
        }
        if let (Guard::There(guardian), Some(group)) = (&mut *guard, group) {
            guardian.tell(group, is_there);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn tell(&self, group: Option<u32>, is_there: bool) {
        let _ = (self, group, is_there);
    }

    /// The secrets that appear in no log.
    pub fn masker(&self) -> &Masker {
        &self.shared.masker
    }

    /// The environment, marked as that of a process of this stage: what another part of the program starts with it is found by
    /// [`Supervisor::sweep`] too.
    #[must_use]
    pub fn marked(&self, stage: &str, mut environment: Environment) -> Environment {
        environment.set(TRACKING, self.tracking(&self.mark(stage)));
        environment
    }

    /// The end of the run: ends whatever belongs to it and is still there, and tells what that was. To be called when no
    /// process of the run is awaited any more.
    pub async fn sweep(&self, grace: Duration, halt: &Halt) -> Vec<Stray> {
        Tree::of_run(self).end(None, grace, halt, false).await
    }

    /// How a process of this stage is marked.
    pub(super) fn mark(&self, stage: &str) -> String {
        format!("{}/{}", self.shared.run, encoded(stage))
    }

    /// The value of the variable.
    pub(super) fn tracking(&self, mark: &str) -> String {
        match &self.shared.outer {
            Some(outer) => format!("{outer};{mark}"),
            None => mark.to_owned(),
        }
    }

    /// A process with this mark, which leads this group, runs for as long as the guard lives.
    pub(super) fn enter(&self, mark: &str, group: Option<u32>) -> Running {
        *self.running().entry(mark.to_owned()).or_default() += 1;
        self.tell(group, true);
        Running {
            supervisor: self.clone(),
            mark: mark.to_owned(),
            group,
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        // Numbers are whole whatever happened.
        let running = self.shared.running.lock();
        running.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process of the run that is awaited.
#[derive(Debug)]
pub(super) struct Running {
    supervisor: Supervisor,
    mark: String,
    group: Option<u32>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.supervisor.tell(self.group, false);
        let mut running = self.supervisor.running();
        if let Some(count) = running.get_mut(&self.mark) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.mark);
            }
        }
    }
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

#[cfg(target_os = "linux")]
fn adopt() -> bool {
    let own = rustix::process::getpid();
    let outcome = rustix::process::set_child_subreaper(Some(own));
    if let Err(error) = &outcome {
        tracing::debug!(%error, "processes that leave their group are found by their environment alone");
    }
    outcome.is_ok()
}

#[cfg(not(target_os = "linux"))]
fn adopt() -> bool {
    false
}

/// Who is meant.
#[derive(Debug, Default)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux has such a table")
)]
pub(super) struct Claim {
    /// Of this group.
    pub group: Option<u32>,
    /// With this mark; of the whole run where there is none.
    pub mark: Option<String>,
    /// Who holds one of these pipes.
    pub pipes: Vec<u64>,
}

#[cfg(target_os = "linux")]
impl Supervisor {
    /// The children that we did not start, as far as they live; the others are waited for. Cheap.
    pub(super) fn adopted(&self) -> Vec<u32> {
        if !self.shared.adopts {
            return Vec::new();
        }
        let mut adopted = super::known::unknown(super::table::children);
        adopted.retain(|id| !super::table::reap(*id));
        adopted
    }

    /// Looks at all processes of the machine for those that are claimed and were not started by us.
    pub(super) fn claimed(&self, claim: &Claim) -> Vec<super::table::Line> {
        let adopted = self.adopted();
        let others_run = {
            let running = self.running();
            running.keys().any(|mark| Some(mark) != claim.mark.as_ref())
        };
        let mut lines = super::table::all();
        let strangers = super::known::unknown(|| lines.iter().map(|line| line.id).collect());
        let own = std::process::id();
        lines.retain(|line| {
            if line.is_zombie || line.id == own || strangers.binary_search(&line.id).is_err() {
                return false;
            }
            if claim.group.is_some_and(|group| group == line.group) {
                return true;
            }
            let tracking = super::table::variable(line.id, TRACKING).unwrap_or_default();
            match self.owner(&tracking) {
                Some(owner) => claim.mark.as_deref().is_none_or(|mark| mark == owner),
                None => {
                    adopted.contains(&line.id)
                        && (claim.mark.is_none()
                            || !others_run
                            || super::table::holds(line.id, &claim.pipes))
                }
            }
        });
        lines
    }

    /// The mark of our run in a value of the variable.
    fn owner<'v>(&self, tracking: &'v str) -> Option<&'v str> {
        tracking.split(';').find(|mark| {
            mark.strip_prefix(self.shared.run.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}
