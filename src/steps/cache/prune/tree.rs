//! Folders of a cache: read, measured and removed, links never followed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is in a folder, by name.
pub fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut children: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    children.sort();
    Ok(children)
}

/// The folders in a folder, by name; a link to one is none.
pub fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = children(folder)?;
    folders.retain(|path| is_folder(path));
    Ok(folders)
}

/// Whether it is a folder and no link to one.
pub fn is_folder(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir())
}

/// The last part of a path, for names that are ours to know.
pub fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The bytes of all files below.
pub fn bytes(path: &Path) -> io::Result<u64> {
    let mut sum = 0;
    walk(path, &mut |_, metadata| {
        if metadata.is_file() {
            sum += metadata.len();
        }
    })?;
    Ok(sum)
}

/// All links below, or itself.
pub fn links(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut links = Vec::new();
    walk(path, &mut |path, metadata| {
        if metadata.is_symlink() {
            links.push(path.to_owned());
        }
    })?;
    Ok(links)
}

/// Removes it with all below; what is gone already is fine.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = if is_folder(path) {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn walk(path: &Path, call: &mut impl FnMut(&Path, &fs::Metadata)) -> io::Result<()> {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = path.symlink_metadata()?;
        call(&path, &metadata);
        if metadata.is_dir() {
            waiting.extend(children(&path)?);
        }
    }
    Ok(())
}
