//! Ranges fetched side by side and handed on in order, as many in memory as are in flight.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;

use crate::stores::fault::Fault;
use crate::stores::transfer::Options;

/// Fetches all of `whole` in ranges of a block each, and counts in `came` what was handed on.
pub async fn hand_on<F, W>(
    whole: Range<u64>,
    options: Options,
    out: &Sender<Bytes>,
    came: &AtomicU64,
    fetch: F,
) -> Result<(), Fault>
where
    F: Fn(Range<u64>) -> W,
    W: Future<Output = Result<Bytes, Fault>> + Send + 'static,
{
    let step = u64::try_from(options.block.max(1)).unwrap_or(u64::MAX);
    let mut next = whole.start;
    let mut tasks = VecDeque::new();
    loop {
        while tasks.len() < options.in_flight.max(1) && next < whole.end {
            let end = next.saturating_add(step).min(whole.end);
            tasks.push_back(Task(tokio::spawn(fetch(next..end))));
            next = end;
        }
        let Some(mut task) = tasks.pop_front() else {
            return Ok(());
        };
        let bytes = (&mut task.0).await.map_err(|_| Fault::Hung)??;
        let size = bytes.len() as u64;
        out.send(bytes).await.map_err(|_| Fault::Hung)?;
        came.fetch_add(size, Ordering::Relaxed);
    }
}

/// A range on its way; it ends with whoever waits for it.
struct Task(JoinHandle<Result<Bytes, Fault>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
