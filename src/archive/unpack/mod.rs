//! Unpacking: one thread decompresses, the caller's reads entries and decides, several write files. All of it goes to
//! a folder beside the declared paths first, is verified there, and is then moved into place: what is refused, corrupt or
//! cut off changes nothing, and a file stands under its name whole or not at all, whenever it ends.
//!
//! Links: an entry below a link is refused, whoever made the link. A symbolic link that leads out of the declared
//! paths is let in only where it leads to a program that is there, as the interpreter of a virtual environment is, or to a
//! file that we may not write: nothing can be made through it, and no folder be written to. Hard links lead to files and
//! symbolic links of the same archive.

mod commit;
mod links;
mod stage;
mod tree;
mod writers;

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::io::Read;
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use foldhash::fast::RandomState;
use sha2::{Digest, Sha256};

use super::confinement::{Confinement, Place};
use super::decompress::{Decompressor, Passed};
use super::entry::{Entry, Kind};
use super::fault::{Fault, shown};
use super::inventory::{Digest256, Inventory};
use super::progress::Progress;
use super::reader::Reader;
use links::Links;
use stage::Stages;
use writers::{Job, Source, Writers};

/// Permission bits that are restored. Setuid, setgid and sticky are not.
const PERMISSIONS: u32 = 0o777;

/// Chunks that wait between the threads.
const WAITING: usize = 8;

/// Longer content is handed to its writer bit by bit.
const SMALL: u64 = 1 << 20;

/// What was unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Entries, of all kinds.
    pub entries: u64,
    /// Regular files among them.
    pub files: u64,
    /// Bytes in those files.
    pub content_bytes: u64,
    /// Bytes of the tar stream.
    pub unpacked_bytes: u64,
    /// Bytes of the archive.
    pub archive_bytes: u64,
    /// Entries that lost a setuid, setgid or sticky bit.
    pub stripped: u64,
    /// What vouches for the content.
    pub verified: Verified,
    /// The archive's [note](crate::archive::note).
    pub note: Option<String>,
}

/// What vouches for the content of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verified {
    /// Each file against the inventory.
    Inventory,
    /// The checksums of the compressed stream only, if it has any: the archive has no inventory.
    #[default]
    Stream,
}

/// Unpacks an archive to where it may go.
///
/// # Errors
/// Then nothing was put in place, but where the disk failed while it was being moved there: each file is then old or new.
pub fn unpack(
    input: impl Read + Send,
    confinement: &Confinement,
    progress: &Progress,
) -> Result<Unpacked, Fault> {
    let limits = confinement.limits();
    let (chunks, stream) = sync_channel::<Result<Bytes, Fault>>(WAITING);
    let (unpacked, mut stages) = std::thread::scope(|scope| {
        let decompressing = scope.spawn(move || {
            let mut decompressor = match Decompressor::new(input, limits, progress) {
                Ok(decompressor) => decompressor,
                Err(fault) => {
                    let _ = chunks.send(Err(fault));
                    return Passed::default();
                }
            };
            loop {
                match decompressor.next_chunk() {
                    Ok(Some(chunk)) => {
                        // Who took them has ended, and knows why.
                        if chunks.send(Ok(chunk)).is_err() {
                            return Passed::default();
                        }
                    }
                    Ok(None) => return decompressor.into_passed(),
                    Err(fault) => {
                        let _ = chunks.send(Err(fault));
                        return Passed::default();
                    }
                }
            }
        });
        let writers = Writers::start(scope);
        let mut unpacking = Unpacking::new(confinement, writers, progress);
        // Dropped with the closure, so that the other side does not wait for a taker.
        let mut reader = Reader::new(move || stream.recv().ok().transpose());
        let read = unpacking.read(&mut reader);
        let promised = reader.promises_inventory();
        drop(reader);
        let passed = decompressing
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        unpacking.unpacked.note = passed.note;
        unpacking.finish(read, promised, passed.inventory.as_ref())
    })?;
    stages.commit(progress)?;
    let archive_bytes = progress.archive_bytes();
    let unpacked_bytes = progress.unpacked_bytes();
    Ok(Unpacked {
        unpacked_bytes,
        archive_bytes,
        ..unpacked
    })
}

struct Unpacking<'c, 'p> {
    confinement: &'c Confinement,
    progress: &'p Progress,
    stages: Stages<'c>,
    writers: Writers,
    links: Links,
    /// Hashes of the places that have an entry.
    seen: HashSet<u64>,
    hasher: RandomState,
    described: Sha256,
    /// Names of files in order, for the message about one that is corrupt.
    files: Vec<Vec<u8>>,
    unpacked: Unpacked,
}

impl<'c, 'p> Unpacking<'c, 'p> {
    fn new(confinement: &'c Confinement, writers: Writers, progress: &'p Progress) -> Self {
        Self {
            confinement,
            progress,
            stages: Stages::new(confinement),
            writers,
            links: Links::default(),
            seen: HashSet::new(),
            hasher: RandomState::default(),
            described: Sha256::new(),
            files: Vec::new(),
            unpacked: Unpacked::default(),
        }
    }

