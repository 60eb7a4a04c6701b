//! Stages as processes: a whole tree of them is started, watched, ended and accounted for.
//!
//! Each [`Process`] leads a group and has a variable in its environment that tells the run and the stage. On Linux a
//! [`Supervisor`] makes us the sub-reaper, so that whatever leaves its group and loses its parent becomes our child. What a
//! process leaves is ended with it: its group first, then those whom the variable names or who became our children.
//! Where SIGKILL ends us, a guardian does this in our place.
//!
//! On other Unix systems only the group is ended, on Windows only the process itself; untried.

mod ending;
#[cfg(target_os = "linux")]
mod guardian;
mod halt;
pub mod identity;
pub(super) mod known;
mod log;
mod process;
mod service;
mod strays;
mod supervisor;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
pub use guardian::guards;
pub use halt::{Halt, Halter, Reason, halting};
pub use known::has_started_any;
pub use log::{Channel, Log, Logged};
pub use process::{Ended, Ending, Process};
pub use service::Service;
pub use strays::{Fate, Stray};
pub use supervisor::{Supervisor, TRACKING};

/// Elsewhere nobody guards.
#[cfg(not(target_os = "linux"))]
pub fn guards(_arguments: &[std::ffi::OsString]) -> bool {
    false
}
