//! `init`: writes a first definition for the project that is here, and never over another.

mod found;
mod text;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result, exit};
use crate::pipeline::graph::Graph;
use crate::pipeline::read::{Carrier, read};
use crate::steps::Step;
use crate::steps::definition::carrier_of;
use crate::steps::pipeline::definition::usable_steps;
use crate::steps::pipeline::{Arguments, no_sarif};
use crate::steps::world::World;
use crate::system::files::rewrite;
use found::Found;
use text::{joined, render};

/// Writes a definition.
pub fn init(arguments: &Arguments, world: &World) -> Result<u8> {
    no_sarif(arguments, world)?;
    let found = Found::of(&world.directory);
    let stages = found.stages();
    if stages.is_empty() {
        return Err(Error::usage("there is nothing here that a pipeline could run: no lock, no linter, no tests")
            .hint("write a stage by hand: `[tool.lockgate.pipeline.stages.test]` with `run = [\"pytest\"]`"));
    }
    let target = target(arguments.yaml, world)?;
    let before = match std::fs::read_to_string(&target) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(
                Error::usage(format!("`{}` cannot be read", target.display())).cause(error),
            );
        }
    };
    let carrier = carrier_of(&target);
    let name = target
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let own = render(&stages, carrier);
    let text = joined(before.as_deref().unwrap_or_default(), &own);
    let read = read(&text, &name, carrier, &usable_steps());
    let fits = read.is_ok_and(|pipeline| Graph::of(&pipeline).is_ok());
    if !fits {
        return Err(Error::usage(format!(
            "`{name}` is written so that nothing can be added at its end"
        ))
        .hint(format!("add this by hand:\n{own}")));
    }
    write(&target, &text, before.is_some())?;
    let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
    let line = format!(
        "`{name}` has the stages {}\n",
        crate::error::list(&names, "and")
    );
    world.console.text_by(|out| out.write_all(line.as_bytes()));
    Ok(exit::PASS)
}

/// The file that gets the definition.
fn target(yaml: bool, world: &World) -> Result<PathBuf> {
    let project = world.directory.join("pyproject.toml");
    let own = world.directory.join("lockgate.yaml");
    if let Some(path) = &world.config.path {
        let shown = path
            .strip_prefix(&world.root)
            .unwrap_or(path)
            .display()
            .to_string();
        if world.config.defines(Step::Pipeline.name()) {
            return Err(Error::usage(format!("`{shown}` defines stages already"))
                .hint("lockgate pipeline check"));
        }
        if yaml && carrier_of(path) == Carrier::Toml && path.parent() == Some(&world.directory) {
            return Err(Error::usage(format!(
                "`{shown}` configures Lockgate, and a `lockgate.yaml` beside it is an error"
            ))
            .hint("lockgate pipeline init"));
        }
        if path.parent() == Some(&world.directory) {
            return Ok(path.clone());
        }
    }
    Ok(if yaml || !project.is_file() {
        own
    } else {
        project
    })
}

/// A file that is there keeps what is in it; one that is not is not put over one that came meanwhile.
fn write(path: &Path, text: &str, is_there: bool) -> Result<()> {
    let unwritable =
        |error| Error::usage(format!("`{}` cannot be written", path.display())).cause(error);
    if is_there {
        return rewrite(path, text.as_bytes()).map_err(unwritable);
    }
    let mut file = std::fs::File::create_new(path).map_err(unwritable)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(unwritable)
}
