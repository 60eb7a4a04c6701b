//! Locks of PDM.

pub mod content_hash;
pub mod requirements;
