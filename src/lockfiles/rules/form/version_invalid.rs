//! Versions that are none.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::requirement::Version;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Format;

/// The rule.
pub const RULE: Rule = Rule {
    id: "version-invalid",
    summary: "A version is not one (PEP 440)",
    why: "No tool writes such a version, and uv refuses the whole file for it. Requirements may pin any text with `===`; \
          they are left out.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.x"
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
    if facts.lock.format == Format::Requirements {
        return;
    }
    for package in &facts.lock.packages {
        let Some(version) = &package.version else {
            continue;
        };
        if Version::parse(&version.value).is_some() {
            continue;
        }
        findings
            .add(
                version.at,
                format!(
                    "`{}` is no version, here of `{}`",
                    version.value, package.name.normal
                ),
            )
            .about(&package.name.normal)
            .help(format!(
                "take the entry from git as it was, or remove it and run `{}`",
                facts.lock.format.relock()
            ));
    }
}
