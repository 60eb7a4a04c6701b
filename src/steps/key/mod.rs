//! The key of a cache, for every step that needs one: gathers the components from locks, files, the machine and the
//! tools, and says what to keep under the key.
//!
//! No network and no token. Programs are asked for their version only where nothing else says it.

mod arguments;
mod caches;
mod configuration;
mod locks;
mod paths;
mod python;
mod settings;
mod tools;

use std::path::Path;

use crate::error::Result;
use crate::model::cache_key::{Components, Document};
use crate::model::digest::{Pieces, hex};
pub use crate::steps::key::arguments::KeyArguments;
pub use crate::steps::key::settings::Settings;
use crate::steps::key::tools::Tools;
use crate::steps::world::World;
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
    let locks = locks::gather(settings, world)?;
    let machine = Machine::read(Path::new("/"));
    let mut tools = Tools::new(world, stop);
    let python = python::find(settings.python.as_deref(), world, &mut tools).await?;
    let versions = tools.versions(&settings.tools, &locks).await?;
    let names = caches::names(&settings.tools, &locks);
    let mut layouts = Vec::new();
    for name in &names {
        layouts.push((name.clone(), tools.layout(name, &versions).await?));
    }
    let hash = hash(&locks);
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
        locks: locks.into_iter().map(|lock| lock.digest).collect(),
        files: Vec::new(),
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
    })
}

/// The digest of all locks, in the order of their paths. A path does not count: what is moved is the same.
fn hash(locks: &[locks::Read]) -> String {
    if locks.is_empty() {
        return String::new();
    }
    let mut pieces = Pieces::default();
    pieces.add_list(locks.iter().map(|lock| &lock.digest.digest));
    hex(&pieces.finish())
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
