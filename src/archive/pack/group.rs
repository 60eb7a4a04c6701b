//! A group of entries becomes one zstd frame: read, described, digested and compressed by one worker.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvError, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::found::{describe, missing, open, time};
use super::{Effort, LeftOut, PIECE, Reason, sample};
use crate::archive::entry::Entry;
use crate::archive::fault::Fault;
use crate::archive::inventory::{Digest256, sha256};
use crate::archive::progress::Progress;
use crate::archive::{header, padding};

/// Entries that go into one frame, in order.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// What stands before the entries.
    pub(super) preface: Vec<u8>,
    pub(super) items: Vec<Item>,
    /// Whether it ends the archive.
    pub(super) is_last: bool,
}

/// What a worker makes entries of.
#[derive(Debug)]
pub(super) enum Item {
    /// A folder or a symbolic link.
    Plain(Entry),
    /// A file to open and read when its turn comes.
    Small(Small),
    /// The piece of an open file that begins there.
    Piece { file: Arc<Large>, offset: u64 },
    /// Another name of a file that comes earlier; the file itself where that was left out.
    HardLink { link: Entry, to: Told, file: Small },
}

/// A file of no more than one piece when it was looked at.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) path: PathBuf,
    pub(super) entry: Entry,
    /// Whom to tell whether it is in the archive: hard links to it.
    pub(super) tells: Option<Teller>,
}

/// A file that was opened when it was looked at.
#[derive(Debug)]
pub(super) struct Large {
    pub(super) path: PathBuf,
    pub(super) entry: Entry,
    pub(super) file: File,
}

/// Whether a file is in the archive, once it is known.
pub(super) type Told = Arc<OnceLock<bool>>;

/// Tells, at the latest when it is dropped, so that nobody waits for ever.
#[derive(Debug)]
pub(super) struct Teller(pub(super) Told);

impl Drop for Teller {
    fn drop(&mut self) {
        let _ = self.0.set(false);
    }
}

/// A group, compressed.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    pub(super) unpacked: usize,
    pub(super) entries: u64,
    pub(super) level: i32,
    /// What it took to compress it.
    pub(super) effort: Effort,
    pub(super) described: Vec<u8>,
    pub(super) contents: Vec<Content>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Content of a frame, with its digest if there is to be an inventory.
#[derive(Debug)]
pub(super) enum Content {
    File {
        size: u64,
        digest: Option<Digest256>,
    },
    Piece {
        digest: Option<Digest256>,
        ends: Option<u64>,
    },
}

/// What all workers share.
pub(super) struct Workshop {
    pub(super) queue: Mutex<Receiver<Work>>,
    /// The level for what compresses well.
    pub(super) level: AtomicI32,
    /// Whether another level is taken for what does not.
    pub(super) is_adaptive: bool,
    pub(super) with_digests: bool,
    /// Room for frames, used before: fresh memory costs as much as a copy.
    pub(super) room: Mutex<Vec<Vec<u8>>>,
}

pub(super) type Work = (Group, SyncSender<Result<Frame, Fault>>);

impl Workshop {
    /// Takes groups until there are no more.
    pub(super) fn work(&self, progress: &Progress) {
        let mut compressor = None;
        let mut tar = Vec::new();
        loop {
            let Ok((group, reply)) = self.next() else {
                return;
            };
            let filling = Filling {
                tar: std::mem::take(&mut tar),
                with_digests: self.with_digests,
                ..Filling::default()
            };
            let made = progress
                .check()
                .and_then(|()| filling.fill(group))
                .and_then(|filled| {
                    let compressed = self.compress(&mut compressor, &filled.tar);
                    Ok((filled, compressed.map_err(Fault::Output)?))
                });
            let frame = made.map(|(mut filled, (bytes, level, effort))| {
                let unpacked = filled.tar.len();
                filled.tar.clear();
                tar = filled.tar;
                Frame {
                    bytes,
                    unpacked,
                    entries: filled.entries,
                    level,
                    effort,
                    described: filled.described,
                    contents: filled.contents,
                    left_out: filled.left_out,
                }
            });
            // Nobody takes it any more where the run has ended.
            let _ = reply.send(frame);
        }
    }

    /// The next group. The queue is free again before anything is done with it.
    fn next(&self) -> Result<Work, RecvError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.recv()
    }

    /// The frame, its level, and what it took.
    fn compress(
        &self,
        compressor: &mut Option<zstd::bulk::Compressor<'static>>,
        tar: &[u8],
    ) -> io::Result<(Vec<u8>, i32, Effort)> {
        let effort = Effort::begin();
        let mut level = self.level.load(Ordering::Relaxed);
        let compressor = if let Some(compressor) = compressor {
            compressor
        } else {
            let mut fresh = zstd::bulk::Compressor::new(level)?;
            // As the `zstd` program does.
            fresh.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
            compressor.insert(fresh)
        };
        if self.is_adaptive {
            level = sample::suited(compressor, level, tar)?;
        }
        compressor.set_compression_level(level)?;
        let room = self
            .room
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut bytes = room.unwrap_or_default();
        // Most of it compresses well; what does not needs the whole bound.
        bytes.reserve_exact(zstd::compress_bound(tar.len()));
        compressor.compress_to_buffer(tar, &mut bytes)?;
        Ok((bytes, level, effort.end()))
    }
}

