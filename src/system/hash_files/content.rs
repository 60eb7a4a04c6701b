//! The content of files, as digests.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::system::hash_files::Taken;

/// What is read at once, bytes.
const BLOCK: usize = 128 << 10;

/// Digests files one after the other. Most lie in the folder of the one before, which is held open: the way to them is
/// short from there.
#[derive(Debug)]
pub(super) struct Digester<'f> {
    buffer: Vec<u8>,
    folder: Folder<'f>,
}

impl<'f> Digester<'f> {
    pub(super) fn new() -> Self {
        Self {
            buffer: vec![0; BLOCK],
            folder: Folder::default(),
        }
    }

    /// The SHA-256 of a file's content.
    pub(super) fn sha256(&mut self, taken: &'f Taken) -> Result<[u8; 32]> {
        self.read(taken).map_err(|error| {
            Error::no_verdict(format!("`{}` cannot be read", taken.path.display()))
                .cause(error)
                .hint("leave it out by a pattern with `!`, or make it a file that can be read")
        })
    }

    fn read(&mut self, taken: &'f Taken) -> io::Result<[u8; 32]> {
        let mut file = self.folder.file(&taken.path)?;
        let mut hasher = Sha256::new();
        // After so many bytes the system is asked whether it is a regular file, once. That what its folder called one is
        // small need not be asked again, 20,000 times.
        let mut ask_after = Some(if taken.is_regular { BLOCK } else { 0 });
        let mut length = 0;
        loop {
            let read = match file.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                break;
            }
            if ask_after.take_if(|after| *after <= length).is_some() && !file.metadata()?.is_file()
            {
                // A named pipe or `/dev/zero` would have the runner wait until its time is over.
                return Err(io::Error::other(
                    "it is no regular file, and may have no end",
                ));
            }
            hasher.update(self.buffer.get(..read).unwrap_or_default());
            length += read;
        }
        if length == 0 && is_pipe(&file.metadata()?) {
            return Err(io::Error::other("it is a named pipe"));
        }
        Ok(hasher.finalize().into())
    }
}

/// The folder of the file before, open from its second file on.
#[derive(Debug, Default)]
#[cfg(unix)]
struct Folder<'f> {
    path: &'f [u8],
    open: Option<std::os::fd::OwnedFd>,
}

#[cfg(unix)]
impl<'f> Folder<'f> {
    /// Opens a file without waiting for whoever writes into a named pipe.
    fn file(&mut self, path: &'f Path) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, open, openat};
        use std::os::unix::ffi::OsStrExt as _;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let path = path.as_os_str().as_bytes();
        let slash = memchr::memrchr(b'/', path).unwrap_or_default();
        let (folder, name) = path.split_at(slash);
        if folder != self.path {
            *self = Self {
                path: folder,
                open: None,
            };
        } else if self.open.is_none() && !folder.is_empty() {
            self.open = open(folder, flags | OFlags::DIRECTORY, Mode::empty()).ok();
        }
        let opened = match (&self.open, name.strip_prefix(b"/")) {
            (Some(folder), Some(name)) => openat(folder, name, flags, Mode::empty()),
            _ => open(path, flags, Mode::empty()),
        };
        Ok(File::from(opened?))
    }
}

#[derive(Debug, Default)]
#[cfg(not(unix))]
struct Folder<'f>(std::marker::PhantomData<&'f Path>);

#[cfg(not(unix))]
impl<'f> Folder<'f> {
    fn file(&mut self, path: &'f Path) -> io::Result<File> {
        File::open(path)
    }
}

#[cfg(unix)]
fn is_pipe(about: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    about.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}
