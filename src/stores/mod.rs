//! Where bytes are kept, in two shapes: a cache service, which knows keys, and a bucket, which knows names.

pub mod bucket;
pub mod bucket_cache;
pub mod cache;
pub mod fault;
pub mod keys;
pub mod permissions;
pub mod service;
pub mod transfer;
