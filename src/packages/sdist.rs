//! The metadata of a source distribution: the one `PKG-INFO` in its top folder.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType, PaxExtensions};

use crate::packages::path;
use crate::packages::wheel::bounded;

/// So much is unpacked at most, bytes: what is larger is a bomb, or nothing that an index takes.
const LONGEST: u64 = 4 << 30;

/// The longest name or extended header, bytes.
const LONGEST_NAME: u64 = 64 << 10;

/// The bytes of the metadata, or why there are none.
pub(super) fn metadata(content: impl Read) -> Result<Vec<u8>, String> {
    let wrong = |error: io::Error| format!("it is no `.tar.gz` that can be read: {error}");
    let limited = Limited {
        inner: MultiGzDecoder::new(content),
        left: LONGEST,
    };
    let mut archive = Archive::new(limited);
    let mut found: Option<(String, Vec<u8>)> = None;
    let mut named: Option<Vec<u8>> = None;
    // Raw: the library would hold names and extended headers of any length in memory.
    for entry in archive.entries().map_err(wrong)?.raw(true) {
        let mut entry = entry.map_err(wrong)?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = extension(&mut entry)?;
                name.truncate(
                    name.iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(name.len()),
                );
                named = Some(name);
                continue;
            }
            EntryType::XHeader => {
                let records = extension(&mut entry)?;
                if let Some(name) = name_in(&records)? {
                    named = Some(name);
                }
                continue;
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => continue,
            _ => {}
        }
        let own = entry.path_bytes();
        let name = match &named {
            Some(name) => path::checked(name)?,
            None => path::checked(&own)?,
        };
        let is_metadata = name
            .strip_suffix("/PKG-INFO")
            .is_some_and(|top| !top.is_empty() && top != "." && !top.contains('/'));
        if is_metadata {
            let name = name.to_owned();
            if let Some((first, _)) = &found {
                return Err(path::second(first, &name));
            }
            if !entry.header().entry_type().is_file() {
                return Err(format!("`{}` in it is no plain file", path::shown(&name)));
            }
            drop(own);
            let bytes = bounded(&mut entry, &name)?;
            found = Some((name, bytes));
        }
        named = None;
    }
    found
        .map(|(_, bytes)| bytes)
        .ok_or_else(|| "there is no `PKG-INFO` in its top folder".to_owned())
}

/// The content of a header that speaks of the next member.
fn extension(entry: &mut impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = entry.take(LONGEST_NAME + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("a header in it cannot be read: {error}"))?;
    if bytes.len() as u64 > LONGEST_NAME {
        return Err(format!("a header in it has more than {LONGEST_NAME} bytes"));
    }
    Ok(bytes)
}

/// The name that an extended header gives to the next member.
fn name_in(records: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut name = None;
    for record in PaxExtensions::new(records) {
        let record = record.map_err(|_| "an extended header in it is none".to_owned())?;
        match record.key_bytes() {
            b"path" => name = Some(record.value_bytes().to_vec()),
            // Members would begin elsewhere than the plain header says.
            b"size" => return Err("a member of it has its size in an extended header".to_owned()),
            _ => {}
        }
    }
    Ok(name)
}

/// Fails where more comes than may.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(format!("it unpacks to more than {LONGEST} bytes")))?;
        Ok(read)
    }
}
