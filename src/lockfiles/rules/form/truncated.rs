//! A file that ends in the middle.

use crate::lockfiles::fault::FaultKind;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "truncated",
    summary: "The file ends in the middle of an entry",
    why: "A download or a disk that ended early. pip installs what is left of a list and says nothing.",
    level: Level::Error,
    check: Check::Fault(FaultKind::Truncated),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "requests"#,
    )]),
    repair: "Take the file from git again, or write it anew.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
"#,
    )]),
};
