//! The walk over the sources: what is there, in which order, and cut into groups.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::found::{describe, missing, open};
use super::group::{Group, Item, Large, Small, Teller, Told};
use super::{LeftOut, PIECE, Reason, Sources, names};
use crate::archive::confinement::Confinement;
use crate::archive::entry::{Entry, Kind, Time};
use crate::archive::fault::Fault;
use crate::archive::landing::{Landings, on_disk};
use crate::archive::progress::Progress;
use crate::archive::{BLOCK, STAGE_PREFIX};
use crate::system::files::normalise;

/// Longer files are opened when they are seen.
const SMALL: u64 = 1 << 20;

/// A group is full with so many bytes of the tar stream.
const FULL: usize = PIECE;

/// So much an entry takes beside its content: its header and, as nearly always, its PAX header.
const HEADERS: usize = 3 * BLOCK;

/// Walks the sources in the order of their names, and hands out groups; the last ends the archive. Ends early when `take` wants
/// no more. Returns what was left out.
pub(super) fn walk(
    sources: &Sources<'_>,
    first: Group,
    progress: &Progress,
    take: &mut dyn FnMut(Group) -> bool,
) -> Result<Vec<LeftOut>, Fault> {
    let workspace = normalise(sources.workspace);
    let absolute = |path: &PathBuf| normalise(&workspace.join(path));
    let mut walk = Walk {
        excluded: sources.excluded.iter().map(absolute).collect(),
        group: first,
        filled: 0,
        links: HashMap::new(),
        left_out: Vec::new(),
        is_over: false,
        declared: sources.confinement.map(|confinement| Declared {
            beside: beside(confinement, &workspace),
            landings: Landings::of(confinement),
        }),
        progress,
        take,
    };
    let mut paths: Vec<PathBuf> = sources.paths.iter().map(absolute).collect();
    paths.sort();
    paths.dedup();
    let mut walked = HashSet::new();
    for path in paths {
        if !is_met(&walked, &path) {
            let name = names::relative(&workspace, &path);
            walk.visit(path.clone(), name)?;
            walked.insert(path);
        }
    }
    walk.group.is_last = true;
    walk.hand_out();
    Ok(walk.left_out)
}

/// What is known of the extraction to come.
struct Declared {
    /// Declared paths beside the workspace. Their end may be a link of the user's.
    beside: Vec<PathBuf>,
    landings: Landings,
}

fn beside(confinement: &Confinement, workspace: &Path) -> Vec<PathBuf> {
    let roots = confinement.roots().iter();
    let beside = roots.filter(|root| !root.starts_with(workspace));
    beside.cloned().collect()
}

/// Whether one of the walks so far meets `path`: it lies below where that walk started, and no link is on the way. The nearest
/// start decides: the way from one further up leads through it.
fn is_met(walked: &HashSet<PathBuf>, path: &Path) -> bool {
    let mut above = path.ancestors().skip(1);
    let Some(start) = above.find(|folder| walked.contains(*folder)) else {
        return false;
    };
    path.ancestors()
        .skip(1)
        .take_while(|way| way.starts_with(start))
        .all(|way| way.symlink_metadata().is_ok_and(|found| found.is_dir()))
}

struct Walk<'w> {
    excluded: HashSet<PathBuf>,
    group: Group,
    filled: usize,
    /// Files that have other names: the name in the archive, and whether it got there.
    links: HashMap<(u64, u64), (Vec<u8>, Told)>,
    left_out: Vec<LeftOut>,
    is_over: bool,
    declared: Option<Declared>,
    progress: &'w Progress,
    take: &'w mut dyn FnMut(Group) -> bool,
}

