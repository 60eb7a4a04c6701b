//! What is left out of the resolution is what the lock was made from.

use std::collections::BTreeSet;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::scoped;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Name;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-excludes",
    summary: "The lock was made with other packages left out",
    why: "uv records `exclude-dependencies` and refuses a lock with another list. A name that is not locked anyway can be added without locking anew.",
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
exclude-dependencies = ["Wheel"]
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
dependencies = [
    { name = "wheel" },
]

[[package]]
name = "wheel"
version = "0.45.1"
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
exclude-dependencies = ["Wheel"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
excludes = ["wheel"]

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
    let declared = view.settings().map_or(&[][..], |uv| &uv.excludes);
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.excludes);
    let relock = format!("write the lock anew: `{}`", facts.lock.format.relock());
    for name in declared {
        let is_known = recorded.iter().any(|known| known.normal == name.normal);
        if !is_known && view.has_locked(&name.normal) {
            let message = format!("the lock was made without leaving out `{}`", name.written);
            findings
                .add(name.at, message)
                .see(start(&view), "the lock")
                .help(&relock);
        }
    }
    for known in recorded {
        if !declared.iter().any(|name| name.normal == known.normal) {
            let message = format!(
                "the lock was made without `{}`, which is not left out now",
                known.written
            );
            findings
                .add(known.at, message)
                .see(top(&view), "the settings")
                .help(&relock);
        }
    }
    let declared = view.settings().map_or(&[][..], |uv| &uv.scoped_excludes);
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.scoped_excludes);
    let is_same = |own: &[Name<'_>], other: &[Name<'_>]| {
        let names = |names: &[Name<'_>]| -> BTreeSet<String> {
            let names = names.iter().map(|name| name.normal.clone().into_owned());
            names.collect()
        };
        names(own) == names(other)
    };
    scoped::tell(&view, "exclusion", declared, recorded, is_same, findings);
}
