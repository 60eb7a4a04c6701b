//! The isolated environments of stages: from the frozen lock, made once for all stages that ask for the same.

use std::path::Path;

use crate::error::{Error, Result};
use crate::lockfiles::environment::Asked;
use crate::model::environment::{Installer, Recipe};
use crate::model::pipeline::Venv as Wanted;
use crate::steps::project::Lock;

/// What the environment of a stage in `directory` is made from, and the lock's name. Fails where there is no lock.
pub fn recipe(wanted: &Wanted, directory: &Path, root: &Path) -> Result<(Recipe, String)> {
    let lock = Lock::find(directory, root, None)?.ok_or_else(|| {
        Error::usage("`venv`: there is no lock that an environment can be made from")
            .cause(format!("looked from `{}` upward", directory.display()))
            .hint("write one with `uv lock`, or hashed requirements with `uv pip compile --generate-hashes`")
    })?;
    let mut recipe = lock.recipe_for(Asked {
        groups: wanted.groups.iter().cloned().collect(),
        extras: wanted.extras.iter().cloned().collect(),
    })?;
    if wanted.project {
        let Installer::Uv { project, .. } = &mut recipe.installer else {
            return Err(Error::usage(format!(
                "`venv.project`: `{}` does not say how the project itself is built",
                lock.name
            ))
            .hint("use a uv.lock, or let the stage find the code with `env = { PYTHONPATH = \"src\" }`"));
        };
        *project = Some(directory.to_owned());
    }
    if let Some(python) = &wanted.python {
        let is_version = python.starts_with(|c: char| c.is_ascii_digit())
            && python.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !is_version {
            return Err(
                Error::usage(format!("`venv.python`: `{python}` is no version of Python"))
                    .hint("write a version such as `3.12`"),
            );
        }
    }
    recipe.python.clone_from(&wanted.python);
    Ok((recipe, lock.name))
}
