//! One run of the step: what it was asked for, and the entry that this means.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::model::cache_key::{Components, Document};
use crate::steps::cache::settings::Settings;
use crate::steps::key;
use crate::steps::transport::Route;
use crate::steps::world::World;
use crate::stores::cache::Cache;
use crate::stores::fault::Fault;
use crate::stores::transfer::Options;
use crate::system::environment::Environment;
use crate::system::stop::Stop;

/// What all operations take.
pub struct Run<'r> {
    /// What was asked for.
    pub settings: &'r Settings,
    /// The world.
    pub world: &'r World,
    /// The world's environment, with the tokens of the runtime.
    pub environment: &'r Environment,
    /// Whether to end.
    pub stop: Stop,
}

/// What is to be restored or saved.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The key.
    pub key: String,
    /// The keys to restore from besides, in order.
    pub restore_keys: Vec<String>,
    /// The paths, as they were written: who restores must say them in the same words.
    pub paths: Vec<String>,
    /// What the key is made from, where it was computed.
    pub components: Option<Components>,
}

impl Wanted {
    /// What the key is made from, to be stored beside what is saved under it; none for a key that was named.
    pub fn document(&self) -> Option<Document> {
        let document = Document::new(self.components.clone()?);
        Some(document).filter(|document| document.key == self.key)
    }
}

impl Run<'_> {
    /// The entry that the inputs name, or that is computed where they name none.
    pub async fn wanted(&self) -> Result<Wanted> {
        let settings = self.settings;
        if let (Some(key), false) = (&settings.key, settings.paths.is_empty()) {
            return Ok(Wanted {
                key: key.clone(),
                restore_keys: settings.restore_keys.clone(),
                paths: settings.paths.clone(),
                components: None,
            });
        }
        let computed = key::compute(&settings.computed, self.world, self.stop.clone()).await?;
        let wanted = Wanted {
            paths: computed.paths,
            key: settings.key.clone().unwrap_or(computed.key),
            restore_keys: if settings.key.is_some() || !settings.restore_keys.is_empty() {
                settings.restore_keys.clone()
            } else {
                computed.restore_keys
            },
            components: Some(computed.components),
        };
        if wanted.paths.is_empty() {
            return Err(Error::usage("nothing is known that could be kept")
                .hint("name it with `paths`, one folder or file a line"));
        }
        Ok(wanted)
    }

    /// How bytes are moved.
    pub fn options(&self) -> Options {
        Options {
            stall: self.settings.stall,
            ..Options::default()
        }
    }

    /// The way to and from a store.
    pub fn route<'c>(&self, cache: &'c Cache) -> Route<'c> {
        Route {
            cache,
            stop: self.stop.clone(),
            options: self.options(),
        }
    }

    /// What comes of work with a store, unless the run is to stop before.
    pub async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, Fault>>,
    ) -> std::result::Result<T, Fault> {
        let mut stop = self.stop.clone();
        tokio::select! {
            outcome = work => outcome,
            signal = stop.requested() => Err(Fault::Stopped(signal)),
        }
    }

    /// What names in archives are relative to: the workspace, or the root of the repository on a laptop.
    pub fn workspace(&self) -> PathBuf {
        let workspace = self.world.context.workspace.as_deref();
        workspace.unwrap_or(&self.world.root).to_owned()
    }

    /// The home folder, for `~`.
    pub fn home(&self) -> Option<&Path> {
        self.environment.os("HOME").map(Path::new)
    }
}
