//! The tools of a Python team: one file a tool or report format. Bytes in, findings out; pure.

mod contract;
mod lines;
pub mod mypy;
pub mod position;
pub mod pyright;
pub mod ruff;
pub mod ruff_format;
pub mod sarif;
mod source;
mod text;
mod tool;

pub use contract::{ExitStatus, Invocation, Judgement, Reading, ToolRun};
pub use tool::Tool;
