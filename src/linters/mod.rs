//! The tools of a Python team: one file a tool or report format. Bytes in, findings out; pure.

mod adapter;
mod bandit;
mod basedpyright;
mod black;
mod codespell;
mod columns;
mod contract;
mod document;
mod flake8;
mod isort;
pub mod json_stream;
pub mod line_hash;
mod lines;
mod mypy;
pub mod position;
mod pylint;
mod pyrefly;
mod pyright;
pub mod rdjson;
pub mod reported;
mod ruff;
mod ruff_format;
pub mod sarif;
mod shellcheck;
mod source;
mod text;
mod tool;
mod ty;
mod typos;
pub mod unified_diff;
mod vulture;
mod yamllint;
mod zizmor;

pub use adapter::{Kind, Setting, Targets};
pub use contract::{ExitStatus, Invocation, Judgement, Reading, ToolRun};
pub use tool::Tool;
