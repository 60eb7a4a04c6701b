//! The overrides are those that the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::compare::{compare, tell};
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::scoped;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Requirement;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-overrides",
    summary: "The lock was made with other overrides",
    why: "uv records `override-dependencies` of the workspace's root and refuses a lock with another list.",
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
override-dependencies = ["six<2"]
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
override-dependencies = ["six<2"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
overrides = [{ name = "six", specifier = "<2" }]

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
    let declared = view.settings().map_or(&[][..], |uv| &uv.overrides);
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.overrides);
    let compared = compare(&view, view.listed(declared), recorded).of_locked(&view);
    tell(&view, compared, top(&view), start(&view), findings);
    let declared = view.settings().map_or(&[][..], |uv| &uv.scoped_overrides);
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.scoped_overrides);
    let is_same = |own: &[Requirement<'_>], other: &[Requirement<'_>]| {
        let compared = compare(&view, view.listed(own), other);
        compared.missing.is_empty() && compared.extra.is_empty()
    };
    scoped::tell(&view, "override", declared, recorded, is_same, findings);
}
