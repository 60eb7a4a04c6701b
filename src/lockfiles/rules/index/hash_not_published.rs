//! A hash that the index does not publish.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::published::{Kind, compare};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::untrusted;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hash-not-published",
    summary: "The index publishes another hash of a file",
    why: "The lock would make installers accept other bytes than those that the index serves, or refuse the right ones: an edit by hand, \
          an attack, or a mirror that builds packages itself. Only the index can show it where the file is new in the lock; \
          where it is not, `hash-changed` needs no network.",
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
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 11050 },
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
    repair: "Take the lock of the base and write it anew. If the hash is the same again, ask the index why.",
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
        let title = outcome.package.title();
        let message = match outcome.kind {
            Kind::OtherHash { file, published } => {
                format!("the index publishes another hash of `{file}`: `{published}`")
            }
            Kind::NoSuchHash { of: Some(file) } => format!(
                "the hash is that of `{}`, which is no file of `{title}`",
                untrusted::line(&file)
            ),
            Kind::NoSuchHash { of: None } => {
                format!("the index publishes no file of `{title}` with this hash")
            }
            _ => continue,
        };
        findings
            .add(outcome.at, message)
            .about(&outcome.package.name.normal)
            .help(format!(
                "do not install it before somebody knows why; take the lock of the base and write it anew: `{}`",
                facts.lock.format.relock()
            ));
    }
}
