//! The links of an archive: made when what they lead to is there, and judged by where they lead.

use std::collections::HashMap;
use std::path::PathBuf;

use super::stage::Stages;
use crate::archive::confinement::{Confinement, Place};
use crate::archive::entry::Entry;
use crate::archive::fault::Fault;
use crate::archive::landing::Landings;
use crate::archive::os;

/// See the module.
#[derive(Default)]
pub(super) struct Links {
    hard: Vec<(Place, Place, Vec<u8>)>,
    /// Where each symbolic link leads, and its name in the archive.
    symbolic: HashMap<Place, (PathBuf, Vec<u8>)>,
}

impl Links {
    pub(super) fn hard_link(&mut self, place: Place, to: Place, entry: &Entry) {
        self.hard.push((place, to, entry.name.clone()));
    }

    pub(super) fn symlink(&mut self, place: Place, entry: &Entry) {
        let target = os(&entry.link).to_owned();
        self.symbolic.insert(place, (target, entry.name.clone()));
    }

    /// An entry that is no link takes a place.
    pub(super) fn forget(&mut self, place: &Place) {
        self.symbolic.remove(place);
    }

    /// Makes the hard links so far. All that they lead to must be written.
    pub(super) fn make(&mut self, stages: &mut Stages<'_>) -> Result<(), Fault> {
        for (place, to, name) in self.hard.drain(..) {
            stages.hard_link(&place, &to, &name)?;
            // Another name of a symbolic link is one too, and may lead elsewhere from its own folder.
            if let Some((target, _)) = self.symbolic.get(&to) {
                let target = target.clone();
                self.symbolic.insert(place, (target, name));
            }
        }
        Ok(())
    }

    /// Refuses a symbolic link that leads out, but to a program that is there.
    pub(super) fn check(&self, confinement: &Confinement) -> Result<(), Fault> {
        let landings = Landings::of(confinement);
        let known: HashMap<PathBuf, PathBuf> = self
            .symbolic
            .iter()
            .filter_map(|(place, (target, _))| Some((landings.link(place)?, target.clone())))
            .collect();
        for (place, (_, name)) in &self.symbolic {
            let path = landings.link(place);
            if !path.is_some_and(|path| landings.let_in(&path, &known)) {
                let why =
                    "it is a link out of the declared paths, and not to a program that is there";
                return Err(Fault::refused(name, why));
            }
        }
        Ok(())
    }
}
