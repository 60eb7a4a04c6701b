//! Where declared paths are on disk, and which links stay among them.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, access};

use super::confinement::{Confinement, Place};

/// So many links in one way are followed, as Linux does.
const HOPS: usize = 40;

/// One declared path as it is on disk.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    /// Links on the way to it are followed, and at its end where that is a folder.
    pub(super) target: PathBuf,
    /// The same, where a link at its end stays one.
    pub(super) plain: PathBuf,
}

impl Landing {
    pub(super) fn of(root: &Path) -> Self {
        let plain = on_disk(root);
        let target = match plain.canonicalize() {
            Ok(real) if real.is_dir() => real,
            _ => plain.clone(),
        };
        Self { target, plain }
    }
}

/// A path as it is on disk: links are followed on the way to it.
pub(super) fn on_disk(root: &Path) -> PathBuf {
    for above in root.ancestors().skip(1) {
        if let (Ok(real), Ok(rest)) = (above.canonicalize(), root.strip_prefix(above)) {
            return real.join(rest);
        }
    }
    root.to_owned()
}

/// All declared paths as they are on disk.
#[derive(Debug)]
pub(super) struct Landings(Vec<Landing>);

impl Landings {
    pub(super) fn of(confinement: &Confinement) -> Self {
        let roots = confinement.roots().iter();
        Self(roots.map(|root| Landing::of(root)).collect())
    }

    /// Where a link of an archive will stand.
    pub(super) fn link(&self, place: &Place) -> Option<PathBuf> {
        let landing = self.0.get(place.root)?;
        Some(if place.below.is_empty() {
            landing.plain.clone()
        } else {
            landing.target.join(super::os(&place.below))
        })
    }

    /// Whether the link at `path`, as it is on disk, may be there: it leads to another declared path or below one, in circles, or
    /// to a program that is there, as the interpreter of a virtual environment is. What the links in `known` lead to counts
    /// before what is on disk.
    pub(super) fn let_in(&self, path: &Path, known: &HashMap<PathBuf, PathBuf>) -> bool {
        // Through one that goes in circles nothing can be reached.
        let Some(end) = follow(path, known) else {
            return true;
        };
        let is_within = |landing: &Landing| {
            let is_its_own = landing.plain == path;
            end.starts_with(&landing.plain) || (!is_its_own && end.starts_with(&landing.target))
        };
        self.0.iter().any(is_within) || is_program(&end)
    }
}

/// Whether it is a regular file that is there to be run, or that nobody can write to through a link.
fn is_program(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| {
        let is_executable = found.permissions().mode() & 0o111 != 0;
        found.is_file() && (is_executable || access(path, Access::WRITE_OK).is_err())
    })
}

/// Where a path leads. `None` where it goes in circles.
fn follow(path: &Path, known: &HashMap<PathBuf, PathBuf>) -> Option<PathBuf> {
    let mut hops = 0;
    let mut done = PathBuf::from("/");
    let mut rest: VecDeque<OsString> = parts(path);
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&part);
        let target = known.get(&next).cloned().or_else(|| next.read_link().ok());
        let Some(target) = target else {
            done = next;
            continue;
        };
        hops += 1;
        if hops > HOPS {
            return None;
        }
        if target.is_absolute() {
            done = PathBuf::from("/");
        }
        for part in parts(&target).into_iter().rev() {
            rest.push_front(part);
        }
    }
    Some(done)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        })
        .collect()
}
