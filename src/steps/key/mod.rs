//! The key of a cache, for every step that needs one: gathers the components from locks, files, the machine and the
//! tools, and says what to keep under the key.
//!
//! No network and no token. Programs are asked for their version only where nothing else says it.

mod arguments;
mod caches;
mod configuration;
mod found;
mod locks;
mod paths;
mod python;
mod settings;
mod tools;

use std::path::Path;

use crate::error::Result;
use crate::model::cache_key::{Components, Document, File};
use crate::model::digest::{Pieces, hex};
pub use crate::steps::key::arguments::KeyArguments;
use crate::steps::key::locks::{Read, read_lock};
pub use crate::steps::key::paths::UV_NO_CACHE;
pub use crate::steps::key::settings::Settings;
use crate::steps::key::tools::Tools;
use crate::steps::world::World;
use crate::system::files::{Workspace, sha256_of_file};
use crate::system::hash_files::Digest;
use crate::system::machine::Machine;
use crate::system::stop::Stop;

/// A key, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key: at most 512 characters, no comma.
    pub key: String,
    /// The keys to restore from where nothing has the key itself, most specific first; at most nine.
    pub restore_keys: Vec<String>,
    /// What to keep, as the official cache action takes it: absolute, from the home folder with `~`, or relative to the
    /// workspace.
    pub paths: Vec<String>,
    /// The digest of locks and files, hexadecimal; empty where there are none.
    pub hash: String,
    /// What the key is made from.
    pub components: Components,
    /// Locks of which every byte counts and nothing else is known: they cannot be read.
    pub unread: Vec<String>,
}

impl Key {
    /// The components as a document, to be stored beside the cache.
    pub fn document(&self) -> Document {
        Document::new(self.components.clone())
    }
}

/// Computes the key for the folder that the step works in.
///
/// Fails where a named file, pattern, tool or version is not there, where a lock cannot be read, and where there is
/// nothing to make a digest from, unless that is allowed.
pub async fn compute(settings: &Settings, world: &World, stop: Stop) -> Result<Key> {
    let found = found::locks(settings, world)?;
    let workspace = Workspace::new(&world.root);
    let reads = found.iter().map(|lock| match read_lock(lock, &workspace) {
        // Where every byte counts it need not mean anything.
        Err(_) if settings.every_byte => Ok(Read::unread(lock)),
        read => read,
    });
    let locks: Vec<Read> = reads.collect::<Result<_>>()?;
    let in_bytes = Some(found.as_slice()).filter(|_| settings.every_byte);
    let bytes = found::every_byte(settings, in_bytes, world)?;
    let hash = hash(&locks, bytes.as_ref(), settings.every_byte);
    let machine = Machine::read(Path::new("/"));
    let mut tools = Tools::new(world, stop);
    let python = python::find(settings.python.as_deref(), world, &mut tools).await?;
    let versions = tools.versions(&settings.tools, &locks).await?;
    let names = caches::names(&settings.tools, &locks);
    let both = found.iter().zip(&locks);
    let unread = both.filter(|(_, read)| read.digest.is_none());
    let unread = unread.map(|(lock, _)| lock.path.clone()).collect();
    let mut layouts = Vec::new();
    for name in &names {
        layouts.push((name.clone(), tools.layout(name, &versions).await?));
    }
    let components = Components {
        prefix: settings.prefix.clone(),
        extra: settings.extra.clone(),
        image: settings.include_image.then(|| image(world)),
        caches: layouts.into_iter().collect(),
        os_version: os_version(&machine, world),
        os: machine.os,
        architecture: machine.architecture,
        libc: machine.libc,
        python,
        tools: versions,
        digest: (!hash.is_empty()).then(|| hash.clone()),
        suffix: settings.suffix.clone(),
        locks: locks.into_iter().filter_map(|lock| lock.digest).collect(),
        files: bytes.map_or_else(Vec::new, |bytes| files(&bytes, &workspace)),
    };
    let paths = if settings.paths.is_empty() {
        paths::paths(&names, world)
    } else {
        settings.paths.clone()
    };
    Ok(Key {
        key: components.key(),
        restore_keys: components.restore_keys(),
        paths,
        hash,
        components,
        unread,
    })
}

/// The digest of all locks in the order of their paths, and of the files of which every byte counts. A path does not
/// count: what is moved is the same. Where there are such files only, it is the digest of `hashFiles()`.
fn hash(locks: &[Read], bytes: Option<&Digest>, every_byte: bool) -> String {
    let bytes = bytes.and_then(|bytes| bytes.hex.as_deref());
    let locks: Vec<&str> = locks
        .iter()
        .filter(|_| !every_byte)
        .filter_map(|lock| Some(lock.digest.as_ref()?.digest.as_str()))
        .collect();
    if locks.is_empty() {
        return bytes.unwrap_or_default().to_owned();
    }
    let mut pieces = Pieces::default();
    pieces.add_list(locks.iter()).add_optional(bytes);
    hex(&pieces.finish())
}

/// So many files are told one by one.
const FILES: usize = 1_000;

/// How many hexadecimal digits tell a file.
const DIGITS: usize = 16;

/// The files by path and content, to say later which one is not the same; none where they are too many.
fn files(bytes: &Digest, workspace: &Workspace) -> Vec<File> {
    let files = &bytes.found.files;
    let files = files.iter().filter(|_| files.len() <= FILES);
    let mut files: Vec<File> = files
        .filter_map(|file| {
            let path = workspace.relative(file.to_str()?, workspace.root())?;
            // It was there a moment ago; if it is gone now, the digest says so.
            let mut digest = sha256_of_file(file).ok()?;
            digest.truncate(DIGITS);
            Some(File { path, digest })
        })
        .collect();
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// The name and version of the runner's image; empty where the runner does not say.
fn image(world: &World) -> String {
    let parts = ["ImageOS", "ImageVersion"].map(|name| world.environment.get(name));
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join("-")
}

/// The version of the system; where its files do not say it, the runner's word for it: `win22`.
fn os_version(machine: &Machine, world: &World) -> String {
    let is_silent = machine.os_version.is_empty() && machine.os == "windows";
    let said = world.environment.get("ImageOS").filter(|_| is_silent);
    said.map_or_else(|| machine.os_version.clone(), str::to_owned)
}
