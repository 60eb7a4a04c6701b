//! The machine: processes, git, Python environments, files, time, logs, secrets.

pub mod ahead;
pub mod base;
pub mod blocks;
pub mod clock;
pub mod config;
pub mod config_edit;
pub mod diff;
pub mod environment;
pub mod files;
pub mod git;
mod git_blobs;
pub mod hash_files;
pub mod http;
mod lines;
pub mod logging;
pub mod machine;
pub mod masking;
pub mod process;
pub mod processes;
pub mod python;
pub mod spool;
pub mod stop;
pub mod telemetry;
