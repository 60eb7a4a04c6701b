//! The extras are those that the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::recorded::recorded;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-extras",
    summary: "The lock was made from other extras than the project declares",
    why: "A lock knows the extras of each project of the workspace, empty ones too. uv refuses it if the set differs.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.optional-dependencies]
web = []
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
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[project.optional-dependencies]
web = []
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
provides-extras = ["web"]

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
        let (Some(recorded), Some(project)) = (recorded(tree, package), tree.project()) else {
            continue;
        };
        // The first revision did not record them.
        if recorded.provides_extras.is_empty() && !view.has_revision(1) {
            continue;
        }
        let relock = format!("write the lock anew: `{}`", facts.lock.format.relock());
        let is_same = |left: &str, right: &str| normalise_name(left) == normalise_name(right);
        for (extra, _) in &project.extras {
            let mut known = recorded.provides_extras.iter();
            if !known.any(|known| is_same(&known.value, &extra.value)) {
                let message = format!("the lock does not record the extra `{}`", extra.value);
                findings
                    .add(extra.at, message)
                    .see(package.name.at, "the project in the lock")
                    .help(&relock);
            }
        }
        for known in &recorded.provides_extras {
            let mut extras = project.extras.iter();
            if !extras.any(|(extra, _)| is_same(&known.value, &extra.value)) {
                let message = format!(
                    "the lock records the extra `{}`, which is not declared",
                    known.value
                );
                findings
                    .add(known.at, message)
                    .see(tree.at(), "the project")
                    .help(&relock);
            }
        }
    }
}
