//! A file that its tool cannot read.

use crate::lockfiles::fault::FaultKind;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "syntax",
    summary: "The file cannot be read, or a value has the wrong type",
    why: "A lock that cannot be read verifies nothing. Tools say so late, in the middle of a build, and often without a line.",
    level: Level::Error,
    check: Check::Fault(FaultKind::Syntax),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
package = 3
"#,
    )]),
    repair: "Write the lock anew with its own tool; do not edit it by hand.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
"#,
    )]),
};
