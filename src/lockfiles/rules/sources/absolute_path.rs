//! Paths that exist on one machine only.

use crate::lockfiles::address::is_absolute;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sources::causes::{complete, named};
use crate::lockfiles::rules::sources::uses;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "absolute-path",
    summary: "A path leads to a place of one machine",
    why: "The lock cannot be installed anywhere else, or takes what happens to lie there, and it tells the names of users \
          and folders. It comes in unseen where the configuration of a machine names a folder of wheels: `pip-compile` \
          copies that into the file.",
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
source = { registry = "/home/me/wheels" }
wheels = [
    { path = "six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274" },
]
"#,
    )]),
    repair: "Take the folder out of the machine's configuration, or keep the files in the repository and name them by a \
             relative path; write the lock anew.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "wheels" }
wheels = [
    { path = "six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274" },
]
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let causes = uses::causes(facts, |used| {
        let folder = used.text.rsplit_once(['/', '\\']);
        let folder = folder.map_or(used.text, |(folder, _)| folder);
        is_absolute(used.text).then_some(folder)
    });
    for ((_, folder), first, places) in causes.each() {
        let message = match places.len() {
            1 => format!("`{}` is a place of one machine", first.text),
            _ => format!(
                "`{folder}` is a place of one machine, and has files of {}",
                named(places)
            ),
        };
        let finding = findings.add(first.at, message);
        finding.help("name it by a path relative to the lock, and write the lock anew");
        complete(finding, places);
    }
}
