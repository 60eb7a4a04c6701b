//! What tests share.

pub(crate) mod expect;
pub(crate) mod lockgate;
pub(crate) mod release_server;
pub(crate) mod tools;
