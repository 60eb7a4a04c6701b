//! The runner's contract: context, inputs, workflow commands, file commands; and GitHub's API: deployments, identity tokens.

pub mod api;
pub mod commands;
pub mod console;
pub mod context;
pub mod deployments;
pub mod files;
pub mod identity;
pub mod inputs;
mod log_lines;
pub mod runtime;
