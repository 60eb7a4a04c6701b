//! What `[tool.lockgate.deploy.environments.<name>]` says, once it was read and checked.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::Place;
use crate::model::pipeline::{Action, Placed, Reference, StageSecret, Variable};

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub place: Place,
    /// `target`: where it goes.
    pub target: Target,
    /// `artifacts`: what is deployed; empty where the target needs nothing.
    pub artifacts: Vec<Placed<Source>>,
    /// `gates`.
    pub gates: Gates,
    /// `health`: how one sees that it is well; nobody asks where there is none.
    pub health: Option<Health>,
    /// `rollback`.
    pub rollback: Rollback,
    /// `on-cancel`.
    pub on_cancel: OnCancel,
    /// `lock`.
    pub lock: Lock,
    /// `url`: where people find it.
    pub url: Option<String>,
    /// `production`.
    pub production: bool,
    /// `transient`: it is ended with what it is for, such as a pull request.
    pub transient: bool,
    /// `prereleases`: whether versions such as `1.0rc1` may go there.
    pub prereleases: bool,
}

/// Where a deployment goes, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `local`: a folder of versions and a link.
    Local {
        /// The folder, from that of the file.
        directory: Placed<String>,
        /// How many versions stay, the one that stands among them.
        keep: usize,
    },
    /// `shell`: commands of the project's own.
    Shell(Box<Shell>),
    /// `pypi`: a package index.
    Pypi(Pypi),
    /// `object-store`: a bucket, or a folder in its form.
    ObjectStore {
        /// `address`: where it is.
        address: Placed<String>,
        /// `role`: whose rights are taken, of AWS.
        role: Option<String>,
    },
    /// `oci`: tags of a container registry.
    Oci(Box<Oci>),
}

/// The target `pypi`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pypi {
    /// `upload`: the address for uploads; that of the public index where there is none.
    pub upload: Option<String>,
    /// `simple`: the simple API of the same index.
    pub simple: Option<String>,
    /// `project`: its name.
    pub project: Option<String>,
    /// `token`: the variable that holds one; the identity of the job counts where there is none.
    pub token: Option<String>,
    /// `user`: whose it is.
    pub user: Option<String>,
    /// `anonymous`: nobody is asked for.
    pub anonymous: bool,
}

/// The target `oci`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oci {
    /// The address of the registry, out of `image`.
    pub registry: String,
    /// The repository, out of `image`.
    pub repository: String,
    /// `tags`: what is set to the image; the name of the environment where there is none.
    pub tags: Vec<String>,
    /// `token-hosts`: other hosts that may give tokens.
    pub token_hosts: Vec<String>,
    /// `user`: the variable that holds the user.
    pub user: Option<String>,
    /// `password`: the variable that holds the password or token.
    pub password: Option<String>,
}

/// The target `shell`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// `run`: what deploys.
    pub run: Action,
    /// `rollback`: what goes back; without it nobody can.
    pub rollback: Option<Action>,
    /// `current`: prints what stands there.
    pub current: Option<Action>,
    /// How long each may take.
    pub timeout: Duration,
    /// How long each has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// What they see besides the base set.
    pub env: BTreeMap<String, Placed<Variable>>,
    /// Secrets that they see, by variable.
    pub secrets: BTreeMap<String, StageSecret>,
}

/// Where what is deployed is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Files by a pattern, from the folder of the file.
    Pattern(String),
    /// What a stage of the pipeline made.
    Output(Reference),
}

/// Which gates are on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key that somebody turns on or off"
)]
pub struct Gates {
    /// `version`: all that names a version names the same one.
    pub version: bool,
    /// `downgrade`: whether an older version than the last may be deployed.
    pub downgrade: bool,
    /// `artifact`: the bytes are those that were tested.
    pub artifact: bool,
    /// `lockfile`: the locks are verified again.
    pub lockfile: bool,
    /// `contexts`: which checks of the commit must have passed.
    pub contexts: Contexts,
    /// `contexts-wait`: how long to wait for those that are not over.
    pub contexts_wait: Duration,
}

/// Which checks of the commit must have passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contexts {
    /// Nobody asks.
    Off,
    /// All that there are, but for our own job.
    All,
    /// These.
    Named(Vec<String>),
}

/// The lock of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// `wait`: how long to wait for who holds it.
    pub wait: Duration,
    /// `limit`: after so long it is nobody's any more.
    pub limit: Duration,
    /// `break`: who may take it from its owner; on a laptop anybody who says so.
    pub breakers: Vec<String>,
}

/// What follows a deployment that is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// What stood before is put back.
    Automatic,
    /// Somebody decides.
    Never,
}

/// What follows a deployment that was stopped when something may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// It stays as it is.
    Keep,
    /// `finalize` puts back what stood before.
    Rollback,
}

/// What follows where nobody could tell how it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconclusive {
    /// It stays, and somebody decides.
    Stop,
    /// It counts as not well.
    Rollback,
}

/// How one sees that a deployment is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Where it stands.
    pub place: Place,
    /// What is asked.
    pub probe: Probe,
    /// `successes`: so many good answers in a row.
    pub successes: u32,
    /// `interval`: the pause between two questions, of which up to a quarter is left out or added.
    pub interval: Duration,
    /// `timeout`: how long all of it may take.
    pub timeout: Duration,
    /// `try-timeout`: how long one question may take.
    pub try_timeout: Duration,
    /// `inconclusive`.
    pub inconclusive: Inconclusive,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `tcp`: something listens at this address.
    Tcp(String),
    /// `http`: the answer to a GET.
    Http {
        /// The URL.
        url: String,
        /// The statuses that are good.
        status: Vec<u16>,
        /// A regular expression that the content matches.
        body: Option<String>,
        /// By JSON pointer: what the content, read as JSON, has there. May hold `${{ version }}` and `${{ digest }}`.
        json: BTreeMap<String, String>,
    },
    /// `command`: it exits with zero.
    Command(Vec<String>),
}
