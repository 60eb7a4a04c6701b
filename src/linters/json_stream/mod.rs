//! JSON of any size, in memory for one part: from bracket to bracket (`scan`), then element by element (`window`).
//!
//! What the formats of reports share. Errors say line and column of the report.

mod error;
mod scan;
mod window;

pub use error::{Error, ErrorKind};

pub(super) use error::Fault;
pub(super) use scan::{Skimmer, once};
pub(super) use window::{Window, check_objects, first};

/// What a report may cost, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How much of the results is held at a time; more where one result is longer.
    pub window: usize,
    /// The longest single result, and the longest part beside the results (a run's `tool` with its rules).
    pub part: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: 256 << 10,
            part: 16 << 20,
        }
    }
}
