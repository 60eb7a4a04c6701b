//! A version of the format that is not known.

use crate::lockfiles::fault::FaultKind;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "unknown-version",
    summary: "The version of the format is not known",
    why: "The meaning of another major version is another one. Its own tool refuses it as well.",
    level: Level::Error,
    check: Check::Fault(FaultKind::UnknownVersion),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 2
requires-python = ">=3.11"
"#,
    )]),
    repair: "Write the lock with the release that your team uses, or use a newer release of Lockgate.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
"#,
    )]),
};
