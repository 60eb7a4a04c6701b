//! Archives on their way to and from a cache: the network on the caller's thread, the archive on others, and pieces of
//! bytes between them. `cache` and `pipeline` share it.

mod pieces;
mod receive;
mod send;

pub use pieces::{PieceWriter, WAITING};
pub use receive::{Received, receive};
pub use send::send;

use crate::archive;
use crate::stores::cache::Cache;
use crate::stores::fault::Fault;
use crate::stores::transfer::Options;
use crate::system::stop::Stop;

/// The way to and from a cache.
#[derive(Clone, Debug)]
pub struct Route<'r> {
    /// The cache.
    pub cache: &'r Cache,
    /// Whether to end.
    pub stop: Stop,
    /// How bytes are moved.
    pub options: Options,
}

/// Why a store, or an archive, did not do what it was asked.
#[derive(Debug)]
pub enum Trouble {
    /// The store.
    Store(Fault),
    /// The archive, or the disk that it is unpacked to or packed from.
    Archive(archive::Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(fault) => fault.fmt(f),
            Self::Archive(fault) => fault.fmt(f),
        }
    }
}
