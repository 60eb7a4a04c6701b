//! The baseline file: which findings are known and accepted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::baseline::{self, Baseline, Entry, Foreign, Keyed};
use crate::error::{Error, Result, count, exit};
use crate::model::base::Resolution;
use crate::model::report::Check;
use crate::steps::lint_gate::settings::{ImportFormat, Settings};
use crate::steps::lint_gate::{NAME, place, projects};
use crate::steps::world::World;
use crate::system::files::{Workspace, write_atomically};
use crate::system::git::Git;

/// A baseline that was read.
#[derive(Debug)]
pub struct Accepted {
    /// What is accepted.
    pub baseline: Baseline,
    /// What the base accepts, where a proposal is judged: a finding must be in both.
    pub of_base: Option<Baseline>,
    /// The file, relative to the workspace.
    pub path: String,
    /// Whether entries that are no more fail the step.
    pub is_strict: bool,
    /// The files and folders that this run was limited to, relative to the workspace.
    pub paths: Vec<String>,
}

impl Accepted {
    /// Whether this run looked at the file, as far as the user limited it.
    pub fn covers(&self, path: Option<&str>) -> bool {
        is_below(path, &self.paths)
    }
}

/// Reads the baseline; `None` where there is none. A file that is not there is an error, but where it is to be written.
pub async fn load(
    settings: &Settings,
    world: &World,
    git: &Git,
    base: &Resolution,
    root: &Path,
) -> Result<Option<Accepted>> {
    let Some(name) = &settings.baseline else {
        if settings.update_baseline {
            return Err(
                Error::usage("`--update-baseline` needs the file that it writes")
                    .hint("lockgate lint-gate --baseline .lockgate-baseline --update-baseline"),
            );
        }
        return Ok(None);
    };
    let workspace = Workspace::new(root);
    let (file, path) = place_of(name, world, &workspace)?;
    let Some(text) = read(&file, name)? else {
        if settings.update_baseline {
            return Ok(None);
        }
        return Err(
            Error::usage(format!("`baseline`: there is no file `{name}`"))
                .hint("lockgate lint-gate --update-baseline"),
        );
    };
    let of_base = match base {
        Resolution::Base(base) if world.context.judges_a_proposal() => {
            let text = git.show(&base.sha, &path).await?;
            Some(match text {
                Some(text) => Baseline::parse(&text, &path).unwrap_or_default(),
                None => Baseline::default(),
            })
        }
        _ => None,
    };
    Ok(Some(Accepted {
        baseline: Baseline::parse(&text, &path)?,
        of_base,
        path,
        is_strict: settings.baseline_strict,
        paths: limits(settings, world, &workspace),
    }))
}

/// The file, and its path relative to the workspace. It stands in the workspace and leads nowhere else: its name may come
/// from a stranger, and errors show its lines.
fn place_of(name: &str, world: &World, workspace: &Workspace) -> Result<(PathBuf, String)> {
    let file = world.directory.join(name);
    let inside = workspace
        .relative(name, &world.directory)
        .filter(|path| file.symlink_metadata().is_err() || workspace.confined(path).is_some());
    match inside {
        Some(path) => Ok((file, path)),
        None => Err(
            Error::usage(format!("`baseline`: `{name}` leads out of the workspace"))
                .hint("name a file in the repository, such as `.lockgate/baseline`"),
        ),
    }
}

/// The files and folders that this run looked at, relative to the workspace; none where it looked at all of it.
fn limits(settings: &Settings, world: &World, workspace: &Workspace) -> Vec<String> {
    let projects = projects::find(&settings.projects, &world.directory).unwrap_or_default();
    let here = [".".to_owned()];
    let paths = match settings.paths.as_slice() {
        [] => &here,
        named => named,
    };
    let named = projects.iter().flat_map(|project| {
        let relative = |path| workspace.relative(path, &project.directory);
        paths.iter().map(move |path| relative(path))
    });
    named.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The content of a file; `None` where there is none.
fn read(file: &Path, name: &str) -> Result<Option<String>> {
    match std::fs::read(file) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Error::usage(format!("`{name}` is not UTF-8"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::usage(format!("`{name}` cannot be read")).cause(error)),
    }
}

/// Writes all findings of a run as the new baseline, and says what changed. What this run did not look at stays.
pub fn update(
    settings: &Settings,
    checks: &[Check],
    found: &[(Keyed, Arc<str>)],
    root: &Path,
    world: &World,
) -> Result<u8> {
    let name = settings.baseline.as_deref().unwrap_or_default();
    let workspace = Workspace::new(root);
    let (file, _) = place_of(name, world, &workspace)?;
    let earlier = match read(&file, name)? {
        Some(text) => Baseline::parse(&text, name)?,
        None => Baseline::default(),
    };
    let limits = limits(settings, world, &workspace);
    let imported = imported(settings, world, &workspace)?;
    let mut wanted: Vec<&(Keyed, Arc<str>)> = found.iter().collect();
    if !settings.imports.is_empty() {
        let known: Vec<Entry> = earlier.entries.iter().cloned().chain(imported).collect();
        let keys: Vec<Keyed> = found.iter().map(|(key, _)| key.clone()).collect();
        let covered = baseline::matching(&known, &keys, &BTreeMap::new(), |path| {
            place::inventory(path, &workspace)
        })
        .covered;
        wanted = found
            .iter()
            .zip(covered)
            .filter(|(_, covered)| covered.is_some())
            .map(|(found, _)| found)
            .collect();
    }
    let mut fresh = earlier.of(wanted.into_iter().map(|(key, message)| (key, &**message)));
    let looked_at = |entry: &&Entry| {
        checks.iter().any(|check| *check.name == *entry.keyed.tool)
            && is_below(entry.keyed.path.as_deref(), &limits)
    };
    let untouched = earlier.entries.iter().filter(|entry| !looked_at(entry));
    fresh.entries.extend(untouched.cloned());
    let text = fresh.render();
    write_atomically(&file, text.as_bytes())
        .map_err(|error| Error::usage(format!("`{name}` cannot be written")).cause(error))?;
    let total = |baseline: &Baseline| -> u64 {
        baseline
            .entries
            .iter()
            .map(|entry| u64::from(entry.count))
            .sum()
    };
    world.console.note(&format!(
        "{NAME}: `{name}` accepts {} now, {} before",
        count(total(&fresh), "finding"),
        total(&earlier)
    ));
    Ok(exit::PASS)
}

/// What the baselines of other tools accept.
fn imported(settings: &Settings, world: &World, workspace: &Workspace) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for import in &settings.imports {
        let file = world.directory.join(&import.path);
        let text = read(&file, &import.path)?.ok_or_else(|| {
            Error::usage(format!(
                "`import-baseline`: there is no file `{}`",
                import.path
            ))
        })?;
        let format = match import.format {
            ImportFormat::MypyBaseline => Foreign::MypyBaseline,
            ImportFormat::Basedpyright => Foreign::Basedpyright,
            ImportFormat::Pyrefly => Foreign::Pyrefly,
        };
        let folder: PathBuf = world
            .directory
            .strip_prefix(workspace.root())
            .unwrap_or(Path::new(""))
            .to_owned();
        let folder = folder.to_string_lossy().replace('\\', "/");
        entries.extend(format.parse(&text, &import.path, &folder)?);
    }
    Ok(entries)
}

fn is_below(path: Option<&str>, folders: &[String]) -> bool {
    folders.is_empty()
        || path.is_some_and(|path| {
            folders.iter().any(|folder| {
                path.strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
}
