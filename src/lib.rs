//! Lockgate: the steps of a CI/CD pipeline for Python projects, as one multi-call binary.
//!
//! The binary is the product; this library exists so that its rooms can be tested and measured one by one.
//! Arrows point down only: `cli → steps → targets → {stores, archive, github} → system → model`, `targets → packages → lockfiles`, `steps → {linters, lockfiles, pipeline, baseline,
//! report} → model`, `steps → baseline → {linters, model}`, and `system → globs`.

pub mod archive;
pub mod baseline;
pub mod cli;
pub mod deploy;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod github;
pub mod globs;
pub mod linters;
pub mod lockfiles;
pub mod model;
pub mod packages;
pub mod pipeline;
pub mod report;
pub mod steps;
pub mod stores;
pub mod system;
pub mod targets;

/// The version that everything reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
