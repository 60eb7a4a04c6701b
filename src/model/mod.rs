//! Plain data that the rooms exchange. No I/O, no async.

pub mod base;
pub mod cache_key;
pub mod change;
pub mod declared;
pub mod deploy;
pub mod deployment;
pub mod diagnostic;
pub mod digest;
pub mod duration;
pub mod environment;
pub mod fix;
pub mod lockfile;
pub mod pipeline;
pub mod region;
pub mod report;
pub mod size;
pub mod sources;
pub mod untrusted;
pub mod web;
