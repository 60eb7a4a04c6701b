//! A file that turns hash checking off for itself.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hashes-off",
    summary: "The file turns hash checking off",
    why: "One hash in a file makes pip demand a hash of everything, and `--no-require-hashes` in the same file takes that \
          back: whatever a dependency brings in is installed unchecked.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "requirements.txt",
        "--no-require-hashes
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
",
    )]),
    repair: "Remove the line; then compile the list with the hashes of everything that it brings in.",
    repaired: Example::of(&[(
        "requirements.txt",
        "six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
",
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let options = facts.lock.requirements().map(|own| own.options.as_slice());
    for option in options
        .unwrap_or_default()
        .iter()
        .filter(|option| option.name == "--no-require-hashes")
    {
        findings
            .add(
                option.at,
                "hash checking is turned off here, for every file of the command",
            )
            .help("remove `--no-require-hashes`, and compile the list with all hashes");
    }
}
