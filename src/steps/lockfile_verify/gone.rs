//! What became of the locks of the base: those that a change renames are compared with what they were, and those that it
//! deletes are told.

use std::collections::HashSet;
use std::path::Path;

use globset::GlobSet;

use crate::error::{Error, Result};
use crate::lockfiles::declared::script;
use crate::lockfiles::{Format, format_of, normal, read as read_lock, requirements_txt};
use crate::model::sources::{FileId, Sources};
use crate::steps::lockfile_verify::discover::is_passed;
use crate::steps::lockfile_verify::gather::{Lock, folder_of};
use crate::steps::read::{LIMIT, add, decode, read};
use crate::system::files::Workspace;
use crate::system::git::Git;

/// A lock that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Where it was.
    pub path: String,
    /// What it was.
    pub format: Format,
    /// What declares what it locked.
    pub declared: FileId,
}

impl Lock {
    /// Where a file that belongs to the lock was on the base: the lock itself, or what declares it. Where the lock was
    /// renamed into another folder, the files beside it are taken for having moved with it.
    pub fn path_before(&self, path: &str) -> String {
        let Some(was) = &self.was else {
            return path.to_owned();
        };
        if path == self.found.path {
            return was.clone();
        }
        let (folder, before) = (folder_of(&self.found.path), folder_of(was));
        let inner = match folder {
            "" => Some(path),
            folder => path
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        inner.map_or_else(|| path.to_owned(), |inner| normal::join(before, inner))
    }
}

/// Where locks are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The input `paths`.
    pub paths: &'a [String],
    /// The working directory.
    pub directory: &'a Path,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// What is left out.
    pub exclude: &'a GlobSet,
}

/// A share of the packages that makes a lock the same one under another name: half of them.
const SAME: (usize, usize) = (1, 2);

/// Finds the locks of the commit `sha` that are no longer where they were: says of each lock in `locks` that was renamed
/// what it was, with its old content and declarations in `before`, and returns those that are deleted though what they lock is
/// still there.
pub async fn find(
    scope: Scope<'_>,
    locks: &mut [Lock],
    sources: &mut Sources,
    before: &mut Sources,
    sha: &str,
    git: &Git,
) -> Result<Vec<Gone>> {
    let paths = missing(scope, sha, git).await?;
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
    let contents = git.blobs(sha, &names, LIMIT).await?;
    let mut gone: Vec<(FileId, Format)> = Vec::new();
    for ((path, format), bytes) in paths.iter().zip(contents) {
        let Some(bytes) = bytes else { continue };
        let bytes = if *format == Format::Requirements {
            decode(bytes)
        } else {
            bytes
        };
        let is_lock = *format != Format::Requirements
            || std::str::from_utf8(&bytes).is_ok_and(requirements_txt::is_lock);
        if is_lock {
            gone.extend(add(before, path, bytes).map(|file| (file, *format)));
        }
    }
    rename(&mut gone, locks, sources, before);
    let mut wanted = Vec::new();
    for lock in locks.iter() {
        let own = lock.declared.iter().chain(&lock.members);
        wanted.extend(own.map(|file| lock.path_before(sources.path(*file))));
    }
    wanted.retain(|path| before.find(path).is_none());
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    for (path, bytes) in names.iter().zip(git.blobs(sha, &names, LIMIT).await?) {
        if let Some(bytes) = bytes {
            add(before, path, bytes);
        }
    }
    let mut found = Vec::new();
    for (file, format) in gone {
        let path = before.path(file);
        if is_replaced(path, format, locks) {
            continue;
        }
        if let Some(declared) = declared(path, format, scope.workspace, sources) {
            found.push(Gone {
                path: path.to_owned(),
                format,
                declared,
            });
        }
    }
    Ok(found)
}

