//! What a run of a pipeline did: the facts that report, summary, traces and JUnit show.

use std::time::{Duration, SystemTime};

use crate::model::digest::Sha;

/// One run of a pipeline.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// What the pipeline is called.
    pub name: String,
    /// Of this run alone: the runner's run id and attempt with the job, or random on a laptop.
    pub run_id: String,
    /// Where the run is shown, in a workflow.
    pub url: Option<String>,
    /// When it began.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// How many cores the stages shared.
    pub jobs: u32,
    /// The signal that asked it to stop, if any did.
    pub stopped_by: Option<u8>,
    /// The stages, in the order of the file.
    pub stages: Vec<StageRecord>,
}

/// How a stage ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it promised.
    Passed,
    /// Its result was there already.
    Skipped(SkipReason),
    /// It said no: an exit code, a missing output.
    Failed(String),
    /// It took too long.
    TimedOut(Duration),
    /// It could not tell: it crashed, or a step of ours ended with exit code 3.
    NoVerdict(String),
    /// The run was stopped while it ran, or another stage failed.
    Cancelled(String),
}

/// Why a stage did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Nothing that it depends on has changed; its outputs are those of an earlier run.
    Unchanged,
    /// Its condition does not hold; which.
    Condition(String),
    /// A stage that it needs did not pass; which.
    Need(String),
    /// The run was stopped, or another stage failed, before it started.
    NotReached,
    /// The command line left it out.
    NotSelected,
}

/// One stage in a run.
#[derive(Clone, Debug)]
pub struct StageRecord {
    /// Its name.
    pub name: String,
    /// What it needs, by index into the stages of the run.
    pub needs: Vec<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether its failure counts for nothing.
    pub allow_failure: bool,
    /// Whether it is a service, which others ran beside.
    pub is_service: bool,
    /// When it began, from the run's beginning; `None` where it did not start.
    pub began: Option<Duration>,
    /// How long it took, with all attempts and the waits between them.
    pub duration: Duration,
    /// Each attempt.
    pub attempts: Vec<Attempt>,
    /// What it made, verified.
    pub artifacts: Vec<Artifact>,
    /// Processes that it left behind and that were ended.
    pub survivors: Vec<Survivor>,
    /// Where its masked output is kept.
    pub log: Option<String>,
    /// The end of its masked output, for whom it failed.
    pub tail: String,
    /// The path of the report that a step of ours wrote.
    pub report: Option<String>,
}

impl StageRecord {
    /// Whether it failed at first and then passed.
    pub fn is_flaky(&self) -> bool {
        self.outcome == Outcome::Passed && self.attempts.len() > 1
    }
}

/// One try of a stage.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it began, from the run's beginning.
    pub began: Duration,
    /// How long it took.
    pub duration: Duration,
    /// How it ended: `exit code 1`, `timed out`; in the words of [`crate::error`] and of processes.
    pub ending: String,
    /// Whether it passed.
    pub passed: bool,
    /// The end of its masked output where it did not pass.
    pub tail: String,
}

/// A file or folder that a stage made, as its manifest knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The name of the output.
    pub output: String,
    /// Its path, relative to the root, with `/`.
    pub path: String,
    /// Bytes; of a folder, of all files in it.
    pub size: u64,
    /// SHA-256; of a folder, that of the list of its files and their digests.
    pub digest: Sha,
}

/// A process that outlived its stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its number.
    pub pid: u32,
    /// Its command line, cut.
    pub command: String,
    /// How it was ended: `SIGTERM`, `SIGKILL`, or that it could not be.
    pub ended_by: String,
}
