//! `check`: says what is wrong with the definition, or that nothing is.

use serde_json::json;

use crate::error::{Result, count, exit};
use crate::github::console::OutputFormat;
use crate::steps::pipeline::settings::Settings;
use crate::steps::pipeline::{Arguments, definition, no_sarif};
use crate::steps::world::World;

/// Checks the definition.
pub fn check(arguments: &Arguments, world: &World) -> Result<u8> {
    no_sarif(arguments, world)?;
    let settings = Settings::new(arguments)?;
    let definition = definition::load(world, &settings)?;
    let stages = definition.pipeline.stages.len();
    let edges: usize = definition.graph.needs.iter().map(Vec::len).sum();
    let outputs: usize = definition
        .pipeline
        .stages
        .iter()
        .map(|stage| stage.outputs.len())
        .sum();
    match world.console.format() {
        OutputFormat::Json => {
            let document = json!({
                "schema": "lockgate.pipeline-check/1",
                "verdict": "pass",
                "file": definition.file,
                "stages": stages,
                "needs": edges,
                "outputs": outputs,
            });
            world.console.document(&format!("{document:#}"));
        }
        OutputFormat::Human => {
            let stages = count(stages as u64, "stage");
            let needs = count(edges as u64, "need");
            let outputs = count(outputs as u64, "output");
            let line = format!(
                "{}: {stages}, {needs} and {outputs} fit together\n",
                definition.file
            );
            world.console.text_by(|out| out.write_all(line.as_bytes()));
        }
        OutputFormat::Sarif | OutputFormat::Github => {}
    }
    Ok(exit::PASS)
}
