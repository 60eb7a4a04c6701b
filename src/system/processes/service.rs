//! A process that goes on while others work.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::halt::{Halter, Reason};
use super::process::Ended;

/// A process that was started to go on. Dropped, it is asked to end and nobody waits for it: [`end`](Service::end) it.
#[derive(Debug)]
pub struct Service {
    id: Option<u32>,
    halter: Halter,
    task: JoinHandle<Ended>,
}

impl Service {
    pub(super) fn new(id: Option<u32>, halter: Halter, task: JoinHandle<Ended>) -> Self {
        Self { id, halter, task }
    }

    /// The number of its process.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// Whether it and all that it started have ended.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until it ends by itself, or by a signal to us. To be called once.
    pub async fn ended(&mut self) -> io::Result<Ended> {
        (&mut self.task).await.map_err(io::Error::other)
    }

    /// Ends it, with at most this grace.
    pub async fn end(mut self, grace: Duration) -> io::Result<Ended> {
        self.halter.halt_within(Reason::NotNeeded, grace);
        self.ended().await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.halter.halt(Reason::NotNeeded);
    }
}
