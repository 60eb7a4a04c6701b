//! Packing: a planner walks the trees and cuts them into groups, workers read a group and compress it into one zstd
//! frame, and the caller's thread writes the frames in order.

mod adapt;
mod effort;
mod found;
mod group;
mod names;
mod plan;
mod sample;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sha2::{Digest, Sha256};

use super::PIECE;
use super::confinement::{Confinement, Limits};
use super::fault::Fault;
use super::inventory::{Inventory, Pieces};
use super::progress::Progress;
use super::{header, inventory};
use adapt::{Adapt, Pace};
use effort::Effort;
use group::{Content, Frame, Group, Work, Workshop};

/// More workers than this cost memory and gain little.
const MOST_THREADS: usize = 6;

/// Groups that may be under way beyond one a worker.
const WAITING: usize = 2;

/// What is to be packed.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'s> {
    /// What names in the archive are relative to. Absolute.
    pub workspace: &'s Path,
    /// Files and folders, absolute or relative to the workspace, with all that is below folders. Patterns are resolved by the
    /// caller.
    pub paths: &'s [PathBuf],
    /// Files and folders to pass over: the archive itself, if it lies among the sources.
    pub excluded: &'s [PathBuf],
    /// Where an extraction will write, if it is known: links that it would refuse are left out, and a declared path that is a
    /// link to a folder beside the workspace is packed as that folder.
    pub confinement: Option<&'s Confinement>,
}

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// This zstd level, 1 to 19. The official client's is 3.
    Fixed(i32),
    /// Harder where the archive is taken slower than it is made and processors are idle, and the other way round; what
    /// hardly gets smaller is always done quickly.
    Adaptive,
}

/// How to pack.
#[derive(Clone, Copy, Debug)]
pub struct PackOptions {
    /// How hard to compress.
    pub level: Level,
    /// Threads that read and compress; all cores where it is `None`. At most six are used.
    pub threads: Option<NonZeroUsize>,
    /// Whether an inventory ends the archive.
    pub inventory: bool,
    /// What whoever unpacks it keeps to: an archive beyond that is not made.
    pub limits: Limits,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            level: Level::Adaptive,
            threads: None,
            inventory: true,
            limits: Limits::default(),
        }
    }
}

/// What was packed.
#[derive(Debug, Default)]
pub struct Packed {
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
    /// The least and the greatest level used; what does not get smaller has one below 1.
    pub levels: Option<(i32, i32)>,
    /// What is not in the archive, or not as it is on disk. At most a thousand are listed.
    pub left_out: Vec<LeftOut>,
    /// How many there are of these.
    pub left_out_count: u64,
}

/// A file that is not in the archive, or not as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why a file is not in the archive, or not as it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Left out: gone before it could be read.
    Vanished,
    /// Left out: we may not read it.
    Unreadable,
    /// Left out: a socket, a named pipe or a device.
    Special,
    /// Left out: a link that an extraction would refuse.
    LeadsOut,
    /// Kept with its beginning: it grew while it was read.
    Grew,
    /// Kept, filled with zeros: it shrank while it was read.
    Shrank,
    /// Kept as it was read: it was written to meanwhile.
    Changed,
}

impl Reason {
    /// Whether the file is not in the archive at all.
    pub fn is_missing(self) -> bool {
        matches!(
            self,
            Self::Vanished | Self::Unreadable | Self::Special | Self::LeadsOut
        )
    }

    /// In words, to follow the path.
    pub fn text(self) -> &'static str {
        match self {
            Self::Vanished => "left out: it vanished",
            Self::Unreadable => "left out: it cannot be read",
            Self::Special => "left out: a socket, a named pipe or a device",
            Self::LeadsOut => "left out: it leads out of the declared paths",
            Self::Grew => "cut to the size it had: it grew while it was read",
            Self::Shrank => "filled up with zeros: it shrank while it was read",
            Self::Changed => "it changed while it was read",
        }
    }
}

impl Packed {
    fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        const LISTED: usize = 1_000;
        self.left_out_count += left_out.len() as u64;
        let room = LISTED.saturating_sub(self.left_out.len());
        self.left_out.extend(left_out.into_iter().take(room));
    }
}

