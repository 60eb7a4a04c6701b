//! A folder and what is below it, reached part by part without following a link.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, mkdirat, openat};
use rustix::io::Errno;

use crate::archive::entry::Time;
use crate::archive::os;

/// So many folders are kept open.
const OPEN: usize = 200;

/// See the module.
pub(super) struct Tree {
    top: Arc<OwnedFd>,
    open: HashMap<Vec<u8>, Arc<OwnedFd>>,
}

impl Tree {
    pub(super) fn new(top: OwnedFd) -> Self {
        Self {
            top: Arc::new(top),
            open: HashMap::new(),
        }
    }

    /// The folder at `below`, its parts joined by `/`; made with those above it if need be and wanted.
    pub(super) fn folder(&mut self, below: &[u8], make: bool) -> Result<Arc<OwnedFd>, Errno> {
        if below.is_empty() {
            return Ok(Arc::clone(&self.top));
        }
        if let Some(folder) = self.open.get(below) {
            return Ok(Arc::clone(folder));
        }
        // From the nearest folder that is open: names may be thousands of parts deep.
        let mut known = below;
        let mut folder = loop {
            known = split(known).0;
            if known.is_empty() {
                break Arc::clone(&self.top);
            }
            if let Some(folder) = self.open.get(known) {
                break Arc::clone(folder);
            }
        };
        let rest = below.get(known.len()..).unwrap_or_default();
        for part in rest
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
        {
            folder = Arc::new(open_folder(&folder, part, make)?);
        }
        if self.open.len() >= OPEN {
            self.open.clear();
        }
        self.open.insert(below.to_vec(), Arc::clone(&folder));
        Ok(folder)
    }

    /// Forgets what is open: a folder has gone.
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }
}

/// Opens a folder by its last part; a link in its place is `ENOTDIR` or `ELOOP`.
pub(super) fn open_folder(folder: &OwnedFd, part: &[u8], make: bool) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(folder, os(part), flags, Mode::empty()) {
        Err(Errno::NOENT) if make => {
            mkdirat(folder, os(part), Mode::from_bits_truncate(0o777))?;
            openat(folder, os(part), flags, Mode::empty())
        }
        opened => opened,
    }
}

/// The folder's part of a way and the last.
pub(super) fn split(below: &[u8]) -> (&[u8], &[u8]) {
    match below.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (
            below.get(..at).unwrap_or_default(),
            below.get(at + 1..).unwrap_or_default(),
        ),
        None => (&[], below),
    }
}

/// The times to give to a file: the archive knows only when it was modified.
pub(super) fn times(mtime: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime.seconds,
            tv_nsec: mtime.nanoseconds.into(),
        },
    }
}
