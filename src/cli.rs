//! Arguments in, exit code out: which step is meant, where its inputs come from, and the outermost handling of errors.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};

use crate::error::{Error, Result, exit};
use crate::github::commands::{Command as WorkflowCommand, Level};
use crate::github::console::{Console, OutputFormat};
use crate::github::context::{Context, is_nested};
use crate::github::files;
use crate::github::inputs::{self, Layer, SecretInput};
use crate::model::report::Verdict;
use crate::report::summary;
use crate::steps::world::{self, Common, World};
use crate::steps::{
    Step, cache, cache_key, deploy, hash_files, lint_gate, lockfile_verify, pipeline,
};
use crate::system::config::{self, Config};
use crate::system::environment::Environment;
use crate::system::files::{normalise, real};
use crate::system::logging;
use crate::system::masking::{Masker, Secret, channel};
use crate::system::processes::guards;
use crate::system::stop;

/// Steps of a CI/CD pipeline for Python projects, the same on a laptop and in GitHub Actions
#[derive(Debug, Parser)]
#[command(
    name = "lockgate",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {}

/// Every step as a subcommand: the definition from which help, actions and pages are made.
pub fn command() -> Command {
    Cli::command()
        .subcommands(Step::ALL.map(Step::command))
        .subcommand_required(true)
        .max_term_width(100)
}

/// Runs the process: `arguments` as the system gave them, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if guards(&arguments) {
        return exit::PASS;
    }
    stop::hide_from_siblings();
    let is_workflow = environment.get("GITHUB_ACTIONS") == Some("true");
    let file = |name| {
        environment
            .os(name)
            .filter(|_| is_workflow)
            .map(PathBuf::from)
    };
    let context = Context {
        is_workflow,
        is_nested: is_nested(&environment),
        output_file: file("GITHUB_OUTPUT"),
        summary_file: file("GITHUB_STEP_SUMMARY"),
        ..Context::default()
    };
    // What an error says goes to standard error, workflow commands too: standard output may be promised to a document.
    let console = Console::new(
        &environment,
        Masker::default(),
        &context,
        OutputFormat::Json,
    );
    match run(arguments, environment, &console) {
        Ok(code) => code,
        Err(error) => {
            let error = error.map_text(|text| console.masker().mask(text).into_owned());
            report_error(&console, &context, &error);
            error.kind.exit_code()
        }
    }
}

/// An error before there was a report goes the same ways as a report: log, annotation, summary, output.
fn report_error(console: &Console, context: &Context, error: &Error) {
    console.note(&error.render());
    let mut message = error.message.clone();
    if let Some(hint) = &error.hint {
        message.push_str("\nhint: ");
        message.push_str(hint);
    }
    let mut annotation = WorkflowCommand::annotation(Level::Error, "lockgate", &message);
    if let Some(place) = &error.place {
        annotation.property("file", place.path.clone());
        annotation.property("line", place.line.to_string());
    }
    console.command(&annotation);
    let summary = summary::render_error(error);
    // Later steps ask for the verdict, whatever happened here.
    let verdict = Verdict::NoVerdict.name();
    let written = [
        context
            .summary_file
            .as_ref()
            .map(|file| files::append_summary(file, &summary).map(drop)),
        context
            .output_file
            .as_ref()
            .map(|file| files::append_value(file, "verdict", verdict)),
    ];
    for failure in written
        .into_iter()
        .flatten()
        .filter_map(std::result::Result::err)
    {
        console.note(&format!("the step's outputs cannot be written: {failure}"));
    }
}

fn run(arguments: Vec<OsString>, environment: Environment, console: &Console) -> Result<u8> {
    let secrets: Vec<SecretInput> = Step::ALL
        .into_iter()
        .flat_map(Step::secrets)
        .copied()
        .collect();
    let arguments = as_subcommand(arguments);
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if !error.use_stderr() => {
            console.document(&error.render().to_string());
            return Ok(exit::PASS);
        }
        Err(error) => return Err(inputs::reword(&error, &Layer::default(), &secrets)),
    };
    let Some((name, typed)) = matches.subcommand() else {
        return Err(Error::bug("a subcommand was required and is not there"));
    };
    let step = Step::from_name(name)
        .ok_or_else(|| Error::bug(format!("`{name}` is defined but is no step")))?;
    match step {
        Step::LintGate => {
            let (arguments, world) =
                inputs_of::<lint_gate::Arguments>(step, typed, environment, console.masker())?;
            lint_gate::run(&arguments, &world)
        }
        Step::LockfileVerify => {
            let (arguments, world) = inputs_of::<lockfile_verify::Arguments>(
                step,
                typed,
                environment,
                console.masker(),
            )?;
            lockfile_verify::run(&arguments, &world)
        }
        Step::CacheKey => {
            let (arguments, world) =
                inputs_of::<cache_key::Arguments>(step, typed, environment, console.masker())?;
            cache_key::run(&arguments, &world)
        }
        Step::Cache => {
            let (arguments, world) =
                inputs_of::<cache::Arguments>(step, typed, environment, console.masker())?;
            cache::run(&arguments, &world)
        }
        Step::HashFiles => {
            let (arguments, world) =
                inputs_of::<hash_files::Arguments>(step, typed, environment, console.masker())?;
            hash_files::run(&arguments, &world)
        }
        Step::Pipeline => {
            let (arguments, world) =
                inputs_of::<pipeline::Arguments>(step, typed, environment, console.masker())?;
            pipeline::run(&arguments, &world)
        }
        Step::Deploy => {
            let (arguments, world) =
                inputs_of::<deploy::Arguments>(step, typed, environment, console.masker())?;
            deploy::run(&arguments, &world)
        }
    }
}

