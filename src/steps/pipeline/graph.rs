//! `graph`: draws the stages.

use crate::error::{Result, exit};
use crate::pipeline::draw;
use crate::steps::pipeline::settings::Settings;
use crate::steps::pipeline::{Arguments, Drawing, definition, no_sarif};
use crate::steps::world::World;

/// Draws the stages on standard output.
pub fn graph(arguments: &Arguments, world: &World) -> Result<u8> {
    no_sarif(arguments, world)?;
    let settings = Settings::new(arguments)?;
    let definition = definition::load(world, &settings)?;
    let draw = match arguments.format.unwrap_or_default() {
        Drawing::Mermaid => draw::mermaid,
        Drawing::Dot => draw::dot,
    };
    let drawing = draw(&definition.pipeline, &definition.graph);
    world.console.document(drawing.trim_end());
    Ok(exit::PASS)
}
