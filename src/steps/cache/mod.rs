//! `cache`: restores what was saved under a key, and saves it.

pub mod policy;
pub mod prune;
pub mod runtime;
pub mod state;
pub mod version;
