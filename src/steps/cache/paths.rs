//! The lines of `paths`: what they name on this disk, and where an archive of them may be unpacked.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::system::files::normalise;

/// A line of `paths`, as a path: `~` is the home folder, everything else is relative to the workspace.
fn absolute(line: &str, workspace: &Path, home: Option<&Path>) -> Result<PathBuf> {
    let line = line.trim();
    let tilde = line
        .strip_prefix('~')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let Some(rest) = tilde else {
        return Ok(normalise(&workspace.join(line)));
    };
    let home = home.ok_or_else(|| {
        Error::usage(format!(
            "`paths`: `{line}` begins with the home folder, and there is none"
        ))
        .hint("export HOME=<folder>")
    })?;
    Ok(normalise(&home.join(rest.trim_start_matches('/'))))
}

/// What an archive of these lines holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Files and folders that are there, absolute.
    pub present: Vec<PathBuf>,
    /// Lines that name nothing.
    pub absent: Vec<String>,
}

/// What the lines name, of what is there.
pub fn resolve(lines: &[String], workspace: &Path, home: Option<&Path>) -> Result<Resolved> {
    let mut resolved = Resolved::default();
    for line in lines {
        let path = absolute(line, workspace, home)?;
        if path.symlink_metadata().is_err() {
            resolved.absent.push(line.clone());
        } else if !resolved.present.contains(&path) {
            resolved.present.push(path);
        }
    }
    Ok(resolved)
}

/// Where an archive of these lines may be unpacked.
pub fn declared(lines: &[String], workspace: &Path, home: Option<&Path>) -> Result<Vec<PathBuf>> {
    lines
        .iter()
        .map(|line| absolute(line, workspace, home))
        .collect()
}
