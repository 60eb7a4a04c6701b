//! The steps. They do not know each other.

pub mod artifacts;
pub mod cache;
pub mod cache_key;
pub mod definition;
pub mod deploy;
pub mod emit;
pub mod gate;
pub mod hash_files;
pub mod key;
pub mod lint_gate;
pub mod lockfile_verify;
pub mod pipeline;
pub mod probing;
pub mod project;
pub mod read;
#[cfg(unix)]
pub mod transport;
pub mod waiting;
pub mod walk;
pub mod world;

use crate::github::inputs::{self, SecretInput};

/// Inputs of every action that are for the install script, not for the step: name, variable and help.
pub const INSTALL_INPUTS: &[(&str, &str, &str)] = &[
    (
        "binary-path",
        "LOCKGATE_BINARY_PATH",
        "Path of a binary that is already here, for air-gapped and self-built use; its hash must be in checksums.txt or in binary-sha256",
    ),
    (
        "binary-sha256",
        "LOCKGATE_BINARY_SHA256",
        "SHA-256 of the binary at binary-path",
    ),
    (
        "download-base",
        "LOCKGATE_DOWNLOAD_BASE",
        "Base URL of a mirror of the releases [default: the project's own releases]",
    ),
];

/// Inputs of the action at the root of our repository, besides those for the install script.
pub const ROOT_INPUTS: [&str; 3] = ["step", "args", "token"];

/// An output of a step.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Its kebab-case name.
    pub name: &'static str,
    /// What it holds.
    pub help: &'static str,
}

/// How a step's action starts the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packaging {
    /// By a `run:` step of a composite.
    Composite,
    /// By an action of JavaScript in a composite, which alone gets the runtime's tokens.
    Node,
    /// The same, with a second half in `post`, at the end of the job.
    NodeWithPost,
    /// It has no action.
    None,
}

/// Every step of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Lints, type-checks and judges a change.
    LintGate,
    /// Proves that locks are what they claim to be.
    LockfileVerify,
    /// Computes the key of a cache.
    CacheKey,
    /// Restores and saves caches.
    Cache,
    /// Prints the digest that `hashFiles()` gives.
    HashFiles,
    /// Runs stages as a graph.
    Pipeline,
    /// Deploys, asks for health, goes back.
    Deploy,
}

impl Step {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 7] = [
        Self::LintGate,
        Self::LockfileVerify,
        Self::CacheKey,
        Self::Cache,
        Self::HashFiles,
        Self::Pipeline,
        Self::Deploy,
    ];

    /// The subcommand, the folder below `actions/`, the table in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::LintGate => lint_gate::NAME,
            Self::LockfileVerify => lockfile_verify::NAME,
            Self::CacheKey => cache_key::NAME,
            Self::Cache => cache::NAME,
            Self::HashFiles => hash_files::NAME,
            Self::Pipeline => pipeline::NAME,
            Self::Deploy => deploy::NAME,
        }
    }

    /// The step of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// The definition of its arguments.
    pub fn command(self) -> clap::Command {
        match self {
            Self::LintGate => lint_gate::command(),
            Self::LockfileVerify => lockfile_verify::command(),
            Self::CacheKey => cache_key::command(),
            Self::Cache => cache::command(),
            Self::HashFiles => hash_files::command(),
            Self::Pipeline => pipeline::command(),
            Self::Deploy => deploy::command(),
        }
    }

    /// Its secret inputs.
    pub fn secrets(self) -> &'static [SecretInput] {
        match self {
            Self::LintGate => lint_gate::SECRETS,
            Self::LockfileVerify => lockfile_verify::SECRETS,
            Self::CacheKey => cache_key::SECRETS,
            Self::Cache => cache::SECRETS,
            Self::HashFiles => hash_files::SECRETS,
            Self::Pipeline => pipeline::SECRETS,
            Self::Deploy => deploy::SECRETS,
        }
    }

    /// Inputs that no file of the project sets, as they are given each time.
    pub fn each_time(self) -> &'static [&'static str] {
        match self {
            Self::Deploy => &deploy::EACH_TIME,
            _ => &[],
        }
    }

    /// Its outputs.
    pub fn outputs(self) -> &'static [Output] {
        match self {
            Self::LintGate => lint_gate::OUTPUTS,
            Self::LockfileVerify => lockfile_verify::OUTPUTS,
            Self::CacheKey => cache_key::OUTPUTS,
            Self::Cache => cache::OUTPUTS,
            Self::HashFiles => hash_files::OUTPUTS,
            Self::Pipeline => pipeline::OUTPUTS,
            Self::Deploy => deploy::OUTPUTS,
        }
    }

    /// How its action starts it.
    pub fn packaging(self) -> Packaging {
        match self {
            Self::LintGate | Self::LockfileVerify | Self::CacheKey | Self::Deploy => {
                Packaging::Composite
            }
            Self::Pipeline => Packaging::Node,
            Self::Cache => Packaging::NodeWithPost,
            Self::HashFiles => Packaging::None,
        }
    }

    /// Whether it has an action of its own; one that has none is for a terminal and a part of another step.
    pub fn has_action(self) -> bool {
        self.packaging() != Packaging::None
    }

    /// The inputs of its action.
    pub fn inputs(self) -> Vec<String> {
        let command = self.command();
        let own = inputs::names(&command).map(|(name, _)| name);
        let secrets = self.secrets().iter().map(|secret| secret.name);
        let install = INSTALL_INPUTS.iter().map(|(name, ..)| *name);
        own.chain(secrets)
            .chain(install)
            .map(str::to_owned)
            .collect()
    }

    /// The names of all steps.
    pub fn names() -> [&'static str; Self::ALL.len()] {
        Self::ALL.map(Self::name)
    }
}
