//! `deploy`: brings what was tested to an environment, asks for its health, and goes back where it is not well.
//!
//! What an environment is, is read and judged in [`crate::deploy`]; where it goes is [`crate::targets`]. Each state that a
//! deployment enters is in the journal before anything is done ([`book`]).

mod book;
mod definition;
mod engine;
mod finalize;
mod gates;
mod health;
mod image;
mod known;
mod lock;
mod plan;
mod policy;
mod progress;
mod record;
mod release;
mod report;
mod rollback;
mod run;
mod status;
mod target;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Command, ValueEnum};

use crate::error::{Error, Result};
use crate::github::inputs::{SecretInput, Trimmed, boolean};
use crate::steps::deploy::engine::Ended;
use crate::steps::waiting;
use crate::steps::world::{Common, World};
use crate::steps::{Output, emit};
use crate::system::processes::{self, Supervisor, halting, identity};

/// How long what target or health have left has to end.
const STRAYS: Duration = Duration::from_millis(500);

/// The step's name.
pub const NAME: &str = "deploy";

/// What it writes for later steps.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "verdict",
        help: "`pass`; `fail` where a gate said no, or what was deployed is not well; `no-verdict` where nobody knows what stands there",
    },
    Output {
        name: "report",
        help: "Path of the JSON report",
    },
    Output {
        name: "deployment-id",
        help: "The id of the deployment: on GitHub where it is recorded there, else in the journal",
    },
    Output {
        name: "state",
        help: "Where it ended: `success`, `refused`, `failure`, `rolled-back`, `rollback-failed` or `cancelled`",
    },
    Output {
        name: "url",
        help: "Where people find what is deployed",
    },
    Output {
        name: "version",
        help: "The version that was deployed, where it has one",
    },
    Output {
        name: "digest",
        help: "SHA-256 of what was deployed",
    },
    Output {
        name: "previous",
        help: "What stood there before, as the target calls it",
    },
];

/// Inputs that are given anew for each deployment, by the workflow or the command line: in a file of the project they would
/// let what is deployed vouch for itself.
pub const EACH_TIME: [&str; 3] = ["digest", "bundle-digest", "break-lock"];

/// What it takes from the environment alone.
pub const SECRETS: &[SecretInput] = &[SecretInput {
    name: "token",
    help: "Token that records the deployment on GitHub, `deployments: write`, and asks for checks, `checks: read` and `statuses: read`; for `sweep` also `actions: read`",
    default: "${{ github.token }}",
}];

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Operation {
    /// Say what would change and which gates pass, and touch nothing
    Plan,
    /// Deploy
    #[default]
    Run,
    /// Bring to its end what a run left that was stopped or killed
    Finalize,
    /// Go back to what stood before, or to `--to`
    Rollback,
    /// Show what stands and what was done
    Status,
    /// Repair what only a dead machine leaves: deployments that nobody works on
    Sweep,
}

/// Deploy what was tested, ask for its health, and go back where it is not well
///
/// The environments stand in `[tool.lockgate.deploy.environments]` of the `pyproject.toml`, or in a `lockgate.yaml`.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// What to do [default: run]
    #[arg(value_enum, value_name = "OPERATION")]
    pub operation: Option<Operation>,

    /// Where to [default: the only environment that there is]
    #[arg(long, short = 'e', value_name = "NAME", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub environment: Option<String>,

    /// The version that is meant: nothing else is deployed [default: what tag, project and files say]
    #[arg(long, value_name = "VERSION", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub release_version: Option<String>,

    /// Deploy from this bundle, which `pipeline` wrote
    #[arg(long, value_name = "DIR")]
    pub bundle: Option<PathBuf>,

    /// The digest that the bundle must have: the output `bundle-digest` of the job that tested it; counts from the workflow or the command line only
    #[arg(long, value_name = "SHA256", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub bundle_digest: Option<String>,

    /// For the target `oci`: the image that is deployed, `sha256:…`, from the job that pushed it; counts from the workflow or the command line only [default: what `artifacts` says]
    #[arg(long, value_name = "DIGEST", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub digest: Option<String>,

    /// Where journals are kept [default: `.lockgate/deploy` beside the definition; in a workflow, a folder below RUNNER_TEMP]
    #[arg(long, value_name = "DIR")]
    pub journal: Option<PathBuf>,

    /// Take the environment from who has it, where `lock.break` lets you; counts from the workflow or the command line only [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub break_lock: Option<bool>,

    /// Deploy also where the job's token may do more than the code's author, as on `pull_request_target`; counts from the workflow or the command line only [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_project_code: Option<bool>,

    /// For `rollback`: what to go back to, as `status` shows it [default: what stood well before]
    #[arg(long, value_name = "REFERENCE", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub to: Option<String>,

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
    let started = Instant::now();
    let operation = arguments.operation.unwrap_or_default();
    if arguments.to.is_some() && operation != Operation::Rollback {
        return Err(Error::usage("`--to` is for `deploy rollback`"));
    }
    if matches!(
        operation,
        Operation::Plan | Operation::Run | Operation::Rollback
    ) {
        definition::require_given(arguments, world)?;
    }
    let runtime = waiting::runtime()?;
    let ended = runtime.block_on(async {
        // Before anything else: from here on no signal ends us in the midst of something.
        let stop = waiting::listen(world)?;
        let is_work = matches!(
            operation,
            Operation::Run | Operation::Rollback | Operation::Finalize
        );
        let own = is_work.then(|| {
            let run = identity::mark(&identity::own());
            Supervisor::adopting(&run, &world.environment, world.console.masker())
        });
        let ended = match operation {
            Operation::Plan => Box::pin(plan::plan(arguments, world, stop.clone())).await,
            Operation::Run => Box::pin(run::run(arguments, world, stop.clone())).await,
            Operation::Finalize => {
                Box::pin(finalize::finalize(arguments, world, stop.clone())).await
            }
            Operation::Rollback => {
                Box::pin(rollback::rollback(arguments, world, stop.clone())).await
            }
            Operation::Status => Box::pin(status::status(arguments, world, stop.clone())).await,
            Operation::Sweep => Box::pin(finalize::sweep(arguments, world)).await,
        };
        if let Some(own) = own.filter(|_| processes::has_started_any()) {
            // Nothing outlives us that target or health have started, wherever it went.
            let (_halter, halt) = halting(stop);
            own.sweep(STRAYS, &halt).await;
        }
        ended
    });
    // Work on files that was given up is not waited for.
    runtime.shutdown_timeout(Duration::ZERO);
    let Ended {
        mut report,
        stopped_by,
    } = ended?;
    report.duration = started.elapsed();
    let code = emit::emit(report, &arguments.common, world)?;
    Ok(match stopped_by {
        Some(signal) => Error::interrupted(signal).kind.exit_code(),
        None => code,
    })
}
