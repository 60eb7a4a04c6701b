//! A project is a package, or is not, as the lock has it.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normal::Install;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::recorded::{install, say};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Source;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-virtual",
    summary: "A project became a package, or no longer is one",
    why: "uv installs a project that has a build system, that `tool.uv.package` says is a package, or that another member asks for. The lock records that.",
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

[build-system]
requires = []
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

[build-system]
requires = []
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
source = { editable = "." }
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
    for (tree, package) in view.locked().filter(|(tree, _)| tree.is_member) {
        let expected = install(&view, tree, &package.name.normal);
        let found = match package.source.value {
            Source::Virtual(_) => Install::Virtual,
            Source::Editable(_) => Install::Editable,
            _ => Install::Package,
        };
        let is_about_virtual = expected == Install::Virtual || found == Install::Virtual;
        if expected == found || !is_about_virtual {
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
