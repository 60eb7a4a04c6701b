//! Standard output of a child: kept in an unnamed file, or handed over while it is written.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// So much is handed over while the child runs. What it prints beyond may be endless, so it is kept in the file and read
/// where the child has come to its own end.
const AHEAD: u64 = 1 << 30;

/// So often it is looked how much a child has written into the file itself. At its end it is known at once.
const WATCH: Duration = Duration::from_millis(10);

/// So much is asked of the system to be in the pipe at once, and read at once: a child that prints hundreds of
/// megabytes is then not stopped, and we not woken, for each 64 KiB.
pub(super) const PIPE: usize = 1 << 20;

/// So many pieces wait for a follower that is slower than the child.
const WAITING: usize = 4;

/// What a child writes.
#[derive(Debug)]
pub struct Spool {
    file: File,
    limit: u64,
    ahead: u64,
    follower: Option<Sender<Piece>>,
    shared: Arc<Shared>,
}

/// Reads what a child writes from the beginning; waits where there is nothing yet, and ends where the child has ended.
#[derive(Debug)]
pub struct Follower {
    pieces: Receiver<Piece>,
    bytes: Vec<u8>,
    at: usize,
    rest: Option<io::BufReader<File>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    /// What came after [`AHEAD`], from its beginning.
    Rest(File),
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes that came out of the pipe.
    passed: AtomicU64,
    /// Whether the follower is waited for, and not the child.
    is_handing_over: AtomicBool,
    /// Rooms that were read, to be filled again: new ones have to be given by the system, page by page.
    rooms: Mutex<Vec<Vec<u8>>>,
}

impl Shared {
    fn room(&self) -> Vec<u8> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.pop().unwrap_or_else(|| Vec::with_capacity(PIPE))
    }

    fn give_back(&self, mut room: Vec<u8>) {
        room.clear();
        if room.capacity() > 0 {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.push(room);
        }
    }
}

impl Spool {
    /// An empty one that takes so many bytes.
    pub(super) fn new(limit: u64) -> io::Result<Self> {
        Ok(Self {
            file: tempfile::tempfile()?,
            limit,
            ahead: AHEAD,
            follower: None,
            shared: Arc::default(),
        })
    }

    /// One that hands over what comes.
    pub(super) fn followed(limit: u64) -> io::Result<(Self, Follower)> {
        let (sender, pieces) = channel(WAITING);
        let spool = Self {
            follower: Some(sender),
            ..Self::new(limit)?
        };
        let follower = Follower {
            pieces,
            bytes: Vec::new(),
            at: 0,
            rest: None,
            shared: spool.shared.clone(),
        };
        Ok((spool, follower))
    }

