//! The metadata of a wheel: the one `METADATA` in its `.dist-info`.

use std::io::{Read, Seek};

use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder};

use crate::packages::{LONGEST_METADATA, path};

/// Room for the longest entry of a central directory: a name, extra fields and a comment of 64 KiB each, and their head.
const BUFFER: usize = 4 << 16;

/// So many members, and more, are refused.
const MEMBERS: u64 = 1 << 20;

/// The bytes of the metadata, or why there are none.
pub(super) fn metadata(content: impl Read + Seek) -> Result<Vec<u8>, String> {
    let wrong = |error: rawzip::Error| format!("it is no zip archive that can be read: {error}");
    let mut buffer = vec![0; BUFFER];
    let archive = ZipArchive::from_seekable(content, &mut buffer).map_err(wrong)?;
    let mut found: Option<(ZipArchiveEntryWayfinder, CompressionMethod, String)> = None;
    let mut count = 0;
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(wrong)? {
        count += 1;
        if count > MEMBERS {
            return Err(format!("it has more than {MEMBERS} members"));
        }
        let raw = entry.file_path();
        let name = path::checked(raw.as_bytes())?;
        if !is_metadata(name) {
            continue;
        }
        if let Some((_, _, first)) = &found {
            return Err(path::second(first, name));
        }
        if entry.flags().is_encrypted() {
            return Err(format!("`{}` in it is encrypted", path::shown(name)));
        }
        found = Some((
            entry.wayfinder(),
            entry.compression_method(),
            name.to_owned(),
        ));
    }
    if count != archive.entries_hint() {
        return Err(format!(
            "its directory has {count} members, and was to have {}",
            archive.entries_hint()
        ));
    }
    let (at, method, name) =
        found.ok_or("there is no `METADATA` in a `.dist-info` folder of it")?;
    let entry = archive.get_entry(at).map_err(wrong)?;
    // Some readers go by these names, others by those of the directory.
    let local = entry.local_header(&mut buffer).map_err(wrong)?;
    if local.file_path().as_bytes() != name.as_bytes() {
        return Err(format!(
            "`{}` has another name in its own header",
            path::shown(&name)
        ));
    }
    let packed = entry.reader();
    let bytes = match method {
        CompressionMethod::STORE => bounded(entry.verifying_reader(packed), &name)?,
        CompressionMethod::DEFLATE => {
            let unpacked = flate2::read::DeflateDecoder::new(packed);
            bounded(entry.verifying_reader(unpacked), &name)?
        }
        other => {
            return Err(format!(
                "`{}` is packed by the method {other:?}",
                path::shown(&name)
            ));
        }
    };
    Ok(bytes)
}

fn is_metadata(name: &str) -> bool {
    name.strip_suffix("/METADATA")
        .is_some_and(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
}

/// All that comes, as long as it is not too much.
pub(super) fn bounded(reader: impl Read, name: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST_METADATA + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("`{}` in it cannot be read: {error}", path::shown(name)))?;
    if bytes.len() as u64 > LONGEST_METADATA {
        return Err(format!(
            "`{}` has more than {LONGEST_METADATA} bytes",
            path::shown(name)
        ));
    }
    Ok(bytes)
}
