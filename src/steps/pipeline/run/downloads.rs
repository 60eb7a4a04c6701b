//! What the installers of isolated environments download, shared by jobs as results are.
//!
//! Not the environments themselves: paths in them are absolute. An installer with its downloads at hand makes one in no
//! time, and checks by itself what it can use of them.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use crate::model::digest::{Pieces, Sha};
use crate::model::pipeline::Stage;
use crate::steps::pipeline::NAME;
use crate::steps::pipeline::run::skip::{Fetched, Remote};
use crate::steps::pipeline::run::venv;
use crate::steps::world::World;
use crate::system::environment::Environment;
use crate::system::files::normalise;

/// The variables by which a user says where installers keep what they download, and the folders that we give them.
const FOLDERS: [(&str, &str); 2] = [("UV_CACHE_DIR", "uv"), ("PIP_CACHE_DIR", "pip")];

/// The downloads of one run.
#[derive(Debug)]
pub struct Downloads {
    folder: PathBuf,
    key: Sha,
    /// Whether those of other jobs may be used: not where something that is made with them is given to others.
    may_fetch: bool,
    /// Whether the folder is to be saved; known from the first environment on.
    is_new: OnceCell<bool>,
}

impl Downloads {
    /// Those of the environments of these stages, each with whether its results count only from this machine. None where
    /// there are no environments, or the user keeps downloads elsewhere.
    pub fn of<'s>(
        stages: impl Iterator<Item = (&'s Stage, bool)>,
        folder: &Path,
        cache: &Path,
        world: &World,
    ) -> Option<Self> {
        let is_elsewhere = |(name, _): &(&str, &str)| world.environment.os(name).is_some();
        if FOLDERS.iter().any(is_elsewhere) {
            return None;
        }
        let (mut recipes, mut may_fetch) = (Vec::new(), true);
        for (stage, made_here) in stages {
            let directory = stage.directory.as_ref().map(|directory| &*directory.value);
            let directory = normalise(&folder.join(directory.unwrap_or_default()));
            may_fetch &= !made_here;
            // A stage without a lock says so itself.
            let recipe = stage
                .venv
                .as_ref()
                .map(|wanted| venv::recipe(wanted, &directory, &world.root));
            if let Some(Ok((recipe, _))) = recipe {
                recipes.push(format!(
                    "{} {:?} {:?}",
                    recipe.digest, recipe.installer, recipe.python
                ));
            }
        }
        if recipes.is_empty() {
            return None;
        }
        recipes.sort();
        recipes.dedup();
        // Links in it name its own place.
        let folder = cache.join("pipeline/downloads");
        let mut key = Pieces::default();
        key.add("downloads")
            .add(folder.as_os_str().as_encoded_bytes())
            .add_list(recipes.iter());
        Some(Self {
            folder,
            key: key.finish(),
            may_fetch,
            is_new: OnceCell::new(),
        })
    }

    /// The environment in which installers keep their downloads there.
    pub fn environment(&self, environment: &Environment) -> Environment {
        let mut environment = environment.clone();
        for (name, folder) in FOLDERS {
            environment.set(name, self.folder.join(folder));
        }
        environment
    }

    /// Has them at hand, as far as they can be had. Whoever comes first waits for all.
    pub async fn fetch(&self, remote: &Remote, say: &mut (dyn FnMut(&str) + Send)) {
        let fetching = async {
            if self.folder.exists() {
                return false;
            }
            if !self.may_fetch {
                return true;
            }
            match remote.fetch_folder(&self.key, &self.folder).await {
                Fetched::Here => {
                    say("the downloads of its environment come from the shared store");
                    false
                }
                Fetched::Nothing => true,
                Fetched::Failed(why) => {
                    say(&why);
                    true
                }
            }
        };
        self.is_new.get_or_init(|| fetching).await;
    }

    /// Saves what was downloaded, where nobody had it.
    pub async fn save(&self, remote: &Remote, world: &World) {
        if self.is_new.get() != Some(&true) || !self.folder.exists() {
            return;
        }
        if let Err(why) = remote.save_folder(&self.key, &self.folder).await {
            let line = format!("{NAME}: the downloads of environments are not shared: {why}");
            world.console.note(&line);
        }
    }
}
