//! The walk: depth first from each search root, the children of a folder by the bytes of their names, as libuv gives them
//! to Node. Paths are text, as they are to Node: what of a name is not UTF-8 is `U+FFFD` there, and such a file is not
//! found again.

use std::ffi::OsString;
use std::fs::{self, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::globs::{self, Match, Patterns};
use crate::system::files::normalise;
use crate::system::hash_files::{Taken, Walked};

/// The files that the patterns match below the workspace.
pub(super) fn walk(patterns: &Patterns, workspace: &str, follow: bool) -> Result<Walked> {
    let mut walk = Walk {
        patterns,
        follow,
        inside: format!("{workspace}/"),
        files: Vec::new(),
        unmatched: patterns.added().collect(),
        above: Vec::new(),
    };
    for root in patterns.search_roots() {
        walk.root(root)?;
    }
    let unmatched = walk.unmatched.into_iter();
    Ok(Walked {
        files: walk.files,
        unmatched: unmatched.map(|(_, text)| text.to_owned()).collect(),
    })
}

struct Walk<'p> {
    patterns: &'p Patterns,
    follow: bool,
    /// How the path of a file of the workspace starts. The runner compares letters: no link is resolved for it.
    inside: String,
    files: Vec<Taken>,
    /// The patterns that have matched nothing yet.
    unmatched: Vec<(usize, &'p str)>,
    /// The folders above the current one without links, to know loops by.
    above: Vec<PathBuf>,
}

/// A folder that is being read.
struct Folder {
    path: String,
    /// How deep below its search root, which is 1.
    level: usize,
    children: Vec<Child>,
    /// The first child that is still to come.
    next: usize,
}

struct Child {
    name: String,
    /// What it is, if that is known and it is found under its name.
    kind: Option<FileType>,
}

/// What the walk needs to know of something.
enum Kind {
    /// A folder to go into.
    Folder,
    /// Anything else, and what is known of it with links followed.
    Other(Option<Metadata>),
    /// Nothing that is of interest.
    Nothing,
}

impl Walk<'_> {
    fn root(&mut self, path: &str) -> Result<()> {
        match fs::symlink_metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(path, &error)),
        }
        let parts = globs::parts(path);
        let mut folders: Vec<Folder> = Vec::new();
        folders.extend(self.visit(path, &parts, None, 1)?);
        while let Some(mut folder) = folders.pop() {
            let mut parts = globs::parts(&folder.path);
            let mut deeper = None;
            for (index, child) in folder.children.iter().enumerate().skip(folder.next) {
                parts.push(&child.name);
                deeper = self.child(&folder, child, &parts)?;
                parts.pop();
                if deeper.is_some() {
                    folder.next = index + 1;
                    break;
                }
            }
            if let Some(deeper) = deeper {
                folders.push(folder);
                folders.push(deeper);
            }
        }
        Ok(())
    }

    /// Looks at a child; a folder to go into comes back.
    fn child(&mut self, folder: &Folder, child: &Child, parts: &[&str]) -> Result<Option<Folder>> {
        let path = || format!("{}/{}", folder.path.trim_end_matches('/'), child.name);
        if child.kind.is_some_and(|kind| kind.is_file()) {
            // Most are, and of these nothing more need be known.
            let is_taken = self.patterns.matches(parts).file;
            if is_taken || !self.unmatched.is_empty() {
                self.file(path(), parts, is_taken, true);
            }
            return Ok(None);
        }
        self.visit(&path(), parts, child.kind, folder.level + 1)
    }

    /// Looks at something that may be a folder.
    fn visit(
        &mut self,
        path: &str,
        parts: &[&str],
        kind: Option<FileType>,
        level: usize,
    ) -> Result<Option<Folder>> {
        let matched = self.patterns.matches(parts);
        if matched == Match::NONE && !self.patterns.may_match_below(parts) {
            if kind.is_some_and(|kind| !kind.is_dir()) {
                self.file(path.to_owned(), parts, false, false);
            }
            return Ok(None);
        }
        match self.kind(path, kind, level)? {
            Kind::Folder => read(path, level).map(Some),
            Kind::Other(known) => {
                if matched.file && path.starts_with(&self.inside) {
                    let about = known.map_or_else(|| fs::metadata(path), Ok);
                    let about = about.map_err(|error| unreadable(path, &error))?;
                    if !about.is_dir() {
                        self.file(path.to_owned(), parts, true, false);
                    }
                } else {
                    self.file(path.to_owned(), parts, false, false);
                }
                Ok(None)
            }
            Kind::Nothing => Ok(None),
        }
    }

    fn kind(&mut self, path: &str, kind: Option<FileType>, level: usize) -> Result<Kind> {
        if !self.follow {
            let is_folder = match kind {
                Some(kind) => Ok(kind.is_dir()),
                None => fs::symlink_metadata(path).map(|about| about.is_dir()),
            };
            return match is_folder {
                Ok(true) => Ok(Kind::Folder),
                Ok(false) => Ok(Kind::Other(None)),
                Err(error) => Err(unreadable(path, &error)),
            };
        }
        let about = match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Kind::Nothing),
            about => about.map_err(|error| unreadable(path, &error))?,
        };
        if !about.is_dir() {
            return Ok(Kind::Other(Some(about)));
        }
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        self.above.truncate(level - 1);
        if self.above.contains(&real) {
            return Ok(Kind::Nothing);
        }
        self.above.push(real);
        Ok(Kind::Folder)
    }

    /// Something that is no folder; `is_taken` by the patterns as a whole.
    fn file(&mut self, path: String, parts: &[&str], is_taken: bool, is_regular: bool) {
        if !path.starts_with(&self.inside) {
            return;
        }
        self.unmatched
            .retain(|(number, _)| !self.patterns.one_matches(*number, parts));
        if is_taken {
            let path = path.into();
            self.files.push(Taken { path, is_regular });
        }
    }
}

