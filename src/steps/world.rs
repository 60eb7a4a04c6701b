//! What every step takes, and what it needs of the world.

use std::path::PathBuf;

use clap::{ArgMatches, FromArgMatches};

use crate::error::{Error, Result};
use crate::github::console::{Console, OutputFormat};
use crate::github::context::Context;
use crate::github::inputs::{self, SecretInput};
use crate::steps::Step;
use crate::system::config::Config;
use crate::system::environment::Environment;
use crate::system::logging::LogFormat;
use crate::system::masking::Secret;

/// What every step takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Common {
    /// Work in this folder [default: the current one; in a workflow, the workspace]
    #[arg(
        short = 'C',
        long = "working-directory",
        visible_alias = "directory",
        value_name = "DIR",
        help_heading = "General"
    )]
    pub working_directory: Option<PathBuf>,

    /// What goes to standard output [default: human]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "General")]
    pub output_format: Option<OutputFormat>,

    /// How log lines on standard error look [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "General")]
    pub log_format: Option<LogFormat>,

    /// Write the JSON report here [default: in a workflow, a file below RUNNER_TEMP]
    #[arg(long, value_name = "FILE", help_heading = "General")]
    pub report_file: Option<PathBuf>,

    /// Write the findings as SARIF 2.1.0 here
    #[arg(long, value_name = "FILE", help_heading = "General")]
    pub sarif_file: Option<PathBuf>,

    /// Write the Markdown summary here [default: in a workflow, the job summary]
    #[arg(long, value_name = "FILE", help_heading = "General")]
    pub summary_file: Option<PathBuf>,
}

/// What a step needs of the world, read once.
#[derive(Debug)]
pub struct World {
    /// The process's environment.
    pub environment: Environment,
    /// The workflow run, or none.
    pub context: Context,
    /// The folder that the step works in, absolute.
    pub directory: PathBuf,
    /// Never look above it: the workspace, or the repository around the folder.
    pub root: PathBuf,
    /// The configuration file.
    pub config: Config,
    /// The doors to the outside.
    pub console: Console,
    /// What environment and command line say, for a second look with another configuration file.
    pub given: [ArgMatches; 2],
}

impl World {
    /// The arguments of this step as they would be with this configuration file.
    pub fn arguments_with<A: FromArgMatches>(&self, step: Step, config: &Config) -> Result<A> {
        arguments(step, config, &self.given)
    }

    /// The value of a secret input.
    pub fn secret(&self, input: &SecretInput) -> Option<Secret> {
        inputs::variable(&self.environment, input.name).map(|(_, value)| Secret::new(value))
    }

    /// Where environments and answers are kept: as long as the job on a runner, for good on a laptop.
    pub fn cache_folder(&self) -> Result<PathBuf> {
        let environment = &self.environment;
        let named = environment.os("LOCKGATE_CACHE_DIR").map(PathBuf::from);
        let of_job = self.context.runner_temp.clone();
        let of_user = || {
            let home = || {
                environment
                    .os("HOME")
                    .map(|home| PathBuf::from(home).join(".cache"))
            };
            environment
                .os("XDG_CACHE_HOME")
                .or_else(|| environment.os("LOCALAPPDATA"))
                .map(PathBuf::from)
                .or_else(home)
        };
        let folder = named.or_else(|| {
            of_job
                .or_else(of_user)
                .map(|folder| folder.join("lockgate"))
        });
        folder
            .map(|folder| self.directory.join(folder))
            .ok_or_else(|| {
                Error::usage("there is no folder to keep things in")
                    .hint("export LOCKGATE_CACHE_DIR=<folder>")
            })
    }
}

/// The arguments of a step: from the file, overridden by what environment and command line say (`given`, in this order).
pub fn arguments<A: FromArgMatches>(
    step: Step,
    config: &Config,
    given: &[ArgMatches; 2],
) -> Result<A> {
    let (definition, secrets) = (step.command(), step.secrets());
    let table = config.steps.get(step.name()).cloned().unwrap_or_default();
    let file = inputs::parse(
        &definition,
        &inputs::from_file(&definition, &table, secrets)?,
        secrets,
    )?;
    let [environment, typed] = given;
    inputs::merge(&[&file, environment, typed])
}
