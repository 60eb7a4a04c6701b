//! The members of the workspace are those of the lock.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-members",
    summary: "The lock was made for other members of the workspace",
    why: "A lock names the members of its workspace if there is more than one. uv refuses it if a member came, went or changed its name.",
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

[tool.uv.workspace]
members = ["lib"]
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

[tool.uv.workspace]
members = ["lib"]
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
members = [
    "app",
    "lib",
]

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
    let mut members: Vec<_> = view.members().collect();
    // uv leaves out the list where the project stands alone.
    if members.len() == 1 && view.root.project.is_some() {
        members.clear();
    }
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.members);
    let relock = format!("write the lock anew: `{}`", facts.lock.format.relock());
    let list_at = manifest.map_or(start(&view), |manifest| manifest.at);
    for (tree, name) in &members {
        if !recorded.iter().any(|known| known.normal == *name) {
            findings
                .add(
                    tree.at(),
                    format!("the lock does not know the member `{name}`"),
                )
                .about(name)
                .see(list_at, "the members that it knows")
                .help(&relock);
        }
    }
    for known in recorded {
        if !members.iter().any(|(_, name)| known.normal == *name) {
            let message = format!("`{}` is no member of the workspace", known.written);
            findings
                .add(known.at, message)
                .about(&known.normal)
                .see(top(&view), "the workspace")
                .help(&relock);
        }
    }
}
