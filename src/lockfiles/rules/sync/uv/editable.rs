//! A project is installed in place, or is not, as the lock has it.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normal::Install;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::recorded::{install, say};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Source;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-editable",
    summary: "A project of the workspace is installed in another way than the lock says",
    why: "`editable = false` in `[tool.uv.sources]` makes a member a package that is built and copied; the lock records that.",
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

[tool.uv.sources]
lib = { workspace = true, editable = false }
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
source = { editable = "lib" }

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

[tool.uv.sources]
lib = { workspace = true, editable = false }
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
source = { directory = "lib" }

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
    for (tree, package) in view.locked().filter(|(tree, _)| tree.is_member) {
        let expected = install(&view, tree, &package.name.normal);
        let found = match package.source.value {
            Source::Virtual(_) => Install::Virtual,
            Source::Editable(_) => Install::Editable,
            _ => Install::Package,
        };
        let is_about_virtual = expected == Install::Virtual || found == Install::Virtual;
        if expected == found || is_about_virtual {
            continue;
        }
        let message = format!(
            "`{}` is {} now; the lock has it as {}",
            package.name.normal,
            say(expected),
            say(found)
        );
        findings
            .add(tree.at(), message)
            .about(&package.name.normal)
            .see(package.source.at, "its source in the lock")
            .help(format!(
                "no version must move: `{}`",
                facts.lock.format.relock()
            ));
    }
}
