//! Where a deploy goes: one file or folder a place. What a target does depends on nothing but its settings, the release and the
//! [`Access`] that it is given.

pub mod local;
pub mod object_store;
pub mod oci;
pub mod pypi;
pub mod shell;

use std::path::PathBuf;

use crate::error::Result;
use crate::model::deploy::{Applied, Change, Known, Release, Standing};
use crate::system::environment::Environment;
use crate::system::stop::Stop;
use local::Local;
use object_store::ObjectStore;
use oci::Oci;
use pypi::Pypi;
use shell::Shell;

/// What a target gets of the world.
#[derive(Debug)]
pub struct Access<'a> {
    /// The step's own environment: credentials and proxies are read here and nowhere else.
    pub environment: &'a Environment,
    /// Set when the run is to end: nothing new begins then.
    pub stop: &'a Stop,
    /// Hears of each thing that is done, and of bytes that are sent.
    pub progress: &'a dyn Progress,
}

/// Hears how far a deployment is.
pub trait Progress: std::fmt::Debug + Sync {
    /// So many bytes of `total` of the file `what` are through.
    fn sent(&self, what: &str, bytes: u64, total: u64);
    /// This is done.
    fn done(&self, change: &Change);
    /// A try failed and is made again.
    fn retried(&self, what: &str, why: &str);
    /// This value is a secret: it is masked from now on, before it is used.
    fn conceal(&self, secret: &crate::system::masking::Secret);
    /// A program that the target runs has printed this line, which is text of strangers.
    fn said(&self, _line: &str) {}
}

/// One of the places.
#[derive(Clone, Debug)]
pub enum Target {
    /// A folder of this machine.
    Local(Local),
    /// Commands of the project's own.
    Shell(Shell),
    /// A package index.
    Pypi(Pypi),
    /// A bucket.
    ObjectStore(Box<ObjectStore>),
    /// Tags of a container registry.
    Oci(Box<Oci>),
}

impl Target {
    /// The name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::Shell(_) => "shell",
            Self::Pypi(_) => "pypi",
            Self::ObjectStore(_) => "object-store",
            Self::Oci(_) => "oci",
        }
    }

    /// For people: which place it is.
    pub fn describe(&self) -> String {
        match self {
            Self::Local(local) => local.describe(),
            Self::Shell(shell) => shell.describe(),
            Self::Pypi(pypi) => pypi.describe(),
            Self::ObjectStore(store) => store.describe(),
            Self::Oci(oci) => oci.describe(),
        }
    }

    /// What a deployment would do.
    pub async fn plan(&self, release: &Release, access: &Access<'_>) -> Result<Vec<Change>> {
        match self {
            Self::Local(local) => local.plan(release, access).await,
            Self::Shell(shell) => shell.plan(release, access),
            Self::Pypi(pypi) => pypi.plan(release, access).await,
            Self::ObjectStore(store) => store.plan(release, access).await,
            Self::Oci(oci) => oci.plan(release, access).await,
        }
    }

    /// What stands there; nothing where nobody knows.
    pub async fn current(&self, access: &Access<'_>) -> Result<Option<Standing>> {
        match self {
            Self::Local(local) => local.current(access),
            Self::Shell(shell) => shell.current(access).await,
            Self::Pypi(pypi) => pypi.current(access).await,
            Self::ObjectStore(store) => store.current(access).await,
            Self::Oci(oci) => oci.current(access).await,
        }
    }

    /// What it knows by itself of releases that it can go back to, whoever deployed them.
    pub async fn known(&self, access: &Access<'_>) -> Result<Known> {
        match self {
            Self::Local(local) => local.known(),
            Self::ObjectStore(store) => store.known(access).await,
            Self::Shell(_) | Self::Pypi(_) | Self::Oci(_) => Ok(Known::default()),
        }
    }

    /// Whether it says by itself, without a command of the project's, which one release stands there.
    pub fn tells_by_itself(&self) -> bool {
        match self {
            Self::Local(_) | Self::ObjectStore(_) | Self::Oci(_) => true,
            Self::Shell(_) | Self::Pypi(_) => false,
        }
    }

    /// Makes the release stand there.
    pub async fn apply(&self, release: &Release, access: &Access<'_>) -> Result<Applied> {
        match self {
            Self::Local(local) => local.apply(release, access).await,
            Self::Shell(shell) => shell.apply(release, access).await,
            Self::Pypi(pypi) => pypi.apply(release, access).await,
            Self::ObjectStore(store) => store.apply(release, access).await,
            Self::Oci(oci) => oci.apply(release, access).await,
        }
    }

    /// Makes stand again what stood there. Refused where the place cannot.
    pub async fn back(&self, to: &Standing, access: &Access<'_>) -> Result<Applied> {
        match self {
            Self::Local(local) => local.back(to, access).await,
            Self::Shell(shell) => shell.back(to, access).await,
            Self::Pypi(pypi) => pypi.back(to, access).await,
            Self::ObjectStore(store) => store.back(to, access).await,
            Self::Oci(oci) => oci.back(to, access).await,
        }
    }

    /// Whether what stood there can be made to stand again.
    pub fn can_go_back(&self) -> bool {
        match self {
            Self::Local(_) | Self::ObjectStore(_) | Self::Oci(_) => true,
            Self::Shell(shell) => shell.rollback.is_some(),
            Self::Pypi(_) => false,
        }
    }

    /// The place itself, where it keeps a lock in an object that is seen by all who deploy there.
    pub fn lock_store(&self) -> Option<&ObjectStore> {
        match self {
            Self::ObjectStore(store) => Some(store),
            Self::Local(_) | Self::Shell(_) | Self::Pypi(_) | Self::Oci(_) => None,
        }
    }

    /// A folder of the place itself in which a lock is seen by all who deploy there.
    pub fn lock_folder(&self) -> Option<PathBuf> {
        match self {
            Self::Local(local) => Some(local.lock_folder()),
            Self::Shell(_) | Self::Pypi(_) | Self::ObjectStore(_) | Self::Oci(_) => None,
        }
    }
}
