//! The runner's contract: context, inputs, workflow commands, file commands.

pub mod commands;
pub mod console;
pub mod context;
pub mod files;
pub mod inputs;
mod log_lines;
