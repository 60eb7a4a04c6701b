//! What an archive holds, in digests: a zstd skippable frame at its end, which other readers pass over.
//!
//! An archive with one begins with a PAX comment that says so, so that one that lost its end is known. Schema 1, numbers
//! little-endian: `LOCKGINV`, the schema (u32), entries (u64), files (u64), bytes of content (u64), the SHA-256 of what
//! describes all entries in order, then the SHA-256 of each regular file's content in order (of a file of more than
//! 4 MiB, the SHA-256 of the SHA-256s of its pieces of 4 MiB), then the SHA-256 of all of that.

use sha2::{Digest, Sha256};

use super::PIECE;
use super::fault::Fault;

/// One of the sixteen numbers that skippable frames may begin with.
const FRAME: u32 = 0x184D_2A5C;

const MAGIC: &[u8; 8] = b"LOCKGINV";
const SCHEMA: u32 = 1;

/// What the comment says in an archive that ends with an inventory.
pub(super) const COMMENT: &str = "lockgate inventory 1";

/// The longest inventory that is read, bytes: two million files.
pub(super) const LARGEST: usize = 64 << 20;

pub(super) type Digest256 = [u8; 32];

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    pub(super) entries: u64,
    pub(super) content: u64,
    pub(super) described: Digest256,
    pub(super) files: Vec<Digest256>,
}

impl Inventory {
    /// The frame.
    pub(super) fn to_frame(&self) -> Vec<u8> {
        let mut body = MAGIC.to_vec();
        body.extend(SCHEMA.to_le_bytes());
        body.extend(self.entries.to_le_bytes());
        body.extend((self.files.len() as u64).to_le_bytes());
        body.extend(self.content.to_le_bytes());
        body.extend(self.described);
        body.extend(self.files.iter().flatten());
        body.extend(sha256(&body));
        let mut frame = FRAME.to_le_bytes().to_vec();
        frame.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend(body);
        frame
    }

    /// The inventory in a skippable frame's content. `None` where the frame is somebody else's, or of a later schema.
    pub(super) fn read(body: &[u8]) -> Result<Option<Self>, Fault> {
        let damaged = || Fault::corrupt("its inventory", "the inventory does not match its digest");
        let Some(rest) = body.strip_prefix(MAGIC) else {
            return Ok(None);
        };
        let (covered, digest) = body.split_last_chunk::<32>().ok_or_else(damaged)?;
        if sha256(covered) != *digest {
            return Err(damaged());
        }
        let (schema, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        if u32::from_le_bytes(*schema) != SCHEMA {
            return Ok(None);
        }
        let mut numbers = [0; 3];
        let mut rest = rest;
        for number in &mut numbers {
            let (bytes, behind) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
            (*number, rest) = (u64::from_le_bytes(*bytes), behind);
        }
        let [entries, files, content] = numbers;
        let (described, rest) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
        let (digests, _) = rest.split_last_chunk::<32>().ok_or_else(damaged)?;
        let (digests, odd) = digests.as_chunks::<32>();
        if !odd.is_empty() || digests.len() as u64 != files {
            return Err(damaged());
        }
        Ok(Some(Self {
            entries,
            content,
            described: *described,
            files: digests.to_vec(),
        }))
    }
}

/// The digest of a file whose content comes bit by bit.
#[derive(Debug, Default)]
pub(super) struct FileDigest {
    piece: Sha256,
    in_piece: usize,
    pieces: Sha256,
    whole_pieces: u64,
}

impl FileDigest {
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.in_piece == PIECE {
                self.pieces.update(self.piece.finalize_reset());
                self.whole_pieces += 1;
                self.in_piece = 0;
            }
            let (now, later) = bytes
                .split_at_checked(PIECE - self.in_piece)
                .unwrap_or((bytes, &[]));
            self.piece.update(now);
            self.in_piece += now.len();
            bytes = later;
        }
    }

    pub(super) fn finish(mut self) -> Digest256 {
        if self.whole_pieces == 0 {
            return self.piece.finalize().into();
        }
        self.pieces.update(self.piece.finalize());
        self.pieces.finalize().into()
    }
}

/// The digest of a file from those of its pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    first: Option<Digest256>,
    all: Sha256,
    count: u64,
}

impl Pieces {
    pub(super) fn push(&mut self, piece: Digest256) {
        self.first.get_or_insert(piece);
        self.all.update(piece);
        self.count += 1;
    }

    pub(super) fn finish(self) -> Digest256 {
        match self.first {
            Some(only) if self.count == 1 => only,
            _ => self.all.finalize().into(),
        }
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Digest256 {
    Sha256::digest(bytes).into()
}

/// Whether a frame's first four bytes say that it is to be passed over.
pub(super) fn is_skippable(magic: u32) -> bool {
    magic & 0xFFFF_FFF0 == 0x184D_2A50
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        Inventory {
            entries: 5,
            content: 77,
            described: [7; 32],
            files: vec![[1; 32], [2; 32]],
        }
    }

    #[test]
    fn an_inventory_comes_back() {
        let frame = inventory().to_frame();
        assert_eq!(Inventory::read(&frame[8..]).unwrap(), Some(inventory()));
    }

    #[test]
    fn any_flipped_bit_is_found_or_makes_it_a_stranger() {
        let body = inventory().to_frame()[8..].to_vec();
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match Inventory::read(&flipped) {
                Err(Fault::Corrupt { .. }) => {}
                Ok(None) => assert!(bit < 64, "{bit}"),
                other => panic!("{bit}: {other:?}"),
            }
        }
        for length in 8..body.len() {
            assert!(Inventory::read(&body[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_digest_of_a_file_is_the_same_in_pieces_and_bit_by_bit() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 9] {
            let content: Vec<u8> = (0..length)
                .map(|at| u8::try_from(at % 251).unwrap())
                .collect();
            let mut pieces = Pieces::default();
            content
                .chunks(PIECE)
                .for_each(|piece| pieces.push(sha256(piece)));
            if content.is_empty() {
                pieces.push(sha256(b""));
            }
            let mut streamed = FileDigest::default();
            content
                .chunks(100_003)
                .for_each(|bytes| streamed.update(bytes));
            assert_eq!(pieces.finish(), streamed.finish(), "{length}");
        }
    }
}
