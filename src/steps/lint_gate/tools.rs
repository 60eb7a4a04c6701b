//! Runs the tools, all at once, and holds each to its contract.

use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::github::console::Console;
use crate::linters::{ExitStatus, Invocation, Judgement, Tool, ToolRun};
use crate::model::report::{Check, Status};
use crate::steps::lint_gate::detect::ProjectFiles;
use crate::steps::lint_gate::filter::{Collector, Filter};
use crate::steps::lint_gate::per_tool::PerTool;
use crate::steps::project::Located;
use crate::steps::walk;
use crate::system::environment::Environment;
use crate::system::process::{Child, Ending, Finished};
use crate::system::spool::Spool;
use crate::system::stop::Stop;

/// So many lines of standard error are kept besides its end: where a tool confesses what its exit code hides.
const CONFESSIONS: usize = 4;

/// One tool, ready to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which.
    pub tool: Tool,
    /// Where it comes from.
    pub located: Located,
    /// Where it runs.
    pub directory: std::path::PathBuf,
    /// The project, where there are several.
    pub project: Option<String>,
    /// What it checks where it does not look into folders: the named files, and the scripts of the named folders.
    pub scripts: Option<Vec<String>>,
}

/// What all tools of a run share.
#[derive(Clone, Debug)]
pub struct Bench {
    /// What they see of the environment: nothing that is a secret.
    pub environment: Environment,
    /// Files and folders to check.
    pub paths: Vec<String>,
    /// What decides about findings.
    pub filter: Arc<Filter>,
    /// The time limit of each.
    pub timeout: Duration,
    /// What is said of single tools.
    pub per_tool: PerTool,
    /// Whether nothing to check is fine.
    pub allow_empty: bool,
    /// Where progress is told.
    pub console: Console,
    /// When to stop.
    pub stop: Stop,
}

impl Bench {
    /// The files and folders that the user named for this job.
    pub fn paths_of(&self, job: &Job) -> &[String] {
        self.per_tool.paths.get(&job.tool).unwrap_or(&self.paths)
    }

    /// The same with other paths for one tool.
    #[must_use]
    pub fn with_paths(&self, tool: Tool, paths: Vec<String>) -> Self {
        let mut other = self.clone();
        other.per_tool.paths.insert(tool, paths);
        other
    }

    /// Runs all jobs at the same time. Fails only where the run was stopped.
    pub async fn run_all(&self, jobs: Vec<Job>) -> Result<Vec<(Check, Collector)>> {
        let mut running = Vec::new();
        for job in jobs {
            let bench = self.clone();
            running.push(tokio::spawn(async move { bench.run(&job).await }));
        }
        let mut results = Vec::new();
        for one in running {
            results.push(
                one.await
                    .map_err(|error| Error::bug("a tool's supervisor ended early").cause(error))?,
            );
        }
        results.into_iter().collect()
    }

    /// Runs one job. Fails only where the run was stopped.
    pub async fn run(&self, job: &Job) -> Result<(Check, Collector)> {
        let tool = job.tool;
        let python = job
            .located
            .venv
            .as_ref()
            .map(|venv| venv.python().display().to_string());
        let paths = match &job.scripts {
            Some(scripts) => scripts,
            None => self.paths_of(job),
        };
        if paths.is_empty() && job.scripts.is_some() {
            let judgement = Judgement::Empty {
                reason: format!("{}: there is no shell script to check", tool.name()),
            };
            return Ok((
                self.check(job, judgement, Duration::ZERO),
                self.collector(job),
            ));
        }
        // Some tools pass over what is not there as long as something else is.
        if let Some(missing) = paths.iter().find(|path| !job.directory.join(path).exists()) {
            let judgement = Judgement::Failed {
                reason: format!("{}: `{missing}` does not exist", tool.name()),
            };
            return Ok((
                self.check(job, judgement, Duration::ZERO),
                self.collector(job),
            ));
        }
        let files = ProjectFiles::of(&job.directory, &job.directory);
        let invocation = Invocation {
            paths,
            extra: self
                .per_tool
                .arguments
                .get(&tool)
                .map_or(&[], Vec::as_slice),
            python: python.as_deref(),
            configured_files: files.configures_files(tool),
        };
        let (mut judgement, collector, duration) =
            self.read(job, tool.arguments(&invocation)).await?;
        if judgement == (Judgement::Clean { files: None }) {
            if let Some(arguments) = tool.probe_arguments(&invocation) {
                let child = self.child(job, arguments, tool.probe_environment());
                judgement = match self.attend(job, child, None).await {
                    Err(reason) => Judgement::Failed { reason },
                    Ok(finished) => Self::judge_probe(tool, finished)?,
                };
            } else if let Some(hidden) = tool.passes_over_hidden() {
                let is_hidden_seen = files.configures_any(hidden.settings)
                    || invocation.extra.iter().any(|argument| {
                        let mut starts = hidden.arguments.iter();
                        starts.any(|start| argument.starts_with(start))
                    });
                if !walk::has_file(&job.directory, paths, is_hidden_seen) {
                    judgement = Judgement::Empty {
                        reason: format!("{}: there is no file to check", tool.name()),
                    };
                }
            }
        }
        let check = self.check(job, judgement, duration);
        tracing::info!(
            tool = check.name,
            status = check.status.name(),
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            attempt = 1,
            "checked"
        );
        Ok((check, collector))
    }

