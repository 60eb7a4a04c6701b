//! The Pythons that groups are for are those that the lock was made with.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normalise_name;
use crate::lockfiles::policy::Level;
use crate::lockfiles::requirement::Specifiers;
use crate::lockfiles::rules::sync::uv::flat::Groups;
use crate::lockfiles::rules::sync::uv::recorded::start;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::declared::Declarations;
use crate::model::lockfile::GroupPythons;
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-group-requires-python",
    summary: "The lock was made with other Pythons for a dependency group",
    why: "`[tool.uv.dependency-groups]` limits a group to some Pythons. uv records that since revision 5 of its format, and refuses a lock with others; `>=3.12` and `>=3.12.0` are the same.",
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
dev = []

[tool.uv.dependency-groups]
dev = { requires-python = ">=3.13" }
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 5
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.group-requires-python]
dev = ">=3.12"

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[package.metadata.requires-dev]
dev = []

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
dev = []

[tool.uv.dependency-groups]
dev = { requires-python = ">=3.12" }
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 5
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.group-requires-python]
dev = ">=3.12"

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[package.metadata.requires-dev]
dev = []

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
};

/// The first revision that records them.
const SINCE: u64 = 5;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts).filter(|view| view.has_revision(SINCE)) else {
        return;
    };
    for (tree, package) in view.locked() {
        let recorded = (&package.group_pythons, package.name.at);
        compare(&view, tree.declared, recorded, findings);
    }
    // Groups beside no project are the workspace's own.
    if view.root.project.is_none()
        && let Some(manifest) = &view.uv.manifest
    {
        let recorded = (&manifest.value.group_pythons, manifest.at);
        compare(&view, view.root, recorded, findings);
    }
}

fn compare(
    view: &View<'_>,
    declared: &Declarations<'_>,
    (recorded, recorded_at): (&GroupPythons<'_>, Location),
    findings: &mut Findings<'_>,
) {
    let relock = format!("write the lock anew: `{}`", view.facts.lock.format.relock());
    let groups = Groups::new(declared);
    let limited = groups.pythons();
    for (name, texts) in &limited {
        let mut known = recorded.iter();
        let known = known.find(|(known, _)| normalise_name(&known.value) == *name);
        let joined: Vec<&str> = texts.iter().map(|text| &*text.value).collect();
        let joined = joined.join(",");
        let is_same = known.is_some_and(|(_, known)| {
            match (Specifiers::parse(&joined), Specifiers::parse(&known.value)) {
                (Some(own), Some(known)) => own.is_same(&known),
                _ => joined == known.value,
            }
        });
        if let Some(first) = texts.first().filter(|_| !is_same) {
            let then = known.map_or("any", |(_, known)| &known.value);
            let message =
                format!("the group `{name}` is for `{joined}`; the lock was made for `{then}`");
            findings
                .add(first.at, message)
                .see(known.map_or(recorded_at, |(_, known)| known.at), "the lock")
                .help(&relock);
        }
    }
    for (name, known) in recorded {
        let normal = normalise_name(&name.value);
        if !limited.iter().any(|(own, _)| *own == normal) {
            let message = format!(
                "the lock was made with `{}` for the group `{normal}`, which is for any Python now",
                known.value
            );
            findings
                .add(known.at, message)
                .see(start(view), "the lock")
                .help(&relock);
        }
    }
}
