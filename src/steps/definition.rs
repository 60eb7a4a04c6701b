//! What steps with a definition of their own have in common: its text, and how its mistakes are told.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::github::commands::{Command, Level};
use crate::pipeline::read::Carrier;
use crate::steps::world::World;
use crate::system::config::Config;

/// Mistakes that are told one by one.
const MOST_TOLD: usize = 20;

/// The text of the configuration file.
#[derive(Clone, Debug)]
pub struct Text<'w> {
    /// The text.
    pub text: &'w str,
    /// What it is written in.
    pub carrier: Carrier,
    /// The file as people know it.
    pub file: String,
    /// Its folder.
    pub folder: PathBuf,
}

impl<'w> Text<'w> {
    /// The text of the project's file, if it defines anything.
    pub fn of(world: &'w World) -> Option<Self> {
        Self::in_config(&world.config, world)
    }

    /// The text of this configuration, that of the base for example, if it defines anything.
    pub fn in_config(config: &'w Config, world: &World) -> Option<Self> {
        let (path, text) = (config.path.as_ref()?, config.text.as_deref()?);
        let inside = path.strip_prefix(&world.root).unwrap_or(path);
        let folder = path
            .parent()
            .map_or_else(|| world.directory.clone(), Path::to_owned);
        Some(Self {
            text,
            carrier: carrier_of(path),
            file: inside.display().to_string(),
            folder,
        })
    }
}

/// What the file of this name is written in.
pub fn carrier_of(path: &Path) -> Carrier {
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        Carrier::Toml
    } else {
        Carrier::Yaml
    }
}

/// Tells every mistake but the last, which is the error of the run.
pub fn tell(step: &'static str, world: &World, mut mistakes: Vec<Error>) -> Error {
    let count = mistakes.len();
    if count > MOST_TOLD {
        mistakes.truncate(MOST_TOLD);
        let more = count - MOST_TOLD;
        mistakes.push(Error::usage(format!(
            "the definition has {more} more mistakes"
        )));
    }
    let Some(last) = mistakes.pop() else {
        return Error::bug("a definition is refused without a mistake");
    };
    for mistake in mistakes {
        world.console.note(&mistake.render());
        if !world.console.takes_commands() {
            continue;
        }
        let mut annotation = Command::annotation(Level::Error, step, &mistake.message);
        if let Some(place) = &mistake.place {
            annotation.property("file", place.path.clone());
            annotation.property("line", place.line.to_string());
        }
        world.console.command(&annotation);
    }
    last
}
