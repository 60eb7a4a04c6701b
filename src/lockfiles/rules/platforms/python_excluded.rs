//! Pythons that must be served and that the lock is not for.

use crate::error::list;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::platforms::supported::Supported;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::target::Python;

/// The rule.
pub const RULE: Rule = Rule {
    id: "python-excluded",
    summary: "The lock is not for a Python that must be served",
    why: "`pythons` says what must be served. A lock whose `requires-python` leaves one of them out has been resolved without \
          it, and installing it there fails. Without `pythons` nothing is looked at.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
"#,
        )],
        base: &[],
        inputs: &[("pythons", "3.11,3.12")],
    },
    repair: "Widen `requires-python` in `pyproject.toml` and write the lock anew, or take the Python out of `pythons`.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
"#,
        )],
        base: &[],
        inputs: &[("pythons", "3.11,3.12")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(requires) = &facts.lock.requires_python else {
        return;
    };
    let supported = Supported::of(facts);
    let is_excluded = |text: &&String| match &supported {
        Some(supported) => Python::parse(text).is_some_and(|python| !supported.takes(python)),
        None => true,
    };
    let pythons = facts.policy.pythons.iter().filter(is_excluded);
    let excluded: Vec<String> = pythons.map(|text| format!("`{text}`")).collect();
    if excluded.is_empty() {
        return;
    }
    let what = list(&excluded, "and");
    let message = if supported.is_some() {
        format!(
            "the lock is for Python `{}`, and {what} must be served",
            requires.value
        )
    } else {
        format!(
            "whether Python {what} is served cannot be verified: `{}` says of no Python that it is one",
            requires.value
        )
    };
    findings
        .add(requires.at, message)
        .help("widen `requires-python` and write the lock anew, or take it out of `pythons`");
}
