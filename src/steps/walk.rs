//! The files below a folder.

use std::path::{Path, PathBuf};

/// Folders in which no project of the repository lives.
const FOREIGN: &[&str] = &["node_modules", "__pycache__", "site-packages"];

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

/// Whether there is a regular file at or below one of these paths; hidden ones count where `hidden` says so.
pub fn has_file(directory: &Path, paths: &[String], hidden: bool) -> bool {
    let is_seen = |path: &Path| {
        hidden
            || path
                .file_name()
                .is_none_or(|name| !name.as_encoded_bytes().starts_with(b"."))
    };
    let here = [String::new()];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    paths.iter().any(|named| {
        let path = directory.join(named);
        // As it was named: a project may stand in a hidden folder.
        is_seen(Path::new(named))
            && (path.is_file() || files(&path, is_seen).any(|file| file.is_file()))
    })
}

/// Whether a folder holds what was installed there, other people's code.
pub fn is_foreign(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| FOREIGN.iter().any(|foreign| name == *foreign))
        || folder.join("pyvenv.cfg").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_that_is_not_hidden_is_something() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path();
        let has = |paths: &[&str], hidden| {
            let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
            has_file(directory, &paths, hidden)
        };
        for folder in [".git", "docs/deep", ".hidden"] {
            std::fs::create_dir_all(directory.join(folder)).unwrap();
        }
        std::fs::write(directory.join(".git/HEAD"), "x").unwrap();
        assert!(!has(&[], true));
        std::fs::write(directory.join(".hidden/a.txt"), "x").unwrap();
        std::fs::write(directory.join("docs/.keep"), "").unwrap();
        assert!(!has(&[], false));
        assert!(!has(&["docs", "docs/.keep", ".hidden"], false));
        assert!(has(&[], true) && has(&["docs"], true) && has(&["docs/.keep"], true));
        std::fs::write(directory.join("docs/deep/a.txt"), "x").unwrap();
        assert!(has(&[], false) && has(&["docs"], false) && has(&["docs/deep/a.txt"], false));
        assert!(!has(&["missing"], false));
    }
}
