//! Reads the TOML that tools write: fast, in one pass, and only what it is sure of.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::lockfiles::document::{
    DOTTED, Document, IMPLICIT, INDEXED, INLINE, Kind, NONE, Node, TABLES, VALUE_IS_DECODED, date,
};

/// Deeper lists and tables are left to the other reader, which refuses them.
const DEPTH: u32 = 32;

/// A table with more keys gets an index of them.
const FEW: usize = 24;

/// Integers with more digits may not fit.
const DIGITS: usize = 18;

/// Reads a document; `None` for whatever is wrong, or right but unusual.
pub fn read(text: &str) -> Option<Document<'_>> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
        document: Document::empty(text),
        index: HashMap::default(),
        path: Vec::new(),
    };
    if u32::try_from(text.len()).is_err() || !is_plain(text.as_bytes()) {
        return None;
    }
    if reader.bytes.starts_with(b"\xef\xbb\xbf") {
        reader.at = 3;
    }
    reader.document()?;
    Some(reader.document)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    document: Document<'a>,
    /// The entries of large tables: by table and key.
    index: HashMap<(u32, &'a str), u32, RandomState>,
    /// The parts of the key that is read, with quotes.
    path: Vec<(u32, u32)>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Option<()> {
        let mut table = 0;
        loop {
            self.skip_blank()?;
            match self.peek() {
                None => return Some(()),
                Some(b'[') => table = self.header()?,
                Some(_) => self.key_and_value(table, 0)?,
            }
            self.end_of_line()?;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    /// Skips blanks in a line.
    fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips blanks, line breaks and comments.
    fn skip_blank(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n') => self.at += 1,
                Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'#') => self.comment()?,
                Some(b'\r') => return None,
                _ => return Some(()),
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        self.at += line.strip_suffix(b"\r").unwrap_or(line).len();
        Some(())
    }

    /// Blanks, perhaps a comment, then a line break or the end.
    fn end_of_line(&mut self) -> Option<()> {
        self.skip_spaces();
        if self.peek() == Some(b'#') {
            self.comment()?;
        }
        match self.peek() {
            None => Some(()),
            Some(b'\n') => {
                self.at += 1;
                Some(())
            }
            Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => {
                self.at += 2;
                Some(())
            }
            Some(_) => None,
        }
    }

    /// `[a.b]` or `[[a.b]]`; gives the table that it opens.
    fn header(&mut self) -> Option<u32> {
        let start = self.at;
        self.take(b'[')?;
        let is_list = self.take(b'[').is_some();
        self.skip_spaces();
        self.dotted_key()?;
        self.take(b']')?;
        if is_list {
            self.take(b']')?;
        }
        let span = (offset(start)?, offset(self.at)?);
        let mut table = 0;
        let path = std::mem::take(&mut self.path);
        let (own, parents) = path.split_last()?;
        for key in parents {
            table = match self.find(table, *key)? {
                Some(child) => self.inside(child)?,
                None => self.add(table, *key, *key, Kind::Table, IMPLICIT)?,
            };
        }
        let found = self.find(table, *own)?;
        let opened = if is_list {
            let list = match found {
                Some(list) if self.has(list, TABLES) => list,
                Some(_) => return None,
                None => self.add(table, *own, span, Kind::Array, TABLES)?,
            };
            self.add(list, (0, 0), span, Kind::Table, 0)?
        } else {
            match found {
                Some(child) => {
                    let node = self.document.node_mut(child)?;
                    if node.kind != Kind::Table || node.flags & (IMPLICIT | DOTTED) != IMPLICIT {
                        return None;
                    }
                    node.flags &= !IMPLICIT;
                    (node.key, node.value) = (*own, span);
                    child
                }
                None => self.add(table, *own, span, Kind::Table, 0)?,
            }
        };
        self.path = path;
        Some(opened)
    }

    /// The table that a header leads into through this entry: the last one of a list of tables.
    fn inside(&self, entry: u32) -> Option<u32> {
        let node = self.document.node(entry)?;
        match node.kind {
            Kind::Table if node.flags & (DOTTED | INLINE) == 0 => Some(entry),
            Kind::Array if node.flags & TABLES != 0 => Some(node.last),
            _ => None,
        }
    }

    fn has(&self, index: u32, flag: u8) -> bool {
        self.document
            .node(index)
            .is_some_and(|node| node.flags & flag != 0)
    }

    /// `key = value` into a table.
    fn key_and_value(&mut self, table: u32, depth: u32) -> Option<()> {
        self.dotted_key()?;
        self.take(b'=')?;
        self.skip_spaces();
        let mut table = table;
        let (last, parents) = self.path.split_last()?;
        let last = *last;
        if !parents.is_empty() {
            let path = std::mem::take(&mut self.path);
            for key in path.get(..path.len() - 1)? {
                table = match self.find(table, *key)? {
                    // Only what dotted keys made can grow by them.
                    Some(child) if self.has(child, DOTTED) => child,
                    Some(_) => return None,
                    None => self.add(table, *key, *key, Kind::Table, IMPLICIT | DOTTED)?,
                };
            }
            self.path = path;
        }
        if self.find(table, last)?.is_some() {
            return None;
        }
        self.value(table, last, depth)
    }

    /// A key into `path`, and the blanks behind it.
    fn dotted_key(&mut self) -> Option<()> {
        self.path.clear();
        loop {
            self.skip_spaces();
            let start = self.at;
            if let quote @ (b'"' | b'\'') = self.peek()? {
                self.at += 1;
                let rest = self.bytes.get(self.at..)?;
                self.at += memchr::memchr3(quote, b'\\', b'\n', rest)?;
                self.take(quote)?;
            } else {
                let rest = self.bytes.get(self.at..)?;
                let length = rest
                    .iter()
                    .position(|byte| !is_bare(*byte))
                    .unwrap_or(rest.len());
                if length == 0 {
                    return None;
                }
                self.at += length;
            }
            self.path.push((offset(start)?, offset(self.at)?));
            self.skip_spaces();
            if self.take(b'.').is_none() {
                return Some(());
            }
        }
    }

    fn value(&mut self, parent: u32, key: (u32, u32), depth: u32) -> Option<()> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.basic_string(parent, key),
            b'\'' => {
                if self.bytes.get(start..)?.starts_with(b"'''") {
                    return None;
                }
                let rest = self.bytes.get(start + 1..)?;
                let length = memchr::memchr2(b'\'', b'\n', rest)?;
                self.at = start + 1 + length;
                self.take(b'\'')?;
                self.add_value(parent, key, start, Kind::String, 0)
            }
            b'[' => self.list(parent, key, depth),
            b'{' => self.inline_table(parent, key, depth),
            b't' => self.word(b"true", parent, key),
            b'f' => self.word(b"false", parent, key),
            _ => match date::length(self.bytes.get(start..)?) {
                Some(length) => {
                    self.at += length;
                    self.add_value(parent, key, start, Kind::Datetime, 0)
                }
                None => self.integer(parent, key),
            },
        }
    }

    fn word(&mut self, word: &[u8], parent: u32, key: (u32, u32)) -> Option<()> {
        let start = self.at;
        if !self.bytes.get(start..)?.starts_with(word) {
            return None;
        }
        self.at += word.len();
        self.add_value(parent, key, start, Kind::Boolean, 0)
    }

    fn integer(&mut self, parent: u32, key: (u32, u32)) -> Option<()> {
        let start = self.at;
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let rest = self.bytes.get(self.at..)?;
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        let is_padded = length > 1 && rest.first() == Some(&b'0');
        if length == 0 || length > DIGITS || is_padded {
            return None;
        }
        self.at += length;
        // Part of a date, a fraction, another base.
        if matches!(
            self.peek(),
            Some(b'.' | b'-' | b':' | b'_' | b'e' | b'E' | b'x' | b'o' | b'b')
        ) {
            return None;
        }
        self.add_value(parent, key, start, Kind::Integer, 0)
    }

    fn basic_string(&mut self, parent: u32, key: (u32, u32)) -> Option<()> {
        let start = self.at;
        if self.bytes.get(start..)?.starts_with(b"\"\"\"") {
            return None;
        }
        self.at += 1;
        let mut decoded: Option<String> = None;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let length = memchr::memchr3(b'"', b'\\', b'\n', rest)?;
            if let Some(decoded) = &mut decoded {
                let piece = self.document.text.get(self.at..self.at + length)?;
                decoded.push_str(piece);
            } else if rest.get(length) == Some(&b'\\') {
                let piece = self.document.text.get(self.at..self.at + length)?;
                decoded = Some(piece.to_owned());
            }
            self.at += length;
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    let character = self.escape()?;
                    decoded.as_mut()?.push(character);
                }
                _ => return None,
            }
        }
        self.at += 1;
        let mut flags = 0;
        if let Some(decoded) = decoded {
            self.document
                .decoded
                .insert(offset(start)?, decoded.into_boxed_str());
            flags = VALUE_IS_DECODED;
        }
        self.add_value(parent, key, start, Kind::String, flags)
    }

    /// A backslash and what it stands for.
    fn escape(&mut self) -> Option<char> {
        let kind = *self.bytes.get(self.at + 1)?;
        self.at += 2;
        let digits = match kind {
            b'"' => return Some('"'),
            b'\\' => return Some('\\'),
            b'n' => return Some('\n'),
            b't' => return Some('\t'),
            b'r' => return Some('\r'),
            b'u' => 4,
            b'U' => 8,
            _ => return None,
        };
        let hex = self.document.text.get(self.at..self.at + digits)?;
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += digits;
        char::from_u32(u32::from_str_radix(hex, 16).ok()?)
    }

    fn list(&mut self, parent: u32, key: (u32, u32), depth: u32) -> Option<()> {
        let start = self.at;
        if depth >= DEPTH {
            return None;
        }
        self.at += 1;
        let list = self.add(parent, key, (offset(start)?, 0), Kind::Array, 0)?;
        loop {
            self.skip_blank()?;
            if self.take(b']').is_some() {
                break;
            }
            self.value(list, (0, 0), depth + 1)?;
            self.skip_blank()?;
            if self.take(b',').is_none() {
                self.take(b']')?;
                break;
            }
        }
        let end = offset(self.at)?;
        self.document.node_mut(list)?.value.1 = end;
        Some(())
    }

    fn inline_table(&mut self, parent: u32, key: (u32, u32), depth: u32) -> Option<()> {
        let start = self.at;
        if depth >= DEPTH {
            return None;
        }
        self.at += 1;
        let table = self.add(parent, key, (offset(start)?, 0), Kind::Table, INLINE)?;
        self.skip_spaces();
        if self.take(b'}').is_none() {
            loop {
                self.key_and_value(table, depth + 1)?;
                self.skip_spaces();
                if self.take(b',').is_none() {
                    self.take(b'}')?;
                    break;
                }
                self.skip_spaces();
            }
        }
        let end = offset(self.at)?;
        self.document.node_mut(table)?.value.1 = end;
        Some(())
    }

    /// The value that ends here.
    fn add_value(
        &mut self,
        parent: u32,
        key: (u32, u32),
        start: usize,
        kind: Kind,
        flags: u8,
    ) -> Option<()> {
        let span = (offset(start)?, offset(self.at)?);
        self.add(parent, key, span, kind, flags).map(drop)
    }

    fn add(
        &mut self,
        parent: u32,
        key: (u32, u32),
        value: (u32, u32),
        kind: Kind,
        flags: u8,
    ) -> Option<u32> {
        let index = self.document.add(
            parent,
            Node {
                key,
                value,
                first: NONE,
                last: NONE,
                next: NONE,
                kind,
                flags,
            },
        )?;
        if self.has(parent, INDEXED) {
            self.index.insert((parent, self.key_text(key)?), index);
        }
        Some(index)
    }

    fn key_text(&self, key: (u32, u32)) -> Option<&'a str> {
        let raw = self.document.text.get(key.0 as usize..key.1 as usize)?;
        Some(match raw.as_bytes().first() {
            Some(b'"' | b'\'') => raw.get(1..raw.len().checked_sub(1)?)?,
            _ => raw,
        })
    }

    /// The entry of a table with this key; `Some(None)` where there is none.
    #[expect(
        clippy::option_option,
        reason = "the outer one is for what cannot be read here, as everywhere in this file"
    )]
    fn find(&mut self, table: u32, key: (u32, u32)) -> Option<Option<u32>> {
        let wanted = self.key_text(key)?;
        if self.has(table, INDEXED) {
            return Some(self.index.get(&(table, wanted)).copied());
        }
        let mut child = self.document.node(table)?.first;
        let mut seen = 0;
        while let Some(node) = self.document.node(child) {
            if self.key_text(node.key)? == wanted {
                return Some(Some(child));
            }
            child = node.next;
            seen += 1;
        }
        if seen > FEW {
            self.index_table(table)?;
        }
        Some(None)
    }

    fn index_table(&mut self, table: u32) -> Option<()> {
        let mut child = self.document.node(table)?.first;
        while let Some(node) = self.document.node(child) {
            let (key, next) = (node.key, node.next);
            self.index.insert((table, self.key_text(key)?), child);
            child = next;
        }
        self.document.node_mut(table)?.flags |= INDEXED;
        Some(())
    }
}

fn offset(at: usize) -> Option<u32> {
    u32::try_from(at).ok()
}

/// Whether a document has no control characters but tabs and the breaks of lines, so that nobody has to look for them
/// again. All bytes are looked at, without a branch: several at once.
fn is_plain(bytes: &[u8]) -> bool {
    let is_break = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r');
    let is_control = |byte: u8| byte.is_ascii_control() && !is_break(byte);
    let has_control = bytes
        .iter()
        .fold(false, |has_control, byte| has_control | is_control(*byte));
    let mut returns = memchr::memchr_iter(b'\r', bytes);
    !has_control && returns.all(|at| bytes.get(at + 1) == Some(&b'\n'))
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}
