//! Digests of files that were read before, as long as the file system says that they are the same.

use std::collections::HashMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::model::digest::Sha;
use crate::model::pipeline::manifest::Content;

/// A file that changed so short a time before it was read may change again without another time of change: clocks of
/// file systems tick every few milliseconds.
const SETTLED: Duration = Duration::from_millis(100);

/// What the file system says of a file; it changes with every change of its bytes or attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    size: u64,
    modified: Option<SystemTime>,
    /// Device, inode, seconds and nanoseconds of the last change, which nobody can set back.
    #[cfg(unix)]
    node: (u64, u64, i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            node: (
                metadata.dev(),
                metadata.ino(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ),
        }
    }

    /// Whether the last change is long enough ago for the next one to show.
    fn is_settled(&self) -> bool {
        #[cfg(unix)]
        let changed = u64::try_from(self.node.2)
            .ok()
            .zip(u32::try_from(self.node.3).ok())
            .map(|(seconds, rest)| SystemTime::UNIX_EPOCH + Duration::new(seconds, rest));
        #[cfg(not(unix))]
        let changed = self.modified;
        let age = changed.and_then(|changed| SystemTime::now().duration_since(changed).ok());
        age.is_some_and(|age| age > SETTLED)
    }
}

/// The digests that are known. Shared by all stages of a run.
#[derive(Debug, Default)]
pub struct Known {
    digests: Mutex<HashMap<PathBuf, (Identity, Content)>>,
}

impl Known {
    /// The content of the regular file at `path`, read anew unless the file system vouches for what is known.
    pub fn file(&self, path: &Path) -> io::Result<Content> {
        let metadata = std::fs::symlink_metadata(path)?;
        let identity = Identity::of(&metadata);
        if let Ok(digests) = self.digests.lock()
            && let Some((known, content)) = digests.get(path)
            && *known == identity
        {
            return Ok(content.clone());
        }
        let (identity, content) = read(path)?;
        if let Ok(mut digests) = self.digests.lock() {
            if identity.is_settled() {
                digests.insert(path.to_owned(), (identity, content.clone()));
            } else {
                digests.remove(path);
            }
        }
        Ok(content)
    }
}

/// Reads a file; one that changes meanwhile is an error, for nobody knows which bytes a consumer would get.
fn read(path: &Path) -> io::Result<(Identity, Content)> {
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let before = Identity::of(&metadata);
    let (size, digest) = digest(&mut file)?;
    if Identity::of(&file.metadata()?) != before || size != before.size {
        return Err(io::Error::other("it changes while it is read"));
    }
    let content = Content::File {
        size,
        digest,
        executable: is_executable(&metadata),
    };
    Ok((before, content))
}

/// The bytes to the end, counted and digested.
fn digest(file: &mut File) -> io::Result<(u64, Sha)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hasher.finalize().into()));
        }
        size += read as u64;
        hasher.update(&buffer[..read]);
    }
}

/// Opens what is there and nothing that it leads to; a pipe does not keep us waiting.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_again_also_where_its_size_and_time_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wheel");
        let known = Known::default();
        std::fs::write(&path, "one").unwrap();
        let time = path.metadata().unwrap().modified().unwrap();
        let first = known.file(&path).unwrap();
        assert_eq!(known.file(&path).unwrap(), first);
        std::fs::write(&path, "two").unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(time)
            .unwrap();
        assert_ne!(known.file(&path).unwrap(), first);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_and_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::default();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert!(known.file(&link).is_err());
        assert!(known.file(folder.path()).is_err());
        assert!(known.file(&folder.path().join("missing")).is_err());
        assert!(known.file(Path::new("/dev/null")).is_err());
    }
}
