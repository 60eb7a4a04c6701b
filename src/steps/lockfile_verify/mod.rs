//! `lockfile-verify`: proves that locks are what they claim to be, without the tool that wrote them and, unless it is asked
//! to, without the network.
//!
//! Gather ([`gather`]), verify ([`verify`], on all processors), judge ([`judge`]), report ([`crate::steps::emit`]).

mod actions;
mod compare;
mod discover;
mod explain;
mod fix;
mod gather;
mod gone;
mod ignores;
mod inputs;
mod judge;
mod online;
mod pdm_members;
mod place;
mod policy;
mod settings;
mod verify;
mod workflows;

use std::time::Instant;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Command};

use crate::error::{Error, Result, exit};
use crate::github::inputs::{COMMAND_LINE_ONLY, SecretInput, Trimmed, boolean};
use crate::steps::gate::{FailOn, Mode};
use crate::steps::waiting;
use crate::steps::world::{Common, World};
use crate::steps::{Output, emit};

/// The step's name.
pub const NAME: &str = "lockfile-verify";

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
        name: "lockfiles",
        help: "Number of lockfiles that were verified",
    },
    Output {
        name: "packages",
        help: "Number of packages that they pin",
    },
    Output {
        name: "findings",
        help: "Number of findings in the report",
    },
    Output {
        name: "errors",
        help: "Number of findings of severity error",
    },
    Output {
        name: "changed",
        help: "Whether a lockfile differs from the base; empty where there is no base",
    },
    Output {
        name: "max-jump",
        help: "Farthest move of a version: `none`, `post`, `pre`, `patch`, `minor`, `major` or `epoch`; empty where nothing can be compared",
    },
    Output {
        name: "new-sources",
        help: "Number of indexes, repositories and hosts that nothing came from on the base; empty where nothing can be compared",
    },
    Output {
        name: "alarms",
        help: "Number of packages of the same version with another hash, other files or an unproved source, and of locks that are deleted while what they lock stays; empty where nothing can be compared",
    },
];

/// The credentials for indexes.
const INDEX_CREDENTIALS: SecretInput = SecretInput {
    name: "index-credentials",
    help: "Who asks private indexes for `index-check`: one `https://user:password@index.example` a line; each goes to its host only",
    default: "",
};

/// What it takes from the environment alone.
pub const SECRETS: &[SecretInput] = &[
    SecretInput {
        name: "token",
        help: "Token for the one fetch of the base commit, `contents: read`, and for repositories of actions that want one",
        default: "${{ github.token }}",
    },
    INDEX_CREDENTIALS,
];

