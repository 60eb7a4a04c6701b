//! The dependency groups are those that the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::compare::{compare, tell};
use crate::lockfiles::rules::sync::uv::recorded::groups_recorded;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-groups",
    summary: "The lock was made from other dependency groups than the project declares",
    why: "Groups (PEP 735) are recorded with what they include written out, `[tool.uv] dev-dependencies` as the group `dev`. A group more or less makes the lock stale as well.",
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

[dependency-groups]
dev = ["six>=1.15"]
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

[dependency-groups]
dev = ["six>=1.15"]
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

[package.metadata.requires-dev]
dev = [{ name = "six", specifier = ">=1.15" }]

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
        // No backend computes the groups, whatever else it does.
        let Some(recorded) = groups_recorded(package) else {
            continue;
        };
        let mut left: Vec<_> = recorded.requires_dev.iter().collect();
        for (name, at, declared) in view.groups(tree) {
            let found = left
                .iter()
                .position(|(group, _)| normalise_name(&group.value) == name);
            if let Some((group, requirements)) = found.map(|found| left.remove(found)) {
                let compared = compare(&view, declared, requirements);
                tell(&view, compared, at, group.at, findings);
            } else if view.has_revision(1) || !declared.known.is_empty() {
                let message = format!("the lock does not record the group `{name}`");
                findings
                    .add(at, message)
                    .see(package.name.at, "the project in the lock")
                    .help(format!(
                        "write the lock anew: `{}`",
                        facts.lock.format.relock()
                    ));
            }
        }
        for (group, requirements) in left {
            if view.has_revision(1) || !requirements.is_empty() {
                let message = format!(
                    "the lock records the group `{}`, which is not declared",
                    group.value
                );
                findings
                    .add(group.at, message)
                    .see(tree.at(), "the project")
                    .help(format!(
                        "no version must move: `{}`",
                        facts.lock.format.relock()
                    ));
            }
        }
    }
}
