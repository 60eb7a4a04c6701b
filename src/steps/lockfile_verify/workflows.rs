//! Reads the workflows and actions of the repository, where a rule asks for them, and judges them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::{Kind, Result};
use crate::lockfiles::rules;
use crate::lockfiles::workflow::{self, Workflow, WorkflowFacts, is_workflow};
use crate::model::diagnostic::Finding;
use crate::model::report::{Check, Status};
use crate::model::sources::Sources;
use crate::steps::gate::base::git_root;
use crate::steps::gate::globs::globs;
use crate::steps::lockfile_verify::discover::FIXTURES;
use crate::steps::lockfile_verify::place::settle;
use crate::steps::lockfile_verify::settings::Settings;
use crate::steps::walk::{files, is_foreign};
use crate::steps::world::World;
use crate::system::git::Git;
use crate::system::stop::Stop;

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

/// Reads and judges the workflows and actions that are in the repository; none where no rule asks for them.
pub async fn judge(settings: &Settings, world: &World, stop: Stop) -> Result<Option<Judged>> {
    if !rules::asks_for_workflows(&settings.policy) {
        return Ok(None);
    }
    let started = Instant::now();
    let git = Git::new(&world.directory, &world.environment, stop)?;
    let root = git_root(&git, world).await?;
    let mut sources = Sources::default();
    let mut failed = None;
    let exclude = globs("exclude", &settings.exclude)?;
    let passed = |path: &String| !is_material(path) && !exclude.is_match(path);
    let paths = paths(&root, &git.at(&root)).await?;
    for path in paths.into_iter().filter(passed) {
        let file = root.join(&path);
        match read(&file) {
            Ok(bytes) => {
                sources.add(path, bytes);
            }
            Err(error) => failed = failed.or(Some(format!("`{path}` cannot be read: {error}"))),
        }
    }
    let mut workflows: Vec<Workflow> = Vec::new();
    for (file, source) in sources.iter() {
        match workflow::read(file, &sources) {
            Ok(workflow) => workflows.push(workflow),
            Err(error) => {
                let what = format!("`{}` cannot be read as YAML: {error}", source.path);
                failed = failed.or(Some(what));
            }
        }
    }
    let facts = WorkflowFacts {
        sources: &sources,
        workflows: &workflows,
    };
    let found = rules::judge_workflows(&facts, &settings.policy);
    let found = found.into_iter().map(|finding| (finding, None)).collect();
    let findings = settle(found, &sources);
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
            files: Some(workflows.len() as u64),
            duration: started.elapsed(),
        },
        findings,
    }))
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
