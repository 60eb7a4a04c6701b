//! `run`: starts the stages.

use crate::error::{Error, Result};
use crate::steps::pipeline::Arguments;
use crate::steps::world::World;

/// Runs the stages.
pub fn run(_arguments: &Arguments, _world: &World) -> Result<u8> {
    Err(Error::usage("`pipeline run` does not run stages yet").hint("lockgate pipeline plan"))
}
