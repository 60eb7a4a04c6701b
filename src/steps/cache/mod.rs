//! `cache`: restores what was saved under a key, and saves it, in the format of the official cache client.
//!
//! The key and the paths come from [`crate::steps::key`] where nobody names them; bytes go through [`crate::archive`] and
//! [`crate::stores`]. A fault of the cache fails no job, unless it was asked to.

#[cfg(unix)]
mod backend;
#[cfg(unix)]
mod delete;
#[cfg(unix)]
mod list;
#[cfg(unix)]
mod off;
#[cfg(unix)]
mod paths;
pub mod policy;
#[cfg(unix)]
mod proposal;
#[cfg(unix)]
pub mod prune;
#[cfg(unix)]
mod pruning;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod restore;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod save;
mod settings;
pub mod state;
pub mod version;
#[cfg(unix)]
mod watch;

use std::time::Instant;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Command, ValueEnum};

use crate::error::{Error, Result};
use crate::github::inputs::{COMMAND_LINE_ONLY, SecretInput, Trimmed, boolean};
use crate::github::runtime;
use crate::model::report::Report;
use crate::steps::cache::policy::SavePolicy;
use crate::steps::cache::settings::Settings;
use crate::steps::key::KeyArguments;
use crate::steps::waiting;
use crate::steps::world::{Common, World};
use crate::steps::{Output, emit};

/// The step's name.
pub const NAME: &str = "cache";

/// What it writes for later steps.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "verdict",
        help: "`pass`; `fail` for a miss where `fail-on-cache-miss` is set; `no-verdict` for a fault where `required` is set",
    },
    Output {
        name: "report",
        help: "Path of the JSON report",
    },
    Output {
        name: "cache-hit",
        help: "`true` where the very key was found, `false` where another one or none was",
    },
    Output {
        name: "cache-matched-key",
        help: "The key that was found; empty for a miss",
    },
    Output {
        name: "outcome",
        help: "`hit`, `partial` (a restore key), `miss` (nothing is there, or it took too long), `unavailable` (a fault of the cache), `denied` (a policy) or `off`; of a save `saved`, `exists`, `skipped`, `empty`, `unavailable`, `denied` or `off`",
    },
    Output {
        name: "key",
        help: "The key, as given or computed",
    },
    Output {
        name: "paths",
        help: "The paths, as given or found, one a line",
    },
];

/// What it takes from the environment alone.
pub const SECRETS: &[SecretInput] = &[SecretInput {
    name: "token",
    help: "Token for `list` and `delete`, which ask GitHub's API: `actions: read` or `actions: write`",
    default: "${{ github.token }}",
}];

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Restore what was saved under the key, or under the first of the restore keys that has anything
    Restore,
    /// Save the paths under the key, unless it has something already
    Save,
    /// List what is saved
    List,
    /// Make the caches of package managers smaller: what no lock needs goes, and more until they fit
    Prune,
    /// Delete what is saved under a key
    Delete,
}

/// Restore and save what is slow to install, download or compute
///
/// Without a key, key and paths are computed as `cache-key` does. What is restored stays within the paths that were asked
/// for, and is verified where the archive says what is in it.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// What to do
    #[arg(value_enum, value_name = "OPERATION", help_heading = COMMAND_LINE_ONLY)]
    pub operation: Option<Operation>,

    /// Key of the cache [default: computed as by `cache-key`]
    #[arg(long = "key", value_name = "KEY")]
    pub cache_key: Option<String>,

    /// Keys, or their beginnings, to restore from where nothing has the key itself [default: computed where the key is]
    #[arg(long, value_name = "KEY")]
    pub restore_keys: Vec<String>,

    /// Where caches are kept: `github`, a folder, or a bucket as `s3://`, `gs://` or `az://` [default: github in a workflow, else a folder of the user's]
    #[arg(long, value_name = "STORE", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub store: Option<String>,

    /// When the end of the job saves [default: on-success]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub save: Option<SavePolicy>,

    /// Only look whether there is something, and restore nothing [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub lookup_only: Option<bool>,

    /// Fail where nothing is restored [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub fail_on_cache_miss: Option<bool>,

    /// Give no verdict where the cache has a fault, rather than go on without it [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub required: Option<bool>,

    /// How long a restore may take in all, such as `5m` [default: 5m]
    #[arg(long, value_name = "DURATION")]
    pub restore_timeout: Option<String>,

    /// How long a server may say nothing before it is asked again, such as `10s` [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub stall_timeout: Option<String>,

    /// Level of zstd, 1 to 19 [default: by how fast the store takes the bytes]
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(1..=19))]
    pub compression_level: Option<u8>,

    /// Most that the caches of uv, pip and Poetry keep, such as `2GB`; `prune` and `save` take out the rest [default: all that a lock needs for prune, all for save]
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<String>,

    /// Only say what `prune` or `delete` would do
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub dry_run: bool,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its documentation would become the help of the step"
    )]
    pub key: KeyArguments,

    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its documentation would become the help of the step"
    )]
    pub common: Common,
}

impl AsRef<Common> for Arguments {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}

/// The definition of the arguments.
pub fn command() -> Command {
    Arguments::augment_args(Command::new(NAME))
}

/// Runs the step.
#[cfg(unix)]
pub fn run(arguments: &Arguments, world: &World) -> Result<u8> {
    let started = Instant::now();
    let Some(operation) = arguments.operation else {
        let names = Operation::value_variants().iter();
        let names = names.filter_map(ValueEnum::to_possible_value);
        return Err(Error::usage("`cache` is not told what to do")
            .allowed(names.map(|name| name.get_name().to_owned()))
            .hint("lockgate cache restore"));
    };
    let environment = runtime::environment(&world.environment, std::io::stdin())?;
    let runtime = waiting::runtime()?;
    let mut report = runtime.block_on(async {
        let stop = waiting::listen(world)?;
        let (arguments, loosened) = proposal::judged(arguments, world, stop.clone()).await?;
        let settings = Settings::new(&arguments)?;
        let run = run::Run {
            settings: &settings,
            world,
            environment: &environment,
            stop,
        };
        let report = match operation {
            Operation::Restore => match off::off(&run, operation).await? {
                Some(off) => Ok(off),
                None => restore::restore(&run).await,
            },
            Operation::Save => match off::off(&run, operation).await? {
                Some(off) => Ok(off),
                None => Box::pin(save::save(&run)).await,
            },
            Operation::List => list::list(&run).await,
            Operation::Prune => pruning::prune(&run).await,
            Operation::Delete => delete::delete(&run).await,
        };
        report.map(|mut report: Report| {
            let notices = loosened.into_iter().map(proposal::notice_of);
            report.findings.extend(notices);
            report
        })
    })?;
    report.duration = started.elapsed();
    emit::emit(report, &arguments.common, world)
}

/// Says that there is no such step here.
#[cfg(not(unix))]
pub fn run(_arguments: &Arguments, _world: &World) -> Result<u8> {
    Err(Error::usage("`cache` does not run on this system yet")
        .hint("use `cache-key` with the official cache action"))
}
