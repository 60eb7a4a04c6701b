//! The bridge between the network, which is asynchronous, and archives, which are threads: pieces of bytes in a channel
//! of bounded length.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc::{Receiver, Sender};

/// Pieces that wait in a channel.
pub const WAITING: usize = 8;

/// Bytes of a piece of an archive that is made.
const PIECE: usize = 1 << 20;

/// Hands what is written on in pieces. The memory of those that were sent is used again: fresh memory costs as much as
/// a copy.
pub struct PieceWriter {
    out: Sender<Bytes>,
    piece: Vec<u8>,
    spare: Spare,
}

/// Memory of pieces that were sent.
type Spare = Arc<Mutex<Vec<Vec<u8>>>>;

/// A piece on its way.
struct Piece {
    bytes: Vec<u8>,
    spare: Spare,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(bytes);
    }
}

impl PieceWriter {
    /// Writes into the channel.
    pub fn new(out: Sender<Bytes>) -> Self {
        Self {
            out,
            piece: Vec::with_capacity(PIECE),
            spare: Spare::default(),
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let next = spare.pop();
        drop(spare);
        let next = next.unwrap_or_else(|| Vec::with_capacity(PIECE));
        let piece = Piece {
            bytes: std::mem::replace(&mut self.piece, next),
            spare: Arc::clone(&self.spare),
        };
        self.out
            .blocking_send(Bytes::from_owner(piece))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE - self.piece.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.piece.extend_from_slice(taken);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        self.send()
    }
}

/// Reads pieces one after the other. That the sender is gone is no end by itself: `is_whole` knows.
pub struct PieceReader<F> {
    pieces: Receiver<Bytes>,
    piece: Bytes,
    is_whole: F,
}

impl<F: Fn() -> io::Result<()>> PieceReader<F> {
    /// Reads from the channel. Where the sender is gone, `is_whole` says whether it had sent all.
    pub fn new(pieces: Receiver<Bytes>, is_whole: F) -> Self {
        Self {
            pieces,
            piece: Bytes::new(),
            is_whole,
        }
    }
}

impl<F: Fn() -> io::Result<()>> Read for PieceReader<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.pieces.blocking_recv() else {
                return (self.is_whole)().map(|()| 0);
            };
            self.piece = piece;
        }
        let taken = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..taken]);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
        let written: Vec<u8> = (0..=250).cycle().take(3 * PIECE + 17).collect();
        let expected = written.clone();
        let thread = std::thread::spawn(move || {
            let mut writer = PieceWriter::new(sender);
            for part in written.chunks(70_001) {
                writer.write_all(part).unwrap();
            }
            writer.flush().unwrap();
        });
        let mut read = Vec::new();
        PieceReader::new(receiver, || Ok(()))
            .read_to_end(&mut read)
            .unwrap();
        thread.join().unwrap();
        assert!(read == expected);
    }

    #[test]
    fn a_sender_that_fails_is_no_end() {
        let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
        drop(sender);
        let mut reader = PieceReader::new(receiver, || Err(io::ErrorKind::ConnectionReset.into()));
        assert!(reader.read_to_end(&mut Vec::new()).is_err());
    }
}
