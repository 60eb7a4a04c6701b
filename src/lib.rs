//! Lockgate: the steps of a CI/CD pipeline for Python projects, as one multi-call binary.
//!
//! The binary is the product; this library exists so that its rooms can be tested and measured one by one.
//! Arrows point down only: `cli → steps → github → system → model`, `steps → {linters, lockfiles, baseline, report} → model`, and
//! `steps → baseline → {linters, model}`.

pub mod baseline;
pub mod cli;
pub mod error;
#[doc(hidden)]
pub mod fuzzing;
pub mod github;
pub mod linters;
pub mod lockfiles;
pub mod model;
pub mod report;
pub mod steps;
pub mod system;

/// The version that everything reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
