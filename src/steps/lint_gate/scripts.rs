//! The shell scripts below a folder, for a tool that does not look into folders.

use std::path::{Component, Path, PathBuf};

use crate::error::Result;
use crate::steps::walk;
use crate::system::git::Git;

/// What is to be checked, relative to the directory: the files that the user named, and in place of each named folder
/// the scripts below it; all scripts where nothing is named. What does not exist stays, for whoever tells of it.
pub async fn among(git: &Git, directory: &Path, named: &[String]) -> Result<Vec<String>> {
    if named.is_empty() {
        return below(git, directory).await;
    }
    let mut all = Vec::new();
    for path in named {
        let folder = directory.join(path);
        if !folder.is_dir() {
            all.push(plain(Path::new(path)));
            continue;
        }
        let found = below(git, &folder).await?;
        let inside = |script| plain(&Path::new(path).join(script));
        all.extend(found.iter().map(inside));
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// The shell scripts below a folder, relative to it: those that git tracks, or would; told by their name or their
/// first line. Without a repository all but what is installed there.
pub async fn below(git: &Git, folder: &Path) -> Result<Vec<String>> {
    let list = git
        .at(folder)
        .answer([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .await?;
    let all = match list {
        Some(list) => list.split('\0').map(str::to_owned).collect(),
        None => without_git(folder),
    };
    let mut scripts: Vec<String> = all
        .into_iter()
        .filter(|path| !path.is_empty() && is_script(folder, path))
        .collect();
    scripts.sort();
    scripts.dedup();
    Ok(scripts)
}

fn without_git(folder: &Path) -> Vec<String> {
    walk::files(folder, |path| !walk::is_foreign(path))
        .filter_map(|file| {
            let path = file.strip_prefix(folder).ok()?.to_str()?;
            Some(path.replace(std::path::MAIN_SEPARATOR, "/"))
        })
        .collect()
}

/// A path with nothing in it that means nothing, so that one file has one name: `./bin//x` is `bin/x`.
fn plain(path: &Path) -> String {
    let parts: PathBuf = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    parts.to_string_lossy().into_owned()
}

fn is_script(directory: &Path, path: &str) -> bool {
    use std::io::Read as _;

    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((_, "sh" | "bash" | "dash" | "ksh")) => directory.join(path).is_file(),
        Some((stem, _)) if !stem.is_empty() => false,
        _ => {
            let file = directory.join(path);
            if !file.is_file() {
                return false;
            }
            let mut start = [0; 64];
            let read = std::fs::File::open(file)
                .and_then(|mut file| file.read(&mut start))
                .unwrap_or(0);
            is_shebang(start.get(..read).unwrap_or_default())
        }
    }
}

/// Whether a file with this start is run by a shell that shellcheck knows.
fn is_shebang(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
    let Some(command) = line.strip_prefix(b"#!") else {
        return false;
    };
    String::from_utf8_lossy(command)
        .split([' ', '\t', '/', '\r'])
        .any(|word| matches!(word, "sh" | "bash" | "dash" | "ksh"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_name() {
        for (path, name) in [
            ("./bin//x", "bin/x"),
            ("bin/./x", "bin/x"),
            ("../x", "../x"),
            ("/bin/x", "/bin/x"),
        ] {
            assert_eq!(plain(Path::new(path)), name);
        }
    }

    #[test]
    fn scripts_are_told_by_their_first_line() {
        for (line, is) in [
            ("#!/bin/sh\necho", true),
            ("#!/usr/bin/env bash", true),
            ("#!/usr/bin/env -S bash -e\n", true),
            ("#!/bin/zsh", false),
            ("#!/usr/bin/python3\n# sh", false),
            ("echo sh", false),
            ("", false),
        ] {
            assert_eq!(is_shebang(line.as_bytes()), is, "{line}");
        }
    }
}
