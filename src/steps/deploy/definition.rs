//! The environment that is meant, and where it lies.

use std::path::PathBuf;

use crate::deploy::read::read;
use crate::error::{Error, Result, did_you_mean};
use crate::model::deployment::Environment;
use crate::steps::Step;
use crate::steps::definition::{Text, tell};
use crate::steps::deploy::{Arguments, EACH_TIME, NAME};
use crate::steps::gate::base;
use crate::steps::world::World;

/// The environments, and the folder of the file that they stand in.
#[derive(Clone, Debug)]
pub struct Definition {
    /// All of them, in the order of the file.
    pub environments: Vec<Environment>,
    /// The folder of the file.
    pub folder: PathBuf,
}

/// Reads the environments. Fails with the last mistake; those before it have been told.
pub fn load(world: &World) -> Result<Definition> {
    let Some(text) = Text::of(world).filter(|_| world.config.defines(NAME)) else {
        return Err(Error::usage("nothing here says where to deploy to").hint(
            "write `[tool.lockgate.deploy.environments.staging]` with `target = { local = { directory = \"deployed\" } }` into the `pyproject.toml`",
        ));
    };
    let environments = read(text.text, &text.file, text.carrier)
        .map_err(|mistakes| tell(NAME, world, mistakes))?;
    Ok(Definition {
        environments,
        folder: text.folder,
    })
}

impl Definition {
    /// The environment that is meant.
    pub fn chosen(&self, arguments: &Arguments) -> Result<&Environment> {
        let names = || self.environments.iter().map(|one| one.name.as_str());
        let Some(wanted) = &arguments.environment else {
            return match &*self.environments {
                [one] => Ok(one),
                _ => Err(Error::usage("there are several environments")
                    .allowed(names())
                    .hint("name one with `--environment`")),
            };
        };
        let found = self.environments.iter().find(|one| one.name == *wanted);
        found.ok_or_else(|| {
            let error = Error::usage(format!("`environment`: there is no `{wanted}`"));
            match did_you_mean(wanted, names()) {
                Some(close) => error.hint(format!("write `{close}`")),
                None => error.allowed(names()),
            }
        })
    }
}

/// What is deployed is code of the project: not where the token may do more than the author of the code.
pub fn require_permission(world: &World) -> Result<()> {
    base::require_permission(Step::Deploy, world, |given: &Arguments| {
        given.allow_project_code.unwrap_or_default()
    })
}

/// What is given anew for each deployment: by the workflow or the command line, never by the file of the project, which is a
/// part of what is deployed.
pub fn require_given(arguments: &Arguments, world: &World) -> Result<()> {
    // In the order of the names.
    let each_time = |arguments: &Arguments| {
        [
            arguments.digest.is_some(),
            arguments.bundle_digest.is_some(),
            arguments.break_lock.is_some(),
        ]
    };
    let set = each_time(arguments);
    if !set.contains(&true) {
        return Ok(());
    }
    let given: Arguments = base::given(Step::Deploy, world)?;
    let pairs = set.into_iter().zip(each_time(&given));
    let mut named = EACH_TIME.into_iter().zip(pairs);
    let by_file = named.find(|(_, (is_set, is_given))| *is_set && !is_given);
    let Some((name, _)) = by_file else {
        return Ok(());
    };
    Err(Error::usage(format!(
        "`{name}` is given for each deployment, and the configuration file sets it for all"
    ))
    .hint(format!(
        "take it from the file, and name it with `--{name}`, or `{name}` in the workflow"
    )))
}