impl Walk<'_> {
    fn leave_out(&mut self, path: PathBuf, reason: Reason) {
        self.left_out.push(LeftOut { path, reason });
    }

    fn visit(&mut self, path: PathBuf, name: Vec<u8>) -> Result<(), Fault> {
        let mut waiting = vec![(path, name)];
        while let Some((path, name)) = waiting.pop() {
            self.progress.check()?;
            if self.is_over {
                return Ok(());
            }
            if self.excluded.contains(&path) || is_stage(&path) {
                continue;
            }
            let metadata = match self.look(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    let reason = missing(&path, error)?;
                    self.leave_out(path, reason);
                    continue;
                }
            };
            let kind = metadata.file_type();
            if kind.is_dir() {
                self.folder(&path, name, &metadata, &mut waiting)?;
            } else if kind.is_file() {
                self.file(path, name, &metadata)?;
            } else if kind.is_symlink() {
                self.symlink(path, name, &metadata)?;
            } else {
                debug_assert!(
                    kind.is_fifo()
                        || kind.is_socket()
                        || kind.is_char_device()
                        || kind.is_block_device()
                );
                self.leave_out(path, Reason::Special);
            }
        }
        Ok(())
    }

    fn look(&self, path: &Path) -> std::io::Result<Metadata> {
        let found = path.symlink_metadata()?;
        let is_ours = |declared: &Declared| declared.beside.iter().any(|root| root == path);
        if found.is_symlink() && self.declared.as_ref().is_some_and(is_ours) {
            return Ok(path
                .metadata()
                .ok()
                .filter(Metadata::is_dir)
                .unwrap_or(found));
        }
        Ok(found)
    }

    fn folder(
        &mut self,
        path: &Path,
        mut name: Vec<u8>,
        metadata: &Metadata,
        waiting: &mut Vec<(PathBuf, Vec<u8>)>,
    ) -> Result<(), Fault> {
        name.push(b'/');
        let listed = std::fs::read_dir(path).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name()))
                .collect::<std::io::Result<Vec<_>>>()
        });
        let mut children = match listed {
            Ok(children) => children,
            Err(error) => {
                let reason = missing(path, error)?;
                self.leave_out(path.to_owned(), reason);
                if reason == Reason::Vanished {
                    return Ok(());
                }
                Vec::new()
            }
        };
        // The next to visit is the last of the list.
        children.sort_unstable_by(|left, right| right.cmp(left));
        waiting.reserve(children.len());
        for child in children {
            let mut below = Vec::with_capacity(name.len() + child.len());
            below.extend_from_slice(&name);
            below.extend_from_slice(child.as_bytes());
            waiting.push((path.join(child), below));
        }
        let entry = entry(name, Kind::Directory, metadata);
        self.add(Item::Plain(entry), 0);
        Ok(())
    }

    fn symlink(&mut self, path: PathBuf, name: Vec<u8>, metadata: &Metadata) -> Result<(), Fault> {
        let target = match path.read_link() {
            Ok(target) => target,
            Err(error) => {
                let reason = missing(&path, error)?;
                self.leave_out(path, reason);
                return Ok(());
            }
        };
        let is_refused = |declared: &Declared| {
            let path = on_disk(&path);
            !declared.landings.let_in(&path, &HashMap::new())
        };
        if self.declared.as_ref().is_some_and(is_refused) {
            self.leave_out(path, Reason::LeadsOut);
            return Ok(());
        }
        let mut entry = entry(name, Kind::Symlink, metadata);
        entry.link = target.into_os_string().as_bytes().to_vec();
        self.add(Item::Plain(entry), 0);
        Ok(())
    }

    fn file(&mut self, path: PathBuf, name: Vec<u8>, metadata: &Metadata) -> Result<(), Fault> {
        let mut entry = entry(name, Kind::File, metadata);
        let mut tells = None;
        if metadata.nlink() > 1 {
            let inode = (metadata.dev(), metadata.ino());
            if let Some((earlier, told)) = self.links.get(&inode) {
                let mut link = entry.clone();
                link.kind = Kind::HardLink;
                link.size = 0;
                link.link.clone_from(earlier);
                let to = Arc::clone(told);
                // Of a long file it is known at once.
                if to.get() == Some(&true) {
                    self.add(Item::Plain(link), 0);
                    return Ok(());
                } else if entry.size <= SMALL {
                    let file = Small {
                        path,
                        entry,
                        tells: None,
                    };
                    self.add(Item::HardLink { link, to, file }, 0);
                    return Ok(());
                }
            } else {
                let told = Told::default();
                self.links
                    .insert(inode, (entry.name.clone(), Arc::clone(&told)));
                tells = Some(Teller(told));
            }
        }
        if entry.size <= SMALL {
            let planned = usize::try_from(entry.size).unwrap_or_default();
            self.add(Item::Small(Small { path, entry, tells }), planned);
            return Ok(());
        }
        let opened = open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, file) = match opened {
            Ok((metadata, file)) if metadata.is_file() => (metadata, file),
            Ok(_) => {
                self.leave_out(path, Reason::Changed);
                return Ok(());
            }
            Err(error) => {
                let reason = missing(&path, error)?;
                self.leave_out(path, reason);
                return Ok(());
            }
        };
        describe(&mut entry, &metadata);
        if let Some(teller) = tells {
            let _ = teller.0.set(true);
        }
        self.pieces(Large { path, entry, file });
        Ok(())
    }

    fn pieces(&mut self, large: Large) {
        let file = Arc::new(large);
        let size = file.entry.size;
        let mut offset = 0;
        loop {
            let length = (size - offset).min(PIECE as u64);
            let planned = usize::try_from(length).unwrap_or_default();
            let piece = Item::Piece {
                file: Arc::clone(&file),
                offset,
            };
            self.add(piece, planned);
            offset += length;
            if offset >= size || self.is_over {
                return;
            }
        }
    }

    fn add(&mut self, item: Item, planned: usize) {
        // Half a group and a whole piece are still one frame.
        if self.filled + planned > FULL + FULL / 2 {
            self.hand_out();
        }
        self.group.items.push(item);
        self.filled += HEADERS + planned.next_multiple_of(BLOCK);
        if self.filled >= FULL {
            self.hand_out();
        }
    }

    fn hand_out(&mut self) {
        self.filled = 0;
        let group = std::mem::take(&mut self.group);
        if !self.is_over && !(self.take)(group) {
            self.is_over = true;
        }
    }
}

fn entry(name: Vec<u8>, kind: Kind, metadata: &Metadata) -> Entry {
    let mut entry = Entry {
        name,
        kind,
        size: 0,
        mode: 0,
        mtime: Time::default(),
        link: Vec::new(),
    };
    describe(&mut entry, metadata);
    entry
}

/// What an extraction that was killed has left.
fn is_stage(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_bytes().starts_with(STAGE_PREFIX.as_bytes()))
}
