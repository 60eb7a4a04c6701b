//! What tests share.

pub(crate) mod archives;
pub(crate) mod cache_runs;
pub(crate) mod deployed;
pub(crate) mod expect;
pub(crate) mod fake_index;
pub(crate) mod git_server;
pub(crate) mod github;
pub(crate) mod host_runner;
pub(crate) mod http_server;
pub(crate) mod lock_tools;
pub(crate) mod lockgate;
pub(crate) mod log;
pub(crate) mod peers;
pub(crate) mod registry;
pub(crate) mod release_server;
pub(crate) mod repository;
pub(crate) mod small_locks;
pub(crate) mod tools;
