//! JSON that a person, `grep` and `diff` can read and that is still short: the outer levels one member a line, what
//! is below them on that line.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Writes the document with `depth` outer levels spread over lines, and a line break at its end.
pub fn write(document: &impl Serialize, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let layout = Layout {
        depth,
        level: 0,
        has_value: false,
    };
    // Serde writes a few bytes at a time.
    let mut out = io::BufWriter::with_capacity(32 * 1024, out);
    document.serialize(&mut serde_json::Serializer::with_formatter(
        &mut out, layout,
    ))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The same in two halves: what stands in front of the elements of a list on the outermost level, and what behind. It is
/// the list `name`, which is empty in the document.
pub fn around(
    document: &impl Serialize,
    depth: usize,
    name: &str,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = Vec::new();
    write(document, depth, &mut head)?;
    // Within a string there is no line break, so that this is a name on the outermost level and no text of anybody's.
    let list = format!("\n  \"{name}\": [");
    let at = memchr::memmem::find(&head, list.as_bytes()).ok_or(io::ErrorKind::InvalidInput)?;
    let tail = head.split_off(at + list.len());
    Ok((head, tail))
}

struct Layout {
    depth: usize,
    level: usize,
    /// Whether the list or object at hand has anything in it.
    has_value: bool,
}

impl Layout {
    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        let is_spread = self.level <= self.depth && self.has_value;
        self.level -= 1;
        if is_spread {
            self.new_line(out)?;
        }
        self.has_value = true;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        if !is_first {
            out.write_all(b",")?;
        }
        self.has_value = true;
        if self.level <= self.depth {
            self.new_line(out)?;
        }
        Ok(())
    }

    fn new_line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.level).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let is_spread = self.level <= self.depth;
        out.write_all(if is_spread { b": " } else { b":" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_list_is_filled_where_it_stands() {
        let empty = json!({"a": "\n  \"b\": [", "b": [], "c": []});
        let full = json!({"a": "\n  \"b\": [", "b": [1], "c": []});
        let (head, tail) = around(&empty, 2, "b").unwrap();
        let mut whole = Vec::new();
        write(&full, 2, &mut whole).unwrap();
        assert_eq!([&*head, b"\n    1\n  ", &*tail].concat(), whole);
        let missing = around(&json!({"b": 1}), 2, "b").unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn outer_levels_are_lines_and_the_rest_is_short() {
        let document =
            json!({"a": [], "b": [{"x": [1, 2], "y": {}}, {"z": {"q": "r"}}], "c": {}, "d": null});
        let mut out = Vec::new();
        write(&document, 2, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "{\n  \"a\": [],\n  \"b\": [\n    {\"x\":[1,2],\"y\":{}},\n    {\"z\":{\"q\":\"r\"}}\n  ],\n  \"c\": {},\n  \"d\": null\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
