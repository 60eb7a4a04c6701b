//! Type checkers look at whole programs, so that their findings are compared with those on the base, not with changed
//! lines: the base's tree is checked in a folder of its own, with its own configuration and, where its lock differs,
//! its own environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::baseline::{Baseline, Entry};
use crate::error::{Error, Kind, Result};
use crate::linters::Tool;
use crate::model::report::Status;
use crate::steps::lint_gate::NAME;
use crate::steps::lint_gate::detect::ProjectFiles;
use crate::steps::lint_gate::provide::{Chosen, Shed};
use crate::steps::lint_gate::settling::Settling;
use crate::steps::lint_gate::tools::{Bench, Job};
use crate::steps::project::{Located, Lock};
use crate::system::files::{Workspace, sha256, write_atomically};
use crate::system::git::Git;

/// Raised when what is kept of a base changes its shape or its meaning.
const LAYOUT: &str = "1";

/// What one type checker says of the base.
#[derive(Debug)]
pub struct OnBase {
    /// The tool.
    pub tool: Tool,
    /// The project, where there are several.
    pub project: Option<String>,
    /// Its findings there; the reason where it could not look.
    pub findings: std::result::Result<Vec<Entry>, String>,
    /// What else differs from the base than the code, for people.
    pub differs: Option<String>,
}

/// What a comparison needs.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// Finds tools.
    pub shed: &'a Shed<'a>,
    /// Runs them.
    pub bench: &'a Bench,
    /// Reads the base.
    pub git: &'a Git,
    /// The base's commit.
    pub sha: &'a str,
    /// The root of the repository.
    pub root: &'a Path,
    /// Where answers are kept.
    pub cache: PathBuf,
}

/// One checker, ready to look at the base.
struct Task<'t> {
    job: &'t Job,
    chosen: &'t Chosen,
    file: PathBuf,
}

/// The base's files in a folder that ends with this value.
struct Tree {
    folder: TempDir,
}

impl Comparison<'_> {
    /// What the type checkers among these jobs say of the base, all at the same time. Fails only where the run was
    /// stopped.
    pub async fn run(&self, jobs: &[Job], chosen: &[Chosen]) -> Result<Vec<OnBase>> {
        let mut known = Vec::new();
        let mut tasks = Vec::new();
        for job in jobs.iter().filter(|job| job.tool.is_type_checker()) {
            let Some(chosen) = chosen.iter().find(|one| one.project.name == job.project) else {
                continue;
            };
            let file = self.file(job).await?;
            match kept(&file) {
                Some(answer) => known.push(answer.of(job)),
                None => tasks.push(Task { job, chosen, file }),
            }
        }
        if tasks.is_empty() {
            return Ok(known);
        }
        let tree = reason(self.check_out().await)?;
        let asked = tasks.iter().map(async |task| {
            let answer = match &tree {
                Ok(tree) => reason(self.check(task, tree).await)?,
                Err(why) => Err(why.clone()),
            };
            let answer = answer.unwrap_or_else(|why| Answer {
                findings: Err(why),
                differs: None,
            });
            Ok(answer.of(task.job))
        });
        let found: Result<Vec<OnBase>> = join_all(asked).await.into_iter().collect();
        known.extend(found?);
        Ok(known)
    }

    /// Where the answer for this job is kept: the name says everything that it depends on. Lock, configuration and code
    /// of the base are in its tree.
    async fn file(&self, job: &Job) -> Result<PathBuf> {
        let tree = self
            .git
            .answer(["rev-parse", &format!("{}^{{tree}}", self.sha)])
            .await?
            .unwrap_or_else(|| self.sha.to_owned());
        let parts = format!(
            "{LAYOUT} {}\n{tree}\n{:?}\n{}\n{:?}\n{}\n{:?}\n{:?}\n",
            crate::VERSION,
            job.tool,
            self.inside(&job.directory).display(),
            job.located.version,
            job.located.program.display(),
            self.bench.paths_of(job),
            self.bench.per_tool.arguments.get(&job.tool),
        );
        let digest = sha256(parts.as_bytes())
            .map_err(|error| Error::bug("a digest in memory failed").cause(error))?;
        Ok(self.cache.join("bases").join(format!("{digest}.json")))
    }

    /// The base's files in a folder of their own. Links of its filters are not followed: nothing of the checkout runs.
    async fn check_out(&self) -> Result<Tree> {
        let unwritable = |error: std::io::Error| {
            Error::no_verdict("no folder can be made for the base's files").cause(error)
        };
        std::fs::create_dir_all(&self.cache).map_err(unwritable)?;
        let folder = TempDir::with_prefix_in("base-", &self.cache).map_err(unwritable)?;
        let files = folder.path().join("tree");
        std::fs::create_dir(&files).map_err(unwritable)?;
        let git = self
            .git
            .with_variable("GIT_INDEX_FILE", folder.path().join("index"))
            .with_configuration([
                ("filter.lfs.smudge".to_owned(), String::new()),
                ("filter.lfs.process".to_owned(), String::new()),
                ("filter.lfs.required".to_owned(), "false".to_owned()),
                ("core.splitIndex".to_owned(), "false".to_owned()),
            ]);
        let prefix = format!("--prefix={}/", files.display());
        for arguments in [
            vec!["read-tree", self.sha],
            vec!["checkout-index", "--all", "--quiet", &prefix],
        ] {
            let finished = git.run(arguments).await?;
            if !finished.ending.is_success() {
                let last = finished.stderr.trim_end().lines().last();
                return Err(Error::no_verdict("git could not write the base's files")
                    .cause(last.unwrap_or("no message")));
            }
        }
        Ok(Tree { folder })
    }

    /// Runs the checker on the base.
    async fn check(&self, task: &Task<'_>, tree: &Tree) -> Result<Answer> {
        let job = task.job;
        let files = tree.folder.path().join("tree");
        let directory = files.join(self.inside(&job.directory));
        if !directory.is_dir() {
            return Ok(Answer {
                findings: Ok(Baseline::default()),
                differs: None,
            });
        }
        let located = self.locate(task, &directory, &files).await?;
        let differs = self.differs(task, &located, &directory, &files);
        // A folder that the change adds is nothing on the base.
        let named = self.bench.paths_of(job);
        let paths: Vec<String> = named
            .iter()
            .filter(|path| directory.join(path).exists())
            .cloned()
            .collect();
        if paths.is_empty() && !named.is_empty() {
            return Ok(Answer {
                findings: Ok(Baseline::default()),
                differs,
            });
        }
        self.bench.console.note(&format!(
            "{NAME}: {} looks at the base as well",
            job.tool.name()
        ));
        let workspace = Workspace::new(&files);
        let bench = Bench {
            filter: Arc::new(self.bench.filter.elsewhere(
                workspace.clone(),
                files.join(self.inside(&self.bench.filter.directory)),
            )),
            allow_empty: true,
            ..self.bench.with_paths(job.tool, paths)
        };
        let on_base = Job {
            located,
            directory,
            ..job.clone()
        };
        let (check, collector) = bench.run(&on_base).await?;
        if let Status::Failed(why) = check.status {
            return Ok(Answer {
                findings: Err(why),
                differs,
            });
        }
        let findings = known(collector.kept);
        keep(&task.file, &findings, differs.as_deref());
        Ok(Answer {
            findings: Ok(findings),
            differs,
        })
    }

    /// The tool as the base's lock has it; the same as here where the lock is the same, or does not have it.
    async fn locate(&self, task: &Task<'_>, directory: &Path, files: &Path) -> Result<Located> {
        let here = task.chosen.lock.as_ref();
        let there = Lock::find(directory, files, None).ok().flatten();
        match (here, there) {
            (Some(here), Some(there))
                if here.digest() != there.digest()
                    && !there.versions_of(task.job.tool.package()).is_empty() =>
            {
                let located = self
                    .shed
                    .find(directory, Some(&there), &[task.job.tool])
                    .await?;
                located
                    .into_iter()
                    .next()
                    .ok_or_else(|| Error::bug("a tool was located nowhere"))
            }
            _ => Ok(task.job.located.clone()),
        }
    }

    /// A folder of the repository as seen from its root.
    fn inside<'p>(&self, folder: &'p Path) -> &'p Path {
        folder.strip_prefix(self.root).unwrap_or(Path::new(""))
    }

    fn differs(
        &self,
        task: &Task<'_>,
        located: &Located,
        directory: &Path,
        files: &Path,
    ) -> Option<String> {
        let tool = task.job.tool;
        let known = |version: &Option<String>| version.clone().unwrap_or_default();
        if located.version != task.job.located.version {
            return Some(format!(
                "{} {} instead of {}",
                tool.name(),
                known(&task.job.located.version),
                known(&located.version)
            ));
        }
        let before = ProjectFiles::of(directory, files).configuration(tool);
        let now = ProjectFiles::of(&task.job.directory, self.root).configuration(tool);
        if before != now {
            return Some(format!("another configuration of {}", tool.name()));
        }
        (located.program != task.job.located.program)
            .then(|| "other versions of dependencies".to_owned())
    }
}

