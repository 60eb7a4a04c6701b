//! GitHub's REST API for one repository: a client over the one HTTP layer, and what can go wrong.

pub mod client;
pub mod fault;
mod wire;

pub use client::Client;
pub use fault::Fault;
