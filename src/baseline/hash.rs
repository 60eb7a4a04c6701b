//! Short hashes that stay the same on every machine and in every version: the first bits of SHA-256.

use sha2::{Digest, Sha256};

/// A hash in the making: of pieces, each told from the next.
#[derive(Clone, Default)]
pub(super) struct Hash(Sha256);

impl Hash {
    /// Adds a piece to the one before it.
    pub(super) fn add(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// Ends the piece. The byte is in no UTF-8.
    pub(super) fn end(&mut self) -> &mut Self {
        self.0.update([0xff]);
        self
    }

    /// The hash; never zero, which stands for nothing.
    pub(super) fn finish(self) -> u32 {
        u32::try_from(self.finish_long() >> 32).map_or(1, |hash| hash.max(1))
    }

    /// The hash, in full.
    pub(super) fn finish_long(self) -> u64 {
        let digest = self.0.finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

/// The hash of one piece.
pub(super) fn of(bytes: &[u8]) -> u32 {
    let mut hash = Hash::default();
    hash.add(bytes);
    hash.finish()
}

/// The upper half; never zero.
pub(super) fn half(hash: u32) -> u16 {
    u16::try_from(hash >> 16).map_or(1, |half| half.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_sha256_says() {
        // printf abc | sha256sum: ba7816bf 8f01cfea …
        assert_eq!(of(b"abc"), 0xba78_16bf);
        assert_eq!(half(0xba78_16bf), 0xba78);
        let mut hash = Hash::default();
        hash.add(b"a").add(b"bc");
        assert_eq!(hash.finish_long(), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn nothing_hashes_to_nothing() {
        assert_eq!(half(0x0000_ffff), 1);
    }
}