/// Reads a folder. Node puts its path and the names together anew, without what a search root may have of `.`.
fn read(path: &str, level: usize) -> Result<Folder> {
    let children = children(path).map_err(|error| unreadable(path, &error))?;
    let path = if path.contains("/.") {
        normalise(Path::new(path)).to_string_lossy().into_owned()
    } else {
        path.to_owned()
    };
    Ok(Folder {
        path,
        level,
        children,
        next: 0,
    })
}

fn children(path: &str) -> io::Result<Vec<Child>> {
    let mut entries: Vec<(OsString, FileType)> = fs::read_dir(path)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), entry.file_type()?))
        })
        .collect::<io::Result<_>>()?;
    // Windows has an order of its own.
    if cfg!(unix) {
        entries.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    }
    let children = entries
        .into_iter()
        .map(|(name, kind)| match name.into_string() {
            Ok(name) => Child {
                name,
                kind: Some(kind),
            },
            Err(name) => Child {
                name: name.to_string_lossy().into_owned(),
                kind: None,
            },
        });
    Ok(children.collect())
}

fn unreadable(path: &str, error: &io::Error) -> Error {
    let is_link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    if error.kind() == ErrorKind::NotFound && is_link {
        return Error::usage(format!("the link `{path}` leads nowhere"))
            .cause("`hashFiles()` fails on a broken link that a pattern matches")
            .hint("delete it, leave it out by a pattern with `!`, or follow links with `--follow-symbolic-links`");
    }
    if error.kind() == ErrorKind::NotFound && path.contains(char::REPLACEMENT_CHARACTER) {
        return Error::usage(format!("`{path}` has a name that is not UTF-8"))
            .cause("`hashFiles()` cannot open such a file, and fails")
            .hint("rename it, or leave it out by a pattern with `!`");
    }
    let error = Error::no_verdict(format!("`{path}` cannot be read")).cause(error);
    error.hint("leave it out by a pattern with `!`, or make it readable")
}
