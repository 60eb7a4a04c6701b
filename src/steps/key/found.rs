//! The files that decide the key: locks, named or found, and files of which every byte counts.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::lockfiles::{Format, format_of};
use crate::steps::key::Settings;
use crate::steps::world::World;
use crate::system::files::Workspace;
use crate::system::hash_files::{self, Digest};

/// A lock that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Relative to the workspace root, with `/`.
    pub path: String,
    /// Where it is.
    pub file: PathBuf,
    /// Its format.
    pub format: Format,
}

/// The locks, in the order of their paths: those that the user names, and where neither locks nor files are named, those
/// of the nearest folder that has any.
pub fn locks(settings: &Settings, world: &World) -> Result<Vec<Found>> {
    let workspace = Workspace::new(&world.root);
    let mut found = if !settings.lockfiles.is_empty() {
        named(settings, world, &workspace)?
    } else if settings.files.is_empty() {
        nearest(world, &workspace)?
    } else {
        Vec::new()
    };
    let is_none = found.is_empty() && settings.files.is_empty();
    if is_none && !settings.allow_empty {
        return Err(Error::usage(format!(
            "there is no lockfile in `{}` or above it",
            world.directory.display()
        ))
        .hint("name it with `lockfiles`, or say `allow-empty: true` where none is needed"));
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found.dedup_by(|left, right| left.path == right.path);
    Ok(found)
}

/// The locks of the nearest folder that has any. Requirements count where nothing else is there: beside another lock
/// they are made from it.
fn nearest(world: &World, workspace: &Workspace) -> Result<Vec<Found>> {
    for folder in world.directory.ancestors() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let locks = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let format = format_of(&name)?;
            let file = folder.join(&name);
            file.is_file().then_some((file, format))
        });
        let mut locks: Vec<_> = locks.collect();
        let is_list = |(_, format): &(PathBuf, Format)| *format == Format::Requirements;
        if !locks.iter().all(is_list) {
            locks.retain(|lock| !is_list(lock));
        }
        if !locks.is_empty() || folder == world.root {
            let locks = locks.into_iter();
            return locks
                .map(|(file, format)| inside(file, format, workspace))
                .collect();
        }
    }
    Ok(Vec::new())
}

/// The locks that the user names, by their paths or by patterns.
fn named(settings: &Settings, world: &World, workspace: &Workspace) -> Result<Vec<Found>> {
    let names = &settings.lockfiles;
    let is_file = |name: &String| world.directory.join(name).is_file();
    let files = if names.iter().all(is_file) {
        names
            .iter()
            .map(|name| world.directory.join(name))
            .collect()
    } else {
        let patterns = names.join("\n");
        let home = world.environment.get("HOME");
        let patterns = hash_files::read_patterns("lockfiles", &patterns, &world.directory, home)?;
        let found = hash_files::find(&patterns, &world.root, false)?;
        matched("lockfiles", &found.unmatched, settings)?;
        found.files
    };
    let files = files.into_iter();
    files
        .map(|file| {
            let format = format(&file)?;
            inside(file, format, workspace)
        })
        .collect()
}

fn format(file: &Path) -> Result<Format> {
    let is_text = file.extension().is_some_and(|extension| extension == "txt");
    let name = file.file_name().and_then(|name| name.to_str());
    let format = name.and_then(format_of);
    format
        .or_else(|| is_text.then_some(Format::Requirements))
        .ok_or_else(|| {
            Error::usage(format!(
                "`lockfiles`: `{}` is no lockfile by its name",
                file.display()
            ))
            .hint("where every byte of a file counts, name it with `files`")
        })
}

fn inside(file: PathBuf, format: Format, workspace: &Workspace) -> Result<Found> {
    let path = file.to_str();
    let path = path.and_then(|path| workspace.relative(path, workspace.root()));
    match path.filter(|path| workspace.confined(path).is_some()) {
        Some(path) => Ok(Found { path, file, format }),
        None => Err(Error::usage(format!(
            "the lock `{}` leads out of the workspace",
            file.display()
        ))
        .hint("put the lock itself there, or name others with `lockfiles`")),
    }
}

/// A pattern that matches nothing is a key that never changes.
fn matched(input: &str, unmatched: &[String], settings: &Settings) -> Result<()> {
    match unmatched.first() {
        Some(pattern) if !settings.allow_empty => Err(Error::usage(format!(
            "`{input}`: no file matches `{pattern}`"
        ))
        .hint("mend or remove the pattern, or say `allow-empty: true` where it may match nothing")),
        _ => Ok(()),
    }
}

/// The digest that the runner's `hashFiles()` gives for the files of which every byte counts; none where there is none.
/// With `locks`, these are among them, in front.
pub fn every_byte(
    settings: &Settings,
    locks: Option<&[Found]>,
    world: &World,
) -> Result<Option<Digest>> {
    let locks = locks.unwrap_or_default();
    let named = !locks.is_empty() && !settings.lockfiles.is_empty();
    let lines: Vec<String> = if named {
        settings.lockfiles.clone()
    } else {
        locks.iter().map(|lock| literally(&lock.file)).collect()
    };
    let patterns = [lines.as_slice(), &settings.files].concat();
    if patterns.is_empty() {
        return Ok(None);
    }
    let home = world.environment.get("HOME");
    let patterns = patterns.join("\n");
    let patterns = hash_files::read_patterns("files", &patterns, &world.directory, home)?;
    let digest = hash_files::digest(&patterns, &world.root, false)?;
    matched("files", &digest.found.unmatched, settings)?;
    Ok(Some(digest))
}

/// The pattern that matches this path and no other.
fn literally(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.chars().fold(String::new(), |mut pattern, character| {
        if matches!(character, '*' | '?' | '[') {
            pattern.extend(['[', character, ']']);
        } else {
            pattern.push(character);
        }
        pattern
    })
}
