//! A lock that decides the key: read, and reduced to what is installed from it.

use crate::error::{Error, Result};
use crate::lockfiles::fault::Faults;
use crate::lockfiles::requirements_txt::wishes;
use crate::lockfiles::semantic::semantic;
use crate::lockfiles::{FaultKind, Format, read};
use crate::model::cache_key::Lock;
use crate::model::sources::Sources;
use crate::steps::key::found::Found;
use crate::steps::project::place;
use crate::steps::read as file;
use crate::system::files::Workspace;

/// A lock that was read.
#[derive(Clone, Debug)]
pub struct Read {
    /// Its format.
    pub format: Format,
    /// The program that wrote requirements, by their header: `uv`.
    pub generator: Option<String>,
    /// What of it decides what is installed; none where every byte counts and it cannot be read.
    pub digest: Option<Lock>,
}

impl Read {
    /// A lock that cannot be read, and need not be.
    pub fn unread(found: &Found) -> Self {
        Self {
            format: found.format,
            generator: None,
            digest: None,
        }
    }
}

/// Reads a lock. One that cannot be read is an error with its place.
pub fn read_lock(found: &Found, workspace: &Workspace) -> Result<Read> {
    let unreadable =
        |cause: String| Error::usage(format!("`{}` cannot be read", found.path)).cause(cause);
    let bytes = file::read(&found.file).map_err(unreadable)?;
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
    let includes = requirements.is_some_and(|requirements| !requirements.included.is_empty());
    let wishes = includes.then(|| wishes(id, &sources, &mut Faults::new(found.format, id)));
    let constraints = wishes.flatten().map(|wishes| wishes.constraints);
    let constraints = constraints.unwrap_or_default();
    let command = requirements.and_then(|requirements| requirements.command.as_ref());
    let generator = command.and_then(|command| command.value.split_whitespace().next());
    Ok(Read {
        format: found.format,
        generator: generator.map(str::to_owned),
        digest: Some(semantic(lockfile, &constraints, &found.path)),
    })
}
