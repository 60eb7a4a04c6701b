//! `lint-gate`: runs linters and type checkers, or reads their reports, keeps what matters for the change, decides.
//!
//! Gather ([`gather`]), judge ([`judge`]), report ([`crate::steps::emit`]).

mod accepted;
mod compare;
mod detect;
mod explain;
mod filter;
mod gather;
mod judge;
mod list;
mod measure;
mod per_tool;
mod place;
mod policy;
mod projects;
mod provide;
mod reports;
mod scripts;
mod select;
mod settings;
mod settling;
mod severity;
mod sift;
mod tools;

use std::time::Instant;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Args, Command};

use crate::error::{Result, exit};
use crate::github::inputs::{COMMAND_LINE_ONLY, SecretInput, Trimmed, boolean};
use crate::linters::Tool;
use crate::model::report::Status;
use crate::steps::gate::{FailOn, Mode};
use crate::steps::lint_gate::gather::Facts;
use crate::steps::lint_gate::settings::Settings;
use crate::steps::waiting;
use crate::steps::world::{Common, World};
use crate::steps::{Output, emit};

/// The step's name.
pub const NAME: &str = "lint-gate";

/// What it writes for later steps.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "verdict",
        help: "`pass`, `fail` or `no-verdict`",
    },
    Output {
        name: "report",
        help: "Path of the JSON report",
    },
    Output {
        name: "findings",
        help: "Number of findings in the report",
    },
    Output {
        name: "new-findings",
        help: "Number of findings on lines that the change added or edited",
    },
    Output {
        name: "errors",
        help: "Number of findings of severity error",
    },
    Output {
        name: "base",
        help: "Commit that the change was measured against; empty where there is none",
    },
];

/// What it takes from the environment alone.
pub const SECRETS: &[SecretInput] = &[SecretInput {
    name: "token",
    help: "Token for the one fetch of the base commit, `contents: read`",
    default: "${{ github.token }}",
}];

/// Lint, type-check and judge a change
///
/// Runs the project's linters and type checkers, each in the version that the lockfile pins, keeps the findings that
/// the change is responsible for, and decides. A tool that could not look is never green.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// Files and folders to check [default: what each tool is configured for, else all]
    #[arg(value_name = "PATHS")]
    pub paths: Vec<String>,

    /// Folders or globs of projects, each checked with its own tools and environment [default: the working directory]
    #[arg(long, value_name = "FOLDER")]
    pub projects: Vec<String>,

    /// Tools to run; `auto` for those that the project configures or pins [default: those that the lockfile pins; none if reports are given]
    #[arg(long, value_name = "TOOL", value_delimiter = ',', value_parser = tool_names())]
    pub tools: Vec<String>,

    /// Arguments of a tool, as `TOOL: ARGUMENTS`
    #[arg(long, value_name = "ARGUMENTS")]
    pub tool_arguments: Vec<String>,

    /// Files and folders that a tool checks instead of the others' paths, as `TOOL: PATHS`
    #[arg(long, value_name = "PATHS")]
    pub tool_paths: Vec<String>,

    /// Time limit of one tool, as `TOOL: DURATION`
    #[arg(long, value_name = "DURATION")]
    pub tool_timeout: Vec<String>,

    /// Severity of a tool's findings instead of its own, as `TOOL[:RULE] SEVERITY`; the last that fits counts
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Vec<String>,

    /// Where tools come from [default: lock]
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub tool_source: Option<ToolSource>,

    /// Lockfile that pins the tools [default: the nearest one that environments can be made from]
    #[arg(long, value_name = "FILE")]
    pub lockfile: Option<String>,

    /// Names of variables that the installer of a private index needs; the tools never see them
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub install_env: Vec<String>,

    /// Reports made elsewhere, as `PATH=FORMAT` or `PATH=FORMAT:EXIT-CODE`; formats are sarif, rdjson, rdjsonl and diff
    #[arg(long, value_name = "REPORT")]
    pub reports: Vec<String>,

    /// Findings that count [default: changed-lines where there is a base, else everything]
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub scope: Option<Scope>,

    /// Revision that the change is measured against [default: by event]
    #[arg(long, value_name = "REVISION")]
    pub base: Option<String>,

    /// Least severity that means no [default: error]
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,

    /// Whether findings fail the step or are only reported [default: enforce]
    #[arg(long, value_enum, value_name = "MODE")]
    pub mode: Option<Mode>,

    /// Last day of `mode: report`, as YYYY-MM-DD; afterwards findings fail the step
    #[arg(long, value_name = "DATE")]
    pub report_until: Option<String>,

    /// Globs of files whose findings are left out, from the working directory or the root
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Findings to ignore, as `TOOL:RULE [GLOB] until YYYY-MM-DD: REASON`
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,

    /// File with the findings that are known and accepted; written by `--update-baseline`
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<String>,

    /// Fail where the baseline lists findings that are no more [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub baseline_strict: Option<bool>,

    /// Most annotations of each level, 0 to 10 [default: 10, all that GitHub shows of one step]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub max_annotations: Option<u8>,

    /// Accept that a tool finds no file to check [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_empty: Option<bool>,

    /// Run the project's tools on events whose token may do more than the author of the code [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_project_code: Option<bool>,

    /// Time limit of each tool [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,

    /// Write all findings of this run into the file of `baseline`, and pass
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub update_baseline: bool,

    /// Take entries over from a baseline of another tool, as `FILE=mypy-baseline`, `FILE=basedpyright` or `FILE=pyrefly`; with --update-baseline
    #[arg(long, value_name = "BASELINE", help_heading = COMMAND_LINE_ONLY)]
    pub import_baseline: Vec<String>,

    /// Say of each finding that this names (`TOOL[:RULE] [PATH[:LINE]]`) why it was kept, left out, merged or baselined
    #[arg(long, value_name = "FINDING", help_heading = COMMAND_LINE_ONLY)]
    pub explain: Option<String>,

    /// List the tools, which of them run here and why, and run none
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub list_tools: bool,

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

