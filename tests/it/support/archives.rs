//! Archives made by hand, and trees to compare.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that a tree is: kinds, content, modes, times and which files are one.
pub(crate) fn tree(top: &Path) -> BTreeMap<PathBuf, String> {
    fn visit(
        top: &Path,
        path: &Path,
        names: &mut BTreeMap<u64, PathBuf>,
        found: &mut BTreeMap<PathBuf, String>,
    ) {
        let about = path.symlink_metadata().unwrap();
        let below = path.strip_prefix(top).unwrap().to_owned();
        let time = format!("{}.{:09}", about.mtime(), about.mtime_nsec());
        let mode = about.mode() & 0o7777;
        let what = if about.is_dir() {
            let mut children: Vec<_> = fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            children.sort();
            for child in &children {
                visit(top, child, names, found);
            }
            format!("folder {mode:o} {time}")
        } else if about.is_symlink() {
            format!("link {} {time}", fs::read_link(path).unwrap().display())
        } else if about.is_file() {
            let first = names.entry(about.ino()).or_insert_with(|| below.clone());
            let digest = lockgate::system::files::sha256_of_file(path).unwrap();
            let (size, first) = (about.len(), first.display());
            format!("file {mode:o} {time} {size} {digest} {first}")
        } else {
            "special".to_owned()
        };
        found.insert(below, what);
    }
    let mut found = BTreeMap::new();
    visit(top, top, &mut BTreeMap::new(), &mut found);
    found
}

/// Runs a script that must succeed.
pub(crate) fn sh(folder: &Path, script: &str) {
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(folder)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
}

/// A header block.
pub(crate) fn head(kind: u8, name: &[u8], size: u64, link: &[u8]) -> Vec<u8> {
    changed_head(kind, name, size, link, |_| {})
}

/// A header block with something changed before its checksum is made.
pub(crate) fn changed_head(
    kind: u8,
    name: &[u8],
    size: u64,
    link: &[u8],
    change: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name);
    old.linkname[..link.len()].copy_from_slice(link);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(if kind == b'5' { 0o755 } else { 0o644 });
    header.set_mtime(1_000_000_000);
    header.set_uid(0);
    header.set_gid(0);
    change(header.as_mut_bytes());
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// Content, filled up to whole blocks.
pub(crate) fn content(bytes: &[u8]) -> Vec<u8> {
    let mut content = bytes.to_vec();
    content.resize(bytes.len().next_multiple_of(512), 0);
    content
}

pub(crate) fn file(name: &str, bytes: &str) -> Vec<u8> {
    let size = bytes.len() as u64;
    [
        head(b'0', name.as_bytes(), size, b""),
        content(bytes.as_bytes()),
    ]
    .concat()
}

pub(crate) fn symlink(name: &str, target: &str) -> Vec<u8> {
    head(b'2', name.as_bytes(), 0, target.as_bytes())
}

pub(crate) fn hard_link(name: &str, target: &str) -> Vec<u8> {
    head(b'1', name.as_bytes(), 0, target.as_bytes())
}

/// A header of records (`x`, `g`) or of a long name (`L`, `K`).
pub(crate) fn speaking(kind: u8, text: &[u8]) -> Vec<u8> {
    [
        head(kind, b"speaking", text.len() as u64, b""),
        content(text),
    ]
    .concat()
}

/// A PAX header.
pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    speaking(b'x', &records_of(records))
}

pub(crate) fn records_of(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let digits = (1..9)
            .find(|digits| (rest + digits).to_string().len() == *digits)
            .unwrap();
        text.extend(format!("{} {key}={value}\n", rest + digits).into_bytes());
    }
    text
}

/// The parts with what ends an archive, compressed.
pub(crate) fn compressed(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = parts.concat();
    tar.resize(tar.len() + 1024, 0);
    zstd::encode_all(tar.as_slice(), 1).unwrap()
}
