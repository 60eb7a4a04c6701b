//! Secrets in addresses.

use crate::lockfiles::address::Address;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sources::causes::{complete, named};
use crate::lockfiles::rules::sources::uses;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "credentials",
    summary: "An address holds a password or a token",
    why: "Whoever can read the repository, its forks, its artifacts or an image that was built from it has the secret. It \
          stays in the history when the line is gone. A plain user, such as `git@`, and a variable that the tool fills in, \
          such as `${TOKEN}`, are no secrets.",
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
source = { registry = "https://deploy:not-a-real-one@index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Revoke the secret, since it is known now. Give it to the tool by its environment, a keyring or `.netrc`, and \
             write the lock anew.",
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
    let causes = uses::causes(facts, |used| {
        // Most name no user, and need not be taken apart.
        memchr::memchr(b'@', used.text.as_bytes())?;
        let address = Address::parse(used.text).filter(Address::has_secret)?;
        Some((address.user, address.host))
    });
    for ((_, (_, host)), first, places) in causes.each() {
        let message = match places.len() {
            1 => format!("the address at `{host}` holds a secret"),
            _ => format!(
                "the addresses of {} at `{host}` hold a secret",
                named(places)
            ),
        };
        let finding = findings.add(first.at, message);
        finding.help("revoke it, give it to the tool by its environment, and write the lock anew");
        complete(finding, places);
    }
}
