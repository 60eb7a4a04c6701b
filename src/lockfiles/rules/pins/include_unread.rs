//! Files that requirements include and that nobody looked at.

use crate::lockfiles::address::conceal;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "include-unread",
    summary: "An included file could not be looked at",
    why: "What pip installs comes from the included files too. One that is missing, remote or outside of the repository \
          can hold anything, and can be another one at each installation.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "requirements.txt",
        "-r ../shared/requirements.txt
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
",
    )]),
    repair: "Put the file into the repository, and include it by its path from this one.",
    repaired: Example::of(&[
        (
            "requirements.txt",
            "-r shared.txt
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
",
        ),
        (
            "shared.txt",
            "idna==3.10 \\
    --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3
",
        ),
    ]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let unread = facts.lock.requirements().map(|own| own.unread.as_slice());
    for included in unread.unwrap_or_default() {
        findings
            .add(
                included.at,
                format!(
                    "`{}` could not be looked at: it is missing, remote or outside of the repository",
                    conceal(&included.value)
                ),
            )
            .help("put it into the repository, and include it by its path from this file");
    }
}
