//! The blocks in front of an entry's content, as GNU tar writes them with `--posix`: a ustar header, and a PAX header
//! before it for what does not fit: long names, times below a second, sizes from 8 GiB.

use super::entry::{Entry, Kind};
use super::{BLOCK, padding, pax};

/// What a field of eleven octal digits cannot hold.
pub(super) const LARGEST_FIELD: u64 = 1 << 33;

/// The name of PAX headers themselves, which no reader shows.
const PAX_NAME: &[u8] = b"././@PaxHeader";

/// Adds the blocks of `entry`.
pub(super) fn push(out: &mut Vec<u8>, entry: &Entry) {
    let mut records = Vec::new();
    let name = fitting(&mut records, "path", &entry.name);
    let link = fitting(&mut records, "linkpath", &entry.link);
    let size = if entry.size < LARGEST_FIELD {
        entry.size
    } else {
        pax::push(&mut records, "size", entry.size.to_string().as_bytes());
        0
    };
    let seconds = u64::try_from(entry.mtime.seconds)
        .ok()
        .filter(|seconds| *seconds < LARGEST_FIELD);
    if seconds.is_none() || entry.mtime.nanoseconds > 0 {
        let time = pax::format_time(entry.mtime);
        pax::push(&mut records, "mtime", time.as_bytes());
    }
    if !records.is_empty() {
        push_records(out, tar::EntryType::XHeader, PAX_NAME, &records);
    }
    let kind = match entry.kind {
        Kind::File => tar::EntryType::Regular,
        Kind::Directory => tar::EntryType::Directory,
        Kind::Symlink => tar::EntryType::Symlink,
        Kind::HardLink => tar::EntryType::Link,
    };
    let mut header = blank(kind, name, size);
    header.set_mode(entry.mode & 0o7777);
    header.set_mtime(seconds.unwrap_or_default());
    copy(&mut header.as_old_mut().linkname, link);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
}

/// Adds a global header that holds nothing but a comment, which readers pass over.
pub(super) fn push_comment(out: &mut Vec<u8>, comment: &str) {
    let mut records = Vec::new();
    pax::push(&mut records, "comment", comment.as_bytes());
    push_records(
        out,
        tar::EntryType::XGlobalHeader,
        b"pax_global_header",
        &records,
    );
}

/// Adds what ends an archive.
pub(super) fn push_end(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

fn push_records(out: &mut Vec<u8>, kind: tar::EntryType, name: &[u8], records: &[u8]) {
    let mut header = blank(kind, name, records.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(records);
    out.resize(out.len() + padding(records.len() as u64), 0);
}

/// A header of nobody's: files belong to who unpacks them.
fn blank(kind: tar::EntryType, name: &[u8], size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    copy(&mut header.as_old_mut().name, name);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// The text as the header's field holds it; all of it goes to a record where that is not enough.
fn fitting<'t>(records: &mut Vec<u8>, key: &str, text: &'t [u8]) -> &'t [u8] {
    const FIELD: usize = 100;
    if text.len() <= FIELD {
        return text;
    }
    pax::push(records, key, text);
    text.get(..FIELD).unwrap_or_default()
}

fn copy(field: &mut [u8], text: &[u8]) {
    for (place, byte) in field.iter_mut().zip(text) {
        *place = *byte;
    }
}
