//! Finds the locks: by name, in the folders that the user names; not what git ignores, what is installed, and what tests
//! are made from.

use std::path::{Path, PathBuf};

use globset::GlobSet;

use crate::error::{Error, Result};
use crate::lockfiles::{Format, format_of};
use crate::steps::walk::{files, is_foreign};
use crate::system::files::Workspace;
use crate::system::git::Git;

/// A lock that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Relative to the workspace root, with `/`.
    pub path: String,
    /// Where it is.
    pub file: PathBuf,
    /// Its format.
    pub format: Format,
    /// Whether the user named it, and did not only have it found.
    pub is_named: bool,
}

impl Found {
    /// Fails where it is a link that leads out of the workspace, or nowhere.
    pub fn confined(&self, workspace: &Workspace) -> std::result::Result<(), String> {
        if workspace.confined(&self.path).is_some() {
            return Ok(());
        }
        let where_to = if self.file.exists() {
            "out of the workspace"
        } else {
            "nowhere"
        };
        Err(format!(
            "it is a symbolic link that leads {where_to}; put the lock itself there, or leave it out with `exclude`"
        ))
    }
}

/// Folders of tests' material: what is wrong there is wrong on purpose.
pub const FIXTURES: &[&str] = &["fixtures", "testdata", "test-data", "test_data"];

/// The locks that `paths` name, from `directory`; those below it where there is no path. Sorted, each once.
pub async fn discover(
    paths: &[String],
    directory: &Path,
    workspace: &Workspace,
    exclude: &GlobSet,
    git: &Git,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut looked_for = Vec::new();
    let here = [".".to_owned()];
    for named in if paths.is_empty() { &here } else { paths } {
        let path = directory.join(named);
        if path.is_dir() {
            looked_for.extend(
                files(&path, is_passed)
                    // A link that leads nowhere is no file either, and is told.
                    .filter(|file| file.is_file() || file.is_symlink())
                    .filter_map(|file| lock_at(file, directory, workspace)),
            );
        } else {
            found.push(named_lock(named, path, directory, workspace)?);
        }
    }
    let ignored = ignored(&looked_for, git).await?;
    found.extend(
        looked_for
            .into_iter()
            .filter(|lock| !ignored.contains(&lock.path)),
    );
    let is_excluded = |lock: &Found| {
        let local = lock.file.strip_prefix(directory).unwrap_or(&lock.file);
        exclude.is_match(local) || exclude.is_match(&lock.path)
    };
    found.retain(|lock| !is_excluded(lock));
    found.sort();
    found.dedup_by(|left, right| {
        right.is_named |= left.is_named && left.path == right.path;
        left.path == right.path
    });
    Ok(found)
}

/// Whether a folder is looked into.
pub fn is_passed(folder: &Path) -> bool {
    !is_foreign(folder) && !is_fixture(folder)
}

fn is_fixture(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| FIXTURES.contains(&name) || name == ".tox" || name == ".nox")
}

fn lock_at(file: PathBuf, directory: &Path, workspace: &Workspace) -> Option<Found> {
    let format = format_of(file.file_name()?.to_str()?).or_else(|| in_requirements(&file))?;
    let path = workspace.relative(file.to_str()?, directory)?;
    Some(Found {
        path,
        file,
        format,
        is_named: false,
    })
}

/// `requirements/dev.txt`: the folder says what the name does not.
fn in_requirements(file: &Path) -> Option<Format> {
    let is_text = file.extension().is_some_and(|extension| extension == "txt");
    let folder = file.parent()?.file_name()?;
    (is_text && folder == "requirements").then_some(Format::Requirements)
}

/// A file that the user named must be a lock.
fn named_lock(
    named: &str,
    path: PathBuf,
    directory: &Path,
    workspace: &Workspace,
) -> Result<Found> {
    if !path.is_file() {
        return Err(Error::usage(format!(
            "`paths`: there is no file or folder `{named}` in `{}`",
            directory.display()
        )));
    }
    let is_text = path.extension().is_some_and(|extension| extension == "txt");
    let format = path
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(format_of)
        .or_else(|| is_text.then_some(Format::Requirements))
        .ok_or_else(|| {
            Error::usage(format!("`paths`: `{named}` is no lockfile by its name")).allowed([
                "uv.lock",
                "*.py.lock",
                "poetry.lock",
                "pdm.lock",
                "Pipfile.lock",
                "pylock.toml",
                "*.txt",
            ])
        })?;
    let relative = workspace
        .relative(named, directory)
        .filter(|relative| workspace.confined(relative).is_some())
        .ok_or_else(|| Error::usage(format!("`paths`: `{named}` leads out of the workspace")))?;
    Ok(Found {
        path: relative,
        file: path,
        format,
        is_named: true,
    })
}

/// Those that git ignores; none outside of a repository.
async fn ignored(found: &[Found], git: &Git) -> Result<Vec<String>> {
    if found.is_empty() || !git.can_have_work_tree() {
        return Ok(Vec::new());
    }
    let paths = found.iter().map(|lock| lock.path.as_str());
    let arguments = ["check-ignore", "-z", "--"].into_iter().chain(paths);
    match git.answer(arguments).await {
        Ok(answer) => Ok(answer
            .unwrap_or_default()
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect()),
        // Without git nothing is ignored.
        Err(error) if error.kind == crate::error::Kind::Usage => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
