//! A pipeline: what its definition says, and what a run of it recorded.

pub mod definition;
pub mod manifest;
pub mod member;
pub mod record;
pub mod template;
pub mod trace;

pub use definition::{
    Action, Condition, Matrix, NeedResult, Options, Pipeline, Placed, Probe, Retry, Reuse,
    SecretSource, Service, Stage, StageSecret, Variable, Venv,
};
pub use member::Member;
pub use record::{Artifact, Attempt, Outcome, RunRecord, SkipReason, StageRecord, Survivor};
pub use template::{Reference, Template};
pub use trace::{SpanId, Trace, TraceId};
