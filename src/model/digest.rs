//! Digests of values in pieces, and how digests are written.

use sha2::{Digest as _, Sha256};

/// A SHA-256 in full.
pub type Sha = [u8; 32];

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// So much is gathered before it is digested, bytes: a digest takes many small pieces at several times their cost.
const GATHERED: usize = 512;

/// The SHA-256 of pieces, each told from the next by its length: no two lists of pieces give the same bytes.
#[derive(Clone, Debug)]
pub struct Pieces {
    sha: Sha256,
    gathered: [u8; GATHERED],
    filled: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            sha: Sha256::new(),
            gathered: [0; GATHERED],
            filled: 0,
        }
    }
}

impl Pieces {
    /// Adds a piece.
    pub fn add(&mut self, piece: impl AsRef<[u8]>) -> &mut Self {
        let piece = piece.as_ref();
        self.put(&(piece.len() as u64).to_le_bytes());
        self.put(piece);
        self
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.filled + bytes.len() > GATHERED {
            self.digest_gathered();
        }
        if let Some(place) = self
            .gathered
            .get_mut(self.filled..self.filled + bytes.len())
        {
            place.copy_from_slice(bytes);
            self.filled += bytes.len();
        } else {
            self.sha.update(bytes);
        }
    }

    fn digest_gathered(&mut self) {
        let gathered = self.gathered.get(..self.filled).unwrap_or_default();
        self.sha.update(gathered);
        self.filled = 0;
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
    pub fn finish(mut self) -> Sha {
        self.digest_gathered();
        self.sha.finalize().into()
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

    #[test]
    fn what_is_gathered_is_digested_as_if_it_was_not() {
        let long = [7; 3 * GATHERED];
        for sizes in [
            &[][..],
            &[0],
            &[GATHERED - 8],
            &[GATHERED - 7, 1],
            &[200, 200, 200],
            &[1, GATHERED, 1, 3 * GATHERED, 2],
        ] {
            let mut pieces = Pieces::default();
            let mut whole = Sha256::new();
            for size in sizes {
                pieces.add(&long[..*size]);
                whole.update((*size as u64).to_le_bytes());
                whole.update(&long[..*size]);
            }
            assert_eq!(pieces.finish(), <Sha>::from(whole.finalize()), "{sizes:?}");
        }
    }
}
