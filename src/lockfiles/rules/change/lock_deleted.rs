//! A lock that is gone while what it locks stays.

use crate::lockfiles::gone::GoneLock;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-deleted",
    summary: "A lock is deleted, and what it locked is still declared",
    why: "Without its lock a project installs whatever its indexes serve that day, without a hash, and no rule about locks \
          finds anything any more. It counts as an alarm for rules that merge by themselves.\n\n\
          Nothing is said where another lock stands beside the same declaration, or one of the same tool in a folder above, \
          as in a workspace; where the declaration goes as well; and of a lock that was renamed, which is compared with what \
          it was.",
    level: Level::Warning,
    check: Check::Gone(check),
    failing: Example {
        files: &[(
            "pyproject.toml",
            r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["six"]
"#,
        )],
        base: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        inputs: &[],
    },
    repair: "Take the lock from the base: `git checkout <base> -- uv.lock`. If the project must have none, merge it by hand.",
    repaired: Example {
        files: &[
            (
                "uv.lock",
                r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
            ),
            (
                "pyproject.toml",
                r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["six"]
"#,
            ),
        ],
        base: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        inputs: &[],
    },
};

fn check(gone: &GoneLock<'_>, findings: &mut Findings<'_>) {
    findings
        .add(
            gone.declared,
            format!(
                "`{}` is deleted, and what it locked is still declared here",
                gone.path
            ),
        )
        .help("take it from the base, or write it anew; without it every install is of whatever the indexes serve");
}
