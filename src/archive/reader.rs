//! The entries of a tar stream (POSIX.1-2024 ustar and PAX; GNU's long names), read strictly: where readers might
//! understand an archive differently it is refused.

use bytes::Bytes;

use super::entry::{Entry, Kind, Time};
use super::fault::Fault;
use super::{BLOCK, header, inventory, padding, pax};

/// The longest name, as systems have it, bytes.
const LONGEST_NAME: usize = 4096;

/// The longest header of records or of a long name, bytes.
const LONGEST_RECORDS: u64 = 256 * 1024;

/// See the module. `C` gives the stream chunk by chunk.
pub(super) struct Reader<C> {
    source: C,
    chunk: Bytes,
    position: u64,
    /// Of the current entry's content, and of its padding.
    content: u64,
    padding: usize,
    promised: bool,
}

/// What stands in front of an entry and speaks of it.
#[derive(Default)]
struct Preface {
    pax: Option<pax::Records>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl<C: FnMut() -> Result<Option<Bytes>, Fault>> Reader<C> {
    pub(super) fn new(source: C) -> Self {
        Self {
            source,
            chunk: Bytes::new(),
            position: 0,
            content: 0,
            padding: 0,
            promised: false,
        }
    }

    /// Whether the archive says that it ends with an inventory.
    pub(super) fn promises_inventory(&self) -> bool {
        self.promised
    }

    /// The next entry; what is left of the content of the one before is passed over. `None` at a proper end, when
    /// nothing but zeros follows.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, Fault> {
        while self.content()?.is_some() {}
        let mut preface = Preface::default();
        loop {
            let at = self.position;
            let block = self.block()?;
            if block.iter().all(|byte| *byte == 0) {
                let is_lone = preface.pax.is_some()
                    || preface.long_name.is_some()
                    || preface.long_link.is_some();
                if is_lone {
                    return Err(Fault::corrupt(place(at), "a header speaks of no entry"));
                }
                self.end()?;
                return Ok(None);
            }
            let header = tar::Header::from_byte_slice(&block);
            check_sum(&block, header, at)?;
            let size = header
                .entry_size()
                .map_err(|_| Fault::corrupt(place(at), "a size is no number"))?;
            match header.entry_type().as_byte() {
                b'x' => {
                    let records = self.records(size, at)?;
                    if preface.pax.replace(records).is_some() {
                        return Err(Fault::corrupt(place(at), "two PAX headers for one entry"));
                    }
                }
                b'g' => {
                    let records = self.records(size, at)?;
                    self.global(records, at)?;
                }
                b'L' => self.long(&mut preface.long_name, size, at)?,
                b'K' => self.long(&mut preface.long_link, size, at)?,
                kind => return self.entry(kind, header, size, preface, at).map(Some),
            }
        }
    }

    /// The next bytes of the current entry's content, `None` behind the last.
    pub(super) fn content(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.content == 0 {
            let padding = std::mem::take(&mut self.padding);
            self.pass(padding)?;
            return Ok(None);
        }
        self.fill()?;
        let length = usize::try_from(self.content)
            .unwrap_or(usize::MAX)
            .min(self.chunk.len());
        let bytes = self.chunk.split_to(length);
        self.content -= length as u64;
        self.position += length as u64;
        Ok(Some(bytes))
    }

