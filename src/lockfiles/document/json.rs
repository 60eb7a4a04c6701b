//! JSON (RFC 8259) as a document: the same nodes as for TOML.
//!
//! Stricter than Python in one thing: a key that stands twice in a table is a fault, since only the last one counts.

use std::collections::HashSet;

use crate::lockfiles::document::{
    Document, KEY_IS_DECODED, Kind, NONE, Node, VALUE_IS_DECODED, note_encoding,
};
use crate::lockfiles::fault::{FaultKind, Faults};

/// Deeper nesting is refused.
const DEPTH: usize = 64;

/// What is wrong, and the byte where.
struct Wrong(usize, &'static str);

/// Reads a document; notes at least one fault where it cannot.
pub fn read<'a>(bytes: &'a [u8], faults: &mut Faults) -> Option<Document<'a>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            note_encoding(bytes, error.valid_up_to(), faults);
            return None;
        }
    };
    let mut reader = Reader {
        document: Document::empty(text),
        at: 0,
        text,
    };
    let Err(Wrong(at, message)) = reader.document() else {
        return Some(reader.document);
    };
    if faults.add_conflict_markers(bytes) {
        return None;
    }
    let is_cut = at >= text.trim_end().len();
    let (kind, told) = if is_cut {
        (FaultKind::Truncated, "the file ends in the middle")
    } else {
        (FaultKind::Syntax, "this is not valid JSON")
    };
    let at = at.min(text.len());
    let end = text.get(at..).and_then(|rest| rest.chars().next());
    let place = faults.at(at..at + end.map_or(0, char::len_utf8));
    faults.add(kind, place, format!("{told}: {message}"));
    None
}

