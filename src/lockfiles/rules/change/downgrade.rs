//! An earlier version than before.

use crate::lockfiles::difference::{Kind, changes};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::{FEW, before, moves};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "downgrade",
    summary: "A package goes back to an earlier version",
    why: "An earlier version has the faults that the later one mended. It is sometimes meant, and sometimes an old branch whose \
          lock won a merge, or an attack that brings a known hole back.",
    level: Level::Warning,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.16.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        inputs: &[],
    },
    repair: "Write the lock anew from that of the base, or say in the declaration why the earlier version is needed.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.16.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(before) = before(facts) else { return };
    let is_earlier = |kind| matches!(kind, Kind::Downgraded(_));
    moves(
        changes(before, facts.lock),
        is_earlier,
        "goes back",
        "take the lock of the base and write it anew, or keep it if the earlier version is meant",
        FEW,
        findings,
    );
}
