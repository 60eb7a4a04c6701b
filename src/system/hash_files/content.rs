//! The content of one file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// What is read at once, bytes.
const BLOCK: usize = 128 << 10;

/// What a thread reads files into.
pub(super) fn buffer() -> Vec<u8> {
    vec![0; BLOCK]
}

/// The SHA-256 of a file's content.
pub(super) fn sha256(root: &Root<'_>, path: &Path, buffer: &mut [u8]) -> Result<[u8; 32]> {
    read(root, path, buffer).map_err(|error| {
        Error::no_verdict(format!("`{}` cannot be read", path.display()))
            .cause(error)
            .hint("leave it out by a pattern with `!`, or make it a file that can be read")
    })
}

fn read(root: &Root<'_>, path: &Path, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut file = root.file(path)?;
    let about = file.metadata()?;
    let mut hasher = Sha256::new();
    let mut length = 0_u64;
    loop {
        let read = match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        if !about.is_file() {
            // A named pipe or `/dev/zero` would have the runner wait until its time is over.
            return Err(io::Error::other(
                "it is no regular file, and may have no end",
            ));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        length += read as u64;
        // The end is certain where as much was read as there was, and not more fitted.
        if length == about.len() && read < buffer.len() {
            break;
        }
    }
    if is_pipe(&about) {
        return Err(io::Error::other("it is a named pipe"));
    }
    Ok(hasher.finalize().into())
}

/// The folder that the files are below, held open: what is found from it on has a short way.
#[derive(Debug)]
pub(super) struct Root<'w> {
    #[cfg(unix)]
    folder: Option<std::os::fd::OwnedFd>,
    path: &'w Path,
}

impl<'w> Root<'w> {
    pub(super) fn open(path: &'w Path) -> Self {
        Self {
            #[cfg(unix)]
            folder: rustix::fs::open(path, flags(), rustix::fs::Mode::empty()).ok(),
            path,
        }
    }

    /// Opens a file without waiting for whoever writes into a named pipe.
    #[cfg(unix)]
    fn file(&self, path: &Path) -> io::Result<File> {
        use std::os::unix::ffi::OsStrExt as _;
        let bytes = path.as_os_str().as_bytes();
        let below = bytes.strip_prefix(self.path.as_os_str().as_bytes());
        let below = below.and_then(|rest| rest.strip_prefix(b"/"));
        let opened = match (&self.folder, below) {
            (Some(folder), Some(below)) => {
                rustix::fs::openat(folder, below, flags(), rustix::fs::Mode::empty())
            }
            _ => rustix::fs::open(path, flags(), rustix::fs::Mode::empty()),
        };
        Ok(File::from(opened?))
    }

    #[cfg(not(unix))]
    fn file(&self, path: &Path) -> io::Result<File> {
        File::open(self.path.join(path))
    }
}

#[cfg(unix)]
fn flags() -> rustix::fs::OFlags {
    use rustix::fs::OFlags;
    OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK
}

#[cfg(unix)]
fn is_pipe(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    about.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &std::fs::Metadata) -> bool {
    false
}
