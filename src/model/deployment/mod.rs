//! A deployment: what its environment says, where it is, and what its journal knows of it.

pub mod definition;
pub mod journal;
pub mod state;

pub use definition::{
    Environment, Gates, Health, Inconclusive, Lock, OnCancel, Probe, Rollback, Source, Target,
};
pub use journal::{Entry, Facts, Owner, Run, Stand};
pub use state::State;
