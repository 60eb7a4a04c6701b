//! What a run of a pipeline did: the facts that report, summary, traces and JUnit show.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use crate::model::digest::Sha;
use crate::model::duration;
use crate::model::pipeline::manifest::Source;

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
    /// What a proposal has made looser than the base has it, and what was kept from it, in words.
    pub loosened: Vec<String>,
    /// The names of all stages that the plan holds: one without a record keeps the run from being green.
    pub planned: Vec<String>,
    /// The stages, in the order of the file.
    pub stages: Vec<StageRecord>,
}

impl RunRecord {
    /// The stages that were planned and of which nothing is known.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        let known: HashSet<&str> = self.stages.iter().map(|stage| &*stage.name).collect();
        let planned = self.planned.iter().map(String::as_str);
        planned.filter(move |name| !known.contains(name))
    }

    /// Changes every text that may hold something of a stage's: to take secrets out before anything is escaped, for
    /// what was escaped is no longer the value that a masker knows.
    pub fn map_text(&mut self, change: impl for<'t> Fn(&'t str) -> Cow<'t, str>) {
        let apply = |text: &mut String| {
            if let Cow::Owned(changed) = change(text) {
                *text = changed;
            }
        };
        apply(&mut self.name);
        apply(&mut self.run_id);
        self.url.iter_mut().for_each(apply);
        self.loosened.iter_mut().for_each(apply);
        self.planned.iter_mut().for_each(apply);
        for stage in &mut self.stages {
            apply(&mut stage.name);
            apply(&mut stage.tail);
            stage.log.iter_mut().for_each(apply);
            stage.report.iter_mut().for_each(apply);
            match &mut stage.outcome {
                Outcome::Failed(reason)
                | Outcome::NoVerdict(reason)
                | Outcome::Cancelled(reason)
                | Outcome::Skipped(SkipReason::Condition(reason) | SkipReason::Need(reason)) => {
                    apply(reason);
                }
                Outcome::Passed | Outcome::Skipped(_) | Outcome::TimedOut(_) => {}
            }
            for attempt in &mut stage.attempts {
                apply(&mut attempt.ending);
                apply(&mut attempt.tail);
            }
            for artifact in &mut stage.artifacts {
                apply(&mut artifact.output);
                apply(&mut artifact.path);
            }
            for survivor in &mut stage.survivors {
                apply(&mut survivor.command);
                apply(&mut survivor.ended_by);
            }
        }
    }
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

impl Outcome {
    /// The name in reports and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::TimedOut(_) => "timed-out",
            Self::NoVerdict(_) => "no-verdict",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// Whether it is neither a pass nor a skip.
    pub fn is_problem(&self) -> bool {
        !matches!(self, Self::Passed | Self::Skipped(_))
    }

    /// Why, in words; nothing of a stage that passed.
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Passed => return None,
            Self::Skipped(reason) => reason.words(),
            Self::TimedOut(limit) => format!("longer than {}", duration::show(*limit)).into(),
            Self::Failed(reason) | Self::NoVerdict(reason) | Self::Cancelled(reason) => {
                reason.into()
            }
        })
    }
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

impl SkipReason {
    /// The name in reports and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Condition(_) => "condition",
            Self::Need(_) => "need",
            Self::NotReached => "not-reached",
            Self::NotSelected => "not-selected",
        }
    }

    /// In words.
    pub fn words(&self) -> Cow<'_, str> {
        match self {
            Self::Unchanged => "nothing changed".into(),
            Self::Condition(which) => format!("condition `{which}`").into(),
            Self::Need(which) => format!("needs `{which}`, which did not pass").into(),
            Self::NotReached => "the run ended before".into(),
            Self::NotSelected => "not selected".into(),
        }
    }
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
    /// Where its result comes from.
    pub source: Source,
    /// Whether its failure counts for nothing.
    pub allow_failure: bool,
    /// Whether it is a service, which others ran beside.
    pub is_service: bool,
    /// How many of the cores it took.
    pub cpu: u32,
    /// When a service was ready, from the run's beginning.
    pub ready: Option<Duration>,
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

    /// Where its result was kept, where it was restored: `local` or `shared`.
    pub fn restored_from(&self) -> Option<&'static str> {
        let is_restored = self.outcome == Outcome::Skipped(SkipReason::Unchanged);
        is_restored.then(|| self.source.name())
    }

    /// When it ended, from the run's beginning; `None` where it did not start.
    pub fn end(&self) -> Option<Duration> {
        Some(self.began?.saturating_add(self.duration))
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
    /// Where it comes from.
    pub source: Source,
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
