//! The caches of Poetry and pip, in parts, by the names of the wheels and source distributions in them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::{Part, Worth};
use super::used::Used;
use crate::lockfiles::filename::{WheelName, sdist_stem};
use crate::steps::cache::prune::tree;

/// Poetry's: `artifacts/…/<file>` as downloaded or built, `cache/repositories` with answers of indexes.
pub fn poetry(root: &Path, used: &Used) -> io::Result<Vec<Part>> {
    let mut parts = named(&root.join("artifacts"), used, Worth::Download)?;
    parts.extend(whole(
        &root.join("cache").join("repositories"),
        "answers of indexes",
        Worth::Answer,
    )?);
    Ok(parts)
}

/// pip's: `wheels/…/<file>` as built, `http-v2` and `http` with downloads and answers that have no names.
pub fn pip(root: &Path, used: &Used) -> io::Result<Vec<Part>> {
    let mut parts = named(&root.join("wheels"), used, Worth::Built)?;
    for folder in ["http-v2", "http"] {
        parts.extend(unnamed(&root.join(folder))?);
    }
    parts.extend(whole(
        &root.join("selfcheck"),
        "what pip knows of its own releases",
        Worth::Answer,
    )?);
    Ok(parts)
}

/// The wheels and source distributions below a folder, by package and version. A folder that holds nothing but one file and
/// what belongs to it goes with it.
fn named(folder: &Path, used: &Used, worth: Worth) -> io::Result<Vec<Part>> {
    let mut parts: BTreeMap<(String, Worth), (u64, Vec<PathBuf>)> = BTreeMap::new();
    for file in files(folder)? {
        let Some((package, version)) = release(&tree::name(&file)) else {
            continue;
        };
        let worth = if used.has(&package, &version) {
            worth
        } else {
            Worth::Unused
        };
        let (bytes, paths) = parts
            .entry((format!("{package} {version}"), worth))
            .or_default();
        *bytes += tree::bytes(&file)?;
        paths.push(file);
    }
    let parts = parts.into_iter();
    Ok(parts
        .map(|((name, worth), (bytes, paths))| Part {
            name,
            worth,
            bytes,
            paths,
        })
        .collect())
}

/// The package and version in the name of a wheel or source distribution.
fn release(file: &str) -> Option<(String, String)> {
    if let Some(wheel) = WheelName::parse(file) {
        return Some((wheel.distribution.to_owned(), wheel.version.to_owned()));
    }
    let (name, version) = sdist_stem(file)?.rsplit_once('-')?;
    Some((name.to_owned(), version.to_owned()))
}

/// Downloads of which only a digest of their address is known: an answer with its `.body` beside it.
fn unnamed(folder: &Path) -> io::Result<Vec<Part>> {
    let mut parts: BTreeMap<PathBuf, (u64, Vec<PathBuf>)> = BTreeMap::new();
    for file in files(folder)? {
        let head = file.with_extension("");
        let (bytes, paths) = parts.entry(head).or_default();
        *bytes += tree::bytes(&file)?;
        paths.push(file);
    }
    let parts = parts.into_iter();
    Ok(parts
        .map(|(head, (bytes, paths))| Part {
            name: format!("download {}", tree::name(&head)),
            worth: Worth::Download,
            bytes,
            paths,
        })
        .collect())
}

fn whole(folder: &Path, name: &str, worth: Worth) -> io::Result<Option<Part>> {
    if !tree::is_folder(folder) {
        return Ok(None);
    }
    Ok(Some(Part {
        name: name.to_owned(),
        worth,
        bytes: tree::bytes(folder)?,
        paths: vec![folder.to_owned()],
    }))
}

/// All files below a folder; none where it is not there.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    waiting.retain(|folder| tree::is_folder(folder));
    while let Some(folder) = waiting.pop() {
        for entry in tree::children(&folder)? {
            match fs::symlink_metadata(&entry)? {
                metadata if metadata.is_dir() => waiting.push(entry),
                _ => files.push(entry),
            }
        }
    }
    files.sort();
    Ok(files)
}
