//! Reads the workflows and actions of the repository, where a rule asks for them, and judges them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::{Kind, Result};
use crate::lockfiles::rules;
use crate::lockfiles::workflow::{self, OwnAction, Workflow, WorkflowFacts, is_workflow};
use crate::model::base::Resolution;
use crate::model::diagnostic::Finding;
use crate::model::report::{Check, Status};
use crate::model::sources::Sources;
use crate::steps::gate::base::git_root;
use crate::steps::gate::globs::globs;
use crate::steps::lockfile_verify::actions;
use crate::steps::lockfile_verify::compare::mark;
use crate::steps::lockfile_verify::discover::FIXTURES;
use crate::steps::lockfile_verify::gather::Gathered;
use crate::steps::lockfile_verify::place::settle;
use crate::steps::lockfile_verify::settings::Settings;
use crate::steps::walk::{files, is_foreign};
use crate::steps::world::World;
use crate::steps::{INSTALL_INPUTS, ROOT_INPUTS, Step};
use crate::system::git::Git;
use crate::system::stop::Stop;

/// Where workflows are.
const WORKFLOWS: &str = ".github/workflows";

/// Larger files are no workflows.
const LIMIT: u64 = 1 << 24;

/// What the workflows gave.
#[derive(Debug)]
pub struct Judged {
    /// How it went.
    pub check: Check,
    /// What was found, settled.
    pub findings: Vec<Finding>,
}

/// Reads and judges the workflows and actions that are in the repository. Where no rule asks for them, only those that use
/// our own actions are looked at, and nothing is said unless something is wrong.
pub async fn judge(
    settings: &Settings,
    gathered: &Gathered,
    world: &World,
    stop: Stop,
) -> Result<Option<Judged>> {
    let started = Instant::now();
    let is_asked = rules::asks_for_workflows(&settings.policy);
    let exclude = globs("exclude", &settings.exclude)?;
    let passed = |path: &String| !is_material(path) && !exclude.is_match(path);
    let (now, mut failed) = if is_asked {
        let git = Git::new(&world.directory, &world.environment, stop.clone());
        let root = git_root(&git, world).await?;
        let paths = paths(&root, &git.at(&root)).await?;
        Files::read(&root, paths.into_iter().filter(passed))
    } else {
        let users = users_of_ours(&world.root).into_iter().filter(passed);
        let (now, _) = Files::read(&world.root, users);
        if now.workflows.is_empty() {
            return Ok(None);
        }
        // What GitHub cannot read either is not what anybody asked for.
        (now, None)
    };
    let own = own_actions();
    let remotes = if settings.policy.action_check {
        let remotes = actions::ask(&now.workflows, world, stop.clone()).await?;
        let mut answers = remotes.repositories.iter();
        let unknown = answers.find_map(|(name, answer)| {
            let why = answer.as_ref().err()?;
            Some(format!("the repository `{name}` cannot be asked: {why}"))
        });
        failed = failed.or(unknown);
        Some(remotes)
    } else {
        None
    };
    let before = match &gathered.base {
        Resolution::Base(base) if is_asked => {
            let git = Git::new(&world.directory, &world.environment, stop);
            let git = git.at(&git_root(&git, world).await?);
            Some(Files::of_base(&base.sha, &git, passed).await?)
        }
        _ => None,
    };
    let facts = WorkflowFacts {
        before: before.as_ref().map(|before| before.workflows.as_slice()),
        remotes: remotes.as_ref(),
        own: &own,
        ..WorkflowFacts::of(&now.sources, &now.workflows)
    };
    let found = rules::judge_workflows(&facts, &settings.policy);
    if found.is_empty() && !is_asked {
        return Ok(None);
    }
    let found = match &before {
        None => found.into_iter().map(|finding| (finding, None)).collect(),
        Some(before) => {
            let facts = WorkflowFacts {
                before: None,
                ..WorkflowFacts {
                    sources: &before.sources,
                    workflows: &before.workflows,
                    ..facts
                }
            };
            mark(found, &rules::judge_workflows(&facts, &settings.policy))
        }
    };
    let findings = settle(found, &now.sources);
    let status = match failed {
        Some(reason) => Status::Failed(reason),
        None if findings.is_empty() => Status::Clean,
        None => Status::Findings(findings.len() as u64),
    };
    Ok(Some(Judged {
        check: Check {
            name: "workflows".to_owned(),
            project: None,
            version: None,
            origin: "YAML".to_owned(),
            status,
            files: Some(now.workflows.len() as u64),
            duration: started.elapsed(),
        },
        findings,
    }))
}

/// Workflows and actions that were read.
#[derive(Debug, Default)]
struct Files {
    sources: Sources,
    workflows: Vec<Workflow>,
}

