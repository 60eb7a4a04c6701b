//! Packages that every machine has to build.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::platforms::kinds;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::FileKind;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sdist-only",
    summary: "A package has no wheel, so that installing it builds it",
    why: "To build is to run code of the package and of its build requirements, and no lock pins those. It takes longer, and \
          needs compilers that a machine may not have. Off, since many a healthy project has such a package.\n\n\
          Requirements and `Pipfile.lock` do not name their files, and are not looked at.",
    level: Level::Off,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "docopt"
version = "0.6.2"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/docopt-0.6.2.tar.gz", hash = "sha256:49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491", size = 25901 }
"#,
        )],
        base: &[],
        inputs: &[("rules", "sdist-only warning")],
    },
    repair: "Take a release that has a wheel, build one into an index of your own, or ignore the package with a reason.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "docopt"
version = "0.6.2"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/docopt-0.6.2.tar.gz", hash = "sha256:49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491", size = 25901 }
wheels = [
    { url = "https://files.example/docopt-0.6.2-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[("rules", "sdist-only warning")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for package in kinds::only(facts, FileKind::Sdist) {
        findings
            .add(
                package.name.at,
                format!(
                    "`{}` has no wheel: installing it builds it",
                    package.title()
                ),
            )
            .about(&package.name.normal)
            .help("take a release that has a wheel, or ignore the package with a reason");
    }
}