    fn check(&self, job: &Job, judgement: Judgement, duration: Duration) -> Check {
        let tool = job.tool;
        let (status, files) = self.settle(judgement);
        Check {
            name: tool.name().to_owned(),
            project: job.project.clone(),
            version: job.located.version.clone(),
            origin: job.located.origin.clone(),
            status,
            files,
            duration,
        }
    }

    /// The tool's program, ready to run.
    fn child(&self, job: &Job, arguments: Vec<String>, variables: &[(&str, &str)]) -> Child {
        let mut environment = match &job.located.venv {
            Some(venv) => venv.activate(&self.environment),
            None => self.environment.clone(),
        };
        for (name, value) in variables {
            environment.set(*name, *value);
        }
        tracing::debug!(tool = job.tool.name(), program = %job.located.program.display(), ?arguments, "starting");
        let limits = &self.per_tool.timeouts;
        let limit = limits.get(&job.tool).copied().unwrap_or(self.timeout);
        Child::new(&job.located.program, &job.directory, environment)
            .arguments(arguments)
            .time_limit(limit)
    }

    /// Runs a child to its end; the reason where it could not be run.
    async fn attend(
        &self,
        job: &Job,
        child: Child,
        spool: Option<Spool>,
    ) -> std::result::Result<Finished, String> {
        let mut confessed: Vec<String> = Vec::new();
        let mut listen = |line: &str| {
            if confessed.len() < CONFESSIONS && job.tool.confesses(line) {
                confessed.push(line.to_owned());
            }
        };
        let mut stop = self.stop.clone();
        let finished = match spool {
            Some(spool) => child.run_into(spool, &mut stop, &mut listen).await,
            None => child.run(&mut stop, &mut listen).await,
        };
        let mut finished = finished.map_err(|error| not_run(job, &error))?;
        confessed.retain(|line| !finished.stderr.contains(line));
        if !confessed.is_empty() {
            finished.stderr = format!("{}\n{}", confessed.join("\n"), finished.stderr);
        }
        Ok(finished)
    }

    /// Runs the tool and reads its output while it is written, on a thread of its own.
    async fn read(
        &self,
        job: &Job,
        arguments: Vec<String>,
    ) -> Result<(Judgement, Collector, Duration)> {
        let tool = job.tool;
        let failed = |reason: String, duration| {
            let judgement = Judgement::Failed { reason };
            Ok((judgement, self.collector(job), duration))
        };
        let child = self.child(job, arguments, tool.environment());
        let (spool, follower) = match child.followed() {
            Ok(both) => both,
            Err(error) => return failed(not_run(job, &error), Duration::ZERO),
        };
        let mut collector = self.collector(job);
        let reading = tokio::task::spawn_blocking(move || {
            let reading = tool.read(follower, &mut |finding| collector.add(tool.name(), finding));
            (reading, collector)
        });
        let finished = match self.attend(job, child, Some(spool)).await {
            Ok(finished) => finished,
            Err(reason) => return failed(reason, Duration::ZERO),
        };
        let status = match exit_status(finished.ending)? {
            Ok(status) => status,
            Err(reason) => {
                return failed(format!("{}: {reason}", tool.name()), finished.duration);
            }
        };
        let mut stop = self.stop.clone();
        let (reading, collector) = tokio::select! {
            read = reading => read.map_err(|error| Error::bug("reading a tool's output failed").cause(error))?,
            signal = stop.requested() => return Err(Error::interrupted(signal)),
        };
        let run = ToolRun {
            status,
            stderr: &finished.stderr,
        };
        Ok((tool.conclude(&run, &reading), collector, finished.duration))
    }

    fn collector(&self, job: &Job) -> Collector {
        Collector::new(self.filter.clone(), &job.directory)
    }

    fn judge_probe(tool: Tool, finished: Finished) -> Result<Judgement> {
        let status = match exit_status(finished.ending)? {
            Ok(status) => status,
            Err(reason) => return Ok(Judgement::Failed { reason }),
        };
        let run = ToolRun {
            status,
            stderr: &finished.stderr,
        };
        Ok(tool.judge_probe(&run, BufReader::new(finished.stdout)))
    }

    fn settle(&self, judgement: Judgement) -> (Status, Option<u64>) {
        match judgement {
            Judgement::Clean { files } => (Status::Clean, files),
            Judgement::Findings { count, files } => (Status::Findings(count), files),
            Judgement::Empty { .. } if self.allow_empty => (Status::Clean, Some(0)),
            Judgement::Empty { reason } | Judgement::Failed { reason } => {
                (Status::Failed(reason), None)
            }
        }
    }
}

fn not_run(job: &Job, error: &std::io::Error) -> String {
    format!(
        "{}: `{}` could not be run: {error}",
        job.tool.name(),
        job.located.program.display()
    )
}

/// The ending in the terms of the contracts; a reason where they have no term for it.
fn exit_status(ending: Ending) -> Result<std::result::Result<ExitStatus, String>> {
    Ok(match ending {
        Ending::Exited(code) => Ok(ExitStatus::Code(code)),
        Ending::Signalled(signal) => Ok(ExitStatus::Signal(signal)),
        Ending::TimedOut => Ok(ExitStatus::TimedOut),
        Ending::Flooded => Err(ending.to_string()),
        Ending::Stopped(signal) => return Err(Error::interrupted(signal)),
    })
}
