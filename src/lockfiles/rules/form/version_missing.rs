//! Packages without a version.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "version-missing",
    summary: "A package has no version",
    why: "Only a project on this machine, whose build backend computes the version, has none in a lock of uv. uv refuses the \
          file, or resolves anew.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Take the entry from git as it was, or remove it and write the lock anew.",
    repaired: Example::of(&[(
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
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    if facts.lock.uv().is_none() {
        return;
    }
    for package in &facts.lock.packages {
        if package.version.is_some() || package.is_local() {
            continue;
        }
        findings
            .add(
                package.name.at,
                format!("`{}` has no version", package.name.normal),
            )
            .about(&package.name.normal)
            .help(format!(
                "take the entry from git as it was, or remove it and run `{}`",
                facts.lock.format.relock()
            ));
    }
}