/// What is known of one checker and one base.
#[derive(Debug)]
struct Answer {
    findings: std::result::Result<Baseline, String>,
    differs: Option<String>,
}

impl Answer {
    fn of(self, job: &Job) -> OnBase {
        OnBase {
            tool: job.tool,
            project: job.project.clone(),
            findings: self.findings.map(|found| found.entries),
            differs: self.differs,
        }
    }
}

/// An answer, as it is kept.
#[derive(Debug, Deserialize, Serialize)]
struct KeptAnswer {
    baseline: String,
    differs: Option<String>,
}

/// The reason where something of the base did not work. A run that was stopped stays an error.
fn reason<T>(result: Result<T>) -> Result<std::result::Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) if matches!(error.kind, Kind::Interrupted(_)) => Err(error),
        Err(error) => {
            let causes: Vec<&str> = error.causes.iter().map(String::as_str).collect();
            Ok(Err(match causes.first() {
                Some(cause) => format!("{}: {cause}", error.message),
                None => error.message,
            }))
        }
    }
}

/// The answer that an earlier run kept. One that cannot be read is found out again.
fn kept(file: &Path) -> Option<Answer> {
    let bytes = std::fs::read(file).ok()?;
    let kept: KeptAnswer = serde_json::from_slice(&bytes).ok()?;
    let findings = Baseline::parse(&kept.baseline, "").ok()?;
    Some(Answer {
        findings: Ok(findings),
        differs: kept.differs,
    })
}

/// Keeps an answer for later runs. Where that fails the next run looks again.
fn keep(file: &Path, findings: &Baseline, differs: Option<&str>) {
    let kept = KeptAnswer {
        baseline: findings.render(),
        differs: differs.map(str::to_owned),
    };
    let written = serde_json::to_vec(&kept)
        .map_err(std::io::Error::from)
        .and_then(|bytes| write_atomically(file, &bytes));
    if let Err(error) = written {
        tracing::debug!(%error, "what the base says is not kept");
    }
}

/// The findings, as they are known again.
fn known(kept: Settling) -> Baseline {
    let settled = kept.finish();
    let found = settled.iter().filter_map(|settled| {
        let key = settled.key.as_deref()?;
        Some((key, &*settled.finding.message))
    });
    Baseline::default().of(found)
}
