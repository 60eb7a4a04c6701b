//! Where an extraction keeps what it unpacks until all of it is verified: a hidden folder on the disk of each declared
//! path, locked while we live, removed when we fail; a killed extraction's is removed by the next.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, FlockOperation, Mode, chmodat, flock, linkat, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::PERMISSIONS;
use super::tree::{Tree, split, times};
use crate::archive::STAGE_PREFIX;
use crate::archive::confinement::{Confinement, Place};
use crate::archive::entry::{Entry, Kind, Time};
use crate::archive::fault::Fault;
use crate::archive::landing::Landing;
use crate::archive::os;

/// In so many folders, one above the other, leftovers are looked for.
const ABOVE: usize = 4;

/// What the declared path itself is called in its stage.
pub(super) const ITEM: &[u8] = b"item";

/// The stages of all declared paths that the archive has something of.
pub(super) struct Stages<'c> {
    confinement: &'c Confinement,
    pub(super) roots: Vec<Option<Stage>>,
    /// Folders with what they are to look like.
    pub(super) folders: Vec<(Place, u32, Time)>,
}

/// The stage of one declared path. Removed with what is in it when it is dropped.
pub(super) struct Stage {
    pub(super) landing: Landing,
    folder: PathBuf,
    pub(super) tree: Tree,
    _lock: File,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl<'c> Stages<'c> {
    pub(super) fn new(confinement: &'c Confinement) -> Self {
        Self {
            confinement,
            roots: confinement.roots().iter().map(|_| None).collect(),
            folders: Vec::new(),
        }
    }

    /// The open folder in which an entry is to be made, and its name there.
    pub(super) fn parent(
        &mut self,
        place: &Place,
        name: &[u8],
    ) -> Result<(Arc<OwnedFd>, Vec<u8>), Fault> {
        let below = staged(place);
        let (folder, last) = split(&below);
        let folder = self
            .stage(place.root)?
            .tree
            .folder(folder, true)
            .map_err(|errno| fault(name, errno))?;
        Ok((folder, last.to_vec()))
    }

    /// Makes a folder. What it is to look like is set when nothing changes it any more.
    pub(super) fn folder(&mut self, place: &Place, entry: &Entry) -> Result<(), Fault> {
        self.stage(place.root)?
            .tree
            .folder(&staged(place), true)
            .map_err(|errno| fault(&entry.name, errno))?;
        self.folders
            .push((place.clone(), entry.mode & PERMISSIONS, entry.mtime));
        Ok(())
    }

    pub(super) fn symlink(&mut self, place: &Place, entry: &Entry) -> Result<(), Fault> {
        let (folder, name) = self.parent(place, &entry.name)?;
        symlinkat(os(&entry.link), &folder, os(&name))
            .map_err(|errno| fault(&entry.name, errno))?;
        utimensat(
            &folder,
            os(&name),
            &times(entry.mtime),
            AtFlags::SYMLINK_NOFOLLOW,
        )
        .map_err(|errno| fault(&entry.name, errno))
    }

    /// Gives a file or a symbolic link of the archive another name.
    pub(super) fn hard_link(
        &mut self,
        place: &Place,
        to: &Place,
        name: &[u8],
    ) -> Result<(), Fault> {
        let dangling = || Fault::refused(name, "it is a hard link to no file of the archive");
        let target = staged(to);
        let (target_folder, target_name) = split(&target);
        let target_folder = match self.roots.get_mut(to.root) {
            Some(Some(stage)) => stage.tree.folder(target_folder, false),
            _ => return Err(dangling()),
        };
        let target_folder = target_folder.map_err(|_| dangling())?;
        let found = statat(&target_folder, os(target_name), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|_| dangling())?;
        // A name of a symbolic link can be another one too: it is not followed.
        let kind = rustix::fs::FileType::from_raw_mode(found.st_mode);
        if !kind.is_file() && !kind.is_symlink() {
            return Err(dangling());
        }
        let (folder, own) = self.parent(place, name)?;
        linkat(
            &target_folder,
            os(target_name),
            &folder,
            os(&own),
            AtFlags::empty(),
        )
        .map_err(|errno| fault(name, errno))
    }

    /// Makes room for an entry whose place has one already.
    pub(super) fn clear(&mut self, place: &Place, entry: &Entry) -> Result<(), Fault> {
        let (folder, name) = self.parent(place, &entry.name)?;
        let found = match statat(&folder, os(&name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => rustix::fs::FileType::from_raw_mode(found.st_mode),
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(fault(&entry.name, errno)),
        };
        if !found.is_dir() {
            return unlinkat(&folder, os(&name), AtFlags::empty())
                .map_err(|errno| fault(&entry.name, errno));
        }
        if entry.kind == Kind::Directory {
            return Ok(());
        }
        self.stage(place.root)?.tree.forget();
        self.folders.retain(|(folder, ..)| folder != place);
        unlinkat(&folder, os(&name), AtFlags::REMOVEDIR).map_err(|_| {
            Fault::refused(&entry.name, "a folder with something in it is in its place")
        })
    }

    /// Gives folders their times and modes; those that would keep us from moving them get theirs later.
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        // Deepest first: who may not enter a folder cannot change what is below.
        self.folders.sort_by(|left, right| {
            let key = |place: &Place| (place.root, place.below.clone());
            key(&right.0).cmp(&key(&left.0))
        });
        let Self { roots, folders, .. } = self;
        for (place, mode, mtime) in folders.iter() {
            if mode & 0o700 != 0o700 {
                continue;
            }
            if let Some(Some(stage)) = roots.get_mut(place.root) {
                let set = dress(&mut stage.tree, &staged(place), *mode, *mtime);
                set.map_err(|errno| fault(&place.below, errno))?;
            }
        }
        Ok(())
    }

    fn stage(&mut self, root: usize) -> Result<&mut Stage, Fault> {
        let impossible = || Fault::corrupt("an entry", "it has no declared path");
        let path = self.confinement.roots().get(root).ok_or_else(impossible)?;
        let stage = self.roots.get_mut(root).ok_or_else(impossible)?;
        match stage {
            Some(stage) => Ok(stage),
            None => Ok(stage.insert(Stage::make(path)?)),
        }
    }
}

impl Stage {
    fn make(root: &Path) -> Result<Self, Fault> {
        let landing = Landing::of(root);
        let target = landing.target.as_path();
        let above = target
            .ancestors()
            .skip(1)
            .find(|folder| folder.is_dir())
            .unwrap_or(Path::new("/"));
        let device = |path: &Path| path.metadata().map(|found| found.dev()).ok();
        let is_folder = target.is_dir();
        let mut last = None;
        // Beside it, where what is there and what is to come meet by renaming; inside, where that is another disk or closed.
        for (folder, fits) in [
            (above, !is_folder || device(above) == device(target)),
            (target, is_folder),
        ] {
            if !fits {
                continue;
            }
            // One that was killed while it moved things may have made folders in between.
            folder.ancestors().take(ABOVE).for_each(remove_leftovers);
            match make_hidden(folder) {
                Ok((folder, lock)) => {
                    let handle = lock
                        .try_clone()
                        .map_err(|error| Fault::disk(&folder, error))?;
                    return Ok(Self {
                        landing: landing.clone(),
                        folder,
                        tree: Tree::new(handle.into()),
                        _lock: lock,
                    });
                }
                Err(error) => last = last.or(Some(Fault::disk(folder, error))),
            }
        }
        Err(last.unwrap_or_else(|| Fault::disk(above, std::io::ErrorKind::NotFound.into())))
    }
}

fn make_hidden(folder: &Path) -> std::io::Result<(PathBuf, File)> {
    loop {
        let number = getrandom::u64().map_err(std::io::Error::other)?;
        let path = folder.join(format!("{STAGE_PREFIX}{number:016x}"));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                if let Some(lock) = hold(&path)? {
                    return Ok((path, lock));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Locks a stage that was just made. None where another extraction took it for a leftover before: then it is gone, or about to.
fn hold(path: &Path) -> std::io::Result<Option<File>> {
    let lock = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // Where the file system has no locks, nobody takes anything for a leftover.
    if flock(&lock, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Ok(None);
    }
    let own = lock.metadata()?.ino();
    let is_there = path
        .symlink_metadata()
        .is_ok_and(|found| found.ino() == own);
    Ok(is_there.then_some(lock))
}

/// Removes the stages of extractions that were killed: nobody holds their lock.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = folder.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let is_stage = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(STAGE_PREFIX.as_bytes());
        if !is_stage || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        let Ok(lock) = File::open(&path) else {
            continue;
        };
        // Held until it is gone: whoever just made it sees that it is ours.
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// The way to a place in its stage.
pub(super) fn staged(place: &Place) -> Vec<u8> {
    if place.below.is_empty() {
        return ITEM.to_vec();
    }
    [ITEM, b"/", &place.below].concat()
}

/// Gives a folder its mode and time.
pub(super) fn dress(tree: &mut Tree, below: &[u8], mode: u32, mtime: Time) -> Result<(), Errno> {
    let (folder, name) = split(below);
    let folder = tree.folder(folder, false)?;
    utimensat(&folder, os(name), &times(mtime), AtFlags::SYMLINK_NOFOLLOW)?;
    chmodat(
        &folder,
        os(name),
        Mode::from_bits_truncate(mode),
        AtFlags::empty(),
    )
}

/// What the system says about an entry.
pub(super) fn fault(name: &[u8], errno: Errno) -> Fault {
    match errno {
        Errno::NOTDIR | Errno::LOOP => Fault::refused(
            name,
            "something that is no folder, or a link, is on its way",
        ),
        Errno::EXIST => Fault::refused(name, "another entry is in its place"),
        Errno::NAMETOOLONG => Fault::refused(name, "its name is longer than the file system takes"),
        errno => Fault::disk(os(name), errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_ours_only_if_nobody_took_it_for_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stage");
        assert!(hold(&path).unwrap().is_none(), "removed already");
        std::fs::create_dir(&path).unwrap();
        let other = File::open(&path).unwrap();
        flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
        assert!(hold(&path).unwrap().is_none(), "somebody is removing it");
        drop(other);
        assert!(hold(&path).unwrap().is_some());
    }

    #[test]
    fn only_what_nobody_holds_is_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let (held, _lock) = make_hidden(folder.path()).unwrap();
        let (left, lock) = make_hidden(folder.path()).unwrap();
        std::fs::write(left.join("x"), "x").unwrap();
        let own = folder.path().join("own");
        std::fs::create_dir(&own).unwrap();
        drop(lock);
        remove_leftovers(folder.path());
        assert!(held.is_dir() && own.is_dir() && !left.exists());
    }
}
