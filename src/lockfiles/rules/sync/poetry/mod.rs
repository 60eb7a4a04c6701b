//! Locks of Poetry.

pub mod content_hash;
pub mod requirements;
pub mod requires_python;