struct Reader<'a> {
    document: Document<'a>,
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<(), Wrong> {
        self.blanks();
        if self.peek() != Some(b'{') {
            return Err(Wrong(self.at, "a table in braces was expected"));
        }
        self.table(0, DEPTH)?;
        self.blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Wrong(self.at, "nothing may stand behind the last brace")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, message: &'static str) -> Result<(), Wrong> {
        if self.peek() != Some(byte) {
            return Err(Wrong(self.at, message));
        }
        self.at += 1;
        Ok(())
    }

    /// The entries of a table, from its brace on.
    fn table(&mut self, parent: u32, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        let mut keys = HashSet::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(Wrong(self.at, "a key in quotes was expected"));
            }
            let (key, is_decoded) = self.string()?;
            if !keys.insert(self.document.text_of(key, is_decoded).into_owned()) {
                return Err(Wrong(
                    key.0 as usize,
                    "this key stands here for the second time",
                ));
            }
            self.blanks();
            self.expect(b':', "a colon was expected")?;
            let flags = if is_decoded { KEY_IS_DECODED } else { 0 };
            self.value(parent, key, flags, depth)?;
            self.blanks();
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(());
            }
            self.expect(b',', "a comma or a closing brace was expected")?;
        }
    }

    fn list(&mut self, parent: u32, depth: usize) -> Result<(), Wrong> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(parent, (0, 0), 0, depth)?;
            self.blanks();
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(());
            }
            self.expect(b',', "a comma or a closing bracket was expected")?;
        }
    }

    fn value(
        &mut self,
        parent: u32,
        key: (u32, u32),
        mut flags: u8,
        depth: usize,
    ) -> Result<(), Wrong> {
        self.blanks();
        let start = self.at;
        let mut node = Node {
            key,
            value: (offset(start), offset(start)),
            first: NONE,
            last: NONE,
            next: NONE,
            kind: Kind::Null,
            flags: 0,
        };
        let nested = match self.peek() {
            Some(b'{') => Some(Kind::Table),
            Some(b'[') => Some(Kind::Array),
            _ => None,
        };
        if let Some(kind) = nested {
            let inner = depth
                .checked_sub(1)
                .ok_or(Wrong(start, "the file is nested too deeply"))?;
            node.kind = kind;
            node.flags = flags;
            let index = self.add(parent, node)?;
            match kind {
                Kind::Table => self.table(index, inner)?,
                _ => self.list(index, inner)?,
            }
            let end = offset(self.at);
            if let Some(node) = self.document.node_mut(index) {
                node.value.1 = end;
            }
            return Ok(());
        }
        node.kind = if self.peek() == Some(b'"') {
            let (_, is_decoded) = self.string()?;
            flags |= if is_decoded { VALUE_IS_DECODED } else { 0 };
            Kind::String
        } else {
            self.plain()?
        };
        node.value.1 = offset(self.at);
        node.flags = flags;
        self.add(parent, node)?;
        Ok(())
    }

    fn add(&mut self, parent: u32, node: Node) -> Result<u32, Wrong> {
        let wrong = Wrong(self.at, "the file has too many values");
        self.document.add(parent, node).ok_or(wrong)
    }

    /// A number, `true`, `false` or `null`.
    fn plain(&mut self) -> Result<Kind, Wrong> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or_default();
        let wrong = Wrong(start, "a value was expected");
        match word {
            "true" | "false" => Ok(Kind::Boolean),
            "null" => Ok(Kind::Null),
            word => match serde_json::from_str::<serde_json::Number>(word) {
                Ok(number) if number.is_f64() => Ok(Kind::Float),
                Ok(_) => Ok(Kind::Integer),
                Err(_) => Err(wrong),
            },
        }
    }

    /// A text: where it stands with its quotes, and whether it is written with escapes.
    fn string(&mut self) -> Result<((u32, u32), bool), Wrong> {
        let start = self.at;
        self.at += 1;
        let mut has_escapes = false;
        loop {
            match self.peek() {
                None => return Err(Wrong(self.at, "a text has no closing quote")),
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 2;
                }
                Some(0..=0x1f) => {
                    return Err(Wrong(
                        self.at,
                        "a control character must be written as an escape",
                    ));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let span = (offset(start), offset(self.at));
        if has_escapes {
            let raw = self.text.get(start..self.at).unwrap_or_default();
            let text: String = serde_json::from_str(raw)
                .map_err(|_| Wrong(start, "an escape in this text is not valid"))?;
            self.document.decoded.insert(span.0, text.into());
        }
        Ok((span, has_escapes))
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::Format;
    use crate::model::sources::FileId;

    fn fault(text: &str) -> (FaultKind, u32) {
        let mut faults = Faults::new(Format::Pipfile, FileId::default());
        assert!(read(text.as_bytes(), &mut faults).is_none(), "{text}");
        let found = faults.finish();
        (found[0].kind, found[0].at.start)
    }

    #[test]
    fn values_have_their_places() {
        let text = r#"{"a": {"b\u00e9": [1, -2.5e3, "x\"y", null, true]}, "c": {}}"#;
        let mut faults = Faults::new(Format::Pipfile, FileId::default());
        let document = read(text.as_bytes(), &mut faults).unwrap();
        let list = document.root().path(&["a", "b\u{e9}"]).unwrap();
        assert_eq!(&text[list.range()], r#"[1, -2.5e3, "x\"y", null, true]"#);
        let kinds: Vec<Kind> = list
            .entries()
            .map(crate::lockfiles::document::Value::kind)
            .collect();
        assert_eq!(
            kinds,
            [
                Kind::Integer,
                Kind::Float,
                Kind::String,
                Kind::Null,
                Kind::Boolean
            ]
        );
        let items: Vec<_> = list.entries().collect();
        assert_eq!(items[0].as_integer(), Some(1));
        assert_eq!(items[2].as_str().unwrap(), "x\"y");
        assert_eq!(items[4].as_bool(), Some(true));
    }

    #[test]
    fn what_is_no_json_is_told_at_its_place() {
        for (text, kind, at) in [
            ("", FaultKind::Truncated, 0),
            ("{\"a\": 1", FaultKind::Truncated, 7),
            ("{\"a\": \"x", FaultKind::Truncated, 8),
            ("{\"a\": 1,}", FaultKind::Syntax, 8),
            ("{\"a\": 01}", FaultKind::Syntax, 6),
            ("{\"a\": 1, \"a\": 2}", FaultKind::Syntax, 9),
            ("{\"a\": \"\\x\"}", FaultKind::Syntax, 6),
            ("[1]", FaultKind::Syntax, 0),
            ("{} x", FaultKind::Syntax, 3),
            ("{\n<<<<<<< HEAD\n}", FaultKind::ConflictMarker, 2),
        ] {
            assert_eq!(fault(text), (kind, at), "{text}");
        }
        let deep = format!("{{\"a\": {}", "[".repeat(10_000));
        assert_eq!(fault(&deep).0, FaultKind::Syntax);
    }
}