/// A link or copy of the binary named after a step is that step.
fn as_subcommand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let program = arguments.first().map(PathBuf::from).unwrap_or_default();
    let stem = program
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let name = stem.strip_prefix("lockgate-").unwrap_or(stem);
    if let Some(step) = Step::from_name(name) {
        arguments.splice(0..1, ["lockgate".into(), step.name().into()]);
    }
    arguments
}

/// The arguments that a step is called with, each from the first source that has it, and the world around them.
fn inputs_of<A: FromArgMatches + AsRef<Common>>(
    step: Step,
    typed: &ArgMatches,
    environment: Environment,
    masker: &Masker,
) -> Result<(A, World)> {
    let context = Context::read(&environment)?;
    let (definition, secrets) = (step.command(), step.secrets());
    let variables = inputs::parse(
        &definition,
        &inputs::from_environment(&definition, &environment),
        secrets,
    )?;
    // The folder decides which file counts, so the file cannot name it.
    let outer: A = inputs::merge(&[&variables, typed])?;
    let directory = working_directory(outer.as_ref().working_directory.as_deref(), &context)?;
    let root = outer_root(&directory, &context);
    let config = config::load(&directory, &root, &Step::names())?;
    check_version(&config)?;

    let given = [variables, typed.clone()];
    let arguments: A = world::arguments(step, &config, &given)?;

    let common = arguments.as_ref();
    logging::start(
        common.log_format.unwrap_or_default(),
        context.is_debug,
        step.name(),
        &environment,
        masker,
    );
    let console = Console::new(
        &environment,
        masker.clone(),
        &context,
        common.output_format.unwrap_or_default(),
    );
    if let Some(outward) = channel::outward(&environment) {
        masker.tell(outward);
    }
    for secret in secrets {
        if let Some((_, value)) = inputs::variable(&environment, secret.name) {
            console.hide(&Secret::new(value));
        }
    }
    Ok((
        arguments,
        World {
            environment,
            context,
            directory,
            root,
            config,
            console,
            given,
        },
    ))
}

fn working_directory(named: Option<&Path>, context: &Context) -> Result<PathBuf> {
    let current = std::env::current_dir().map_err(|error| {
        Error::usage("the current folder is gone")
            .cause(error)
            .hint("change to one that exists")
    })?;
    let Some(named) = named else {
        return Ok(current);
    };
    let directory = real(&normalise(&current.join(named)));
    if !directory.is_dir() {
        return Err(Error::usage(format!(
            "`working-directory`: `{}` is no folder",
            named.display()
        ))
        .cause(format!("looked at `{}`", directory.display())));
    }
    if let Some(workspace) = &context.workspace
        && !directory.starts_with(workspace)
    {
        return Err(Error::usage(format!(
            "`working-directory`: `{}` leads out of the workspace",
            named.display()
        )));
    }
    Ok(directory)
}

/// Above this nothing is looked up: the repository around the folder, else the workspace, else the folder itself.
fn outer_root(directory: &Path, context: &Context) -> PathBuf {
    let limit = context
        .workspace
        .as_deref()
        .filter(|workspace| directory.starts_with(workspace));
    for folder in directory.ancestors() {
        if folder.join(".git").exists() || Some(folder) == limit {
            return folder.to_owned();
        }
    }
    directory.to_owned()
}

fn check_version(config: &Config) -> Result<()> {
    let Some(required) = &config.required_version else {
        return Ok(());
    };
    let text = required.items.join(", ");
    let requirement = semver::VersionReq::parse(&text).map_err(|error| {
        Error::usage(format!(
            "`required-version`: `{text}` is no version requirement"
        ))
        .at(required.place.clone())
        .cause(error)
        .hint("write a requirement such as `>=0.1, <0.3`")
    })?;
    let own = semver::Version::parse(crate::VERSION)
        .map_err(|error| Error::bug("our own version is none").cause(error))?;
    if requirement.matches(&own) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "this is lockgate {}, and the project requires `{text}`",
        crate::VERSION
    ))
    .at(required.place.clone())
    .hint("pin the action to a release that fits, or run `uvx lockgate@<version>`"))
}
