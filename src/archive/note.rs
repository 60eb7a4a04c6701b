//! A text about an archive that can be read without unpacking it: a zstd skippable frame at its very beginning, which other
//! readers pass over. A range of [`LONGEST`] bytes has all of it.
//!
//! Schema 1: `LOCKGNOT`, the schema (u32, little-endian), then the text as one zstd frame with a checksum. Nobody relies on it:
//! one that is damaged is none.

use std::io::Read;

/// Another one of the sixteen numbers that skippable frames may begin with than the inventory has.
const FRAME: u32 = 0x184D_2A5D;

const MAGIC: &[u8; 8] = b"LOCKGNOT";
const SCHEMA: u32 = 1;

/// The longest frame of a note, bytes, its head included.
pub const LONGEST: usize = 512 << 10;

/// The longest text, bytes.
const TEXT: u64 = 8 << 20;

/// Texts compress well at any level, and this is a small part of an archive.
const LEVEL: i32 = 3;

/// The frame to begin an archive with; none where the text is too long.
pub fn to_frame(text: &str) -> Option<Vec<u8>> {
    let mut body = MAGIC.to_vec();
    body.extend(SCHEMA.to_le_bytes());
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).ok()?;
    compressor.include_checksum(true).ok()?;
    body.extend(compressor.compress(text.as_bytes()).ok()?);
    let length = u32::try_from(body.len()).ok()?;
    let frame = [&FRAME.to_le_bytes(), &length.to_le_bytes(), &*body].concat();
    (frame.len() <= LONGEST && text.len() as u64 <= TEXT).then_some(frame)
}

/// The text in the first bytes of an archive.
pub fn in_beginning(bytes: &[u8]) -> Option<String> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*magic) != FRAME {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    in_body(rest.get(..length)?)
}

/// The text in a skippable frame's content.
pub(super) fn in_body(body: &[u8]) -> Option<String> {
    let rest = body.strip_prefix(MAGIC)?;
    let (schema, compressed) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*schema) != SCHEMA || body.len() > LONGEST {
        return None;
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(compressed).ok()?;
    let mut text = String::new();
    decoder.take(TEXT + 1).read_to_string(&mut text).ok()?;
    (text.len() as u64 <= TEXT).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_a_damaged_one_is_none() {
        let text = "{\"packages\": []}".repeat(1_000);
        let frame = to_frame(&text).unwrap();
        assert!(frame.len() < 1_000);
        let with_more = [&frame[..], b"and what follows"].concat();
        assert_eq!(in_beginning(&with_more), Some(text.clone()));
        for length in 0..frame.len() {
            assert_eq!(in_beginning(&frame[..length]), None, "{length}");
        }
        for byte in 0..frame.len() {
            let mut flipped = frame.clone();
            flipped[byte] ^= 0x20;
            assert_ne!(in_beginning(&flipped), Some("other".to_owned()));
            let read = in_beginning(&flipped);
            assert!(read.is_none() || read.as_ref() == Some(&text), "{byte}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_makes_no_note() {
        let mut number = 7_u64;
        let noise: String = (0..2_000_000)
            .map(|_| {
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                char::from(b'!' + u8::try_from((number >> 33) % 90).unwrap())
            })
            .collect();
        assert_eq!(to_frame(&noise), None);
        assert_eq!(to_frame(&"x".repeat(9 << 20)), None);
        // A frame of zeros that unpacks to far more than a text may have.
        let bomb = zstd::encode_all(std::io::repeat(b'x').take(64 << 20), 1).unwrap();
        let body = [&MAGIC[..], &SCHEMA.to_le_bytes(), &bomb].concat();
        assert_eq!(in_body(&body), None);
    }
}
