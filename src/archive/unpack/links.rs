//! The links of an archive: made when what they lead to is there, and judged by where they lead.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::stage::Stages;
use super::tree::os;
use crate::archive::confinement::{Confinement, Place};
use crate::archive::entry::Entry;
use crate::archive::fault::Fault;

/// So many links in one way are followed, as Linux does.
const HOPS: usize = 40;

/// See the module.
#[derive(Default)]
pub(super) struct Links {
    hard: Vec<(Place, Place, Vec<u8>)>,
    /// Where each symbolic link will stand, where it leads, and its name in the archive.
    symbolic: HashMap<PathBuf, (PathBuf, Vec<u8>)>,
}

impl Links {
    pub(super) fn hard_link(&mut self, place: Place, to: Place, entry: &Entry) {
        self.hard.push((place, to, entry.name.clone()));
    }

    pub(super) fn symlink(&mut self, confinement: &Confinement, place: &Place, entry: &Entry) {
        if let Some(path) = path(confinement, place) {
            let target = os(&entry.link).to_owned();
            self.symbolic.insert(path, (target, entry.name.clone()));
        }
    }

    /// An entry that is no link takes a place.
    pub(super) fn forget(&mut self, confinement: &Confinement, place: &Place) {
        if let Some(path) = path(confinement, place) {
            self.symbolic.remove(&path);
        }
    }

    /// Makes the hard links so far. All that they lead to must be written.
    pub(super) fn make(&mut self, stages: &mut Stages<'_>) -> Result<(), Fault> {
        for (place, to, name) in self.hard.drain(..) {
            stages.hard_link(&place, &to, &name)?;
        }
        Ok(())
    }

    /// Refuses a symbolic link that leads out, but to a regular file that is there.
    pub(super) fn check(&self, confinement: &Confinement) -> Result<(), Fault> {
        for (path, (_, name)) in &self.symbolic {
            let Some(end) = self.follow(path) else {
                // It goes in circles: nothing can be reached through it.
                continue;
            };
            let leads_to_file = || end.symlink_metadata().is_ok_and(|found| found.is_file());
            if !confinement.holds(&end) && !leads_to_file() {
                let why = "it is a link out of the declared paths, and not to a file that is there";
                return Err(Fault::refused(name, why));
            }
        }
        Ok(())
    }

    /// Where a path leads once the archive is in place. `None` where it goes in circles.
    fn follow(&self, path: &Path) -> Option<PathBuf> {
        let mut hops = 0;
        let mut done = PathBuf::from("/");
        let mut rest: VecDeque<OsString> = parts(path);
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            let target = match self.symbolic.get(&next) {
                Some((target, _)) => Some(target.clone()),
                None => next.read_link().ok(),
            };
            let Some(target) = target else {
                done = next;
                continue;
            };
            hops += 1;
            if hops > HOPS {
                return None;
            }
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            for part in parts(&target).into_iter().rev() {
                rest.push_front(part);
            }
        }
        Some(done)
    }
}

fn path(confinement: &Confinement, place: &Place) -> Option<PathBuf> {
    let root = confinement.roots().get(place.root)?;
    Some(if place.below.is_empty() {
        root.clone()
    } else {
        root.join(os(&place.below))
    })
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .filter(|part| !part.as_bytes().is_empty())
        .collect()
}