    fn read<C: FnMut() -> Result<Option<Bytes>, Fault>>(
        &mut self,
        reader: &mut Reader<C>,
    ) -> Result<(), Fault> {
        let mut described = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            self.progress.check()?;
            self.unpacked.entries += 1;
            self.confinement
                .limits()
                .check_entries(self.unpacked.entries)?;
            if reader.promises_inventory() {
                described.clear();
                entry.noted(&mut described);
                self.described.update(&described);
            }
            self.entry(&entry, reader)?;
            self.progress.add_entries(1);
        }
        Ok(())
    }

    fn entry<C: FnMut() -> Result<Option<Bytes>, Fault>>(
        &mut self,
        entry: &Entry,
        reader: &mut Reader<C>,
    ) -> Result<(), Fault> {
        let place = self.confinement.place(&entry.name)?;
        if entry.mode & !PERMISSIONS != 0 && entry.kind != Kind::Symlink {
            self.unpacked.stripped += 1;
        }
        let is_again = !self
            .seen
            .insert(self.hasher.hash_one((place.root, &place.below)));
        if is_again {
            self.again(&place, entry)?;
        }
        match entry.kind {
            Kind::Directory => self.stages.folder(&place, entry),
            Kind::Symlink => {
                self.stages.symlink(&place, entry)?;
                self.links.symlink(place, entry);
                Ok(())
            }
            Kind::HardLink => {
                let to = self.confinement.place(&entry.link).map_err(|_| {
                    Fault::refused(&entry.name, "it is a hard link out of the declared paths")
                })?;
                // GNU tar writes a file that is named twice as a link to itself.
                if to != place {
                    self.links.hard_link(place, to, entry);
                }
                Ok(())
            }
            Kind::File => self.file(&place, entry, reader),
        }
    }

    fn file<C: FnMut() -> Result<Option<Bytes>, Fault>>(
        &mut self,
        place: &Place,
        entry: &Entry,
        reader: &mut Reader<C>,
    ) -> Result<(), Fault> {
        let (folder, name) = self.stages.parent(place, &entry.name)?;
        let is_promised = reader.promises_inventory();
        let number = is_promised.then_some(self.unpacked.files);
        self.unpacked.files += 1;
        self.unpacked.content_bytes += entry.size;
        if is_promised {
            self.files.push(entry.name.clone());
        }
        let job = |content| Job {
            folder,
            name,
            shown: entry.name.clone(),
            mode: entry.mode & PERMISSIONS,
            mtime: entry.mtime,
            number,
            content,
        };
        if entry.size <= SMALL {
            let mut content = Vec::new();
            while let Some(bytes) = reader.content()? {
                content.push(bytes);
            }
            return self.writers.write(job(Source::Whole(content)), entry.size);
        }
        let (pieces, source) = sync_channel(WAITING);
        self.writers.flush()?;
        self.writers
            .write(job(Source::Pieces(source, entry.size)), SMALL)?;
        self.writers.flush()?;
        while let Some(bytes) = reader.content()? {
            self.progress.check()?;
            // The writer has ended, and knows why.
            if pieces.send(bytes).is_err() {
                return self.writers.settle();
            }
        }
        Ok(())
    }

    /// An entry whose place has one already: the later counts, as tar does it.
    fn again(&mut self, place: &Place, entry: &Entry) -> Result<(), Fault> {
        self.writers.settle()?;
        self.links.make(&mut self.stages)?;
        if entry.kind == Kind::HardLink {
            // GNU tar writes a file that is named twice as a link to itself.
            let is_itself = self
                .confinement
                .place(&entry.link)
                .is_ok_and(|to| to == *place);
            if is_itself {
                return Ok(());
            }
        }
        self.links.forget(place);
        self.stages.clear(place, entry)
    }

    /// Waits for what is under way, and verifies all. What was read is given up where it cannot be right.
    fn finish(
        mut self,
        read: Result<(), Fault>,
        promised: bool,
        inventory: Option<&Inventory>,
    ) -> Result<(Unpacked, Stages<'c>), Fault> {
        let written = self.writers.finish();
        read?;
        let digests = written?;
        self.links.make(&mut self.stages)?;
        self.links.check(self.confinement)?;
        match inventory {
            Some(inventory) if promised => {
                let described: Digest256 = self.described.finalize().into();
                verify(inventory, &self.unpacked, &described, &digests, &self.files)?;
                self.unpacked.verified = Verified::Inventory;
            }
            None if promised => {
                return Err(Fault::Truncated {
                    at: self.progress.unpacked_bytes(),
                });
            }
            _ => {}
        }
        self.stages.settle()?;
        Ok((self.unpacked, self.stages))
    }
}

fn verify(
    inventory: &Inventory,
    unpacked: &Unpacked,
    described: &Digest256,
    digests: &[(u64, Digest256)],
    files: &[Vec<u8>],
) -> Result<(), Fault> {
    if digests.len() != inventory.files.len() {
        let why = "the inventory has another number of files";
        return Err(Fault::corrupt("its inventory", why));
    }
    for (number, digest) in digests {
        let number = usize::try_from(*number).unwrap_or(usize::MAX);
        if inventory.files.get(number) != Some(digest) {
            let name = files.get(number).map(Vec::as_slice).unwrap_or_default();
            let at = format!("its entry `{}`", shown(name));
            return Err(Fault::corrupt(at, "the content does not match its digest"));
        }
    }
    if inventory.entries != unpacked.entries
        || inventory.content != unpacked.content_bytes
        || inventory.described != *described
    {
        let why = "the names, times or modes of its entries do not match the inventory";
        return Err(Fault::corrupt("its entries", why));
    }
    Ok(())
}
