//! The lines of `paths`, patterns as the official cache client reads them: what they name on this disk, and where an archive
//! of them may be unpacked.
//!
//! Unlike there, `!` also takes away what lies inside of a folder that is named.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::globs::{Patterns, parts};
use crate::system::hash_files::read_patterns;

/// What an archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Files and folders that are there, absolute; folders with all that is below.
    pub present: Vec<PathBuf>,
    /// What of that is passed over.
    pub excluded: Vec<PathBuf>,
    /// Folders that could not be looked through for what a pattern means.
    pub unreadable: Vec<PathBuf>,
}

fn patterns(lines: &[String], workspace: &Path, home: Option<&Path>) -> Result<Patterns> {
    let home = home.and_then(Path::to_str);
    read_patterns("paths", &lines.join("\n"), workspace, home)
}

/// What the lines name, of what is there.
pub fn resolve(lines: &[String], workspace: &Path, home: Option<&Path>) -> Result<Resolved> {
    let all = patterns(lines, workspace, home)?;
    let exact = all.clone().exactly();
    let mut resolved = Resolved::default();
    for root in exact.search_roots() {
        let mut waiting = vec![PathBuf::from(root)];
        while let Some(path) = waiting.pop() {
            // What is not there, or cannot be named in a pattern, is not meant.
            let (Ok(metadata), Some(text)) = (path.symlink_metadata(), path.to_str()) else {
                continue;
            };
            let said = exact.matches(&parts(text));
            let is_meant = if metadata.is_dir() {
                said.folder
            } else {
                said.file
            };
            if is_meant {
                if all.takes_away() && metadata.is_dir() {
                    excluded(&all, &path, &mut resolved.excluded);
                }
                resolved.present.push(path);
            } else if metadata.is_dir() && exact.may_match_below(&parts(text)) {
                match children(&path) {
                    Ok(children) => waiting.extend(children),
                    Err(error) if is_gone(&error) => {}
                    Err(_) => resolved.unreadable.push(path),
                }
            }
        }
    }
    resolved.present.sort();
    resolved.present.dedup();
    Ok(resolved)
}

/// The outermost files and folders below that the patterns take away. What cannot be looked through is left out by whoever
/// packs, and told.
fn excluded(all: &Patterns, folder: &Path, excluded: &mut Vec<PathBuf>) {
    let mut waiting = children(folder).unwrap_or_default();
    while let Some(path) = waiting.pop() {
        let (Ok(metadata), Some(text)) = (path.symlink_metadata(), path.to_str()) else {
            continue;
        };
        let said = all.matches(&parts(text));
        let is_taken = if metadata.is_dir() {
            !said.folder
        } else {
            !said.file
        };
        if is_taken {
            excluded.push(path);
        } else if metadata.is_dir() {
            waiting.extend(children(&path).unwrap_or_default());
        }
    }
}

fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

/// Whether it went away since it was seen.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Where an archive of these lines may be unpacked: what is named, or for a pattern the folder where it starts.
pub fn declared(lines: &[String], workspace: &Path, home: Option<&Path>) -> Result<Vec<PathBuf>> {
    let patterns = patterns(lines, workspace, home)?;
    Ok(patterns
        .search_roots()
        .into_iter()
        .map(PathBuf::from)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn folders_patterns_homes_and_exceptions_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().canonicalize().unwrap();
        let home = workspace.join("home");
        for file in [
            "a/x.txt",
            "a/skip/y.txt",
            "a/deep/skip/z.txt",
            "b/1.whl",
            "b/2.txt",
            "home/.cache/uv/f",
        ] {
            let path = workspace.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let found = |given: &[&str]| {
            let resolved = resolve(&lines(given), &workspace, Some(&home)).unwrap();
            let shown = |paths: Vec<PathBuf>| -> Vec<String> {
                let mut shown: Vec<String> = paths
                    .iter()
                    .map(|path| path.strip_prefix(&workspace).unwrap().display().to_string())
                    .collect();
                shown.sort();
                shown
            };
            (shown(resolved.present), shown(resolved.excluded))
        };
        assert_eq!(found(&["a", "nothing"]), (vec!["a".into()], vec![]));
        assert_eq!(found(&["b/*.whl"]), (vec!["b/1.whl".into()], vec![]));
        assert_eq!(
            found(&["~/.cache/uv"]),
            (vec!["home/.cache/uv".into()], vec![])
        );
        assert_eq!(
            found(&["a", "!a/**/skip"]),
            (
                vec!["a".into()],
                vec!["a/deep/skip".into(), "a/skip".into()]
            )
        );
        let roots = declared(&lines(&["b/*.whl", "~/x"]), &workspace, Some(&home)).unwrap();
        assert_eq!(roots, [workspace.join("b"), home.join("x")]);
    }
}