    /// Makes sure that the chunk has a byte.
    fn fill(&mut self) -> Result<(), Fault> {
        while self.chunk.is_empty() {
            self.chunk = (self.source)()?.ok_or(Fault::Truncated { at: self.position })?;
        }
        Ok(())
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Fault> {
        let mut block = [0; BLOCK];
        let mut empty = block.as_mut_slice();
        while !empty.is_empty() {
            self.fill()?;
            let length = empty.len().min(self.chunk.len());
            let bytes = self.chunk.split_to(length);
            let (now, later) = empty.split_at_mut(length);
            now.copy_from_slice(&bytes);
            empty = later;
            self.position += length as u64;
        }
        Ok(block)
    }

    fn pass(&mut self, mut length: usize) -> Result<(), Fault> {
        while length > 0 {
            self.fill()?;
            let now = length.min(self.chunk.len());
            let _ = self.chunk.split_to(now);
            self.position += now as u64;
            length -= now;
        }
        Ok(())
    }

    /// The second block of zeros, and that nothing follows but more of them.
    fn end(&mut self) -> Result<(), Fault> {
        let at = self.position;
        let mut rest = Bytes::copy_from_slice(&self.block()?);
        loop {
            if rest.iter().any(|byte| *byte != 0) {
                let why = "something follows the end of the archive";
                return Err(Fault::corrupt(place(at), why));
            }
            rest = std::mem::take(&mut self.chunk);
            if rest.is_empty() {
                match (self.source)()? {
                    Some(chunk) => rest = chunk,
                    None => return Ok(()),
                }
            }
        }
    }

    fn small(&mut self, size: u64, at: u64) -> Result<Vec<u8>, Fault> {
        if size > LONGEST_RECORDS {
            let why = format!("a header of {size} bytes");
            return Err(Fault::corrupt(place(at), why));
        }
        let mut bytes = Vec::new();
        self.content = size;
        self.padding = padding(size);
        while let Some(part) = self.content()? {
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    fn records(&mut self, size: u64, at: u64) -> Result<pax::Records, Fault> {
        pax::parse(&self.small(size, at)?).map_err(|why| Fault::corrupt(place(at), why))
    }

    /// Records for all entries: none that would change one.
    fn global(&mut self, records: pax::Records, at: u64) -> Result<(), Fault> {
        let pax::Records {
            path: None,
            link: None,
            size: None,
            mtime: None,
            comment,
        } = records
        else {
            let why = "a global PAX header would change every entry";
            return Err(Fault::corrupt(place(at), why));
        };
        self.promised |= comment.is_some_and(|comment| comment == inventory::COMMENT.as_bytes());
        Ok(())
    }

    fn long(&mut self, target: &mut Option<Vec<u8>>, size: u64, at: u64) -> Result<(), Fault> {
        let mut bytes = self.small(size, at)?;
        while bytes.last() == Some(&0) {
            bytes.pop();
        }
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(Fault::corrupt(
                place(at),
                "a long name is empty or holds NUL",
            ));
        }
        if target.replace(bytes).is_some() {
            return Err(Fault::corrupt(place(at), "two long names for one entry"));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        kind: u8,
        header: &tar::Header,
        field: u64,
        preface: Preface,
        at: u64,
    ) -> Result<Entry, Fault> {
        let corrupt = |why: &str| Fault::corrupt(place(at), why);
        let pax = preface.pax.unwrap_or_default();
        let name = chosen(pax.path, preface.long_name, &header.path_bytes())
            .ok_or_else(|| corrupt("two long names for one entry"))?;
        let target = header.link_name_bytes().unwrap_or_default();
        let link = chosen(pax.link, preface.long_link, &target)
            .ok_or_else(|| corrupt("two long link names for one entry"))?;
        let refused = |why: &str| Fault::refused(&name, why);
        if name.len() > LONGEST_NAME || link.len() > LONGEST_NAME {
            return Err(refused("its name is longer than any system takes"));
        }
        // The header's own size counts where it could say it, so that nobody counts differently.
        let size = match pax.size {
            Some(size) if size != field && size < header::LARGEST_FIELD => {
                return Err(refused(
                    "its header and its PAX header disagree about its size",
                ));
            }
            Some(size) => size,
            None => field,
        };
        let kind = match kind {
            // Before ustar a folder was a file whose name ends with `/`.
            0 | b'0' | b'7' if name.ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'5' => Kind::Directory,
            b'3' | b'4' => return Err(refused("it is a device")),
            b'6' => return Err(refused("it is a named pipe")),
            b'S' => return Err(refused("it is stored as a sparse file")),
            other => {
                let kind = char::from(other).escape_default();
                return Err(refused(&format!("its kind, `{kind}`, is not known")));
            }
        };
        if kind != Kind::File && size != 0 {
            return Err(refused("it is no file, and has content"));
        }
        if size > i64::MAX as u64 {
            return Err(refused("its size is none"));
        }
        let is_link = matches!(kind, Kind::HardLink | Kind::Symlink);
        if name.is_empty() || is_link && link.is_empty() {
            return Err(refused("it has no name, or leads nowhere"));
        }
        let mtime = match pax.mtime {
            Some(time) => time,
            None => Time {
                seconds: header
                    .mtime()
                    .map_err(|_| corrupt("a time is no number"))?
                    .try_into()
                    .map_err(|_| corrupt("a time is none"))?,
                nanoseconds: 0,
            },
        };
        let mode = header.mode().map_err(|_| corrupt("a mode is no number"))? & 0o7777;
        self.content = size;
        self.padding = padding(size);
        Ok(Entry {
            name,
            kind,
            size,
            mode,
            mtime,
            link: if is_link { link } else { Vec::new() },
        })
    }
}

/// The one long text, or what the header has.
fn chosen(pax: Option<Vec<u8>>, gnu: Option<Vec<u8>>, header: &[u8]) -> Option<Vec<u8>> {
    match (pax, gnu) {
        (Some(_), Some(_)) => None,
        (Some(text), None) | (None, Some(text)) => Some(text),
        (None, None) => Some(header.to_vec()),
    }
}

fn check_sum(block: &[u8; BLOCK], header: &tar::Header, at: u64) -> Result<(), Fault> {
    let stated = header.cksum().ok();
    let (before, rest) = block.split_at(148);
    let bytes = before.iter().chain(rest.get(8..).unwrap_or_default());
    let unsigned = bytes
        .clone()
        .fold(8 * u32::from(b' '), |sum, byte| sum + u32::from(*byte));
    // Old programs added signed characters.
    let signed = bytes.fold(8 * i32::from(b' '), |sum, byte| {
        sum + i32::from(byte.cast_signed())
    });
    if stated == Some(unsigned) || stated.is_some_and(|sum| i64::from(sum) == i64::from(signed)) {
        return Ok(());
    }
    Err(Fault::corrupt(
        place(at),
        "the checksum of a header does not hold",
    ))
}

fn place(at: u64) -> String {
    format!("unpacked byte {at}")
}
