//! Where a deployment is, and where it may go from there.

use serde::{Deserialize, Serialize};

/// The states of a deployment. Each that it enters is one line of the journal, written before what it stands for is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// What is deployed and where is known.
    Planned,
    /// Every gate said yes.
    Gated,
    /// The environment is ours alone.
    Locked,
    /// It is on record.
    Created,
    /// From here on something may have changed at the target.
    InProgress,
    /// The target has it.
    TargetApplied,
    /// It was asked for its health, and is well.
    Healthy,
    /// It stands. Final.
    Success,
    /// A gate said no, or the environment was somebody else's; nothing was touched. Final.
    Refused,
    /// It did not come to stand. Final unless it is rolled back.
    Failure,
    /// What stood before is put back.
    RollingBack,
    /// What stood before stands again, and is well. Final.
    RolledBack,
    /// Nobody knows what stands there. Final.
    RollbackFailed,
    /// It was stopped. Final unless it is rolled back.
    Cancelled,
}

impl State {
    /// All of them, in the order in which they are usually passed.
    pub const ALL: [Self; 14] = [
        Self::Planned,
        Self::Gated,
        Self::Locked,
        Self::Created,
        Self::InProgress,
        Self::TargetApplied,
        Self::Healthy,
        Self::Success,
        Self::Refused,
        Self::Failure,
        Self::RollingBack,
        Self::RolledBack,
        Self::RollbackFailed,
        Self::Cancelled,
    ];

    /// The name in journal, reports and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Gated => "gated",
            Self::Locked => "locked",
            Self::Created => "created",
            Self::InProgress => "in-progress",
            Self::TargetApplied => "target-applied",
            Self::Healthy => "healthy",
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failure => "failure",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
            Self::RollbackFailed => "rollback-failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows unless somebody decides so.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::Refused
                | Self::Failure
                | Self::RolledBack
                | Self::RollbackFailed
                | Self::Cancelled
        )
    }

    /// Whether something may have changed at the target by the time that this state is entered.
    pub fn has_effects(self) -> bool {
        matches!(
            self,
            Self::InProgress
                | Self::TargetApplied
                | Self::Healthy
                | Self::Success
                | Self::RollingBack
                | Self::RolledBack
                | Self::RollbackFailed
        )
    }

    /// Whether its line is brought to the disk before anything else is done, with all lines before it. Where it is not, what comes
    /// next changes nothing outside of the journal.
    pub fn is_brought_to_disk(self) -> bool {
        !matches!(
            self,
            Self::Planned | Self::Gated | Self::Locked | Self::Healthy
        )
    }

    /// Whether a deployment in this state may enter that one. The first state of all is [`State::Planned`].
    pub fn may_become(self, next: Self) -> bool {
        use State::{
            Cancelled, Created, Failure, Gated, Healthy, InProgress, Locked, Planned, Refused,
            RollbackFailed, RolledBack, RollingBack, Success, TargetApplied,
        };
        match (self, next) {
            (Planned, Gated)
            | (Gated, Locked)
            | (Locked, Created)
            | (Created, InProgress)
            | (InProgress, TargetApplied)
            | (TargetApplied, Healthy)
            | (Healthy, Success)
            | (Planned | Gated | Locked, Refused)
            | (Failure | Cancelled, RollingBack)
            | (RollingBack, RolledBack | RollbackFailed) => true,
            // Wherever it is, it may fail or be stopped; a rollback that is stopped has failed.
            (from, Failure | Cancelled) => !from.is_final() && from != RollingBack,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_every_open_one_is_left() {
        for state in State::ALL {
            let is_first = state == State::Planned;
            let is_reached = State::ALL.iter().any(|from| from.may_become(state));
            assert!(is_first || is_reached, "{}", state.name());
            let is_left = State::ALL.iter().any(|next| state.may_become(*next));
            assert!(is_left || state.is_final(), "{}", state.name());
            let name = serde_json::to_value(state).unwrap();
            assert_eq!(name, state.name());
        }
    }

    #[test]
    fn what_ended_well_or_was_refused_stays_so() {
        for last in [
            State::Success,
            State::Refused,
            State::RolledBack,
            State::RollbackFailed,
        ] {
            assert!(
                State::ALL.iter().all(|next| !last.may_become(*next)),
                "{}",
                last.name()
            );
        }
        assert!(!State::Created.may_become(State::TargetApplied));
        assert!(!State::RollingBack.may_become(State::Cancelled));
        assert!(!State::TargetApplied.may_become(State::Refused));
    }
}
