//! What lies in the folder, and how it is changed so that it is whole at every moment.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::CURRENT;
use crate::error::{Error, Result};
use crate::model::deploy::{Release, ReleaseFile, Standing, earlier};
use crate::model::digest::{Sha, hex, sha};
use crate::system::files::write_atomically_by;
use crate::system::stop::Stop;
use crate::targets::Access;

/// What is ours: records of what was made, work that is not done, the lock.
pub(super) const OWN: &str = ".lockgate";

/// The folder of the versions.
const VERSIONS: &str = "versions";

/// Read and written at once, bytes.
const PIECE: usize = 1 << 20;

/// Brought to the disk at the latest after so many bytes, so that no wait for it is long.
const SYNC: u64 = 64 << 20;

/// Larger records are none of ours, bytes.
const LIMIT: u64 = 64 << 20;

/// Names tried beside a folder whose bytes are no longer those of its record.
const TRIES: usize = 1_000;

/// Digits of the digest in the name of a version.
const DIGITS: usize = 12;

/// What a version was made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Record {
    pub(super) version: Option<String>,
    /// Milliseconds since 1970 when it was made: the oldest goes first.
    made: u64,
    pub(super) files: Vec<File>,
}

/// A file of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct File {
    name: String,
    size: u64,
    sha256: String,
    executable: bool,
}

/// What stands, and what stood before it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Stood {
    now: String,
    /// Newest first.
    earlier: Vec<String>,
}

impl File {
    fn of(file: &ReleaseFile) -> Self {
        Self {
            name: file.name.clone(),
            size: file.size,
            sha256: hex(&file.digest),
            executable: file.executable,
        }
    }

    pub(super) fn known(&self) -> Option<ReleaseFile> {
        Some(ReleaseFile {
            name: self.name.clone(),
            path: PathBuf::from(&self.name),
            size: self.size,
            digest: sha(&self.sha256)?,
            executable: self.executable,
        })
    }
}