/// The paths of the base that are not there, as far as they name locks that would be looked at.
async fn missing(scope: Scope<'_>, sha: &str, git: &Git) -> Result<Vec<(String, Format)>> {
    let arguments = [
        "diff",
        "--name-only",
        "--diff-filter=D",
        "--no-renames",
        "--no-ext-diff",
        "-z",
        sha,
        "--",
    ];
    let answer = git
        .answer(arguments)
        .await?
        .ok_or_else(|| Error::no_verdict("git does not say which files the change deletes"))?;
    let root = scope.workspace.root();
    let named = answer.split('\0').filter(|path| !path.is_empty());
    Ok(named
        .filter_map(|path| {
            let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
            let format = format_of(name)?;
            let file = root.join(path);
            let is_meant = |named: &String| file.starts_with(scope.directory.join(named));
            let is_below = match scope.paths {
                [] => file.starts_with(scope.directory),
                paths => paths.iter().any(is_meant),
            };
            let local = file.strip_prefix(scope.directory).unwrap_or(&file);
            let is_excluded = scope.exclude.is_match(local) || scope.exclude.is_match(path);
            let mut folders = file.ancestors().skip(1);
            let is_looked_at = folders
                .by_ref()
                .take_while(|folder| *folder != root)
                .all(is_passed);
            let is_gone = file.symlink_metadata().is_err();
            (is_below && !is_excluded && is_looked_at && is_gone).then(|| (path.to_owned(), format))
        })
        .collect())
}

/// Gives each lock that is new the lock of its format that it was, if one is gone that has half of its packages.
fn rename(
    gone: &mut Vec<(FileId, Format)>,
    locks: &mut [Lock],
    sources: &Sources,
    before: &Sources,
) {
    for lock in locks {
        let (Ok(file), format) = (&lock.file, lock.found.format) else {
            continue;
        };
        if before.find(&lock.found.path).is_some() || gone.is_empty() {
            continue;
        }
        let now = pins(format, *file, sources);
        let shared = |old: &(FileId, Format)| {
            let old = pins(format, old.0, before);
            let most = old.len().max(now.len());
            let shared = old.intersection(&now).count();
            (shared > 0 && shared * SAME.1 >= most * SAME.0).then_some(shared)
        };
        let of_format = gone.iter().enumerate().filter(|(_, old)| old.1 == format);
        let best = of_format
            .filter_map(|(index, old)| Some((shared(old)?, index)))
            .max_by_key(|(shared, index)| (*shared, std::cmp::Reverse(*index)));
        if let Some((_, index)) = best {
            let (old, _) = gone.remove(index);
            lock.was = Some(before.path(old).to_owned());
        }
    }
}

/// The names and versions that a lock pins.
fn pins(format: Format, file: FileId, sources: &Sources) -> HashSet<(String, String)> {
    let reading = read_lock(format, file, sources);
    let packages = reading.lockfile.into_iter().flat_map(|lock| lock.packages);
    packages
        .map(|package| {
            let version = package.version.map(|version| version.value.into_owned());
            (
                package.name.normal.into_owned(),
                version.unwrap_or_default(),
            )
        })
        .collect()
}

/// Whether another lock is for the same: one in the same folder, or of the same tool in a folder above.
fn is_replaced(path: &str, format: Format, locks: &[Lock]) -> bool {
    let folder = folder_of(path);
    let is_above = |other: &str| {
        let inner = folder.strip_prefix(other);
        inner.is_some_and(|rest| other.is_empty() || rest.starts_with('/'))
    };
    locks.iter().any(|lock| {
        let other = folder_of(&lock.found.path);
        match format {
            // The lock of a script is for that script only, and a Pipfile's for that Pipfile.
            Format::UvScript => false,
            // Each list of requirements has a lock of its own.
            Format::Requirements => {
                other == folder
                    && !matches!(lock.found.format, Format::UvScript | Format::Requirements)
            }
            _ => {
                (other == folder && lock.found.format != Format::UvScript)
                    || (lock.found.format == format && is_above(other))
            }
        }
    })
}

/// What declares what a lock locked, if it is still there.
fn declared(
    path: &str,
    format: Format,
    workspace: &Workspace,
    sources: &mut Sources,
) -> Option<FileId> {
    let beside = |name: &str| normal::join(folder_of(path), name);
    let declared = match format {
        Format::UvScript => path.strip_suffix(".lock")?.to_owned(),
        Format::Requirements => format!("{}.in", path.strip_suffix(".txt")?),
        Format::Pipfile => beside("Pipfile"),
        Format::Uv | Format::Poetry | Format::Pdm | Format::Pylock => beside("pyproject.toml"),
    };
    sources.find(&declared).or_else(|| {
        let bytes = read(&workspace.confined(&declared)?).ok()?;
        let bytes = match format {
            Format::UvScript => script::block(&bytes)?,
            _ => bytes,
        };
        add(sources, &declared, bytes)
    })
}
