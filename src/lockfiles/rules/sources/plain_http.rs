//! Addresses without TLS.

use crate::lockfiles::address::{Address, conceal};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::{Level, SourceKind};
use crate::lockfiles::rules::sources::uses;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "plain-http",
    summary: "An index, a repository or a file is fetched without TLS",
    why: "Who sits between can read the credentials, and hand out other lists of files; a hash protects only what is \
          locked already. An index on the own machine (`localhost`) is fine. `allowed-sources: http` allows all.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "http://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Name the index or the repository with `https://`, and write the lock anew.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    if facts.policy.sources.contains(&SourceKind::Http) {
        return;
    }
    uses::each(facts, |used| {
        if !Address::parse(used.text).is_some_and(|address| address.is_plain()) {
            return;
        }
        let shown = conceal(used.text);
        let finding = findings.add(used.at, format!("`{shown}` is fetched without TLS"));
        finding.help("name it with `https://` and write the lock anew");
        if let Some(package) = used.package {
            finding.about(&package.name.normal);
        }
    });
}
