//! Hashes that are cut.

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::pins::algorithm::{self, Wrong};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hash-length",
    summary: "A hash has too few or too many digits",
    why: "A hash that was cut fits nothing, or fits more than it should where a tool only compares the beginning. pip says \
          nothing as long as another hash of the same file fits.",
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
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c32", size = 11050 },
]
"#,
    )]),
    repair: "Write the lock anew.",
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
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let help = format!("write the lock anew: `{}`", facts.lock.format.relock());
    algorithm::tell(facts, findings, &help, |hash, _| {
        let known = algorithm::known(&hash.algorithm)?;
        let is_hex = algorithm::is_hex(&hash.digest);
        if !known.is_strong || !is_hex || hash.digest.len() == known.digits {
            return None;
        }
        let digits = count(hash.digest.len() as u64, "digit");
        let message = format!(
            "this {} has {digits} and must have {}",
            known.name, known.digits
        );
        Some(Wrong::new(algorithm::digest_at(hash, facts), message))
    });
}
