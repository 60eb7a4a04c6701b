//! Packages that nobody can build.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::platforms::kinds;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{FileKind, Source};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wheel-only",
    summary: "A package has no source distribution",
    why: "Who must build everything from source, as distributions do, or must be able to read what is installed, cannot \
          have it. A platform without a wheel cannot either: `no-file-for-platform` says which. Off, since most projects \
          install wheels.\n\n\
          A single wheel that a project names by its URL or path is meant, and not looked at; nor are requirements and \
          `Pipfile.lock`, which do not name their files.",
    level: Level::Off,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "fast"
version = "1.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/fast-1.0-py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[("rules", "wheel-only warning")],
    },
    repair: "Take a release that has one, or ignore the package with a reason.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "fast"
version = "1.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/fast-1.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 34031 }
wheels = [
    { url = "https://files.example/fast-1.0-py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[("rules", "wheel-only warning")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for package in kinds::only(facts, FileKind::Wheel) {
        if !matches!(package.source.value, Source::Unstated | Source::Registry(_)) {
            continue;
        }
        findings
            .add(
                package.name.at,
                format!("`{}` has no source distribution", package.title()),
            )
            .about(&package.name.normal)
            .help("take a release that has one, or ignore the package with a reason");
    }
}
