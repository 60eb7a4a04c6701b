//! Digests of values in pieces, and how digests are written.

use sha2::{Digest as _, Sha256};

/// A SHA-256 in full.
pub type Sha = [u8; 32];

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The SHA-256 of pieces, each told from the next by its length: no two lists of pieces give the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Pieces(Sha256);

impl Pieces {
    /// Adds a piece.
    pub fn add(&mut self, piece: impl AsRef<[u8]>) -> &mut Self {
        let piece = piece.as_ref();
        self.0.update((piece.len() as u64).to_le_bytes());
        self.0.update(piece);
        self
    }

    /// Adds a piece that may be missing: none is not the same as an empty one.
    pub fn add_optional(&mut self, piece: Option<impl AsRef<[u8]>>) -> &mut Self {
        match piece {
            Some(piece) => self.add([1]).add(piece),
            None => self.add([0]),
        }
    }

    /// Adds a list: its length, and each of its pieces.
    pub fn add_list(&mut self, pieces: impl ExactSizeIterator<Item: AsRef<[u8]>>) -> &mut Self {
        self.add((pieces.len() as u64).to_le_bytes());
        for piece in pieces {
            self.add(piece);
        }
        self
    }

    /// The digest.
    pub fn finish(self) -> Sha {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart() {
        let of = |pieces: &[&str]| {
            let mut all = Pieces::default();
            all.add_list(pieces.iter());
            all.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&[]), of(&[""]));
        let optional = |piece: Option<&str>| {
            let mut all = Pieces::default();
            all.add_optional(piece);
            all.finish()
        };
        assert_ne!(optional(None), optional(Some("")));
        assert_eq!(hex(&[0x0f, 0xa0]), "0fa0");
    }
}
