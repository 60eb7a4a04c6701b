//! What was unpacked and verified is moved into place: whole folders where there are none, else file by file.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::stage::{ITEM, Stage, Stages, dress};
use super::tree::{Tree, open_folder};
use crate::archive::fault::{Fault, shown};
use crate::archive::os;
use crate::archive::progress::Progress;

impl Stages<'_> {
    /// Moves all into place. Each file appears whole, and takes the place of an earlier one at once.
    pub(super) fn commit(&mut self, progress: &Progress) -> Result<(), Fault> {
        // From here on it goes to its end: half of it would be in place.
        progress.check()?;
        for stage in self.roots.iter_mut().flatten() {
            check_stage(stage)?;
        }
        for (root, stage) in self.roots.iter_mut().enumerate() {
            let Some(stage) = stage else { continue };
            let mut merged = HashSet::new();
            let parent = commit_stage(stage, &mut merged)?;
            let mut tree = Tree::new(parent);
            let name = stage.landing.target.file_name().unwrap_or_default();
            let name = std::os::unix::ffi::OsStrExt::as_bytes(name);
            for (place, mode, mtime) in &self.folders {
                let is_late = mode & 0o700 != 0o700 || merged.contains(&place.below);
                if place.root != root || !is_late {
                    continue;
                }
                let mut below = name.to_vec();
                if !place.below.is_empty() {
                    below.push(b'/');
                    below.extend_from_slice(&place.below);
                }
                let set = dress(&mut tree, &below, *mode, *mtime);
                set.map_err(|errno| {
                    Fault::disk(&stage.landing.target.join(os(&place.below)), errno.into())
                })?;
            }
        }
        // Empty by now.
        self.roots.clear();
        Ok(())
    }
}

/// Refuses what is no folder where a folder is, before anything is moved.
fn check_stage(stage: &mut Stage) -> Result<(), Fault> {
    let failed = |path: &Path, errno: Errno| Fault::disk(path, errno.into());
    let target = stage.landing.target.clone();
    let is_there = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let top = stage.tree.folder(b"", false);
    let top = top.map_err(|errno| failed(&target, errno))?;
    if !is_folder(&top, ITEM) {
        let path = stage.landing.plain.clone();
        return if is_there(&path) {
            Err(Fault::InTheWay { path })
        } else {
            Ok(())
        };
    }
    let mut waiting = vec![Vec::new()];
    while let Some(below) = waiting.pop() {
        // Where no folder is, a whole one is moved.
        let way = target.join(os(&below));
        if !is_there(&way) {
            continue;
        }
        let from = stage.tree.folder(&joined(ITEM, &below), false);
        let from = from.map_err(|errno| failed(&way, errno))?;
        for child in Dir::read_from(&*from).map_err(|errno| failed(&way, errno))? {
            let child = child.map_err(|errno| failed(&way, errno))?;
            let name = child.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if is_folder(&from, name) {
                waiting.push(joined(&below, name));
            } else {
                let path = way.join(os(name));
                if is_there(&path) {
                    return Err(Fault::InTheWay { path });
                }
            }
        }
    }
    Ok(())
}

/// Returns the folder above what was moved. `merged` gets the folders that were there before.
fn commit_stage(stage: &mut Stage, merged: &mut HashSet<Vec<u8>>) -> Result<OwnedFd, Fault> {
    let top = stage.tree.folder(b"", false);
    let top = top.map_err(|errno| Fault::disk(&stage.landing.target, errno.into()))?;
    if !is_folder(&top, ITEM) {
        // A link that is there is replaced, not followed.
        stage.landing.target.clone_from(&stage.landing.plain);
    }
    let failed = |errno: Errno| Fault::disk(&stage.landing.target, errno.into());
    let above = stage
        .landing
        .target
        .parent()
        .unwrap_or(&stage.landing.target);
    std::fs::create_dir_all(above).map_err(|error| Fault::disk(above, error))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = openat(CWD, above, flags, Mode::empty()).map_err(failed)?;
    let name = stage.landing.target.file_name().unwrap_or_default();
    let name = std::os::unix::ffi::OsStrExt::as_bytes(name);
    let mut waiting = Vec::new();
    let moving = Moving(&stage.landing.target);
    if moving.one(&top, ITEM, &parent, name)? {
        waiting.push(Vec::new());
    }
    let mut source = Tree::new(open_folder(&top, b".", false).map_err(failed)?);
    let mut target = Tree::new(open_folder(&parent, b".", false).map_err(failed)?);
    while let Some(below) = waiting.pop() {
        let from = source
            .folder(&joined(ITEM, &below), false)
            .map_err(|errno| moving.fault(&below, errno))?;
        let to = target
            .folder(&joined(name, &below), false)
            .map_err(|errno| moving.fault(&below, errno))?;
        let children = Dir::read_from(&*from).map_err(|errno| moving.fault(&below, errno))?;
        for child in children {
            let child = child.map_err(|errno| moving.fault(&below, errno))?;
            let child = child.file_name().to_bytes();
            if !matches!(child, b"." | b"..") && moving.one(&from, child, &to, child)? {
                waiting.push(joined(&below, child));
            }
        }
        merged.insert(below);
    }
    Ok(parent)
}

struct Moving<'m>(&'m Path);

impl Moving<'_> {
    /// Moves one thing. `true` where both are folders, and what is in it is to be moved instead.
    fn one(&self, from: &OwnedFd, name: &[u8], to: &OwnedFd, new: &[u8]) -> Result<bool, Fault> {
        match renameat(from, os(name), to, os(new)) {
            Ok(()) => Ok(false),
            // A folder that is there, or that a disk is mounted at.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => Ok(true),
            // Something is there that is no folder, and a link is not followed.
            Err(Errno::NOTDIR) => {
                unlinkat(to, os(new), AtFlags::empty()).map_err(|errno| self.fault(new, errno))?;
                renameat(from, os(name), to, os(new)).map_err(|errno| self.fault(new, errno))?;
                Ok(false)
            }
            // The folder that is there is on another disk.
            Err(Errno::XDEV) if is_folder(from, name) && is_folder(to, new) => Ok(true),
            Err(Errno::ISDIR) => Err(Fault::InTheWay {
                path: self.0.join(os(new)),
            }),
            Err(errno) => Err(self.fault(new, errno)),
        }
    }

    fn fault(&self, name: &[u8], errno: Errno) -> Fault {
        Fault::disk(&self.0.join(shown(name)), errno.into())
    }
}

fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if name.is_empty() {
        return folder.to_vec();
    }
    if folder.is_empty() {
        return name.to_vec();
    }
    [folder, b"/", name].concat()
}

fn is_folder(folder: &OwnedFd, name: &[u8]) -> bool {
    statat(folder, os(name), AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode).is_dir())
}
