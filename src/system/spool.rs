//! Standard output of a child, kept in an unnamed file, and read while it is still written.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

/// A follower waits here until the child has come to its own end: what it prints beyond may be endless.
const AHEAD: u64 = 1 << 30;

/// So often it is looked how much a child has written into the file itself. At its end it is known at once.
const WATCH: Duration = Duration::from_millis(10);

/// So much is read of the output of a child that did not come to its own end: there is no verdict anyhow.
const UNFINISHED: u64 = 8 << 20;

/// So much is asked of the system to be in the pipe at once, and read at once: a child that prints hundreds of
/// megabytes is then not stopped, and we not woken, for each 64 KiB.
pub(super) const PIPE: usize = 1 << 20;

/// What a child writes, on disk.
#[derive(Debug)]
pub struct Spool {
    file: Option<File>,
    limit: u64,
    progress: Arc<Progress>,
}

/// Reads a spool from its beginning; waits where there is nothing yet, and ends where the child has ended.
#[derive(Debug)]
pub struct Follower {
    file: File,
    at: u64,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    written: u64,
    /// How much there is to read, once that is known.
    end: Option<u64>,
    /// Whether a follower waits: to wake nobody costs as much as to wake somebody.
    is_awaited: bool,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        // Two numbers are whole whatever happened.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        if std::mem::take(&mut state.is_awaited) {
            drop(state);
            self.changed.notify_all();
        }
    }
}

impl Spool {
    /// An empty one that takes so many bytes.
    pub(super) fn new(limit: u64) -> io::Result<Self> {
        Ok(Self {
            file: Some(tempfile::tempfile()?),
            limit,
            progress: Arc::default(),
        })
    }

    pub(super) fn follower(&self) -> io::Result<Follower> {
        Ok(Follower {
            file: self.duplicate()?,
            at: 0,
            progress: self.progress.clone(),
        })
    }

    /// The file, once more.
    pub(super) fn duplicate(&self) -> io::Result<File> {
        self.open()?.try_clone()
    }

    /// How much is in it.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.open()?.metadata()?.len())
    }

    fn open(&self) -> io::Result<&File> {
        self.file
            .as_ref()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Tells the follower, every so often, how much a child has written that writes into the file itself. Ends with what
    /// is wrong: with more than the limit, or a file that tells nothing.
    pub(super) async fn watch(&self) -> io::Error {
        loop {
            tokio::time::sleep(WATCH).await;
            match self.len() {
                Ok(written) if written > self.limit => return io::ErrorKind::FileTooLarge.into(),
                Ok(written) => self.progress.change(|state| state.written = written),
                Err(error) => return error,
            }
        }
    }

    /// Takes everything that comes out of the pipe. More than the limit is an error.
    pub(super) async fn fill(&self, pipe: Option<impl AsyncRead + Unpin>) -> io::Result<()> {
        let Some(mut pipe) = pipe else { return Ok(()) };
        let mut buffer = vec![0; PIPE];
        let mut written = 0;
        loop {
            let read = pipe.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            written += read as u64;
            if written > self.limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let mut file = self.open()?;
            file.write_all(buffer.get(..read).unwrap_or_default())?;
            self.progress.change(|state| state.written = written);
        }
    }

    /// The file at its beginning. A follower ends here; early where the child did not come to its own end.
    pub(super) fn into_file(mut self, is_whole: bool) -> io::Result<File> {
        let mut file = self
            .file
            .take()
            .ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        file.rewind()?;
        let length = file.metadata()?.len();
        let end = if is_whole {
            length
        } else {
            length.min(UNFINISHED)
        };
        self.progress.change(|state| state.end = Some(end));
        Ok(file)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Whatever went wrong: nobody waits for ever.
        self.progress.change(|state| {
            state.end.get_or_insert(0);
        });
    }
}

impl Read for Follower {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.progress.state();
        let end = loop {
            match state.end {
                Some(end) => break end,
                None if self.at < state.written.min(AHEAD) => break state.written.min(AHEAD),
                None => {
                    state.is_awaited = true;
                    state = self
                        .progress
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        drop(state);
        let there = usize::try_from(end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = there.min(buffer.len());
        let read = read_at(
            &self.file,
            buffer.get_mut(..wanted).unwrap_or_default(),
            self.at,
        )?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

/// Untried.
#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_follower_reads_what_is_there_and_waits_for_the_rest() {
        let spool = Spool::new(1 << 20).unwrap();
        let mut follower = spool.follower().unwrap();
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            follower.read_to_string(&mut text).map(|_| text)
        });
        spool.fill(Some(&b"first "[..])).await.unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(!reading.is_finished());
        spool.fill(Some(&b""[..])).await.unwrap();
        spool.into_file(true).unwrap();
        assert_eq!(reading.join().unwrap().unwrap(), "first ");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_spool_that_is_gone() {
        let spool = Spool::new(1).unwrap();
        let mut follower = spool.follower().unwrap();
        drop(spool);
        assert_eq!(follower.read(&mut [0; 8]).unwrap(), 0);
    }

    #[tokio::test]
    async fn what_did_not_come_to_its_end_is_read_in_part() {
        let spool = Spool::new(u64::MAX).unwrap();
        let mut follower = spool.follower().unwrap();
        let long = vec![b'x'; usize::try_from(UNFINISHED).unwrap() + 5];
        spool.fill(Some(&long[..])).await.unwrap();
        spool.into_file(false).unwrap();
        let mut read = Vec::new();
        follower.read_to_end(&mut read).unwrap();
        assert_eq!(read.len() as u64, UNFINISHED);
    }
}
