//! The digest that the runner's `hashFiles()` gives: of the files that patterns match, each by its content, in the order
//! in which the runner comes upon them. Follows `hashFiles.ts` of actions/runner and the globber of `@actions/glob` 0.7.0.

mod content;
mod walk;

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::globs::{Base, Fault, Patterns};
use crate::system::ahead::in_order;
use crate::system::files::{hex, real};
use content::Digester;

/// The least and the most files that one thread hashes before it tells of them: fewer need no thread, and more would
/// keep the other waiting.
const PIECE: (usize, usize) = (4, 256);

/// Into so many pieces the files are cut where that is within the bounds.
const PIECES: usize = 64;

/// The files that patterns match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The files in the order of the runner, absolute. A link to a file is one.
    pub files: Vec<PathBuf>,
    /// The patterns that match no file of the workspace, whatever others take away again; as they were written.
    pub unmatched: Vec<String>,
}

/// What a walk came upon.
#[derive(Debug)]
struct Walked {
    files: Vec<Taken>,
    unmatched: Vec<String>,
}

/// A file that is taken.
#[derive(Debug)]
struct Taken {
    path: PathBuf,
    /// Whether its folder says that it is a regular file, and no link or something else.
    is_regular: bool,
}

impl From<Walked> for Found {
    fn from(walked: Walked) -> Self {
        Self {
            files: walked.files.into_iter().map(|file| file.path).collect(),
            unmatched: walked.unmatched,
        }
    }
}

/// What `hashFiles()` gives for patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// The digest in lower-case hexadecimal; none where there is no file, for which the runner gives an empty text.
    pub hex: Option<String>,
    /// What it was made of.
    pub found: Found,
}

/// Reads patterns, one a line. `input` is how the user calls them; `directory` is where they start, and `home` what `~`
/// stands for.
pub fn read_patterns(
    input: &str,
    text: &str,
    directory: &Path,
    home: Option<&str>,
) -> Result<Patterns> {
    if cfg!(windows) {
        return Err(Error::usage(format!("`{input}`: patterns are not read on Windows yet"))
            .hint("let a job on Linux or macOS ask for the digest, or use `hashFiles()` of the workflow"));
    }
    let directory = real(directory);
    let directory = utf8(&directory)?;
    Patterns::parse(text, &Base { directory, home }).map_err(|fault| refusal(input, &fault))
}

fn refusal(input: &str, fault: &Fault) -> Error {
    Error::usage(format!("`{input}`: `{}` is no pattern", fault.pattern))
        .cause(format!("line {}: {}", fault.line, fault.problem))
        .hint(fault.problem.hint())
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::usage(format!(
            "the name of the folder `{}` is not UTF-8",
            path.display()
        ))
        .hint("give it another name: `hashFiles()` finds nothing there")
    })
}

/// The files below `workspace` that the patterns match. With `follow`, links to folders are followed and broken links
/// passed over; without, a broken link that is matched is an error, as it is to the runner.
pub fn find(patterns: &Patterns, workspace: &Path, follow: bool) -> Result<Found> {
    let workspace = real(workspace);
    walk::walk(patterns, utf8(&workspace)?, follow).map(Found::from)
}

/// The digest of these files, as [`find`] does them.
pub fn digest(patterns: &Patterns, workspace: &Path, follow: bool) -> Result<Digest> {
    let workspace = real(workspace);
    let walked = walk::walk(patterns, utf8(&workspace)?, follow)?;
    let hex = hash(&walked.files)?;
    Ok(Digest {
        hex,
        found: walked.into(),
    })
}

/// SHA-256 over the SHA-256 of each file, or none of no files.
fn hash(files: &[Taken]) -> Result<Option<String>> {
    if files.is_empty() {
        return Ok(None);
    }
    let mut total = Sha256::new();
    let maker = || {
        let mut digester = Digester::new();
        move |piece| -> Result<Vec<[u8; 32]>> {
            let files: &[Taken] = piece;
            files.iter().map(|file| digester.sha256(file)).collect()
        }
    };
    let piece = (files.len() / PIECES).clamp(PIECE.0, PIECE.1);
    in_order(files, piece, maker, |digests| {
        total.update(digests?.as_flattened());
        Ok(())
    })?;
    Ok(Some(hex(&total.finalize())))
}
