//! The threads that write files.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Scope;

use bytes::Bytes;
use rustix::fs::{Mode, OFlags, fchmod, futimens, openat};

use super::stage::fault;
use super::tree::times;
use crate::archive::entry::Time;
use crate::archive::fault::Fault;
use crate::archive::inventory::{Digest256, FileDigest};
use crate::archive::os;

/// More writers than this wait for the same disk.
const MOST: usize = 6;

/// Files are handed over in batches of so many, or so many bytes.
const BATCH: usize = 64;
const BATCH_BYTES: u64 = 512 * 1024;

/// Batches that wait for a writer.
const WAITING: usize = 8;

/// A file to write.
pub(super) struct Job {
    pub(super) folder: Arc<OwnedFd>,
    pub(super) name: Vec<u8>,
    /// The name in the archive, for messages.
    pub(super) shown: Vec<u8>,
    pub(super) mode: u32,
    pub(super) mtime: Time,
    /// Which of the files it is, if its digest is wanted.
    pub(super) number: Option<u64>,
    pub(super) content: Source,
}

/// Where content comes from.
pub(super) enum Source {
    Whole(Vec<Bytes>),
    /// Bit by bit; so many bytes in all.
    Pieces(Receiver<Bytes>, u64),
}

/// See the module. Errors come out of the next call after they happened.
pub(super) struct Writers {
    batches: Option<SyncSender<Vec<Job>>>,
    batch: Vec<Job>,
    bytes: u64,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    is_idle: Condvar,
    has_failed: AtomicBool,
}

#[derive(Default)]
struct State {
    under_way: usize,
    digests: Vec<(u64, Digest256)>,
    fault: Option<Fault>,
}

impl Writers {
    /// As many as there are cores, two at least: one may wait for a long file's content.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>) -> Self {
        let threads =
            std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, MOST));
        let (batches, queue) = sync_channel::<Vec<Job>>(WAITING);
        let queue = Arc::new(Mutex::new(queue));
        let shared = Arc::new(Shared::default());
        for _ in 0..threads {
            let (queue, shared) = (Arc::clone(&queue), Arc::clone(&shared));
            scope.spawn(move || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(batch) = next else { return };
                    shared.done(write_batch(batch, &shared.has_failed));
                }
            });
        }
        Self {
            batches: Some(batches),
            batch: Vec::new(),
            bytes: 0,
            shared,
        }
    }

    /// Has a file of about so many bytes written.
    pub(super) fn write(&mut self, job: Job, bytes: u64) -> Result<(), Fault> {
        self.batch.push(job);
        self.bytes += bytes;
        if self.batch.len() >= BATCH || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands over what waits for its batch to be full.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        if self.shared.has_failed.load(Ordering::Relaxed) {
            return self.settle();
        }
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        self.shared.lock().under_way += 1;
        if let Some(batches) = &self.batches {
            // Writers end only when the sender is gone.
            let _ = batches.send(batch);
        }
        Ok(())
    }

    /// Waits until all is written.
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        if !self.shared.has_failed.load(Ordering::Relaxed) {
            self.flush()?;
        }
        let mut state = self.shared.lock();
        while state.under_way > 0 {
            state = self
                .shared
                .is_idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        match state.fault.take() {
            Some(fault) => Err(fault),
            // Told before: the caller has it.
            None if self.shared.has_failed.load(Ordering::Relaxed) => Err(Fault::Stopped),
            None => Ok(()),
        }
    }

    /// Waits until all is written, and lets the threads go. Returns the digests of the files.
    pub(super) fn finish(&mut self) -> Result<Vec<(u64, Digest256)>, Fault> {
        let settled = self.settle();
        self.batches = None;
        settled?;
        Ok(std::mem::take(&mut self.shared.lock().digests))
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, written: Result<Vec<(u64, Digest256)>, Fault>) {
        let mut state = self.lock();
        state.under_way -= 1;
        match written {
            Ok(digests) => state.digests.extend(digests),
            Err(fault) => {
                self.has_failed.store(true, Ordering::Relaxed);
                state.fault.get_or_insert(fault);
            }
        }
        self.is_idle.notify_all();
    }
}

fn write_batch(batch: Vec<Job>, has_failed: &AtomicBool) -> Result<Vec<(u64, Digest256)>, Fault> {
    let mut digests = Vec::with_capacity(batch.len());
    for job in batch {
        // Content of others that comes bit by bit is dropped with its job, which its sender sees.
        if has_failed.load(Ordering::Relaxed) {
            break;
        }
        let number = job.number;
        let digest = write(job)?;
        digests.extend(number.zip(digest));
    }
    Ok(digests)
}

fn write(job: Job) -> Result<Option<Digest256>, Fault> {
    let at = |errno| fault(&job.shown, errno);
    let failed = |error| Fault::disk(os(&job.shown), error);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(
        &*job.folder,
        os(&job.name),
        flags,
        Mode::from_bits_truncate(0o600),
    )
    .map_err(at)?;
    let mut file = File::from(file);
    let mut digest = job.number.map(|_| FileDigest::default());
    let mut put = |bytes: &[u8]| {
        if let Some(digest) = &mut digest {
            digest.update(bytes);
        }
        file.write_all(bytes)
    };
    match job.content {
        Source::Whole(pieces) => {
            for bytes in pieces {
                put(&bytes).map_err(failed)?;
            }
        }
        Source::Pieces(pieces, mut left) => {
            while left > 0 {
                // The reader gave up, and says why.
                let Ok(bytes) = pieces.recv() else {
                    return Err(Fault::Stopped);
                };
                left = left.saturating_sub(bytes.len() as u64);
                put(&bytes).map_err(failed)?;
            }
        }
    }
    fchmod(&file, Mode::from_bits_truncate(job.mode)).map_err(at)?;
    futimens(&file, &times(job.mtime)).map_err(at)?;
    Ok(digest.map(FileDigest::finish))
}
