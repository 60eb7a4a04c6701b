//! How far it is, and whether to go on: written by the threads of an archive, read by anybody.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::fault::Fault;
use crate::system::stop::Stop;

/// See the module. Numbers only grow.
#[derive(Debug)]
pub struct Progress {
    archive_bytes: AtomicU64,
    unpacked_bytes: AtomicU64,
    entries: AtomicU64,
    cancelled: AtomicBool,
    stop: Stop,
}

impl Progress {
    /// At the beginning; ends early when `stop` says so.
    pub fn new(stop: Stop) -> Self {
        Self {
            archive_bytes: AtomicU64::new(0),
            unpacked_bytes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            stop,
        }
    }

    /// Bytes of the archive so far, compressed.
    pub fn archive_bytes(&self) -> u64 {
        self.archive_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the tar stream so far, uncompressed.
    pub fn unpacked_bytes(&self) -> u64 {
        self.unpacked_bytes.load(Ordering::Relaxed)
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// Ends it soon, with [`Fault::Stopped`]: a time limit, another part that failed.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn add_archive_bytes(&self, bytes: usize) {
        self.archive_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_unpacked_bytes(&self, bytes: usize) {
        self.unpacked_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_entries(&self, entries: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
    }

    /// Refuses to go on where it is to end.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.cancelled.load(Ordering::Relaxed) || self.stop.signal().is_some() {
            return Err(Fault::Stopped);
        }
        Ok(())
    }
}