/// Packs the sources into `out`. What happens to single files meanwhile never breaks the archive: it is told in
/// [`Packed::left_out`]. Holds some ten MiB a thread.
///
/// # Errors
/// Where `out` fails, the run is to stop, the archive is too large, or a folder cannot be read for another reason than that we may not.
pub fn pack(
    sources: &Sources<'_>,
    mut out: impl Write,
    options: &PackOptions,
    progress: &Progress,
) -> Result<Packed, Fault> {
    let threads = options
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
        .min(MOST_THREADS);
    let mut adapt = Adapt::new(options.level);
    let (groups, queue) = sync_channel::<Work>(1);
    let (order, frames) = sync_channel::<Receiver<Result<Frame, Fault>>>(threads + WAITING);
    let workshop = Workshop {
        queue: Mutex::new(queue),
        level: AtomicI32::new(adapt.level()),
        is_adaptive: options.level == Level::Adaptive,
        with_digests: options.inventory,
        room: Mutex::default(),
    };
    let mut summing = Summing {
        limits: options.limits,
        ..Summing::default()
    };
    std::thread::scope(|scope| {
        let planner = scope.spawn(move || {
            let mut first = Group::default();
            if options.inventory {
                header::push_comment(&mut first.preface, inventory::COMMENT);
            }
            plan::walk(sources, first, progress, &mut |group| {
                let (reply, frame) = sync_channel(1);
                // Where nobody takes them any more, the taker knows why.
                order.send(frame).is_ok() && groups.send((group, reply)).is_ok()
            })
        });
        for _ in 0..threads {
            scope.spawn(|| workshop.work(progress));
        }
        let written = write_frames(
            &frames,
            &mut out,
            &mut summing,
            &workshop,
            &mut adapt,
            progress,
        );
        // Ends the others, where it ended early.
        drop(frames);
        if written.is_err() {
            let queue = workshop
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            while queue.recv().is_ok() {}
        }
        let walked = planner
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        written?;
        summing.packed.leave_out(walked?);
        Ok(())
    })?;
    let packed = summing.finish(&mut out, options.inventory, progress)?;
    out.flush().map_err(Fault::Output)?;
    Ok(packed)
}

fn write_frames(
    frames: &Receiver<Receiver<Result<Frame, Fault>>>,
    out: &mut impl Write,
    summing: &mut Summing,
    workshop: &Workshop,
    adapt: &mut Adapt,
    progress: &Progress,
) -> Result<(), Fault> {
    for frame in frames {
        let asked = Instant::now();
        // A worker that ended without an answer has panicked, which the scope passes on.
        let Ok(frame) = frame.recv() else {
            return Err(Fault::Stopped);
        };
        let frame = frame?;
        let got = Instant::now();
        progress.check()?;
        out.write_all(&frame.bytes).map_err(Fault::Output)?;
        adapt.took(&Pace {
            waited: got - asked,
            written: got.elapsed(),
            effort: frame.effort,
        });
        workshop.level.store(adapt.level(), Ordering::Relaxed);
        progress.add_archive_bytes(frame.bytes.len());
        progress.add_unpacked_bytes(frame.unpacked);
        progress.add_entries(frame.entries);
        let mut room = summing.add(frame)?;
        room.clear();
        let mut rooms = workshop.room.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.push(room);
    }
    Ok(())
}

/// What becomes of the frames: totals and the inventory.
#[derive(Default)]
struct Summing {
    limits: Limits,
    packed: Packed,
    described: Sha256,
    files: Vec<inventory::Digest256>,
    pieces: Pieces,
}

impl Summing {
    /// Takes up what is told of a frame; gives its bytes back. What would not be unpacked is refused.
    fn add(&mut self, frame: Frame) -> Result<Vec<u8>, Fault> {
        let packed = &mut self.packed;
        packed.entries += frame.entries;
        packed.unpacked_bytes += frame.unpacked as u64;
        self.limits.check_entries(packed.entries)?;
        // Within the frame, what unpacks it may have read no more than what stands before.
        self.limits
            .check_bytes(packed.unpacked_bytes, packed.archive_bytes)?;
        packed.archive_bytes += frame.bytes.len() as u64;
        let (least, greatest) = packed.levels.unwrap_or((frame.level, frame.level));
        packed.levels = Some((least.min(frame.level), greatest.max(frame.level)));
        packed.leave_out(frame.left_out);
        self.described.update(&frame.described);
        for content in frame.contents {
            match content {
                Content::File { size, digest } => {
                    packed.files += 1;
                    packed.content_bytes += size;
                    self.files.extend(digest);
                }
                Content::Piece { digest, ends } => {
                    if let Some(digest) = digest {
                        self.pieces.push(digest);
                    }
                    let Some(size) = ends else { continue };
                    packed.files += 1;
                    packed.content_bytes += size;
                    let pieces = std::mem::take(&mut self.pieces);
                    if digest.is_some() {
                        self.files.push(pieces.finish());
                    }
                }
            }
        }
        Ok(frame.bytes)
    }

    /// Ends the archive with its inventory.
    fn finish(
        mut self,
        out: &mut impl Write,
        inventory: bool,
        progress: &Progress,
    ) -> Result<Packed, Fault> {
        if inventory {
            let inventory = Inventory {
                entries: self.packed.entries,
                content: self.packed.content_bytes,
                described: self.described.finalize().into(),
                files: self.files,
            };
            let frame = inventory.to_frame();
            out.write_all(&frame).map_err(Fault::Output)?;
            progress.add_archive_bytes(frame.len());
            self.packed.archive_bytes += frame.len() as u64;
        }
        Ok(self.packed)
    }
}
