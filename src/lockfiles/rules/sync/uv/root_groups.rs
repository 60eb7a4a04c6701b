//! The groups of a workspace whose root is no project are those of the lock.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::compare::{compare, tell};
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-root-groups",
    summary: "The lock was made from other groups of a workspace without a project at its root",
    why: "Such groups belong to no package, so that the lock records them in its manifest.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[tool.uv.workspace]
members = ["lib"]

[dependency-groups]
dev = ["six"]
"#,
        ),
        (
            "lib/pyproject.toml",
            r#"[project]
name = "lib"
version = "0.1.0"
requires-python = ">=3.11"
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["lib"]

[[package]]
name = "lib"
version = "0.1.0"
source = { virtual = "lib" }

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
            r#"[tool.uv.workspace]
members = ["lib"]

[dependency-groups]
dev = ["six"]
"#,
        ),
        (
            "lib/pyproject.toml",
            r#"[project]
name = "lib"
version = "0.1.0"
requires-python = ">=3.11"
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
members = ["lib"]

[manifest.dependency-groups]
dev = [{ name = "six" }]

[[package]]
name = "lib"
version = "0.1.0"
source = { virtual = "lib" }

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
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.dependency_groups);
    let mut left: Vec<_> = recorded.iter().collect();
    let root = view
        .projects
        .first()
        .filter(|root| root.project().is_none());
    for (name, at, declared) in root.map_or_else(Vec::new, |root| view.groups(root)) {
        let found = left
            .iter()
            .position(|(group, _)| normalise_name(&group.value) == name);
        let requirements = found.map(|found| &left.remove(found).1);
        let requirements = requirements.map_or(&[][..], Vec::as_slice);
        let compared = compare(&view, declared, requirements);
        tell(&view, compared, at, start(&view), findings);
    }
    for (group, requirements) in left {
        if !requirements.is_empty() {
            let message = format!(
                "the lock records the group `{}`, which is not declared",
                group.value
            );
            findings
                .add(group.at, message)
                .see(top(&view), "the workspace")
                .help(format!(
                    "no version must move: `{}`",
                    facts.lock.format.relock()
                ));
        }
    }
}