impl Files {
    /// Reads these below `root`; with the first reason why one cannot be read.
    fn read(root: &Path, paths: impl Iterator<Item = String>) -> (Self, Option<String>) {
        let mut sources = Sources::default();
        let mut failed = None;
        for path in paths {
            match read(&root.join(&path)) {
                Ok(bytes) => {
                    sources.add(path, bytes);
                }
                Err(error) => failed = failed.or(Some(format!("`{path}` cannot be read: {error}"))),
            }
        }
        let (files, broken) = Self::of(sources);
        (files, failed.or(broken))
    }

    fn of(sources: Sources) -> (Self, Option<String>) {
        let mut workflows = Vec::new();
        let mut failed = None;
        for (file, source) in sources.iter() {
            match workflow::read(file, &sources) {
                Ok(workflow) => workflows.push(workflow),
                Err(error) => {
                    let what = format!("`{}` cannot be read as YAML: {error}", source.path);
                    failed = failed.or(Some(what));
                }
            }
        }
        (Self { sources, workflows }, failed)
    }

    /// Those of the base; what cannot be read there is not known there.
    async fn of_base(sha: &str, git: &Git, passed: impl Fn(&String) -> bool) -> Result<Self> {
        let listed = git
            .answer(["ls-tree", "-r", "-z", "--name-only", "--full-tree", sha])
            .await?
            .unwrap_or_default();
        let paths = listed.split('\0').map(str::to_owned);
        let mut sources = Sources::default();
        for path in paths.filter(|path| is_workflow(path) && passed(path)) {
            if let Some(bytes) = git.blob(sha, &path, LIMIT).await? {
                sources.add(path, bytes);
            }
        }
        Ok(Self::of(sources).0)
    }
}

/// Our own actions, with the inputs that this release of them takes.
fn own_actions() -> Vec<OwnAction> {
    let install = INSTALL_INPUTS.iter().map(|(name, ..)| *name);
    let root = OwnAction {
        folder: String::new(),
        inputs: ROOT_INPUTS
            .into_iter()
            .chain(install)
            .map(str::to_owned)
            .collect(),
    };
    let with_action = Step::ALL.into_iter().filter(|step| step.has_action());
    let of_steps = with_action.map(|step| OwnAction {
        folder: format!("actions/{}", step.name()),
        inputs: step.inputs(),
    });
    std::iter::once(root).chain(of_steps).collect()
}

/// The workflows that name our own actions, without asking git.
fn users_of_ours(root: &Path) -> Vec<String> {
    let folder = std::fs::read_dir(root.join(WORKFLOWS));
    let mut paths: Vec<String> = folder
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let path = format!("{WORKFLOWS}/{}", entry.file_name().to_str()?);
            let is_meant = is_workflow(&path) && entry.file_type().ok()?.is_file();
            let bytes = read(&entry.path()).ok().filter(|_| is_meant)?;
            memchr::memmem::find(&bytes, b"lockgate").map(|_| path)
        })
        .collect();
    paths.sort();
    paths
}

/// What git knows or would take; without git all that is there.
async fn paths(root: &Path, git: &Git) -> Result<Vec<String>> {
    let known = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        ":(glob).github/workflows/*",
        ":(glob)**/action.yml",
        ":(glob)**/action.yaml",
    ];
    // Elsewhere paths are names of strangers, never patterns.
    let git = git.with_variable("GIT_LITERAL_PATHSPECS", "0");
    let listed = match git.answer(known).await {
        Err(error) if error.kind == Kind::Usage => None,
        listed => listed?,
    };
    let mut paths: Vec<String> = if let Some(listed) = listed {
        listed.split('\0').map(str::to_owned).collect()
    } else {
        let relative = |file: PathBuf| {
            let inside = file.strip_prefix(root).ok()?;
            Some(inside.to_str()?.replace('\\', "/"))
        };
        files(root, |folder| !is_foreign(folder))
            .filter_map(relative)
            .collect()
    };
    // What the index still has, and the tree no more, is gone; a link may lead anywhere.
    let is_file = |path: &str| {
        let metadata = root.join(path).symlink_metadata();
        metadata.is_ok_and(|metadata| metadata.is_file())
    };
    paths.retain(|path| is_workflow(path) && is_file(path));
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Whether it is what tests are made from, or installed.
fn is_material(path: &str) -> bool {
    path.split('/')
        .any(|part| FIXTURES.contains(&part) || is_foreign(Path::new(part)))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.metadata()?.len() > LIMIT {
        return Err(std::io::Error::other("it is too large for a workflow"));
    }
    std::fs::read(path)
}
