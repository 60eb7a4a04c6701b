//! A lock that changed alone.

use crate::error::count;
use crate::lockfiles::difference::changes;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::{before, is_same_declaration};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Format;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-maintenance",
    summary: "The lock changed, and no declaration did",
    why: "That is how an upgrade looks, and also how a lock looks that somebody edited by hand. It is a note, for whoever reviews \
          it. Nothing is said of workspaces with several members, whose declarations stand in many files.",
    level: Level::Note,
    check: Check::Lock(check),
    failing: Example {
        files: &[
            (
                "uv.lock",
                r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.1"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.1-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
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
    repair: "Nothing, if an upgrade was meant.",
    repaired: Example {
        files: &[
            (
                "uv.lock",
                r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.1"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.1-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
            ),
            (
                "pyproject.toml",
                r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["six>=1.17.1"]
"#,
            ),
        ],
        base: &[
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
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(before) = before(facts) else { return };
    let is_asked = matches!(facts.lock.format, Format::Uv | Format::Poetry | Format::Pdm);
    let members = facts
        .lock
        .packages
        .iter()
        .filter(|package| package.is_local())
        .count();
    if !is_asked || members > 1 || is_same_declaration(facts) != Some(true) {
        return;
    }
    let changes = changes(before, facts.lock);
    let first = changes.iter().find_map(|change| change.after);
    let at = first
        .or(facts.lock.packages.first())
        .map(|package| package.name.at);
    if let (false, Some(at)) = (changes.is_empty(), at) {
        let packages = count(changes.len() as u64, "package");
        findings
            .add(
                at,
                format!("{packages} changed here, and `pyproject.toml` did not"),
            )
            .help("nothing, if an upgrade was meant");
    }
}
