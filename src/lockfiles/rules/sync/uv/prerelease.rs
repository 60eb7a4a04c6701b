//! The choice of pre-releases is that of the lock.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::options::{mode, tell};
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{Name, Text};
use crate::model::sources::Located;

/// What uv does without being told, in the words of today.
const DEFAULT: &str = "if-necessary";

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-prerelease",
    summary: "The lock was made with another choice of pre-releases",
    why: "`prerelease` decides which versions are taken, so that uv refuses a lock that was made with another. An option of the command line counts for the lock as well: set it in `[tool.uv]`.",
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
prerelease = "allow"
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
prerelease = "allow"
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[options]
prerelease-mode = "allow"

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
    if let Some(view) = View::new(facts) {
        let recorded = view.uv.options.prerelease_mode.as_ref();
        tell(&view, "prerelease", DEFAULT, recorded, findings);
        let declared: Vec<_> = view
            .configuration()
            .flat_map(|(_, uv)| &uv.prerelease_package)
            .collect();
        let recorded: Vec<_> = view.uv.options.prerelease_package.iter().collect();
        let has = |list: &[&(Name<'_>, Located<Text<'_>>)], one: &(Name<'_>, Located<Text<'_>>)| {
            let same = |other: &&(Name<'_>, Located<Text<'_>>)| {
                other.0.normal == one.0.normal && mode(&other.1.value) == mode(&one.1.value)
            };
            list.iter().any(same)
        };
        for (own, others, what, see) in [
            (
                &declared,
                &recorded,
                "is declared; the lock was made without",
                start(&view),
            ),
            (
                &recorded,
                &declared,
                "is what the lock was made with, and not declared",
                top(&view),
            ),
        ] {
            for one in own.iter().filter(|one| !has(others, one)) {
                let (name, mode) = (&one.0.normal, &one.1.value);
                findings
                    .add(one.1.at, format!("`{mode}` for `{name}` {what}"))
                    .about(name)
                    .at_most(view.worst())
                    .see(see, "the other side")
                    .help(format!(
                        "write the lock anew: `{}`; versions may move",
                        facts.lock.format.relock()
                    ));
            }
        }
    }
}
