//! The files below a folder.

use std::path::{Path, PathBuf};

/// The files below a folder, links and other special ones included; those in a `.git` left out, and all that is not
/// `passed`. Links to folders are not followed.
pub fn files(folder: &Path, passed: impl Fn(&Path) -> bool) -> impl Iterator<Item = PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    std::iter::from_fn(move || {
        loop {
            if let Some(file) = files.pop() {
                return Some(file);
            }
            let entries = std::fs::read_dir(folders.pop()?).into_iter().flatten();
            for entry in entries.flatten() {
                let path = entry.path();
                if entry.file_name() == ".git" || !passed(&path) {
                    continue;
                }
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    _ => files.push(path),
                }
            }
        }
    })
}
