//! Whether a group is worth the time that it takes to compress it hard: archives, pictures and models are compressed
//! already, and make up most of some caches.

use std::io;

use zstd::bulk::Compressor;

/// What is tried at once, bytes.
const SAMPLE: usize = 64 << 10;

/// How many places of a group are tried: a sixteenth of it, which takes a sixtieth of the time.
const SAMPLES: usize = 4;

/// The level of a trial, and of what hardly gets smaller.
const QUICK: i32 = 1;

/// The level of what gets no smaller: little more than a copy.
const QUICKEST: i32 = -1;

/// What gets smaller by less than one part in so many is left to the quick level: the others save next to nothing of it
/// at several times the cost.
const LITTLE: usize = 7;

/// What gets smaller by less than one part in so many is as good as random.
const NOTHING: usize = 64;

/// The level for a group where `level` is right for what compresses well. The compressor is at any level afterwards.
pub(super) fn suited(
    compressor: &mut Compressor<'static>,
    level: i32,
    content: &[u8],
) -> io::Result<i32> {
    if content.len() < 2 * SAMPLES * SAMPLE {
        return Ok(level);
    }
    compressor.set_compression_level(QUICK)?;
    let mut scratch = Vec::with_capacity(zstd::compress_bound(SAMPLE));
    let (mut before, mut after) = (0, 0);
    for part in content.chunks(content.len().div_ceil(SAMPLES)) {
        let start = part.len().saturating_sub(SAMPLE) / 2;
        let sample = part.get(start..).unwrap_or_default();
        let sample = sample.get(..SAMPLE).unwrap_or(sample);
        scratch.clear();
        before += sample.len();
        after += compressor.compress_to_buffer(sample, &mut scratch)?;
    }
    Ok(if after > before - before / NOTHING {
        QUICKEST
    } else if after > before - before / LITTLE {
        level.min(QUICK)
    } else {
        level
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes without any order (xorshift64, Marsaglia 2003).
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        (0..length / 8).flat_map(|_| next()).collect()
    }

    fn level(content: &[u8]) -> i32 {
        let mut compressor = Compressor::new(3).unwrap();
        suited(&mut compressor, 6, content).unwrap()
    }

    #[test]
    fn only_what_gets_smaller_is_compressed_hard() {
        let noise = noise(4 << 20);
        let text = b"def test():\n    return 1\n".repeat(160_000);
        assert_eq!(level(&noise), QUICKEST);
        assert_eq!(level(&text), 6);
        let seven_bits: Vec<u8> = noise.iter().map(|byte| byte & 0x7f).collect();
        assert_eq!(level(&seven_bits), QUICK);
        let mixed = [&noise[..2 << 20], &text[..2 << 20]].concat();
        assert_eq!(level(&mixed), 6);
    }

    #[test]
    fn little_content_is_not_tried() {
        assert_eq!(level(&noise(100_000)), 6);
        assert_eq!(level(b""), 6);
    }
}
