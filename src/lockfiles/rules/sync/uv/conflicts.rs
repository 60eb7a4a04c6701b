//! What excludes each other is what the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use std::collections::BTreeSet;

use crate::lockfiles::normalise_name;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{Conflict, Text};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-conflicts",
    summary: "The lock was made with other conflicts between extras and groups",
    why: "uv resolves extras and groups apart that exclude each other. It records `conflicts` and refuses a lock with others.",
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
a = []
b = []

[tool.uv]
conflicts = [[{ extra = "a" }, { extra = "b" }]]
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
provides-extras = ["a", "b"]

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
a = []
b = []

[tool.uv]
conflicts = [[{ extra = "a" }, { extra = "b" }]]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"
conflicts = [[
    { package = "app", extra = "a" },
    { package = "app", extra = "b" },
]]

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]
provides-extras = ["a", "b"]

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
    let mut declared = Vec::new();
    for tree in view.projects.iter().filter(|tree| tree.is_member) {
        let own = tree.name();
        let sets = tree.settings().map_or(&[][..], |uv| &uv.conflicts);
        declared.extend(
            sets.iter()
                .map(|set| (normal(&set.value, own.as_deref()), set.at)),
        );
    }
    let recorded: Vec<_> = view
        .uv
        .conflicts
        .iter()
        .map(|set| (normal(&set.value, None), set.at))
        .collect();
    let relock = format!("write the lock anew: `{}`", facts.lock.format.relock());
    for (set, at) in &declared {
        if !recorded.iter().any(|(other, _)| other == set) {
            findings
                .add(*at, "the lock was made without this conflict")
                .see(start(&view), "the lock")
                .help(&relock);
        }
    }
    for (set, at) in &recorded {
        if !declared.iter().any(|(other, _)| other == set) {
            findings
                .add(
                    *at,
                    "the lock was made with this conflict, which is not declared",
                )
                .see(top(&view), "the settings")
                .help(&relock);
        }
    }
}

/// The members of a conflict in a normal form: project, extra, group.
fn normal(set: &[Conflict<'_>], own: Option<&str>) -> BTreeSet<[Option<String>; 3]> {
    let name = |text: &Option<Text<'_>>| text.as_deref().map(normalise_name);
    set.iter()
        .map(|conflict| {
            let package = name(&conflict.package).or_else(|| own.map(str::to_owned));
            [package, name(&conflict.extra), name(&conflict.group)]
        })
        .collect()
}
