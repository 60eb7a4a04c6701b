//! Addresses without TLS.

use crate::lockfiles::address::{Address, conceal};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::{Level, SourceKind};
use crate::lockfiles::rules::sources::causes::{complete, named};
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
    let causes = uses::causes(facts, |used| {
        // Nearly all begin so, and need not be taken apart.
        if used.text.starts_with("https://") {
            return None;
        }
        let address = Address::parse(used.text).filter(Address::is_plain)?;
        Some(address.host.to_ascii_lowercase())
    });
    for ((_, host), first, places) in causes.each() {
        let shown = conceal(first.text);
        let message = match places.len() {
            1 => format!("`{shown}` is fetched without TLS"),
            _ => format!(
                "{} are fetched from `{host}` without TLS: `{shown}`",
                named(places)
            ),
        };
        let finding = findings.add(first.at, message);
        finding.help("name it with `https://` and write the lock anew");
        complete(finding, places);
    }
}
