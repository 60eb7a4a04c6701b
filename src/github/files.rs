//! File commands: outputs, environment, path, state and job summary, as the runner reads them
//! (actions/runner `FileCommandManager.cs`).

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use crate::system::files::hex;

/// The runner drops a whole summary that is longer than this many bytes.
pub const SUMMARY_LIMIT: usize = 1_024 * 1_024;

/// The only names that we ever write to `GITHUB_ENV`: any other could take over a later step.
const ENV_NAMES: &[&str] = &["LOCKGATE_VERSION"];

/// Appends `name` with `value` to the file of outputs or state, behind a delimiter nobody can guess.
pub fn append_value(file: &Path, name: &str, value: &str) -> io::Result<()> {
    append(file, &heredoc(name, value)?)
}

/// Appends a variable for later steps; only names of our own list.
pub fn append_environment(file: &Path, name: &str, value: &str) -> io::Result<()> {
    if !ENV_NAMES.contains(&name) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{name}` is not ours to set for later steps"),
        ));
    }
    append(file, &heredoc(name, value)?)
}

/// Puts a folder in front of `PATH` for later steps.
pub fn append_path(file: &Path, folder: &str) -> io::Result<()> {
    if folder.is_empty() || folder.contains(['\n', '\r']) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a folder for PATH must be one line",
        ));
    }
    append(file, &format!("{folder}\n"))
}

/// Appends to the job summary, never beyond what the runner takes; says whether it fitted.
pub fn append_summary(file: &Path, markdown: &str) -> io::Result<bool> {
    let there = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let there = usize::try_from(there).unwrap_or(usize::MAX);
    if there.saturating_add(markdown.len()) > SUMMARY_LIMIT {
        return Ok(false);
    }
    append(file, markdown)?;
    Ok(true)
}

fn heredoc(name: &str, value: &str) -> io::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let delimiter = format!("ghadelimiter_{}", hex(&random));
    let broken = name.is_empty() || name.contains(['=', '\n', '\r']) || name.contains("<<");
    if broken || value.contains(&delimiter) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{name}` cannot be written as an output"),
        ));
    }
    Ok(format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
}

/// One write, so that nobody's line comes between ours.
fn append(file: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)?
        .write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_break_out_of_their_delimiter() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("output");
        append_value(&file, "verdict", "pass\nEOF\nevil=1").unwrap();
        append_value(&file, "empty", "").unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let mut lines = text.lines();
        let first = lines.next().unwrap();
        let delimiter = first.strip_prefix("verdict<<").unwrap();
        assert_eq!(delimiter.len(), "ghadelimiter_".len() + 32);
        assert_eq!(
            lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect::<Vec<_>>(),
            ["pass", "EOF", "evil=1"]
        );
        assert!(append_value(&file, "a=b", "").is_err());
        assert!(append_value(&file, "a<<b", "").is_err());
    }

    #[test]
    fn later_steps_get_only_what_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("env");
        for name in [
            "LD_PRELOAD",
            "BASH_ENV",
            "PATH",
            "NODE_OPTIONS",
            "PIP_INDEX_URL",
        ] {
            assert!(append_environment(&file, name, "x").is_err(), "{name}");
        }
        append_environment(&file, "LOCKGATE_VERSION", "0.1.0").unwrap();
        assert!(append_path(&file, "/a\n/b").is_err());
    }

    #[test]
    fn a_summary_never_grows_beyond_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("summary");
        assert!(append_summary(&file, &"x".repeat(SUMMARY_LIMIT - 1)).unwrap());
        assert!(!append_summary(&file, "ab").unwrap());
        assert!(append_summary(&file, "a").unwrap());
    }
}
