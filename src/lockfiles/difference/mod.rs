//! What a change does to a lock: the packages before and after, paired; the hashes and sources that are others though the
//! version is the same; the files that took the place of others; the sources that nothing came from before.

mod exchanged;
mod hashes;
mod origins;
mod pairs;
mod version;

pub use crate::lockfiles::difference::exchanged::{Exchange, exchanges};
pub use crate::lockfiles::difference::hashes::{HashChange, Was, hash_changes};
pub use crate::lockfiles::difference::origins::{
    Moved, NewOrigin, Origin, SourceChange, moved, new_origins, source_changes,
};
pub use crate::lockfiles::difference::pairs::{Change, Kind, changes};
pub use crate::lockfiles::difference::version::{Jump, Step, VersionKey, step};

#[cfg(test)]
mod tests;
