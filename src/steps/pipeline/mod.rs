//! `pipeline`: runs the stages of a definition as a graph, checks it, plans it, draws it, and writes a first one.
//!
//! What a definition is, and which stage runs when, is judged in [`crate::pipeline`]; [`run`] starts the stages.

mod bundle;
mod check;
pub mod definition;
pub mod facts;
mod graph;
mod init;
pub mod last;
pub mod plan;
mod run;
pub mod settings;

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Command, ValueEnum};

use crate::error::{Error, Result};
use crate::github::console::OutputFormat;
use crate::github::inputs::{COMMAND_LINE_ONLY, SecretInput, Trimmed, boolean};
use crate::steps::Output;
use crate::steps::world::{Common, World};

/// The step's name.
pub const NAME: &str = "pipeline";

/// What it writes for later steps.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "verdict",
        help: "`pass`, `fail` where a stage failed or took too long, `no-verdict` where one could not tell",
    },
    Output {
        name: "report",
        help: "Path of the JSON report",
    },
    Output {
        name: "affected",
        help: "The stages that the changed files concern, as a JSON list, for a matrix; empty where that is neither asked for with `affected` nor known without a fetch",
    },
    Output {
        name: "bundle-digest",
        help: "SHA-256 of the manifest in the `bundle`",
    },
];

/// What it takes from the environment alone.
pub const SECRETS: &[SecretInput] = &[SecretInput {
    name: "token",
    help: "Token for the one fetch of the base that `affected`, `if.changed` and a proposal may need, `contents: read`",
    default: "${{ github.token }}",
}];

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Run the stages
    #[default]
    Run,
    /// Say what is wrong with the definition, and run nothing
    Check,
    /// Say what would run, in which order, and why the rest would not
    Plan,
    /// Draw the stages
    Graph,
    /// Write a first definition for the project that is here
    Init,
    /// `bundle verify DIR`: prove that a bundle holds the bytes that were tested
    Bundle,
}

/// How a drawing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Drawing {
    /// A flow chart that GitHub draws in Markdown
    #[default]
    Mermaid,
    /// For Graphviz
    Dot,
}

/// Run the stages of a pipeline in parallel, each when what it needs is there
///
/// The stages stand in `[tool.lockgate.pipeline.stages]` of the `pyproject.toml`, or in a `lockgate.yaml`. Nothing that a
/// stage started outlives it.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// What to do [default: run]
    #[arg(value_enum, value_name = "OPERATION", help_heading = COMMAND_LINE_ONLY)]
    pub operation: Option<Operation>,

    /// Stages, as for `--only`
    #[arg(value_name = "STAGES", help_heading = COMMAND_LINE_ONLY)]
    pub stages: Vec<String>,

    /// Only these stages, and the services that they need
    #[arg(long, value_name = "STAGE")]
    pub only: Vec<String>,

    /// Only these stages and what depends on them
    #[arg(long, value_name = "STAGE")]
    pub from: Vec<String>,

    /// Only these stages and what they need
    #[arg(long, value_name = "STAGE")]
    pub until: Vec<String>,

    /// Only what did not pass in the last run, and what depends on it [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub resume: Option<bool>,

    /// Only what the files concern that changed since the base [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub affected: Option<bool>,

    /// Compare with this revision [default: by the event; on a laptop, where the branch left the default branch]
    #[arg(long, value_name = "REVISION")]
    pub base: Option<String>,

    /// How many cores the stages share [default: those of the machine]
    #[arg(long, short = 'j', value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub jobs: Option<u32>,

    /// How much memory the stages share, such as `8GB` [default: no limit]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,

    /// Go on with what does not depend on a failed stage [default: false]
    #[arg(long, short = 'k', value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub keep_going: Option<bool>,

    /// How long a stage may take that does not say itself, such as `30m` [default: 1h]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// How long a stage has between SIGTERM and SIGKILL that does not say itself [default: 5s]
    #[arg(long, value_name = "DURATION")]
    pub grace: Option<String>,

    /// Run every stage, whether or not anything has changed [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub no_cache: Option<bool>,

    /// Where jobs share results of stages: `github`, a folder, a bucket as `s3://`, `gs://` or `az://`, or `off`; counts from the workflow or the command line only [default: github in the action, else off]
    #[arg(long, value_name = "STORE", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub shared_store: Option<String>,

    /// How long the shared store may keep a stage waiting, and the end of the run, such as `1m` [default: 1m]
    #[arg(long, value_name = "DURATION")]
    pub shared_store_timeout: Option<String>,

    /// Say of every stage why it was left out as unchanged, or why not [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub explain_skip: Option<bool>,

    /// Write all outputs and their manifest into this folder, for an upload
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,

    /// Run code of the project also where the job's token may do more than its author, as on `pull_request_target`; counts from the workflow or the command line only [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_project_code: Option<bool>,

    /// On pull requests and in merge queues, hand a stage also secrets that the definition of the base gives to no stage with the same command; counts from the workflow or the command line only [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_new_secrets: Option<bool>,

    /// The digest that a bundle must have, for `bundle verify`
    #[arg(long, value_name = "SHA256", help_heading = COMMAND_LINE_ONLY)]
    pub digest: Option<String>,

    /// Write the stages as JUnit XML here
    #[arg(long, value_name = "FILE")]
    pub junit_file: Option<PathBuf>,

    /// Write what happens here as it happens, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub events_file: Option<PathBuf>,

    /// How `graph` draws [default: mermaid]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = COMMAND_LINE_ONLY)]
    pub format: Option<Drawing>,

    /// Let `init` write a `lockgate.yaml`, also where there is a `pyproject.toml`
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub yaml: bool,

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
pub fn run(arguments: &Arguments, world: &World) -> Result<u8> {
    match arguments.operation.unwrap_or_default() {
        Operation::Run => run::run(arguments, world),
        Operation::Check => check::check(arguments, world),
        Operation::Plan => plan::plan(arguments, world),
        Operation::Graph => graph::graph(arguments, world),
        Operation::Init => init::init(arguments, world),
        Operation::Bundle => bundle::verify(arguments, world),
    }
}

/// Only `run` has findings.
fn no_sarif(arguments: &Arguments, world: &World) -> Result<()> {
    if world.console.format() == OutputFormat::Sarif || arguments.common.sarif_file.is_some() {
        return Err(
            Error::usage("only `pipeline run` has findings that SARIF could hold")
                .hint("write `--output-format json`"),
        );
    }
    Ok(())
}
