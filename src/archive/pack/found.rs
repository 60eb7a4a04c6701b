//! What the system says about a file that is to be packed.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::Reason;
use crate::archive::entry::{Entry, Kind, Time};
use crate::archive::fault::Fault;

/// Opens a regular file, and neither follows a link nor waits for a pipe that has taken its place.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Why a file cannot be read, if others can be all the same.
pub(super) fn missing(path: &Path, error: io::Error) -> Result<Reason, Fault> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Reason::Vanished),
        io::ErrorKind::PermissionDenied => Ok(Reason::Unreadable),
        _ => match error
            .raw_os_error()
            .map(rustix::io::Errno::from_raw_os_error)
        {
            Some(rustix::io::Errno::IO | rustix::io::Errno::STALE) => Ok(Reason::Unreadable),
            Some(rustix::io::Errno::LOOP) => Ok(Reason::Changed),
            Some(rustix::io::Errno::NXIO) => Ok(Reason::Special),
            _ => Err(Fault::disk(path, error)),
        },
    }
}

/// Brings what the system says about a file into its entry.
pub(super) fn describe(entry: &mut Entry, metadata: &std::fs::Metadata) {
    entry.mode = metadata.mode() & 0o7777;
    entry.mtime = time(metadata);
    entry.size = if entry.kind == Kind::File {
        metadata.len()
    } else {
        0
    };
}

pub(super) fn time(metadata: &std::fs::Metadata) -> Time {
    Time {
        seconds: metadata.mtime(),
        nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or_default(),
    }
}
