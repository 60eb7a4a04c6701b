//! Dependencies that lead nowhere.

use std::collections::HashMap;

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::graph::loose::Loose;
use crate::lockfiles::rules::graph::roots;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Edge;
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "dangling-edge",
    summary: "A package needs another that is not in the lock",
    why: "An entry was removed, or the file was cut between two entries, where it still is valid TOML. uv then says that \
          \"more than one\" package matches, when there is none.\n\n\
          Locks of Poetry and PDM list what a package declares, for every platform: there a dependency counts that has no \
          marker, or one that holds on every Python of the lock, and one of the versions that are locked must satisfy it. \
          Their own checks look at no entry at all. `Pipfile.lock` and requirements record no dependencies.",
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
"#,
    )]),
    repair: "Take the file from git as it was and write the lock anew.",
    repaired: Example::of(&[(
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
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

/// So many missing entries are named one by one; more are one finding.
const FEW: usize = 20;

/// An entry that is missing.
struct Missing<'f> {
    name: &'f str,
    /// Where it is first asked for.
    at: Location,
    message: String,
    /// How many more ask for it.
    more: u64,
}

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let mut missing = missing_entries(facts);
    missing.extend(missing_members(facts));
    if missing.len() > FEW
        && let Some(first) = missing.first()
    {
        let entries = count(missing.len() as u64, "package");
        let message = format!(
            "{entries} that others need have no entry; this is the first that is asked for"
        );
        findings.add(first.at, message).help(help(facts));
        return;
    }
    for one in missing {
        let message = match one.more {
            0 => one.message,
            more => format!(
                "{}; needed by {} as well",
                one.message,
                count(more, "other")
            ),
        };
        findings
            .add(one.at, message)
            .about(one.name)
            .help(help(facts));
    }
}

fn help(facts: &Facts<'_>) -> String {
    let relock = facts.lock.format.relock();
    format!(
        "an entry was removed or changed, or the file was cut: take it from git as it was and run `{relock}`"
    )
}

/// The entries that are asked for and not there, in the order of the file.
fn missing_entries<'f>(facts: &'f Facts<'_>) -> Vec<Missing<'f>> {
    let mut missing: Vec<Missing<'f>> = Vec::new();
    let loose = Loose::of(facts);
    let is_exact = roots::is_exact(facts) || facts.lock.pylock().is_some();
    let leads = |edge: &Edge<'_>| match &loose {
        Some(loose) => loose.leads(edge, facts),
        None => !is_exact || facts.index.targets(edge).next().is_some(),
    };
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for package in &facts.lock.packages {
        for edge in &package.dependencies {
            if leads(edge) {
                continue;
            }
            let name = &*edge.name.normal;
            let version = edge.version.as_ref().or(edge.specifier.as_ref());
            let version = version.map_or("", |version| &*version.value);
            if let Some(one) = known
                .get(&(name, version))
                .and_then(|at| missing.get_mut(*at))
            {
                one.more += 1;
                continue;
            }
            known.insert((name, version), missing.len());
            let what = if matches!(version, "" | "*") {
                name.to_owned()
            } else {
                format!("{name} {version}")
            };
            let reason = if facts.index.named(name).is_empty() {
                "has no entry for it"
            } else {
                "has it only in another version or from another source"
            };
            missing.push(Missing {
                name,
                at: edge.at,
                message: format!(
                    "`{}` needs `{what}`, and the lock {reason}",
                    package.title()
                ),
                more: 0,
            });
        }
    }
    missing
}

/// Members of the workspace that the lock lists without having them.
fn missing_members<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = Missing<'f>> {
    let members = roots::manifest(facts)
        .into_iter()
        .flat_map(|manifest| &manifest.members);
    let missing = members.filter(|member| facts.index.named(&member.normal).is_empty());
    missing.map(|member| Missing {
        name: &member.normal,
        at: member.at,
        message: format!(
            "`{}` is a member, and the lock has no entry for it",
            member.normal
        ),
        more: 0,
    })
}

/// Whether an edge of this lock leads nowhere, so that what is reached cannot be told.
pub fn is_broken(facts: &Facts<'_>) -> bool {
    !missing_entries(facts).is_empty()
}