/// The folder.
#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn fault(&self, what: &str, error: io::Error) -> Error {
        let message = format!("{what} in `{}`", self.root.display());
        let full = matches!(
            error.kind(),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded
        );
        let error = Error::no_verdict(message).cause(error);
        if full {
            return error.hint("make room on the disk, or let `keep` be smaller");
        }
        error
    }

    fn version(&self, name: &str) -> PathBuf {
        self.root.join(VERSIONS).join(name)
    }

    fn work(&self) -> PathBuf {
        self.root.join(OWN).join("work")
    }

    fn record_path(&self, name: &str) -> PathBuf {
        self.root
            .join(OWN)
            .join(VERSIONS)
            .join(format!("{name}.json"))
    }

    /// Makes the folders.
    pub(super) fn make(&self) -> Result<()> {
        for folder in [
            self.root.join(VERSIONS),
            self.root.join(OWN).join(VERSIONS),
            self.work(),
        ] {
            fs::create_dir_all(&folder)
                .map_err(|error| self.fault("no folder can be made", error))?;
        }
        Ok(())
    }

    /// From here on nobody else changes anything, until the file is dropped.
    pub(super) fn alone(&self) -> Result<fs::File> {
        let path = self.root.join(OWN).join("at-work");
        let open = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path);
        let file = open.map_err(|error| self.fault("there is no lock", error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(Error::refused(format!(
                "another deployment works in `{}`",
                self.root.display()
            ))
            .hint("wait until it has ended")),
            Err(fs::TryLockError::Error(error)) => Err(self.fault("there is no lock", error)),
        }
    }

    /// Removes what was never finished. Only who is alone may do so.
    pub(super) fn tidy(&self) {
        let entries = fs::read_dir(self.work()).into_iter().flatten().flatten();
        for entry in entries {
            // The next deployment tries again.
            let _ = match entry.file_type() {
                Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()),
                _ => fs::remove_file(entry.path()),
            };
        }
    }

    /// What the link says.
    pub(super) fn standing(&self) -> Result<Option<Standing>> {
        let link = self.root.join(CURRENT);
        let shown = link.display().to_string();
        let strange = |what: String| {
            Error::refused(what)
                .hint("move it away, or name another `directory`: it is not replaced")
        };
        let target = match fs::read_link(&link) {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                return Err(strange(format!("`{shown}` is no link")));
            }
            Err(error) => return Err(self.fault("the link cannot be read", error)),
        };
        let name = target
            .strip_prefix(VERSIONS)
            .ok()
            .and_then(Path::to_str)
            .filter(|name| is_name(name));
        let record = match name {
            Some(name) => self.record(name)?.map(|record| (name, record)),
            None => None,
        };
        let Some((name, record)) = record else {
            let target = target.display();
            return Err(strange(format!(
                "`{shown}` leads to `{target}`, which lockgate did not make"
            )));
        };
        Ok(Some(Standing {
            digest: Some(record.digest()),
            version: record.version,
            reference: name.to_owned(),
        }))
    }

    /// What is on record of a version.
    pub(super) fn record(&self, name: &str) -> Result<Option<Record>> {
        if !is_name(name) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = fs::File::open(self.record_path(name))
            .and_then(|file| file.take(LIMIT).read_to_end(&mut bytes));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.fault("a record cannot be read", error)),
        }
        let record = serde_json::from_slice(&bytes).map_err(|error| {
            let path = self.record_path(name);
            Error::no_verdict(format!("the record `{}` is none", path.display())).cause(error)
        })?;
        Ok(Some(record))
    }

    /// The names on record.
    fn names(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(self.root.join(OWN).join(VERSIONS)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.fault("the records cannot be read", error)),
        };
        let names = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let name = name.strip_suffix(".json")?;
            is_name(name).then(|| name.to_owned())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        Ok(names)
    }

    /// The version that holds this release already, byte for byte.
    pub(super) async fn find(&self, release: &Release, stop: &Stop) -> Result<Option<String>> {
        let wanted: Vec<File> = release.files.iter().map(File::of).collect();
        for name in self.names()? {
            let Some(record) = self.record(&name)? else {
                continue;
            };
            if record.files == wanted
                && record.version == release.version
                && self.is_whole(&name, &record, stop).await?
            {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// The newest version with this digest.
    pub(super) fn named(&self, digest: &Sha) -> Result<Option<String>> {
        let mut newest: Option<(u64, String)> = None;
        for name in self.names()? {
            let record = self
                .record(&name)?
                .filter(|record| record.digest() == *digest);
            if let Some(record) = record
                && newest.as_ref().is_none_or(|(made, _)| *made < record.made)
            {
                newest = Some((record.made, name));
            }
        }
        Ok(newest.map(|(_, name)| name))
    }

    /// Whether each file of a version has the bytes of its record.
    pub(super) async fn is_whole(&self, name: &str, record: &Record, stop: &Stop) -> Result<bool> {
        let folder = self.version(name);
        for file in &record.files {
            let path = folder.join(&file.name);
            let is_file = fs::symlink_metadata(&path)
                .is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.size);
            if !is_file {
                return Ok(false);
            }
            if self.digest(&path, stop).await? != file.sha256 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The SHA-256 of a file.
    async fn digest(&self, path: &Path, stop: &Stop) -> Result<String> {
        let failed = |error| self.fault("a file cannot be read", error);
        let mut from = fs::File::open(path).map_err(failed)?;
        let mut hasher = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            if let Some(signal) = stop.signal() {
                return Err(Error::interrupted(signal));
            }
            let read = from.read(&mut piece).map_err(failed)?;
            if read == 0 {
                let digest: Sha = hasher.finalize().into();
                return Ok(hex(&digest));
            }
            hasher.update(piece.get(..read).unwrap_or_default());
            // Signals are heard in between.
            tokio::task::yield_now().await;
        }
    }

    /// A name for a release that nothing has yet.
    pub(super) fn free_name(&self, release: &Release) -> String {
        let digest = hex(&release.digest());
        let short = digest.get(..DIGITS).unwrap_or(&digest);
        let name = match &release.version {
            Some(version) => format!("{}-{short}", tame(version)),
            None => short.to_owned(),
        };
        let is_free = |name: &String| {
            self.version(name).symlink_metadata().is_err() && !self.record_path(name).exists()
        };
        let others = (1..TRIES).map(|number| format!("{name}.{number}"));
        let mut names = std::iter::once(name.clone()).chain(others);
        names.find(is_free).unwrap_or(name)
    }

    /// Copies a release to its place, checked byte for byte.
    pub(super) async fn copy(
        &self,
        name: &str,
        release: &Release,
        access: &Access<'_>,
    ) -> Result<()> {
        let failed = |error| self.fault("the version cannot be written", error);
        let work = tempfile::Builder::new()
            .prefix("new-")
            .tempdir_in(self.work())
            .map_err(failed)?;
        let folder = work.path().join("files");
        fs::create_dir(&folder).map_err(failed)?;
        for file in &release.files {
            let to = folder.join(&file.name);
            if let Some(above) = to.parent() {
                fs::create_dir_all(above).map_err(failed)?;
            }
            self.copy_file(file, &to, access).await?;
        }
        sync_folders(&folder).map_err(failed)?;
        let record = Record {
            version: release.version.clone(),
            made: self.next_made()?,
            files: release.files.iter().map(File::of).collect(),
        };
        let document = serde_json::to_vec(&record)
            .map_err(|error| Error::bug("a record cannot be made").cause(error))?;
        write_atomically_by(&self.record_path(name), |file| {
            file.write_all(&document)?;
            file.sync_all()
        })
        .map_err(failed)?;
        fs::rename(&folder, self.version(name)).map_err(failed)?;
        sync(&self.root.join(VERSIONS)).map_err(failed)
    }

    /// A moment that is later than that of every other version, whatever the clock says.
    fn next_made(&self) -> Result<u64> {
        let mut newest = 0;
        for name in self.names()? {
            newest = newest.max(self.record(&name)?.map_or(0, |record| record.made));
        }
        Ok(crate::system::clock::milliseconds().max(newest.saturating_add(1)))
    }

    async fn copy_file(&self, file: &ReleaseFile, to: &Path, access: &Access<'_>) -> Result<()> {
        let changed = || {
            Error::refused(format!(
                "`{}` is no longer the file that was looked at",
                file.path.display()
            ))
            .hint("let nobody write what is being deployed")
        };
        let mut from = fs::File::open(&file.path).map_err(|error| changed().cause(error))?;
        let failed = |error| self.fault("the version cannot be written", error);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let mut out = options.open(to).map_err(failed)?;
        let (mut sent, mut unsynced) = (0_u64, 0_u64);
        let mut hasher = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            if let Some(signal) = access.stop.signal() {
                return Err(Error::interrupted(signal));
            }
            let read = from
                .read(&mut piece)
                .map_err(|error| changed().cause(error))?;
            if read == 0 {
                break;
            }
            let bytes = piece.get(..read).unwrap_or_default();
            hasher.update(bytes);
            out.write_all(bytes).map_err(failed)?;
            sent += read as u64;
            unsynced += read as u64;
            if unsynced >= SYNC {
                out.sync_data().map_err(failed)?;
                unsynced = 0;
            }
            access.progress.sent(&file.name, sent, file.size);
            // Signals are heard in between.
            tokio::task::yield_now().await;
        }
        let digest: Sha = hasher.finalize().into();
        if digest != file.digest || sent != file.size {
            return Err(changed());
        }
        permit(&out, file.executable).map_err(failed)?;
        out.sync_all().map_err(failed)
    }

    /// Makes the link lead to a version. Who follows it meanwhile finds the old one or the new one.
    pub(super) fn point(&self, name: &str) -> Result<()> {
        let failed = |error| self.fault("the link cannot be changed", error);
        let work = tempfile::Builder::new()
            .prefix("link-")
            .tempdir_in(self.work())
            .map_err(failed)?;
        let new = work.path().join(CURRENT);
        link(&Path::new(VERSIONS).join(name), &new).map_err(failed)?;
        fs::rename(&new, self.root.join(CURRENT)).map_err(failed)?;
        sync(&self.root).map_err(failed)
    }

    /// The oldest versions above `keep`, without those that stay.
    pub(super) fn too_many(&self, keep: usize, stay: &[Option<&str>]) -> Result<Vec<String>> {
        let mut known = Vec::new();
        for name in self.names()? {
            if let Some(record) = self.record(&name)? {
                known.push((record.made, name));
            }
        }
        known.sort();
        let is_known = |name: &str| known.iter().any(|(_, known)| known == name);
        let new = stay.iter().flatten().filter(|name| !is_known(name)).count();
        let over = (known.len() + new).saturating_sub(keep.max(2));
        let names = known.iter().map(|(_, name)| name);
        let old = names.filter(|name| !stay.contains(&Some(name.as_str())));
        Ok(old.take(over).cloned().collect())
    }

    fn stood_path(&self) -> PathBuf {
        self.root.join(OWN).join("stood.json")
    }

    /// The names of what stood before `now`, newest first; none where nobody has noted them.
    pub(super) fn stood(&self, now: &str) -> Vec<String> {
        let mut bytes = Vec::new();
        let read = fs::File::open(self.stood_path())
            .and_then(|file| file.take(LIMIT).read_to_end(&mut bytes));
        let stood: Option<Stood> = read.ok().and_then(|_| serde_json::from_slice(&bytes).ok());
        let stood = stood.unwrap_or_default();
        if stood.now == now || stood.now.is_empty() {
            return stood.earlier;
        }
        // The link was not changed after it was noted, or by somebody else.
        let mut all = vec![stood.now];
        all.extend(stood.earlier);
        match all.iter().position(|name| name == now) {
            Some(at) => all.split_off(at + 1),
            None => all,
        }
    }

    /// Notes that `now` is about to stand in the place of `before`.
    pub(super) fn remember(&self, now: &str, before: Option<&str>, is_back: bool) -> Result<()> {
        let known = before.map(|before| self.stood(before)).unwrap_or_default();
        let before = before.map(str::to_owned);
        let stood = Stood {
            now: now.to_owned(),
            earlier: earlier(&now.to_owned(), before.as_ref(), &known, is_back),
        };
        let document = serde_json::to_vec(&stood)
            .map_err(|error| Error::bug("a record cannot be made").cause(error))?;
        write_atomically_by(&self.stood_path(), |file| file.write_all(&document))
            .map_err(|error| self.fault("what stood before cannot be noted", error))
    }

    /// All names on record, the newest first.
    pub(super) fn newest(&self) -> Result<Vec<String>> {
        let mut known = Vec::new();
        for name in self.names()? {
            if let Some(record) = self.record(&name)? {
                known.push((record.made, name));
            }
        }
        known.sort_by(|one, other| other.cmp(one));
        Ok(known.into_iter().map(|(_, name)| name).collect())
    }

    /// Removes a version that is on record.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let failed = |error| self.fault("an old version cannot be removed", error);
        let work = tempfile::Builder::new()
            .prefix("old-")
            .tempdir_in(self.work())
            .map_err(failed)?;
        match fs::rename(self.version(name), work.path().join("files")) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::remove_file(self.record_path(name)).map_err(failed)
    }
}

/// Whether this can be the name of a version of ours.
fn is_name(name: &str) -> bool {
    let is_tame = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '_' | '-' | '!');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(is_tame)
}

/// A version as a part of a name.
fn tame(version: &str) -> String {
    let letters = version.chars().take(100).map(|c| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '!') {
            c
        } else {
            '_'
        }
    });
    let name: String = letters.collect();
    format!("v{}", name.trim_start_matches('v'))
}

fn sync(folder: &Path) -> io::Result<()> {
    // Only some systems let one open a folder.
    match fs::File::open(folder) {
        Ok(folder) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}

fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync(folder)
}

#[cfg(unix)]
fn permit(file: &fs::File, executable: bool) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(if executable {
        0o755
    } else {
        0o644
    }))
}

#[cfg(not(unix))]
fn permit(_file: &fs::File, _executable: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn link(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::Error::other(
        "links to folders are not made on this system yet",
    ))
}
