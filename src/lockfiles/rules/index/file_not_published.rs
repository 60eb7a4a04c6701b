//! A file that the index does not have.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::published::{Kind, compare};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "file-not-published",
    summary: "The index does not have the file, the version or the project",
    why: "What no index has was deleted there, or never was there: a name that was made up, a version that only the lock knows. Whoever \
          registers the name first is installed.",
    level: Level::Error,
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
version = "1.17.0.post1"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0.post1-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
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
    repair: "Write the lock anew; where the project is private, declare its index.",
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
        let message = match outcome.kind {
            Kind::NoSuchFile(file) => format!("the index has no file `{file}`"),
            Kind::NoSuchVersion => {
                format!("the index has no file of `{}`", outcome.package.title())
            }
            Kind::NoSuchProject(indexes) => {
                format!("{indexes} has no project `{}`", outcome.package.name.normal)
            }
            _ => continue,
        };
        findings
            .add(outcome.at, message)
            .about(&outcome.package.name.normal)
            .help(format!(
                "write the lock anew: `{}`; where it is private, declare its index",
                facts.lock.format.relock()
            ));
    }
}
