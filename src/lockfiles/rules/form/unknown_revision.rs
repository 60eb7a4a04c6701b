//! A newer revision of the format.

use crate::lockfiles::fault::FaultKind;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unknown-revision",
    summary: "The revision of the format is newer than known",
    why: "Its own tool reads it, and so does Lockgate; what is new in it is not looked at.",
    level: Level::Note,
    check: Check::Fault(FaultKind::UnknownRevision),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 99
requires-python = ">=3.11"
"#,
    )]),
    repair: "Use a newer release of Lockgate.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
"#,
    )]),
};
