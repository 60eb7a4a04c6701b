//! Base64 and hexadecimal, whatever stands before and behind the value, and where lines are broken.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{Form, Shape};

/// The characters of base64 that the value alone decides, in each of the three places in a group of three bytes where it
/// can begin. A character on either side holds at most four bits of the value besides bits of its neighbour.
pub(super) fn base64(value: &[u8]) -> impl Iterator<Item = Form> {
    (0..3).flat_map(move |before| {
        let mut padded = vec![0; before];
        padded.extend_from_slice(value);
        let first = (before * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        let decided = move |text: &str| text.get(first..last).unwrap_or_default().to_owned();
        let standard = decided(&STANDARD_NO_PAD.encode(&padded));
        let url_safe = decided(&URL_SAFE_NO_PAD.encode(&padded));
        let shaped = |shape| {
            move |text: String| Form {
                bytes: text.into_bytes(),
                shape,
            }
        };
        // In a URL, and in JSON that escapes slashes.
        let carried = [
            ("%2B", "%2F"),
            ("%2b", "%2f"),
            ("+", "\\/"),
            ("\\u002B", "/"),
        ]
        .map(|(plus, slash)| standard.replace('/', slash).replace('+', plus))
        .map(shaped(Shape::Exact));
        [standard.clone(), url_safe]
            .map(shaped(Shape::Base64))
            .into_iter()
            .chain(
                carried
                    .into_iter()
                    .filter(move |form| form.bytes != standard.as_bytes()),
            )
    })
}

/// Two digits a byte, small and capital letters.
pub(super) fn hexadecimal(value: &[u8]) -> impl Iterator<Item = Form> {
    let small = crate::model::digest::hex(value);
    [small.to_ascii_uppercase(), small]
        .into_iter()
        .map(|text| Form {
            bytes: text.into_bytes(),
            shape: Shape::Lines,
        })
}
