//! What the programs of a command are: so that a new version of a tool runs its stages again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::digest::{Pieces, Sha};
use crate::model::pipeline::manifest::Content;
use crate::model::pipeline::{Action, Stage};
use crate::steps::artifacts::Known;
use crate::system::python::site_packages;

/// Finds programs and says what they are.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'p> {
    /// Digests that are known.
    pub known: &'p Known,
    /// The folders that are searched, in order.
    pub path: &'p [PathBuf],
    /// Where the stage runs.
    pub directory: &'p Path,
}

impl Programs<'_> {
    /// The programs of a stage by the name in its command. Of a script each word that is the name of a program counts,
    /// wherever it stands: one too many means a run too many, one too few a result that is not true any more.
    pub fn of(&self, stage: &Stage, arguments: &[String]) -> BTreeMap<String, Sha> {
        match &stage.action {
            Action::Exec(_) => self.named(arguments.first().map(String::as_str)),
            Action::Shell(script) => {
                let words = script.value.split(|c: char| {
                    c.is_whitespace()
                        || matches!(
                            c,
                            ';' | '&'
                                | '|'
                                | '('
                                | ')'
                                | '`'
                                | '"'
                                | '\''
                                | '<'
                                | '>'
                                | '{'
                                | '}'
                                | '$'
                                | '='
                        )
                });
                self.named(std::iter::once("sh").chain(words))
            }
            Action::Step { .. } | Action::None => BTreeMap::new(),
        }
    }

    fn named<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> BTreeMap<String, Sha> {
        let mut programs = BTreeMap::new();
        for name in names {
            if !name.is_empty()
                && !programs.contains_key(name)
                && let Some(digest) = self.find(name).and_then(|path| self.digest(&path))
            {
                programs.insert(name.to_owned(), digest);
            }
        }
        programs
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(self.directory.join(name)).filter(|path| self.is_program(path));
        }
        let mut found = self.path.iter().map(|folder| folder.join(name));
        found.find(|path| self.is_program(path))
    }

    fn is_program(&self, path: &Path) -> bool {
        let real = path.canonicalize();
        real.and_then(|real| self.known.file(&real))
            .is_ok_and(|content| {
                matches!(
                    content,
                    Content::File {
                        executable: true,
                        ..
                    }
                )
            })
    }

    /// The digest of the program's file, and where it is a script of a Python environment, of what is installed there:
    /// such scripts are the same for all versions.
    fn digest(&self, path: &Path) -> Option<Sha> {
        let real = path.canonicalize().ok()?;
        let Ok(Content::File { digest, .. }) = self.known.file(&real) else {
            return None;
        };
        let mut pieces = Pieces::default();
        pieces.add(digest);
        // The script itself, not what a link to an interpreter leads to.
        if let Some(prefix) = path.parent().and_then(Path::parent)
            && prefix.join("pyvenv.cfg").is_file()
        {
            self.add_installed(prefix, &mut pieces);
        }
        Some(pieces.finish())
    }

    fn add_installed(&self, prefix: &Path, pieces: &mut Pieces) {
        let mut records: Vec<PathBuf> = site_packages(prefix)
            .into_iter()
            .flat_map(|site| std::fs::read_dir(site).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "dist-info")
            })
            .map(|path| path.join("RECORD"))
            .collect();
        records.sort();
        for record in records {
            pieces.add(record.as_os_str().as_encoded_bytes());
            let content = self
                .known
                .file(&record)
                .ok()
                .and_then(|content| match content {
                    Content::File { digest, .. } => Some(digest),
                    Content::Link { .. } => None,
                });
            pieces.add_optional(content);
        }
    }
}
