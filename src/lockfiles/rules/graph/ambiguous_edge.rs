//! Dependencies that may mean several entries.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::graph::roots;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Package;

/// The rule.
pub const RULE: Rule = Rule {
    id: "ambiguous-edge",
    summary: "A dependency does not say which of several entries it means",
    why: "Where a package stands in the lock in several versions or from several sources, each dependency on it must name \
          version and source; uv refuses a lock that does not. A second entry that an edit or a merge brought in is how \
          it comes about.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "notes"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
    )]),
    repair: "Remove the entry that a merge or an edit brought in, or take the file from git and write the lock anew.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = [
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
]

[[package]]
name = "notes"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six", version = "1.16.0", source = { registry = "https://index.example/simple" }, marker = "sys_platform == 'win32'" },
    { name = "six", version = "1.17.0", source = { registry = "https://index.example/simple" }, marker = "sys_platform != 'win32'" },
]

[[package]]
name = "six"
version = "1.16.0"
source = { registry = "https://index.example/simple" }
resolution-markers = [
    "sys_platform == 'win32'",
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
resolution-markers = [
    "sys_platform != 'win32'",
]
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    if !roots::is_exact(facts) {
        return;
    }
    for package in &facts.lock.packages {
        for edge in &package.dependencies {
            let named = facts.index.named(&edge.name.normal);
            if named.len() < 2 {
                continue;
            }
            let mut targets = facts.index.targets(edge);
            let Some(first) = targets.next() else {
                continue;
            };
            // Entries that are the same in both are duplicates, which another rule tells.
            let Some(other) = targets.find(|target| !is_same(first, target)) else {
                continue;
            };
            findings
                .add(
                    edge.at,
                    format!(
                        "`{}` needs `{}`, which may be {} or {}",
                        package.title(),
                        edge.name.normal,
                        which(first),
                        which(other),
                    ),
                )
                .about(&edge.name.normal)
                .see(first.name.at, "one of them")
                .see(other.name.at, "another")
                .help(format!(
                    "remove the entry that a merge or an edit brought in, or take the file from git as it was and run `{}`",
                    facts.lock.format.relock()
                ));
        }
    }
}

fn is_same(left: &Package<'_>, right: &Package<'_>) -> bool {
    let (own, other) = (left.version.as_ref(), right.version.as_ref());
    own.map(|own| &own.value) == other.map(|other| &other.value)
        && left.source.value == right.source.value
}

/// An entry in words.
fn which(package: &Package<'_>) -> String {
    let kind = package.source.value.kind();
    match &package.version {
        Some(version) => format!("`{}` from its {kind}", version.value),
        None => format!("the one from its {kind}"),
    }
}
