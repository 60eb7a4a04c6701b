//! What all stages of a run have in common.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::model::pipeline::{Pipeline, Stage, Trace};
use crate::pipeline::graph::Graph;
use crate::steps::artifacts::Known;
use crate::steps::pipeline::last::Last;
use crate::steps::pipeline::run::downloads::Downloads;
use crate::steps::pipeline::run::facts::Folders;
use crate::steps::pipeline::run::show::Show;
use crate::steps::pipeline::run::skip::{Remote, Store};
use crate::steps::world::World;
use crate::system::files::{Workspace, normalise};
use crate::system::processes::Supervisor;
use crate::system::python::Provider;
use crate::system::stop::Stop;

/// How long a stage has between SIGTERM and SIGKILL where nobody says: it fits into the runner's 7.5 s.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long a stage may take where nobody says: the longest that a job may on hosted runners.
pub const TIMEOUT: Duration = Duration::from_hours(6);

/// A run.
pub struct Shared<'r> {
    /// The world.
    pub world: &'r World,
    /// What is run.
    pub pipeline: &'r Pipeline,
    /// What needs what.
    pub graph: &'r Graph,
    /// The folder of the definition, absolute: where stages run.
    pub folder: PathBuf,
    /// The root that paths of artifacts are relative to.
    pub workspace: Arc<Workspace>,
    /// Digests of files.
    pub known: Arc<Known>,
    /// Results of earlier runs; none where nothing is to be skipped.
    pub store: Option<Store>,
    /// Results that jobs share, where the run has such a store.
    pub remote: Option<Remote>,
    /// What installers of environments download, where jobs share it.
    pub downloads: Option<Downloads>,
    /// By stage: whether its result may come from this machine alone.
    pub made_here: Vec<bool>,
    /// Whether to say why stages are not skipped.
    pub explain: bool,
    /// What is remembered of the last run.
    pub last: &'r Last,
    /// Knows which processes belong to the run.
    pub supervisor: Supervisor,
    /// Makes isolated environments.
    pub provider: Provider,
    /// The ids of the run's trace.
    pub trace: Trace,
    /// The id of the run.
    pub run_id: String,
    /// Where logs are.
    pub logs: PathBuf,
    /// When the run began.
    pub started: Instant,
    /// Whether the whole run is to stop.
    pub stop: Stop,
    /// What one sees.
    pub show: Mutex<Show<'r>>,
}

impl<'r> Shared<'r> {
    /// What one sees.
    pub fn show(&self) -> MutexGuard<'_, Show<'r>> {
        // It is whole whatever happened.
        self.show.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a stage runs.
    pub fn directory(&self, stage: &Stage) -> PathBuf {
        match &stage.directory {
            Some(directory) => normalise(&self.folder.join(&directory.value)),
            None => self.folder.clone(),
        }
    }

    /// The shared store, where the result of this stage may come from there.
    pub fn remote_for(&self, number: usize) -> Option<&Remote> {
        self.remote.as_ref().filter(|_| !self.is_made_here(number))
    }

    /// Whether the result of a stage may come from this machine alone.
    pub fn is_made_here(&self, number: usize) -> bool {
        self.made_here.get(number).copied().unwrap_or(true)
    }

    /// Where it reads files.
    pub fn folders(&self, stage: &Stage) -> Folders {
        let others = stage.member.iter().flat_map(|member| &member.depends);
        Folders {
            own: self.directory(stage),
            others: others
                .map(|path| normalise(&self.folder.join(path)))
                .collect(),
        }
    }

    /// How long a stage may take.
    pub fn timeout(&self, stage: &Stage) -> Duration {
        let timeout = stage.timeout.or(self.pipeline.options.timeout);
        timeout.unwrap_or(TIMEOUT)
    }

    /// How long it has between SIGTERM and SIGKILL.
    pub fn grace(&self, stage: &Stage) -> Duration {
        let grace = stage.grace.or(self.pipeline.options.grace);
        grace.unwrap_or(GRACE)
    }

    /// The log of a stage.
    pub fn log(&self, number: usize) -> PathBuf {
        self.logs.join(format!("{number:05}.log"))
    }

    /// Runs what reads or writes files on a thread of its own, so that nobody else waits for it.
    pub async fn aside<T: Send + 'static>(
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err(crate::error::Error::bug("work on files ended unexpectedly")))
    }
}
