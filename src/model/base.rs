//! Against what a change is measured.

/// Why the run happens, as far as the base is concerned. Made from the event, see `docs/events.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A pull request: `head` and `base` are the tips of both branches when the event was made.
    PullRequest {
        /// SHA of the pull request's head.
        head: String,
        /// SHA of the base branch's tip.
        base: String,
    },
    /// A merge queue: the state in front of this entry.
    MergeGroup {
        /// SHA that the group is built on.
        base: String,
    },
    /// A push.
    Push {
        /// SHA before it; `None` for a new branch.
        before: Option<String>,
        /// The repository's default branch, for a `before` that nobody has any more.
        default_branch: Option<String>,
    },
    /// An event without a base: schedule, dispatch, release and the rest. Holds the event's name.
    Other(String),
    /// No workflow: a laptop.
    Laptop,
}

/// What the change is measured against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The commit, in full.
    pub sha: String,
    /// How it was found, for the log: `first parent of the merge commit`.
    pub origin: String,
    /// Whether files that git does not track belong to the change (on a laptop they do).
    pub with_untracked: bool,
}

/// What the base resolver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// There is a base.
    Base(Base),
    /// By the nature of the event there is none; says why.
    None(String),
}
