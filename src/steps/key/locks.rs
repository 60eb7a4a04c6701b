//! The locks that decide the key: found, read, and reduced to what is installed from them.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::lockfiles::semantic::semantic;
use crate::lockfiles::{FaultKind, Format, format_of, read};
use crate::model::cache_key::Lock;
use crate::model::sources::Sources;
use crate::steps::key::Settings;
use crate::steps::project::place;
use crate::steps::read as file;
use crate::steps::world::World;
use crate::system::files::Workspace;

/// A lock that was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// Its format.
    pub format: Format,
    /// The program that wrote requirements, by their header: `uv`.
    pub generator: Option<String>,
    /// What of it decides what is installed.
    pub digest: Lock,
}

/// A lock that was found.
struct Found {
    /// Relative to the workspace root, with `/`.
    path: String,
    /// Where it is.
    file: PathBuf,
    format: Format,
}

/// Finds and reads the locks, in the order of their paths.
pub fn gather(settings: &Settings, world: &World) -> Result<Vec<Read>> {
    let workspace = Workspace::new(&world.root);
    let mut found = if settings.lockfiles.is_empty() {
        nearest(world, &workspace)
    } else {
        let named = settings.lockfiles.iter();
        let found: Result<Vec<_>> = named
            .map(|name| named_lock(name, world, &workspace))
            .collect();
        found?
    };
    if found.is_empty() && !settings.allow_empty {
        return Err(Error::usage(format!(
            "there is no lockfile in `{}` or above it",
            world.directory.display()
        ))
        .hint("name it with `lockfiles`, or say `allow-empty: true` where none is needed"));
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found.dedup_by(|left, right| left.path == right.path);
    found
        .iter()
        .map(|lock| read_lock(lock, &workspace))
        .collect()
}

/// The locks of the nearest folder that has any. Requirements count where nothing else is there: beside another lock
/// they are made from it.
fn nearest(world: &World, workspace: &Workspace) -> Vec<Found> {
    for folder in world.directory.ancestors() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let locks = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (format, file) = (format_of(&name)?, folder.join(&name));
            let path = workspace.relative(file.to_str()?, folder)?;
            file.is_file().then_some(Found { path, file, format })
        });
        let mut locks: Vec<Found> = locks.collect();
        if locks.iter().any(|lock| lock.format != Format::Requirements) {
            locks.retain(|lock| lock.format != Format::Requirements);
        }
        if !locks.is_empty() {
            return locks;
        }
        if folder == world.root {
            break;
        }
    }
    Vec::new()
}

/// A file that the user named must be a lock, inside of the workspace.
fn named_lock(named: &str, world: &World, workspace: &Workspace) -> Result<Found> {
    let file = world.directory.join(named);
    if !file.is_file() {
        return Err(Error::usage(format!(
            "`lockfiles`: there is no file `{named}` in `{}`",
            world.directory.display()
        )));
    }
    let is_text = file.extension().is_some_and(|extension| extension == "txt");
    let name = file.file_name().and_then(|name| name.to_str());
    let format = name
        .and_then(format_of)
        .or_else(|| is_text.then_some(Format::Requirements))
        .ok_or_else(|| {
            Error::usage(format!("`lockfiles`: `{named}` is no lockfile by its name"))
                .hint("where every byte of a file counts, name it with `files`")
        })?;
    let path = workspace
        .relative(named, &world.directory)
        .filter(|path| workspace.confined(path).is_some())
        .ok_or_else(|| {
            Error::usage(format!("`lockfiles`: `{named}` leads out of the workspace"))
        })?;
    Ok(Found { path, file, format })
}

fn read_lock(found: &Found, workspace: &Workspace) -> Result<Read> {
    let unreadable =
        |cause: String| Error::usage(format!("`{}` cannot be read", found.path)).cause(cause);
    let bytes = file::read(Path::new(&found.file)).map_err(unreadable)?;
    let is_list = found.format == Format::Requirements;
    let bytes = if is_list { file::decode(bytes) } else { bytes };
    let mut sources = Sources::default();
    let id =
        file::add(&mut sources, &found.path, bytes).ok_or_else(|| unreadable(file::too_large()))?;
    if is_list {
        file::follow(id, workspace, &mut sources);
    }
    let reading = read(found.format, id, &sources);
    // A newer revision adds what is not known here, and takes nothing away.
    let fault = reading
        .faults
        .iter()
        .find(|fault| fault.kind != FaultKind::UnknownRevision);
    let lockfile = match (fault, &reading.lockfile) {
        (None, Some(lockfile)) => lockfile,
        (Some(fault), _) => {
            return Err(
                Error::usage(format!("`{}` cannot be read as a lockfile", found.path))
                    .cause(&fault.message)
                    .at(place(&sources, fault.at))
                    .hint(fault.help.clone()),
            );
        }
        (None, None) => return Err(Error::bug("a lock without a fault was not read")),
    };
    let requirements = lockfile.requirements();
    if let Some(unread) = requirements.and_then(|requirements| requirements.unread.first()) {
        return Err(Error::usage(format!(
            "`{}` includes `{}`, which cannot be read",
            found.path, unread.value
        ))
        .at(place(&sources, unread.at))
        .hint("what is included must be a file of the workspace"));
    }
    let command = requirements.and_then(|requirements| requirements.command.as_ref());
    let generator = command.and_then(|command| command.value.split_whitespace().next());
    Ok(Read {
        format: found.format,
        generator: generator.map(str::to_owned),
        digest: semantic(lockfile, &found.path),
    })
}
