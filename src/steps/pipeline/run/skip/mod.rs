//! Stages that need not run again: what a stage depends on is its key, and what came of a key is kept, on this machine and
//! where the run has one in a store that others share.

mod carry;
mod exchange;
mod key;
mod programs;
mod remote;
mod store;
mod trust;

pub use key::{Dependencies, StageKey};
pub use programs::Programs;
pub use remote::{Fetched, Remote};
pub use store::{Made, Saved, Store};