/// Where tools come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum ToolSource {
    /// The version that the lockfile pins: the project's `.venv`, or an environment made from the lock.
    #[default]
    Lock,
    /// Whatever is on PATH.
    Path,
}

/// Which findings count; the stricter, the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Scope {
    /// Those on lines that the change added or edited, and all of type checkers.
    ChangedLines,
    /// Those in files that the change touched, and all of type checkers.
    ChangedFiles,
    /// All.
    Everything,
}

impl Scope {
    /// The name in inputs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChangedLines => "changed-lines",
            Self::ChangedFiles => "changed-files",
            Self::Everything => "everything",
        }
    }
}

fn tool_names() -> Trimmed<PossibleValuesParser> {
    let own = Tool::ALL.into_iter().map(Tool::name);
    Trimmed(PossibleValuesParser::new(
        std::iter::once(settings::AUTO).chain(own),
    ))
}

/// The definition of the arguments.
pub fn command() -> Command {
    Arguments::augment_args(Command::new(NAME))
}

/// Runs the step.
pub fn run(arguments: &Arguments, world: &World) -> Result<u8> {
    let started = Instant::now();
    let runtime = waiting::runtime()?;
    let code = runtime.block_on(async {
        let stop = waiting::listen(world)?;
        if arguments.list_tools {
            let tools = gather::tools(arguments, world, stop).await?;
            world.console.text_by(|out| out.write_all(tools.as_bytes()));
            return Ok(exit::PASS);
        }
        let (settings, facts) = gather::gather(arguments, world, stop).await?;
        conclude(&settings, facts, arguments, world, started)
    });
    // A parser may still sit on a blocking thread after an error; it is not waited for.
    runtime.shutdown_background();
    code
}

/// What follows from the facts: a new baseline, an explanation, or the verdict.
fn conclude(
    settings: &Settings,
    mut facts: Facts,
    arguments: &Arguments,
    world: &World,
    started: Instant,
) -> Result<u8> {
    let keys = std::mem::take(&mut facts.keys);
    let aside = std::mem::take(&mut facts.aside);
    let is_complete = !facts
        .checks
        .iter()
        .any(|check| matches!(check.status, Status::Failed(_)));
    if settings.update_baseline && is_complete && !facts.checks.is_empty() {
        return accepted::update(settings, &facts.checks, &keys, &facts.root, world);
    }
    let mut report = judge::judge(settings, facts);
    report.duration = started.elapsed();
    if let Some(query) = &settings.explain {
        let answer = query.answer(&report, &aside);
        world
            .console
            .text_by(|out| out.write_all(answer.as_bytes()));
        return Ok(report.exit_code());
    }
    emit::emit(report, &arguments.common, world)
}