/// Prove that lockfiles are what they claim to be
///
/// Reads every lockfile of the repository and what the projects declare, and judges integrity, agreement and sources by
/// rules, each finding on its line. Needs neither the tool that wrote the lock nor the network.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// Lockfiles, and folders to look for them in [default: the working directory]
    #[arg(value_name = "PATHS")]
    pub paths: Vec<String>,

    /// Level of a rule instead of its own, as `RULE LEVEL`; levels are off, note, warning and error
    #[arg(long, value_name = "RULE LEVEL")]
    pub rules: Vec<String>,

    /// URLs of indexes that may be used [default: those that the project declares, and the public one]
    #[arg(long, value_name = "URL", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub allowed_indexes: Vec<String>,

    /// Hosts that may serve files, besides those that belong to the indexes
    #[arg(long, value_name = "HOST", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub allowed_hosts: Vec<String>,

    /// Kinds of sources that need no declaration: git, url, path, editable, http
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = settings::source_kinds())]
    pub allowed_sources: Vec<String>,

    /// Names of packages, or patterns with `*`, that only a private index may serve
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub private_names: Vec<String>,

    /// Platforms that must be served, such as linux-x86_64, musllinux-aarch64, macos-arm64 or windows-amd64
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub platforms: Vec<String>,

    /// Versions of Python that must be served, such as 3.12
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub pythons: Vec<String>,

    /// How long a file must have been on its index, such as `7 days` [default: any time]
    #[arg(long, value_name = "DURATION")]
    pub min_age: Option<String>,

    /// Names of packages that need not be that old
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub min_age_exceptions: Vec<String>,

    /// Compare hashes that are new with what their index publishes; needs the network [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub index_check: Option<bool>,

    /// Index that is asked in place of the public one, such as a mirror of it
    #[arg(long, value_name = "URL", value_parser = Trimmed(NonEmptyStringValueParser::new()))]
    pub index_url: Option<String>,

    /// Ask the repositories of actions whether the pinned commits are those of the tags in the comments; needs the network [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub action_check: Option<bool>,

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

    /// Globs of lockfiles that are left out, from the working directory or the root
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Findings to ignore, as `lockgate:RULE[:PACKAGE] [GLOB] until YYYY-MM-DD: REASON`
    #[arg(long, value_name = "RULE")]
    pub ignore: Vec<String>,

    /// Give no verdict where something cannot be verified without running code of the project [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub strict: Option<bool>,

    /// Most annotations of each level, 0 to 10 [default: 10, all that GitHub shows of one step]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub max_annotations: Option<u8>,

    /// Accept that there is no lockfile [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_empty: Option<bool>,

    /// Make the safe edits that findings offer, tell them as a diff, and judge the files as they are then
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub fix: bool,

    /// Ignore in the configuration file what is found now, for `--reason` and until `--until`; take out what ran out or
    /// covers nothing
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub update_ignores: bool,

    /// Why the findings are ignored that `--update-ignores` adds
    #[arg(long, value_name = "TEXT", help_heading = COMMAND_LINE_ONLY)]
    pub reason: Option<String>,

    /// Last day of what `--update-ignores` adds, as YYYY-MM-DD
    #[arg(long, value_name = "DATE", help_heading = COMMAND_LINE_ONLY)]
    pub until: Option<String>,

    /// Say of this package where it comes from, who needs it, and what its files are; nothing is judged
    #[arg(long, value_name = "PACKAGE", help_heading = COMMAND_LINE_ONLY)]
    pub explain: Option<String>,

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
    if arguments.fix && arguments.explain.is_some() {
        return Err(Error::usage("`--fix` and `--explain` exclude each other")
            .hint("run one after the other: nothing is judged by `--explain`"));
    }
    let wanted = ignores::Wanted::new(arguments, world)?;
    let started = Instant::now();
    let runtime = waiting::runtime()?;
    let (settings, mut gathered, published, workflows) = runtime.block_on(async {
        let stop = waiting::listen(world)?;
        let (settings, gathered) = gather::gather(arguments, world, stop.clone()).await?;
        let published = online::ask(&gathered, &settings, world, stop.clone()).await?;
        let workflows = workflows::judge(&settings, &gathered, world, stop).await?;
        Ok::<_, Error>((settings, gathered, published, workflows))
    })?;
    if let Some(name) = &arguments.explain {
        let answer = explain::explain(name, &gathered)?;
        world
            .console
            .text_by(|out| out.write_all(answer.as_bytes()));
        return Ok(exit::PASS);
    }
    let published = published.as_ref();
    let verified = if arguments.fix {
        fix::fix(&mut gathered, &settings, published, world)?
    } else {
        verify::verify(&gathered, &settings, published)
    };
    if let Some(wanted) = wanted {
        let all = settings::Settings {
            ignores: Vec::new(),
            ..settings
        };
        let report = judge::judge(&all, &gathered, verified, published, workflows);
        return match ignores::update(&report, &wanted, arguments, world)? {
            Some(code) => Ok(code),
            None => emit::emit(report, &arguments.common, world),
        };
    }
    let mut report = judge::judge(&settings, &gathered, verified, published, workflows);
    report.duration = started.elapsed();
    emit::emit(report, &arguments.common, world)
}
