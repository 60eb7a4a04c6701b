//! A folder as a bucket: every write is a new file that takes the old one's place, in one step.
//!
//! Conditions are kept among all who use the folder by a lock on `.lock` in it. Links are not followed.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::stores::bucket::faults::{missing, too_large};
use crate::stores::bucket::{Condition, Mark, Object, name};
use crate::stores::fault::Fault;
use crate::system::files;

/// What is handed on at once.
const PIECE: u64 = 1 << 20;

/// What the names of files begin with that are not whole yet.
const NEW: &str = ".new-";

/// After so long nobody writes to them any more: whoever did was killed.
const LEFT_BEHIND: Duration = Duration::from_hours(24);

/// Smaller files are known by their content.
const SMALL: u64 = 1 << 20;

/// A folder whose files are objects.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The folder at this path, which need not be there yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) async fn put(
        &self,
        name: &str,
        content: Bytes,
        condition: Condition,
    ) -> Result<Mark, Fault> {
        let (directory, name) = (self.clone(), name.to_owned());
        blocking(move || directory.put_now(&name, &content, &condition)).await
    }

    fn put_now(&self, name: &str, content: &[u8], condition: &Condition) -> Result<Mark, Fault> {
        let path = self.path(name)?;
        let mut file = self.new_file(&path)?;
        let told = fault_at(&path);
        file.write_all(content).map_err(&told)?;
        // Also without a condition: nobody else's may hold before and no longer after.
        let _guard = self.lock()?;
        let is_met = match condition {
            Condition::Always => true,
            Condition::IfAbsent => existing(&path)?.is_none(),
            Condition::IfUnchanged(mark) => match existing(&path)? {
                Some(metadata) => mark_of(&path, &metadata).map_err(&told)? == *mark,
                None => false,
            },
        };
        if !is_met {
            return Err(Fault::Conflict {
                name: name.to_owned(),
            });
        }
        keep(file, &path)?;
        let metadata = path.symlink_metadata().map_err(&told)?;
        mark_of(&path, &metadata).map_err(&told)
    }

    pub(super) async fn upload(
        &self,
        name: &str,
        mut pieces: Receiver<Bytes>,
    ) -> Result<u64, Fault> {
        let path = self.path(name)?;
        let (directory, at) = (self.clone(), path.clone());
        // Only who still waits gives the file its name: without, it is gone.
        let (file, size) = blocking(move || {
            if let Some(folder) = at.parent() {
                remove_leftovers(folder);
            }
            let mut file = directory.new_file(&at)?;
            let mut size = 0;
            while let Some(piece) = pieces.blocking_recv() {
                file.write_all(&piece).map_err(fault_at(&at))?;
                size += piece.len() as u64;
            }
            Ok((file, size))
        })
        .await?;
        keep(file, &path)?;
        Ok(size)
    }

    pub(super) async fn download(&self, name: &str, out: Sender<Bytes>) -> Result<u64, Fault> {
        let (directory, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let (mut file, metadata) = directory.open(&name)?;
            let told = fault_at(&directory.root.join(&name));
            let mut sent = 0;
            loop {
                let mut piece = Vec::new();
                let read = Read::by_ref(&mut file)
                    .take(PIECE)
                    .read_to_end(&mut piece)
                    .map_err(&told)?;
                if read == 0 {
                    break;
                }
                sent += read as u64;
                out.blocking_send(piece.into()).map_err(|_| Fault::Hung)?;
            }
            if sent == metadata.len() {
                return Ok(sent);
            }
            Err(Fault::Changed {
                what: format!("it had {} bytes, and {sent} came", metadata.len()),
            })
        })
        .await
    }

    pub(super) async fn read(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<Option<(Bytes, Object)>, Fault> {
        let (directory, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let (file, metadata) = match directory.open(&name) {
                Err(Fault::Missing { .. }) => return Ok(None),
                other => other?,
            };
            let mut content = Vec::new();
            file.take(limit + 1)
                .read_to_end(&mut content)
                .map_err(fault_at(&directory.root.join(&name)))?;
            if content.len() as u64 > limit {
                return Err(too_large(&name, limit));
            }
            let mark = match content.len() as u64 {
                0..=SMALL => mark_of_content(&content),
                _ => mark_of_metadata(&metadata),
            };
            let object = object(name, &metadata, mark);
            Ok(Some((content.into(), object)))
        })
        .await
    }

    pub(super) async fn range(
        &self,
        name: &str,
        range: std::ops::Range<u64>,
    ) -> Result<Bytes, Fault> {
        let (directory, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let (mut file, _) = directory.open(&name)?;
            let told = fault_at(&directory.root.join(&name));
            file.seek(SeekFrom::Start(range.start)).map_err(&told)?;
            let mut content = Vec::new();
            let wanted = range.end.saturating_sub(range.start);
            file.take(wanted).read_to_end(&mut content).map_err(&told)?;
            Ok(content.into())
        })
        .await
    }

    pub(super) async fn head(&self, name: &str) -> Result<Option<Object>, Fault> {
        let (directory, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let path = directory.path(&name)?;
            let Some(metadata) = existing(&path)? else {
                return Ok(None);
            };
            let mark = mark_of(&path, &metadata).map_err(fault_at(&path))?;
            Ok(Some(object(name, &metadata, mark)))
        })
        .await
    }

    pub(super) async fn known(&self, name: &str) -> Result<Option<(u64, Option<String>)>, Fault> {
        let (directory, name) = (self.clone(), name.to_owned());
        blocking(move || {
            let (file, metadata) = match directory.open(&name) {
                Err(Fault::Missing { .. }) => return Ok(None),
                other => other?,
            };
            let told = fault_at(&directory.root.join(&name));
            let digest = files::sha256(file).map_err(told)?;
            Ok(Some((metadata.len(), Some(digest))))
        })
        .await
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Object>, Fault> {
        let (directory, folder) = (self.clone(), folder.to_owned());
        blocking(move || {
            directory.check_root()?;
            let mut found = Vec::new();
            let mut folders = vec![folder];
            while let Some(folder) = folders.pop() {
                directory.list_one(&folder, &mut folders, &mut found)?;
            }
            Ok(found)
        })
        .await
    }

    fn list_one(
        &self,
        folder: &str,
        folders: &mut Vec<String>,
        found: &mut Vec<Object>,
    ) -> Result<(), Fault> {
        let path = self.root.join(folder);
        let told = fault_at(&path);
        // A folder that is a link, or none, has nothing in it; the root itself may be reached through one.
        if !folder.is_empty() && !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Ok(());
        }
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(told(error)),
        };
        for entry in entries {
            let entry = entry.map_err(&told)?;
            let Some(part) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if !name::is_part(&part) {
                continue;
            }
            let inside = match folder {
                "" => part,
                _ => format!("{folder}/{part}"),
            };
            // One that was deleted in the meantime is no object any more.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(inside);
            } else if metadata.is_file() {
                found.push(object(inside, &metadata, Mark::default()));
            }
        }
        Ok(())
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Fault> {
        let path = self.path(name)?;
        blocking(move || match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fault_at(&path)(error)),
            _ => Ok(()),
        })
        .await
    }

    /// The root is a folder, perhaps reached through a link, or not there yet.
    fn check_root(&self) -> Result<(), Fault> {
        match self.root.metadata() {
            Ok(found) if !found.is_dir() => Err(is_no_folder(&self.root)),
            _ => Ok(()),
        }
    }

    /// Where an object is, if no folder on the way is a link.
    fn path(&self, name: &str) -> Result<PathBuf, Fault> {
        self.check_root()?;
        let mut path = self.root.clone();
        let parts: Vec<&str> = name.split('/').collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            path.push(part);
            if path.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
                return Err(is_no_folder(&path));
            }
        }
        path.extend(parts.last());
        Ok(path)
    }

    fn open(&self, name: &str) -> Result<(File, Metadata), Fault> {
        let path = self.path(name)?;
        if existing(&path)?.is_none() {
            return Err(missing(name));
        }
        let told = fault_at(&path);
        let file = File::open(&path).map_err(&told)?;
        let metadata = file.metadata().map_err(&told)?;
        Ok((file, metadata))
    }

    /// A file without a name that anybody lists, beside where it is to be.
    fn new_file(&self, path: &Path) -> Result<NamedTempFile, Fault> {
        let folder = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(folder)
            .and_then(|()| tempfile::Builder::new().prefix(NEW).tempfile_in(folder))
            .map_err(fault_at(folder))
    }

    fn lock(&self) -> Result<File, Fault> {
        let path = self.root.join(".lock");
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(fault_at(&path))
    }
}

