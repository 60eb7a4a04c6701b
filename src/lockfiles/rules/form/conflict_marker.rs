//! Markers that a merge left behind.

use crate::lockfiles::fault::FaultKind;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "conflict-marker",
    summary: "A merge conflict was committed",
    why: "Tools call this a key without a value. It is a merge that nobody finished: neither side is locked.",
    level: Level::Error,
    check: Check::Fault(FaultKind::ConflictMarker),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
<<<<<<< HEAD
revision = 3
=======
revision = 2
>>>>>>> feature
requires-python = ">=3.11"
"#,
    )]),
    repair: "Take one side, `git checkout --theirs uv.lock`, and run `uv lock`: it keeps the versions of that side where it can.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
"#,
    )]),
};