    /// The file, once more.
    pub(super) fn duplicate(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// How much is in the file.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// How many bytes came out of the pipe so far.
    pub(super) fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::Relaxed)
    }

    /// Whether it waits for the follower just now, and not for the child.
    pub(super) fn is_handing_over(&self) -> bool {
        self.shared.is_handing_over.load(Ordering::Relaxed)
    }

    /// Looks every so often how much a child has written that writes into the file itself. Ends with what is wrong: with
    /// more than the limit, or a file that tells nothing.
    pub(super) async fn watch(&self) -> io::Error {
        loop {
            tokio::time::sleep(WATCH).await;
            match self.len() {
                Ok(written) if written > self.limit => return io::ErrorKind::FileTooLarge.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Takes everything that comes out of the pipe. More than the limit is an error.
    pub(super) async fn fill(&self, pipe: Option<impl AsyncRead + Unpin>) -> io::Result<()> {
        let Some(mut pipe) = pipe else { return Ok(()) };
        let mut written = 0;
        let mut room = self.shared.room();
        loop {
            let read = pipe.read_buf(&mut room).await?;
            if read == 0 {
                return Ok(());
            }
            written += read as u64;
            self.shared.passed.store(written, Ordering::Relaxed);
            if written > self.limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            match &self.follower {
                Some(follower) if written <= self.ahead => {
                    self.shared.is_handing_over.store(true, Ordering::Relaxed);
                    // Who does not want to hear more does not keep the child from coming to its end.
                    let _ = follower.send(Piece::Bytes(room)).await;
                    self.shared.is_handing_over.store(false, Ordering::Relaxed);
                    room = self.shared.room();
                }
                _ => {
                    (&self.file).write_all(&room)?;
                    room.clear();
                }
            }
        }
    }

    /// The file at its beginning. A follower ends here; without the rest where the child did not come to its own end.
    pub(super) async fn finish(self, is_whole: bool) -> io::Result<File> {
        let mut file = self.file;
        file.rewind()?;
        if let Some(follower) = self.follower.filter(|_| is_whole) {
            let _ = follower.send(Piece::Rest(file.try_clone()?)).await;
        }
        Ok(file)
    }
}

impl BufRead for Follower {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.bytes.len() && self.rest.is_none() {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    let read = std::mem::replace(&mut self.bytes, bytes);
                    self.at = 0;
                    self.shared.give_back(read);
                }
                Some(Piece::Rest(file)) => self.rest = Some(io::BufReader::new(file)),
                None => return Ok(&[]),
            }
        }
        match &mut self.rest {
            Some(rest) => rest.fill_buf(),
            None => Ok(self.bytes.get(self.at..).unwrap_or_default()),
        }
    }

    fn consume(&mut self, amount: usize) {
        match &mut self.rest {
            Some(rest) => rest.consume(amount),
            None => self.at = self.bytes.len().min(self.at + amount),
        }
    }
}

impl Read for Follower {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = Read::read(&mut self.fill_buf()?, buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut follower: Follower) -> std::thread::JoinHandle<Vec<u8>> {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            follower.read_to_end(&mut bytes).unwrap();
            bytes
        })
    }

    #[tokio::test]
    async fn a_follower_reads_what_is_there_and_waits_for_the_rest() {
        let (spool, follower) = Spool::followed(1 << 20).unwrap();
        let reading = read_all(follower);
        spool.fill(Some(&b"first "[..])).await.unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert!(!reading.is_finished());
        spool.fill(Some(&b"second"[..])).await.unwrap();
        spool.finish(true).await.unwrap();
        assert_eq!(reading.join().unwrap(), b"first second");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_spool_that_is_gone() {
        let (spool, mut follower) = Spool::followed(1).unwrap();
        drop(spool);
        let read = tokio::task::spawn_blocking(move || follower.read(&mut [0; 8]));
        assert_eq!(read.await.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn many_pieces_come_whole_and_in_order() {
        let (spool, follower) = Spool::followed(u64::MAX).unwrap();
        let reading = read_all(follower);
        let long: Vec<u8> = (0..=u8::MAX).cycle().take(8 * PIPE + 5).collect();
        spool.fill(Some(&long[..])).await.unwrap();
        assert_eq!(spool.passed(), long.len() as u64);
        spool.finish(true).await.unwrap();
        assert_eq!(reading.join().unwrap(), long);
    }

    #[tokio::test]
    async fn what_may_be_endless_is_read_at_the_end_and_only_if_there_is_one() {
        for (is_whole, expected) in [(true, "all of it"), (false, "all ")] {
            let (mut spool, follower) = Spool::followed(u64::MAX).unwrap();
            spool.ahead = 4;
            let reading = read_all(follower);
            let pipe = AsyncReadExt::chain(&b"all "[..], &b"of it"[..]);
            spool.fill(Some(pipe)).await.unwrap();
            spool.finish(is_whole).await.unwrap();
            assert_eq!(reading.join().unwrap(), expected.as_bytes());
        }
    }

    #[tokio::test]
    async fn a_follower_that_has_heard_enough_stops_nobody() {
        let (spool, follower) = Spool::followed(u64::MAX).unwrap();
        drop(follower);
        let long = vec![b'x'; 8 * PIPE];
        spool.fill(Some(&long[..])).await.unwrap();
        spool.finish(true).await.unwrap();
    }
}
