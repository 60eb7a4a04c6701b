//! A version that moved far.

use crate::lockfiles::difference::{Jump, changes};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::{FEW, before, moves};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "major-jump",
    summary: "The first part of a version, or its epoch, changes",
    why: "What counts its versions semantically breaks its users with a new major version. The output `max-jump` says the same \
          for rules that merge by themselves; this rule puts it on the line. Off until asked for.",
    level: Level::Off,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "2.0.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-2.0.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
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
        inputs: &[("rules", "major-jump warning")],
    },
    repair: "Read what the new major version changes, and merge it by hand.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.18.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.18.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
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
        inputs: &[("rules", "major-jump warning")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(before) = before(facts) else { return };
    moves(
        changes(before, facts.lock),
        |kind| kind.jump() >= Some(Jump::Major),
        "moves",
        "read what the new version changes",
        FEW,
        findings,
    );
}
