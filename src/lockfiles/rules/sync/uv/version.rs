//! A project's version is that of the lock.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::requirement::Version;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-version",
    summary: "The lock has another version of the project itself",
    why: "A lock holds the static version of each project of its workspace. A release that only changes `version` leaves the lock stale, which then shows in the next build with `--locked`.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.2.0"
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
    repair: "Run `uv lock`, or `lockgate lockfile-verify --fix`, which puts the version into the lock: nothing else \
             depends on it.",
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
    let Some(view) = View::new(facts) else {
        return;
    };
    for (tree, package) in view.locked() {
        let declared = tree.project().and_then(|project| project.version.as_ref());
        let (Some(declared), Some(locked)) = (declared, &package.version) else {
            continue;
        };
        let Some(version) = Version::parse(&declared.value) else {
            continue;
        };
        if Version::parse(&locked.value).as_ref() != Some(&version) {
            let message = format!(
                "`{}` is {} here; the lock has {}",
                package.name.normal, declared.value, locked.value
            );
            let finding = findings.add(declared.at, message);
            finding
                .about(&package.name.normal)
                .see(locked.at, "locked here")
                .help(format!(
                    "no version of a dependency moves: `{}`",
                    facts.lock.format.relock()
                ));
            if let [_] = facts.index.named(&package.name.normal) {
                finding.fix(locked.at, format!("\"{version}\""));
            }
        }
    }
}
