//! The Pythons of the lock are those of the projects.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::Pythons;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::poetry;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-requires-python",
    summary: "The lock was made for other Pythons than the projects declare",
    why: "`requires-python` of a lock is what all projects of the workspace have in common. It is compared as a set of versions: `>=3.11` and `>=3.11.0` are the same. The `python-versions` of a `poetry.lock` are those of its project; a `pdm.lock` may be for fewer on purpose.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["six>=1.16"]
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
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    poetry::requires_python::check(facts, findings);
    let Some(view) = View::new(facts) else {
        return;
    };
    let mut common = Pythons::default();
    let mut first = None;
    for tree in view.projects.iter().filter(|tree| tree.is_member) {
        let declared = tree
            .project()
            .and_then(|project| project.requires_python.as_ref());
        let Some(declared) = declared else {
            continue;
        };
        let Some(pythons) = Pythons::parse(&declared.value) else {
            return;
        };
        common = common.and(pythons);
        first = first.or(Some(declared));
    }
    // Without any, uv takes the Python that it finds.
    let (Some(first), Some(locked)) = (first, &facts.lock.requires_python) else {
        return;
    };
    if !common.is_same(&view.pythons) {
        let message = format!(
            "`{}` is declared here; the lock is for `{}`",
            first.value, locked.value
        );
        findings
            .add(first.at, message)
            .see(locked.at, "the Pythons of the lock")
            .help(format!(
                "write the lock anew: `{}`; versions may move",
                facts.lock.format.relock()
            ));
    }
}
