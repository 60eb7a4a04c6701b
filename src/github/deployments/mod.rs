//! Deployments as GitHub records them: made once, told how they go, ended when they are over, found again.
//!
//! <https://docs.github.com/en/rest/deployments>

mod access;
mod contexts;
mod create;
mod inactive;
mod last_good;
mod model;
mod stale;
mod status;
mod walk;

pub use access::{ReadOnly, read_only};
pub use contexts::{
    Context, ContextState, Contexts, Own, Verdict, own_job, required_contexts, wait_for_contexts,
};
pub use create::{Created, Wanted, create, find};
pub use inactive::{Ended, deactivate_older, end_transient};
pub use last_good::{Good, last_good};
pub use model::{Deployment, Payload, Record, State, Status};
pub use stale::{Stale, Swept, stale, sweep};
pub use status::{Told, set_status, statuses};
pub use walk::End;
