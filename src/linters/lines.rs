//! Line by line through an output of any size.

use std::io::{self, BufRead};

use memchr::memchr;

use crate::linters::contract::{Reading, cut};

/// A longer line is no line of a tool that we know, in bytes.
pub(super) const MAX_LINE: usize = 16 << 20;

/// How the lines ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a line break, or there was no line.
    Complete,
    /// In the middle of this line (1-based).
    Cut(u64),
    /// This line (1-based) is longer than [`MAX_LINE`]; the rest was not read.
    TooLong(u64),
}

/// Calls `line` with every complete line (1-based number, bytes without the line break), in memory for one line.
/// A last line without a line break is not passed on: whatever wrote it did not finish.
pub(super) fn for_each(input: impl BufRead, mut line: impl FnMut(u64, &[u8])) -> io::Result<End> {
    for_each_with_return(input, |number, bytes| line(number, without_return(bytes)))
}

/// [`for_each`], but a carriage return before the line break stays on the line.
pub(super) fn for_each_with_return(
    mut input: impl BufRead,
    mut line: impl FnMut(u64, &[u8]),
) -> io::Result<End> {
    let mut number = 1;
    let mut held = Vec::new();
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(if held.is_empty() {
                End::Complete
            } else {
                End::Cut(number)
            });
        }
        let Some(end) = memchr(b'\n', available) else {
            if held.len() + available.len() > MAX_LINE {
                return Ok(End::TooLong(number));
            }
            held.extend_from_slice(available);
            let length = available.len();
            input.consume(length);
            continue;
        };
        if held.is_empty() {
            line(number, &available[..end]);
        } else {
            held.extend_from_slice(&available[..end]);
            line(number, &held);
            held.clear();
        }
        number += 1;
        input.consume(end + 1);
    }
}

/// The line without the carriage return before its line break.
pub(super) fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What is wrong with a line that should have been an object.
pub(super) fn no_object(number: u64, line: &[u8], error: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(4_000)]);
    format!(
        "line {number} is not the expected JSON object ({error}): `{}`",
        cut(text.trim())
    )
}

/// Notes how the lines ended.
pub(super) fn note_end(end: std::io::Result<End>, reading: &mut Reading) {
    match end {
        Ok(End::Complete) => {}
        Ok(End::Cut(line)) => {
            reading.has_output = true;
            reading.fault(format!("cut off in line {line}"));
        }
        Ok(End::TooLong(line)) => {
            reading.has_output = true;
            reading.fault(format!("line {line} is longer than {} MiB", MAX_LINE >> 20));
        }
        Err(error) => reading.fault(format!("cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn lines(text: &[u8], capacity: usize) -> (Vec<(u64, Vec<u8>)>, End) {
        let mut seen = Vec::new();
        let input = BufReader::with_capacity(capacity, text);
        let end =
            for_each(input, |number, line| seen.push((number, line.to_vec()))).expect("memory");
        (seen, end)
    }

    #[test]
    fn the_size_of_the_buffer_does_not_show() {
        let text = b"one\r\n\ntwo two\nthree";
        let whole = lines(text, 100);
        assert_eq!(whole.1, End::Cut(4));
        assert_eq!(whole.0[2], (3, b"two two".to_vec()));
        for capacity in 1..20 {
            assert_eq!(lines(text, capacity), whole);
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let endless = BufReader::new(io::Read::take(io::repeat(b'x'), 1 << 40));
        let end = for_each(endless, |_, _| {}).expect("memory");
        assert_eq!(end, End::TooLong(1));
    }
}
