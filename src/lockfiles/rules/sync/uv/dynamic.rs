//! A project whose version is computed has none in the lock.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-dynamic",
    summary: "The lock has a version of a project that computes it, or lacks that of one that states it",
    why: "uv leaves the version of a project out of the lock where a build backend computes it. It refuses the lock when that changes.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
dynamic = ["version"]
requires-python = ">=3.11"
dependencies = ["six>=1.16"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
    repair: "Run `uv lock` and commit the lock with the change.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
dynamic = ["version"]
requires-python = ">=3.11"
dependencies = ["six>=1.16"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts) else {
        return;
    };
    for (tree, package) in view.locked() {
        let Some(project) = tree.project() else {
            continue;
        };
        let (at, message) = match (&project.version, &package.version) {
            (None, Some(locked)) if project.is_dynamic("version") => (
                tree.at(),
                format!(
                    "the version is dynamic; the lock has {} for `{}`",
                    locked.value, package.name.normal
                ),
            ),
            (Some(declared), None) => (
                declared.at,
                format!(
                    "the version is {} here; the lock has none for `{}`",
                    declared.value, package.name.normal
                ),
            ),
            _ => continue,
        };
        findings
            .add(at, message)
            .about(&package.name.normal)
            .see(package.name.at, "locked here")
            .help(format!(
                "no version of a dependency moves: `{}`",
                facts.lock.format.relock()
            ));
    }
}
