//! Stages that need not run again: what a stage depends on is its key, and what came of a key is kept.

mod key;
mod programs;
mod store;

pub use key::{Dependencies, StageKey};
pub use programs::Programs;
pub use store::Store;
