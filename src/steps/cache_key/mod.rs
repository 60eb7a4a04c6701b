//! `cache-key`: computes the key of a cache, the keys to restore from and the paths to keep, and says why a key is not
//! the one of before.
//!
//! All of the work is in [`crate::steps::key`], which other steps share.

mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Command};

use crate::error::{Error, Result};
use crate::github::console::OutputFormat;
use crate::github::inputs::{COMMAND_LINE_ONLY, SecretInput};
use crate::model::cache_key::{Document, explain};
use crate::steps::key::{self, KeyArguments, Settings};
use crate::steps::waiting;
use crate::steps::world::{Common, World};
use crate::steps::{Output, emit};

/// The step's name.
pub const NAME: &str = "cache-key";

/// What it writes for later steps.
pub const OUTPUTS: &[Output] = &[
    Output {
        name: "verdict",
        help: "`pass`; `no-verdict` where the key could not be computed",
    },
    Output {
        name: "report",
        help: "Path of the JSON report",
    },
    Output {
        name: "key",
        help: "The key, at most 512 characters without a comma",
    },
    Output {
        name: "restore-keys",
        help: "The keys to restore from where nothing has the key itself, most specific first, one a line",
    },
    Output {
        name: "paths",
        help: "What to keep under the key, one a line",
    },
    Output {
        name: "hash",
        help: "The digest of locks and files; empty where there are none",
    },
    Output {
        name: "components",
        help: "What the key is made from, as JSON on one line; without the lists of packages where they have no room",
    },
];

/// It takes no secrets.
pub const SECRETS: &[SecretInput] = &[];

/// How many lines say what is not the same.
const LINES: usize = 10;

/// A stored document is larger than this only if it is none, bytes.
const DOCUMENT_LIMIT: u64 = 64 << 20;

/// Compute the key of a cache from what is installed, the keys to restore from, and the paths to keep
///
/// The key changes when a package of others, the Python or the system does, and not when the project's own version, a
/// comment or the order of a lock does. Needs neither the network nor a token.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "its documentation would become the help of the step"
    )]
    pub key: KeyArguments,

    /// Write the whole document of components here, to be compared with later
    #[arg(long, value_name = "FILE")]
    pub components_file: Option<PathBuf>,

    /// Components of before, as `components` or `components-file` had them, to say what is not the same
    #[arg(long, value_name = "FILE")]
    pub previous: Option<PathBuf>,

    /// Print only what is not the same as in `--previous`, in at most ten lines
    #[arg(long, help_heading = COMMAND_LINE_ONLY)]
    pub explain: bool,

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
    let settings = Settings::new(&arguments.key)?;
    let previous = arguments.previous.as_deref();
    if arguments.explain && previous.is_none() {
        return Err(Error::usage("`--explain` needs the components of before")
            .hint("name their file: `--explain --previous <file>`"));
    }
    let previous = previous.map(|path| read(path, world)).transpose()?;
    let runtime = waiting::runtime()?;
    let key = runtime.block_on(async {
        let stop = waiting::listen(world)?;
        key::compute(&settings, world, stop).await
    })?;
    let difference = previous.map(|previous| explain(&previous.components, &key.components, LINES));
    if let Some(path) = &arguments.components_file {
        let path = world.directory.join(path);
        let document = world
            .console
            .masker()
            .mask(&key.document().render())
            .into_owned();
        crate::system::files::write_atomically(&path, document.as_bytes()).map_err(|error| {
            Error::no_verdict(format!("`{}` cannot be written", path.display())).cause(error)
        })?;
    }
    // A document that was asked for holds the same lines.
    let is_text = matches!(
        world.console.format(),
        OutputFormat::Human | OutputFormat::Github
    );
    if let (true, Some(lines)) = (arguments.explain && is_text, &difference) {
        let text = lines.join("\n") + "\n";
        world.console.text_by(|out| out.write_all(text.as_bytes()));
        return Ok(crate::error::exit::PASS);
    }
    let mut report = report::report(&key, difference);
    report.duration = started.elapsed();
    emit::emit(report, &arguments.common, world)
}

fn read(path: &Path, world: &World) -> Result<Document> {
    let shown = path.display();
    let unreadable = |cause: String| {
        Error::usage(format!("`previous`: `{shown}` cannot be read"))
            .cause(cause)
            .hint("name a file that holds the output `components`, or that `components-file` wrote")
    };
    let path = world.directory.join(path);
    let metadata = path
        .metadata()
        .map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > DOCUMENT_LIMIT {
        return Err(unreadable("it is no document of components".to_owned()));
    }
    let bytes = std::fs::read(&path).map_err(|error| unreadable(error.to_string()))?;
    Document::parse(&bytes).map_err(unreadable)
}
