//! The metadata that the project states for packages is what the lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use std::collections::BTreeSet;

use crate::lockfiles::marker::Pythons;
use crate::lockfiles::requirement::Version;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{StaticMetadata, Text};
use crate::model::sources::Located;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-metadata",
    summary: "The lock was made with other metadata than the project states for a package",
    why: "uv takes `[[tool.uv.dependency-metadata]]` for true without looking at the package. It records it and refuses a lock with another.",
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

[[tool.uv.dependency-metadata]]
name = "six"
version = "1.17.0"
requires-dist = []
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

[[tool.uv.dependency-metadata]]
name = "six"
version = "1.17.0"
requires-dist = []
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[manifest.dependency-metadata]]
name = "six"
version = "1.17.0"

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
    let configuration = view.configuration();
    let declared: Vec<_> = configuration
        .flat_map(|(_, uv)| &uv.dependency_metadata)
        .collect();
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map(|manifest| &manifest.value.dependency_metadata);
    let recorded: Vec<_> = recorded.into_iter().flatten().collect();
    // What is stated of a package that is not locked can be added without locking anew.
    for (own, others, can_be_idle, what, see) in [
        (
            &declared,
            &recorded,
            true,
            "the lock was not made with this metadata of",
            start(&view),
        ),
        (
            &recorded,
            &declared,
            false,
            "the lock was made with metadata that is not stated now, of",
            top(&view),
        ),
    ] {
        for one in own {
            let is_known = others.iter().any(|other| is_same(one, other));
            let is_idle = can_be_idle && !view.has_locked(&one.name.normal);
            if !is_known && !is_idle {
                findings
                    .add(one.name.at, format!("{what} `{}`", one.name.written))
                    .about(&one.name.normal)
                    .at_most(view.worst())
                    .see(see, "the other side")
                    .help(format!(
                        "write the lock anew: `{}`",
                        facts.lock.format.relock()
                    ));
            }
        }
    }
}

fn is_same(left: &StaticMetadata<'_>, right: &StaticMetadata<'_>) -> bool {
    let version = |metadata: &StaticMetadata<'_>| {
        let version = metadata.version.as_ref();
        version.map(|version| Version::parse(&version.value))
    };
    let pythons = |metadata: &StaticMetadata<'_>| {
        let pythons = metadata.requires_python.as_ref();
        pythons.map_or_else(
            || Some(Pythons::default()),
            |pythons| Pythons::parse(&pythons.value),
        )
    };
    let texts = |texts: &[Located<Text<'_>>]| -> BTreeSet<String> {
        let plain = |text: &Located<Text<'_>>| {
            let words = text.value.to_ascii_lowercase().replace('"', "'");
            words.split_whitespace().collect()
        };
        texts.iter().map(plain).collect()
    };
    let same_pythons = match (pythons(left), pythons(right)) {
        (Some(left), Some(right)) => left.is_same(&right),
        _ => false,
    };
    left.name.normal == right.name.normal
        && version(left) == version(right)
        && same_pythons
        && texts(&left.requires_dist) == texts(&right.requires_dist)
        && texts(&left.provides_extras) == texts(&right.provides_extras)
}
