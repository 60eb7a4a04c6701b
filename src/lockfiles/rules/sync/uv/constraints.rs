//! The constraints are those that the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::compare::{compare, tell};
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-constraints",
    summary: "The lock was made under other constraints",
    why: "uv records `constraint-dependencies` of the workspace's root and refuses a lock with another list. Constraints of packages that are not locked can be added without locking anew.",
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

[tool.uv]
constraint-dependencies = ["six<2"]
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

[tool.uv]
constraint-dependencies = ["six<2"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
constraints = [{ name = "six", specifier = "<2" }]

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
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts) else {
        return;
    };
    let declared = view.settings().map_or(&[][..], |uv| &uv.constraints);
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.constraints);
    let compared = compare(&view, view.listed(declared), recorded).of_locked(&view);
    tell(&view, compared, top(&view), start(&view), findings);
}
