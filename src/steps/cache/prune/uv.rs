//! The cache of uv, in parts: which package each unpacked wheel, each built wheel and each answer of an index is of.
//!
//! Layout: `crates/uv-cache/src/lib.rs` of uv, read on caches of uv 0.9 to 0.13. A bucket is a folder with a version, such as
//! `wheels-v8`; unpacked wheels lie in `archive-v0`, and links in the other buckets lead there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan::{Part, Worth};
use super::used::Used;
use crate::steps::cache::prune::tree;
use crate::system::files::{normalise, real};

/// Reads the cache below `root`, which is a path without links: links in the cache are compared with it.
pub fn parts(root: &Path, used: &Used) -> io::Result<Vec<Part>> {
    let mut found = Found::default();
    let archives = real(&root.join("archive-v0"));
    for bucket in tree::children(root)? {
        let name = tree::name(&bucket);
        if name.starts_with("wheels-v") {
            each_package(&bucket, |_| true, &mut |folder, package| {
                wheels(folder, package, used, &mut found)
            })?;
        } else if name.starts_with("sdists-v") {
            each_package(&bucket, has_names, &mut |folder, package| {
                sdists(folder, package, used, &mut found)
            })?;
            unnamed_sources(&bucket, &mut found)?;
        } else if name.starts_with("simple-v") {
            answers(&bucket, used, &mut found)?;
        } else if name.starts_with(".tmp") || name.starts_with("builds-v") {
            // Left behind: nobody works in the cache while it is locked.
            found.whole(&bucket, "left behind", Worth::Unused)?;
        }
    }
    let mut unreferenced = Vec::new();
    if archives.is_dir() {
        for archive in tree::children(&archives)? {
            let bytes = tree::bytes(&archive)?;
            match found.archives.get(&archive) {
                Some(part) => {
                    let part = part.clone();
                    found.add(&part.0, part.1, bytes, archive);
                }
                None => unreferenced.push((archive, bytes)),
            }
        }
    }
    // A wheel that nothing leads to is never found again; where no link is at all, others lead there than we know.
    if !found.archives.is_empty() || found.parts.is_empty() {
        for (archive, bytes) in unreferenced {
            found.add(
                "unpacked wheels that nothing leads to",
                Worth::Unused,
                bytes,
                archive,
            );
        }
    }
    Ok(found.into_parts())
}

/// What was found so far, by name and worth.
#[derive(Default)]
struct Found {
    parts: BTreeMap<(String, Worth), (u64, Vec<PathBuf>)>,
    /// Unpacked wheels, by what leads to them. Where several lead there, the worthiest counts.
    archives: HashMap<PathBuf, (String, Worth)>,
}

impl Found {
    fn add(&mut self, name: &str, worth: Worth, bytes: u64, path: PathBuf) {
        let (sum, paths) = self.parts.entry((name.to_owned(), worth)).or_default();
        *sum += bytes;
        paths.push(path);
    }

    fn whole(&mut self, path: &Path, name: &str, worth: Worth) -> io::Result<()> {
        let bytes = tree::bytes(path)?;
        self.add(name, worth, bytes, path.to_owned());
        Ok(())
    }

    /// Follows the links in a file or folder to the unpacked wheels that they lead to.
    fn follow(&mut self, path: &Path, name: &str, worth: Worth) -> io::Result<()> {
        for link in tree::links(path)? {
            let target = fs::read_link(&link)?;
            let folder = link.parent().unwrap_or(Path::new(""));
            let target = normalise(&folder.join(target));
            // The way there may go through links: to a cache on another disk.
            let target = match (target.parent(), target.file_name()) {
                (Some(above), Some(name)) => real(above).join(name),
                _ => target,
            };
            let known = self
                .archives
                .entry(target)
                .or_insert_with(|| (name.to_owned(), worth));
            if known.1 < worth {
                *known = (name.to_owned(), worth);
            }
        }
        Ok(())
    }

    fn into_parts(self) -> Vec<Part> {
        self.parts
            .into_iter()
            .map(|((name, worth), (bytes, paths))| Part {
                name,
                worth,
                bytes,
                paths,
            })
            .collect()
    }
}

/// Calls for each folder of a package below a bucket: `pypi/<name>`, `index/<digest>/<name>`, `url/<digest>/<name>`, ….
fn each_package(
    bucket: &Path,
    is_meant: impl Fn(&Path) -> bool,
    call: &mut impl FnMut(&Path, &str) -> io::Result<()>,
) -> io::Result<()> {
    for kind in tree::folders(bucket)?
        .into_iter()
        .filter(|kind| is_meant(kind))
    {
        let owners = if tree::name(&kind) == "pypi" {
            vec![kind]
        } else {
            tree::folders(&kind)?
        };
        for owner in owners {
            for folder in tree::folders(&owner)? {
                let package = tree::name(&folder);
                call(&folder, &package)?;
            }
        }
    }
    Ok(())
}

/// `<version>-<tags>` in three forms: a link to the unpacked wheel, `.http` with what is known of the download, and
/// `.msgpack` with its metadata.
fn wheels(folder: &Path, package: &str, used: &Used, found: &mut Found) -> io::Result<()> {
    for entry in tree::children(folder)? {
        let file = tree::name(&entry);
        let version = file.split('-').next().unwrap_or_default();
        let (name, worth) = judged(package, version, used, Worth::Download);
        found.follow(&entry, &name, worth)?;
        found.whole(&entry, &name, worth)?;
    }
    Ok(())
}

/// Sources of repositories, addresses and folders, by digests that tell no package: they stay as long as they fit.
fn unnamed_sources(bucket: &Path, found: &mut Found) -> io::Result<()> {
    for kind in tree::folders(bucket)? {
        if !has_names(&kind) {
            for source in tree::children(&kind)? {
                let name = format!("{} {}", tree::name(&kind), tree::name(&source));
                found.follow(&source, &name, Worth::Built)?;
                found.whole(&source, &name, Worth::Built)?;
            }
        }
    }
    Ok(())
}

/// Whether a folder of a bucket of sources is sorted by package.
fn has_names(kind: &Path) -> bool {
    matches!(&*tree::name(kind), "pypi" | "index")
}

/// `<version>/…`: the source and the wheels that were built from it.
fn sdists(folder: &Path, package: &str, used: &Used, found: &mut Found) -> io::Result<()> {
    for entry in tree::children(folder)? {
        let version = tree::name(&entry);
        let (name, worth) = judged(package, &version, used, Worth::Built);
        found.follow(&entry, &name, worth)?;
        found.whole(&entry, &name, worth)?;
    }
    Ok(())
}

/// `<index>/<name>.rkyv`: the answer of an index for a package.
fn answers(bucket: &Path, used: &Used, found: &mut Found) -> io::Result<()> {
    let mut waiting: BTreeSet<PathBuf> = BTreeSet::from([bucket.to_owned()]);
    while let Some(folder) = waiting.pop_first() {
        for entry in tree::children(&folder)? {
            if tree::is_folder(&entry) {
                waiting.insert(entry);
                continue;
            }
            let file = tree::name(&entry);
            let package = file
                .rsplit_once('.')
                .map_or(file.as_str(), |(name, _)| name);
            let worth = if used.has_package(package) {
                Worth::Answer
            } else {
                Worth::Unused
            };
            found.whole(&entry, &format!("{package}, answers of an index"), worth)?;
        }
    }
    Ok(())
}

fn judged(package: &str, version: &str, used: &Used, worth: Worth) -> (String, Worth) {
    let name = format!("{package} {version}");
    let is_used = used.has(package, version);
    (name, if is_used { worth } else { Worth::Unused })
}
