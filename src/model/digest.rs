//! Digests of values in pieces, and how digests are written.

use sha2::{Digest as _, Sha256};

/// A SHA-256 in full.
pub type Sha = [u8; 32];

/// The SHA-256 that sixty-four lower-case digits stand for.
pub fn unhex(text: &str) -> Option<Sha> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut sha = Sha::default();
    if text.len() != sha.len() * 2 {
        return None;
    }
    for (out, pair) in sha.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *out = digit(high)? << 4 | digit(low)?;
    }
    Some(sha)
}

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

/// The bytes of 64 lower-case hexadecimal digits.
pub fn sha(text: &str) -> Option<Sha> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut sha = [0; 32];
    for (byte, pair) in sha.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = digit(*pair.first()?)? << 4 | digit(*pair.last()?)?;
    }
    Some(sha)
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
        self.put_length(piece.len());
        self.put(piece);
        self
    }

    /// A length in as few bytes as it needs, seven bits each, the last one without the eighth (LEB128, DWARF 5 section 7.6):
    /// most pieces are short.
    fn put_length(&mut self, length: usize) {
        let mut bytes = [0; 10];
        let (mut rest, mut filled) = (length as u64, 0);
        for byte in &mut bytes {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            filled += 1;
            *byte = if rest == 0 { low & 0x7f } else { low | 0x80 };
            if rest == 0 {
                break;
            }
        }
        self.put(bytes.get(..filled).unwrap_or_default());
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
            Some(piece) => self.add_count(1).add(piece),
            None => self.add_count(0),
        }
    }

    /// Adds how many of something follow.
    pub fn add_count(&mut self, count: usize) -> &mut Self {
        self.put_length(count);
        self
    }

    /// Adds a list: its length, and each of its pieces.
    pub fn add_list(&mut self, pieces: impl ExactSizeIterator<Item: AsRef<[u8]>>) -> &mut Self {
        self.add_count(pieces.len());
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
        let low = |number: usize| u8::try_from(number).unwrap();
        for sizes in [
            &[][..],
            &[0],
            &[GATHERED - 2],
            &[GATHERED - 1, 1],
            &[200, 200, 200],
            &[1, GATHERED, 1, 3 * GATHERED, 2],
        ] {
            let mut pieces = Pieces::default();
            let mut whole = Sha256::new();
            for size in sizes {
                pieces.add(&long[..*size]);
                whole.update(match size / 128 {
                    0 => vec![low(size % 128)],
                    more => vec![low(size % 128) | 0x80, low(more)],
                });
                whole.update(&long[..*size]);
            }
            assert_eq!(pieces.finish(), <Sha>::from(whole.finalize()), "{sizes:?}");
        }
    }

    #[test]
    fn a_digest_is_64_digits() {
        assert_eq!(sha(&"0a".repeat(32)), Some([10; 32]));
        assert_eq!(sha(&"0A".repeat(32)), None);
        assert_eq!(sha("00"), None);
        assert_eq!(sha(&"é0".repeat(22)), None);
    }
}
