//! A pipeline: what its definition says, and what a run of it recorded.

pub mod definition;
pub mod manifest;
pub mod record;
pub mod template;
pub mod trace;

pub use definition::{
    Action, Condition, Matrix, NeedResult, Options, Pipeline, Placed, Probe, Retry, SecretSource,
    Service, Stage, StageSecret, Variable, Venv,
};
pub use record::{Artifact, Attempt, Outcome, RunRecord, SkipReason, StageRecord, Survivor};
pub use template::{Reference, Template};
pub use trace::{SpanId, Trace, TraceId};
