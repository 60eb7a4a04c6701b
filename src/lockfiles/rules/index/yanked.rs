//! A version that was withdrawn.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::published::{Kind, compare};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::untrusted;

/// The rule.
pub const RULE: Rule = Rule {
    id: "yanked",
    summary: "The version was withdrawn from its index",
    why: "Who released it says that nobody should use it (PEP 592): it is broken, or worse. A lock keeps it, and installers take it \
          from a lock with no more than a warning. Only what is new in the lock is told.",
    level: Level::Warning,
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
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
            ),
            (
                "https://index.example/simple/six/",
                r#"{
  "meta": {"api-version": "1.1"},
  "name": "six",
  "files": [
    {
      "filename": "six-1.17.0-py2.py3-none-any.whl",
      "url": "https://files.example/six-1.17.0-py2.py3-none-any.whl",
      "hashes": {"sha256": "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"},
      "yanked": "breaks everything"
    }
  ]
}
"#,
            ),
        ],
        base: &[],
        inputs: &[("index-check", "true")],
    },
    repair: "Lock another version: `uv lock --upgrade-package six`.",
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
                "https://index.example/simple/six/",
                r#"{
  "meta": {"api-version": "1.1"},
  "name": "six",
  "files": [
    {
      "filename": "six-1.17.0-py2.py3-none-any.whl",
      "url": "https://files.example/six-1.17.0-py2.py3-none-any.whl",
      "hashes": {"sha256": "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"},
      "yanked": false
    }
  ]
}
"#,
            ),
        ],
        base: &[],
        inputs: &[("index-check", "true")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for outcome in compare(facts) {
        let Kind::Yanked(reason) = outcome.kind else {
            continue;
        };
        let title = outcome.package.title();
        // Whoever withdrew it may have written a page.
        let reason: String = reason.chars().take(200).collect();
        let message = match untrusted::line(&reason).trim() {
            "" => format!("`{title}` was withdrawn from its index"),
            reason => format!("`{title}` was withdrawn from its index: {reason}"),
        };
        findings
            .add(outcome.at, message)
            .about(&outcome.package.name.normal)
            .help("lock another version of it");
    }
}
