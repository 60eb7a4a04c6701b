//! `hash-files`: the digest that the runner's `hashFiles()` gives for the same patterns, and the files that it is made of.

use std::path::Path;
use std::time::Instant;

use clap::{Args, Command};
use serde_json::{Value, json};

use crate::error::{Error, Result, count, exit};
use crate::github::console::OutputFormat;
use crate::github::files::append_value;
use crate::github::inputs::{SecretInput, boolean};
use crate::steps::Output;
use crate::steps::world::{Common, World};
use crate::system::files::write_atomically;
use crate::system::hash_files::{self, Digest};

/// The step's name.
pub const NAME: &str = "hash-files";

/// What it writes for later steps.
pub const OUTPUTS: &[Output] = &[Output {
    name: "hash",
    help: "The digest, 64 hexadecimal digits; empty where no file matches and that is allowed",
}];

/// What it takes from the environment alone.
pub const SECRETS: &[SecretInput] = &[];

/// Print the digest that `hashFiles()` of a workflow gives for the same patterns
///
/// SHA-256 over the SHA-256 of each file, in the order in which the runner comes upon them. Names are no part of it.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// Patterns of files, from the working directory; `!` in front takes away again what those before it match
    #[arg(value_name = "PATTERNS")]
    pub patterns: Vec<String>,

    /// Follow links to folders, as `hashFiles('--follow-symbolic-links', …)` does [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub follow_symbolic_links: Option<bool>,

    /// Accept patterns that match no file; the digest of nothing is empty [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = boolean)]
    pub allow_empty: Option<bool>,

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
    let common = &arguments.common;
    if world.console.format() == OutputFormat::Sarif || common.sarif_file.is_some() {
        return Err(
            Error::usage("`hash-files` has no findings that SARIF could hold")
                .hint("write `--output-format json`"),
        );
    }
    if arguments.patterns.is_empty() {
        return Err(Error::usage("`patterns` needs a value")
            .hint("name the files: `lockgate hash-files '**/uv.lock'`"));
    }
    let workspace = workspace(world);
    let patterns = hash_files::read_patterns(
        "patterns",
        &arguments.patterns.join("\n"),
        &world.directory,
        world.environment.get("HOME"),
    )?;
    let follow = arguments.follow_symbolic_links.unwrap_or(false);
    let digest = hash_files::digest(&patterns, workspace, follow)?;
    if !arguments.allow_empty.unwrap_or(false) {
        refuse_nothing(&digest)?;
    }
    let hash = digest.hex.as_deref().unwrap_or_default();
    let took = started.elapsed().as_millis();
    // Where nobody asks for it, it is not made: it names all files.
    let report = || document(&digest, workspace, u64::try_from(took).unwrap_or(u64::MAX));
    match world.console.format() {
        OutputFormat::Human => world.console.document(hash),
        OutputFormat::Json => world
            .console
            .document_by(|out| writeln!(out, "{:#}", report())),
        OutputFormat::Sarif | OutputFormat::Github => {}
    }
    if let Some(path) = &common.report_file {
        let text = format!("{:#}\n", report());
        write(&world.directory.join(path), &text, world)?;
    }
    if let Some(path) = &common.summary_file {
        let files = count(digest.found.files.len() as u64, "file");
        let line = format!("`hash-files`: `{hash}`, of {files}\n");
        write(&world.directory.join(path), &line, world)?;
    }
    if let Some(path) = &world.context.output_file {
        append_value(path, "hash", hash).map_err(|error| {
            Error::no_verdict("the step's outputs cannot be written").cause(error)
        })?;
    }
    Ok(exit::PASS)
}

/// The folder outside of which no file counts.
fn workspace(world: &World) -> &Path {
    let of_job = world.context.workspace.as_deref();
    of_job
        .filter(|workspace| world.directory.starts_with(workspace))
        .unwrap_or(&world.root)
}

/// A pattern that matches nothing makes a key that never changes, which nobody wants without knowing.
fn refuse_nothing(digest: &Digest) -> Result<()> {
    let hint = "look whether the file is there and the letters are the same, write `[[]` for a bracket, or say `allow-empty: true`";
    if let [first, others @ ..] = &digest.found.unmatched[..] {
        let error = Error::usage(format!("`patterns`: `{first}` matches no file"));
        return Err(others
            .iter()
            .fold(error, |error, other| {
                error.cause(format!("nor does `{other}`"))
            })
            .hint(hint));
    }
    if digest.hex.is_none() {
        return Err(Error::usage(
            "`patterns`: all files that the patterns match are taken away again by others with `!`",
        )
        .hint("a pattern counts for what stands before it: put those with `!` first, or say `allow-empty: true`"));
    }
    Ok(())
}

fn document(digest: &Digest, workspace: &Path, milliseconds: u64) -> Value {
    let relative = |path: &Path| {
        let inside = path.strip_prefix(workspace).unwrap_or(path);
        inside.to_string_lossy().into_owned()
    };
    let files: Vec<String> = digest
        .found
        .files
        .iter()
        .map(|path| relative(path))
        .collect();
    let hash = digest.hex.as_deref().unwrap_or_default();
    json!({
        "schema": format!("lockgate.{NAME}/1"),
        "version": crate::VERSION,
        "verdict": "pass",
        "exit-code": exit::PASS,
        "digest": hash,
        "files": files,
        "unmatched": digest.found.unmatched,
        "findings": [],
        "checks": [],
        "left-out": [],
        "outputs": {"hash": hash},
        "duration-ms": milliseconds,
    })
}

fn write(path: &Path, text: &str, world: &World) -> Result<()> {
    let masked = world.console.masker().mask(text);
    write_atomically(path, masked.as_bytes()).map_err(|error| {
        Error::no_verdict(format!("`{}` cannot be written", path.display())).cause(error)
    })
}