/// Removes the files of uploads that were killed.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = folder.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let is_new = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(NEW.as_bytes());
        let age = |metadata: Metadata| metadata.modified().ok()?.elapsed().ok();
        let age = entry
            .metadata()
            .ok()
            .filter(Metadata::is_file)
            .and_then(age);
        if is_new && age.is_some_and(|age| age > LEFT_BEHIND) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The plain file at this path, if there is one. Anything else is a fault.
fn existing(path: &Path) -> Result<Option<Metadata>, Fault> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
        Ok(_) => Err(fault_at(path)(io::Error::other("it is no plain file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault_at(path)(error)),
    }
}

fn keep(file: NamedTempFile, path: &Path) -> Result<(), Fault> {
    file.persist(path)
        .map(drop)
        .map_err(|error| fault_at(path)(error.error))
}

fn object(name: String, metadata: &Metadata, mark: Mark) -> Object {
    Object {
        name,
        size: metadata.len(),
        modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        mark,
    }
}

fn mark_of(path: &Path, metadata: &Metadata) -> io::Result<Mark> {
    if metadata.len() > SMALL {
        return Ok(mark_of_metadata(metadata));
    }
    Ok(mark_of_content(&std::fs::read(path)?))
}

/// Numbers of files are used again, and clocks are coarse: only the content says for sure that it is another one.
fn mark_of_content(content: &[u8]) -> Mark {
    Mark {
        etag: files::sha256(content).ok(),
        version: None,
    }
}

fn mark_of_metadata(metadata: &Metadata) -> Mark {
    let since = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .unwrap_or_default();
    Mark {
        etag: Some(format!("{}-{}", metadata.len(), since.as_nanos())),
        version: None,
    }
}

fn fault_at(path: &Path) -> impl Fn(io::Error) -> Fault + use<> {
    let path = path.display().to_string();
    move |error| Fault::Disk {
        path: path.clone(),
        cause: error.to_string(),
    }
}

fn is_no_folder(path: &Path) -> Fault {
    fault_at(path)(io::Error::other("it is no folder"))
}

/// Does what waits for a disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let outcome = tokio::task::spawn_blocking(work).await;
    outcome.unwrap_or(Err(Fault::Hung))
}
