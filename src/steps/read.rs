//! Reads files into [`Sources`]: requirements as text whatever their encoding, and what they include, inside of the
//! workspace.

use std::path::Path;

use crate::lockfiles::requirements_txt::{includes, resolve};
use crate::model::sources::{FileId, Sources};
use crate::system::files::Workspace;

/// Larger files are not read.
pub const LIMIT: u64 = 1 << 30;

/// So many files are read for one list; the rest is told as unread.
const INCLUDES: usize = 1_000;

/// Reads a file; fails with a reason.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    if metadata.len() > LIMIT {
        return Err(too_large());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Adds a file, unless it is there.
pub fn add(sources: &mut Sources, path: &str, bytes: Vec<u8>) -> Option<FileId> {
    sources.find(path).or_else(|| sources.add(path, bytes))
}

/// Why a file is not read.
pub fn too_large() -> String {
    format!("it has more than {LIMIT} bytes")
}

/// Adds the files that the requirements `file` includes, and those that they include. What leads out of the workspace,
/// by letters or by a symbolic link, and what is not there, is left out; the reader tells it. Returns all that is
/// included.
pub fn follow(file: FileId, workspace: &Workspace, sources: &mut Sources) -> Vec<FileId> {
    let mut open = vec![file];
    let mut followed = Vec::new();
    let mut seen = 0;
    while let Some(file) = open.pop() {
        let from = sources.path(file).to_owned();
        let Ok(text) = std::str::from_utf8(sources.bytes(file)) else {
            continue;
        };
        for target in includes(text) {
            seen += 1;
            let Some(path) = resolve(&from, &target).filter(|_| seen <= INCLUDES) else {
                continue;
            };
            let found = sources.find(&path).or_else(|| {
                let file = workspace.confined(&path)?;
                add(sources, &path, decode(read(&file).ok()?))
            });
            if let Some(found) = found.filter(|found| *found != file && !followed.contains(found)) {
                followed.push(found);
                open.push(found);
            }
        }
    }
    followed
}

/// The text of requirements in UTF-8, as pip finds out: a byte order mark, a comment of PEP 263 in the first two lines,
/// else UTF-8. What cannot be decoded stays as it is, and its reader says so.
pub fn decode(bytes: Vec<u8>) -> Vec<u8> {
    let wide = |skip: usize, size: usize, is_big: bool| {
        decode_wide(bytes.get(skip..).unwrap_or_default(), size, is_big)
    };
    let decoded = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => return bytes,
        // The mark of UTF-16 is the beginning of that of UTF-32.
        [0xff, 0xfe, 0, 0, ..] => wide(4, 4, false),
        [0, 0, 0xfe, 0xff, ..] => wide(4, 4, true),
        [0xff, 0xfe, ..] => wide(2, 2, false),
        [0xfe, 0xff, ..] => wide(2, 2, true),
        _ => declared(&bytes).and_then(|encoding| {
            let (text, _, has_errors) = encoding.decode(&bytes);
            (!has_errors).then(|| text.into_owned())
        }),
    };
    decoded.map_or(bytes, String::into_bytes)
}

fn decode_wide(bytes: &[u8], size: usize, is_big: bool) -> Option<String> {
    let units = bytes.chunks(size).map(|unit| {
        let fold = |number: u32, byte: &u8| (number << 8) | u32::from(*byte);
        let number = if is_big {
            unit.iter().fold(0, fold)
        } else {
            unit.iter().rev().fold(0, fold)
        };
        (unit.len() == size).then_some(number)
    });
    let units: Vec<u32> = units.collect::<Option<_>>()?;
    if size == 4 {
        return units.into_iter().map(char::from_u32).collect();
    }
    let halves = units
        .into_iter()
        .map(u16::try_from)
        .collect::<Result<Vec<u16>, _>>();
    String::from_utf16(&halves.ok()?).ok()
}

/// The encoding that a comment in the first two lines names (PEP 263); none where it is UTF-8 anyway.
fn declared(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let name = bytes
        .split(|byte| *byte == b'\n')
        .take(2)
        .filter(|line| line.starts_with(b"#"))
        .find_map(|line| {
            let line = std::str::from_utf8(line).ok().or_else(|| {
                // The comment itself may hold letters of that encoding, behind the name.
                let valid = std::str::from_utf8(line).err()?.valid_up_to();
                std::str::from_utf8(line.get(..valid)?).ok()
            })?;
            let behind = line.split_once("coding")?.1;
            let name = behind.strip_prefix([':', '='])?.trim_start();
            let end = name
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
                .unwrap_or(name.len());
            name.get(..end).filter(|name| !name.is_empty())
        })?;
    // Python spells them freely: `latin_1`, `latin-1`, `latin1`.
    let spellings = [name.replace('_', "-"), name.replace(['_', '-'], "")];
    let encoding = spellings
        .iter()
        .find_map(|spelling| encoding_rs::Encoding::for_label(spelling.as_bytes()))?;
    (encoding != encoding_rs::UTF_8).then_some(encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(decode(bytes.to_vec())).unwrap()
    }

    #[test]
    fn encodings_are_found_out_as_pip_does() {
        assert_eq!(text(b"a==1\n"), "a==1\n");
        assert_eq!(text(b"\xff\xfea\0=\0"), "a=");
        assert_eq!(text(b"\xfe\xff\0a\0="), "a=");
        assert_eq!(text(b"\xff\xfe\0\0a\0\0\0"), "a");
        assert_eq!(text(b"\0\0\xfe\xff\0\0\0a"), "a");
        assert_eq!(
            text(b"# -*- coding: latin_1 -*-\n# \xe9\na==1\n"),
            "# -*- coding: latin_1 -*-\n# \u{e9}\na==1\n"
        );
    }

    #[test]
    fn what_cannot_be_decoded_stays() {
        for bytes in [&b"\xff\xfea"[..], b"# coding: nonsense\n\xe9\n", b"\xe9"] {
            assert_eq!(decode(bytes.to_vec()), bytes);
        }
    }
}
