//! Hashes that can be forged.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::pins::algorithm::{self, Wrong};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Format;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hash-weak",
    summary: "A file has only a weak hash",
    why: "Two files with the same MD5 or SHA-1 can be made by anybody, so that such a hash ties a file to nothing. uv accepts \
          them; pip takes `sha256`, `sha384` and `sha512` in requirements and nothing else.\n\n\
          A weak hash beside a strong one of the same file does no harm.",
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
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "md5:6f00a02ab3dcd2d5a0e8e5a3f4fbb2f1", size = 11050 },
]
"#,
    )]),
    repair: "Write the lock anew; where the index serves no other hash, let the mirror in front of it add it.",
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
    let format = facts.lock.format;
    let help = format!(
        "write the lock anew, so that it has a sha256: `{}`",
        format.relock()
    );
    algorithm::tell(facts, findings, &help, |hash, all| {
        let known = algorithm::known(&hash.algorithm)?;
        // What is wrong about a strong one is for other rules.
        if algorithm::is_strong(hash, format) {
            return None;
        }
        // Those of a package as a whole are of one file each: another one that is strong does not help.
        let is_of_one_file = !matches!(format, Format::Requirements | Format::Pipfile);
        if is_of_one_file && all.iter().any(|one| algorithm::is_strong(one, format)) {
            return None;
        }
        let why = if known.is_strong {
            "pip takes only sha256, sha384 and sha512 here"
        } else {
            "it can be forged"
        };
        Some(Wrong::new(
            hash.at,
            format!("this hash is `{}`: {why}", known.name),
        ))
    });
}