/// A group on its way to a frame.
#[derive(Default)]
struct Filling {
    tar: Vec<u8>,
    with_digests: bool,
    entries: u64,
    described: Vec<u8>,
    contents: Vec<Content>,
    left_out: Vec<LeftOut>,
}

impl Filling {
    fn fill(mut self, group: Group) -> Result<Self, Fault> {
        self.tar.extend(group.preface);
        for item in group.items {
            match item {
                Item::Plain(entry) => self.head(&entry),
                Item::Small(small) => self.small(small)?,
                Item::Piece { file, offset } => self.piece(&file, offset)?,
                Item::HardLink { link, to, file } => {
                    // An earlier item of this group, or one of an earlier group, which never waits for a later one.
                    if *to.wait() {
                        self.head(&link);
                    } else {
                        self.small(file)?;
                    }
                }
            }
        }
        if group.is_last {
            header::push_end(&mut self.tar);
        }
        Ok(self)
    }

    fn head(&mut self, entry: &Entry) {
        header::push(&mut self.tar, entry);
        self.entries += 1;
        if self.with_digests {
            entry.noted(&mut self.described);
        }
    }

    fn leave_out(&mut self, path: &Path, reason: Reason) {
        self.left_out.push(LeftOut {
            path: path.to_owned(),
            reason,
        });
    }

    fn small(&mut self, small: Small) -> Result<(), Fault> {
        let Small {
            path,
            mut entry,
            tells,
        } = small;
        let opened = open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = match opened {
            Ok((metadata, file)) if metadata.is_file() => (metadata, file),
            Ok(_) => {
                self.leave_out(&path, Reason::Changed);
                return Ok(());
            }
            Err(error) => {
                let reason = missing(&path, error)?;
                self.leave_out(&path, reason);
                return Ok(());
            }
        };
        // It is newer than what the planner saw; but no more than was planned with.
        if metadata.len() <= PIECE as u64 {
            describe(&mut entry, &metadata);
        }
        let start = self.tar.len();
        header::push(&mut self.tar, &entry);
        let content = self.tar.len();
        let read = match self.read(&file, 0, entry.size) {
            Ok(read) => read,
            Err(error) => {
                self.tar.truncate(start);
                let reason = missing(&path, error)?;
                self.leave_out(&path, reason);
                return Ok(());
            }
        };
        if let Some(reason) = read {
            self.leave_out(&path, reason);
        }
        let digest = self.digest(content);
        self.pad(entry.size);
        self.contents.push(Content::File {
            size: entry.size,
            digest,
        });
        self.entries += 1;
        if self.with_digests {
            entry.noted(&mut self.described);
        }
        if let Some(teller) = tells {
            let _ = teller.0.set(true);
        }
        Ok(())
    }

    fn piece(&mut self, large: &Large, offset: u64) -> Result<(), Fault> {
        if offset == 0 {
            self.head(&large.entry);
        }
        let size = large.entry.size;
        let length = (size - offset).min(PIECE as u64);
        let content = self.tar.len();
        let is_last = offset + length == size;
        let read = self.read(&large.file, offset, length);
        match read {
            // More than a piece is no growth, unless it is the last.
            Ok(Some(Reason::Grew)) if !is_last => {}
            Ok(Some(reason)) => self.leave_out(&large.path, reason),
            Ok(None) => {}
            // The header is written: zeros keep the archive whole.
            Err(error) => {
                missing(&large.path, error)?;
                self.tar.resize(content + to_usize(length), 0);
                self.leave_out(&large.path, Reason::Shrank);
            }
        }
        if is_last && read_is_whole(large) == Some(false) {
            self.leave_out(&large.path, Reason::Changed);
        }
        let digest = self.digest(content);
        self.pad(length);
        self.contents.push(Content::Piece {
            digest,
            ends: is_last.then_some(size),
        });
        Ok(())
    }

    /// Adds exactly `length` bytes from there on. Says what the file was found to do.
    fn read(&mut self, file: &File, offset: u64, length: u64) -> io::Result<Option<Reason>> {
        let start = self.tar.len();
        let wanted = to_usize(length);
        // One more, which tells growth without another call.
        self.tar.resize(start + wanted + 1, 0);
        let mut read = 0;
        while read <= wanted {
            let Some(place) = self.tar.get_mut(start + read..) else {
                break;
            };
            match file.read_at(place, offset + read as u64) {
                Ok(0) => break,
                Ok(more) => {
                    read += more;
                    // A regular file gives all it has: this was its end.
                    if read == wanted {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.tar.truncate(start);
                    return Err(error);
                }
            }
        }
        self.tar.truncate(start + wanted);
        Ok(match read.cmp(&wanted) {
            std::cmp::Ordering::Less => {
                if let Some(rest) = self.tar.get_mut(start + read..) {
                    rest.fill(0);
                }
                Some(Reason::Shrank)
            }
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Reason::Grew),
        })
    }

    fn digest(&self, content: usize) -> Option<Digest256> {
        let content = self.tar.get(content..)?;
        self.with_digests.then(|| sha256(content))
    }

    fn pad(&mut self, size: u64) {
        self.tar.resize(self.tar.len() + padding(size), 0);
    }
}

/// Whether nobody wrote to the file since it was opened.
fn read_is_whole(large: &Large) -> Option<bool> {
    let now = large.file.metadata().ok()?;
    Some(time(&now) == large.entry.mtime || now.len() != large.entry.size)
}

/// A length of at most a piece.
fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or_default()
}
