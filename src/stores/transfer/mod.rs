//! The bytes of an archive on their way to and from a signed address, in blocks and ranges side by side.
//!
//! Memory is bounded by the number of blocks or ranges in flight, whatever the size of the archive.

pub(crate) mod blocks;
mod download;
pub(crate) mod ordered;
mod upload;

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::stores::fault::{Access, Fault, excerpt};
use crate::system::http::exchange::retry_after;
use crate::system::http::retry::Policy;

pub use download::{Beginning, Downloaded, beginning, download};
pub use upload::upload;

/// How bytes are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the first block, or of every range; later blocks of large archives are larger.
    pub block: usize,
    /// How many are on their way at once.
    pub in_flight: usize,
    /// How long a server may say nothing before the block or range is asked for again.
    pub stall: Duration,
    /// How long a download may take in all.
    pub total: Duration,
    /// How often a block or range is tried.
    pub policy: Policy,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            block: 8 << 20,
            in_flight: 6,
            stall: Duration::from_secs(10),
            total: Duration::from_mins(5),
            policy: Policy::default(),
        }
    }
}

/// The fault behind an answer to a signed address. What a store writes about a signature is not shown: its code is.
fn refused(status: u16, headers: &HeaderMap, access: Access, attempts: u32) -> Fault {
    let code = headers
        .get("x-ms-error-code")
        .and_then(|code| code.to_str().ok())
        .map(excerpt)
        .unwrap_or_default();
    match status {
        401 | 403 => Fault::Server {
            status,
            message: code,
            attempts,
        },
        404 | 410 => Fault::Missing {
            what: "the archive of the entry".to_owned(),
        },
        _ => Fault::of_status(status, code, access, attempts, retry_after(headers)),
    }
}
