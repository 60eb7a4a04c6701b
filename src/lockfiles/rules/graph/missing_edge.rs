//! Recorded requirements without a dependency.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::graph::roots;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{Package, Requirement, Section};

/// The rule.
pub const RULE: Rule = Rule {
    id: "missing-edge",
    summary: "A recorded requirement has no dependency in the lock",
    why: "uv records what a project declares, `requires-dist`, and what that became, `dependencies`. It compares only the \
          first with `pyproject.toml`: a dependency that is missing in the second is not installed, and nobody says so.\n\n\
          A requirement with a marker over the version of Python, or over several things, may rightly come to nothing; so \
          may one that an override or an exclusion names. They are not looked at.",
    level: Level::Warning,
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

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.17" }]
"#,
    )]),
    repair: "Find the commit that removed the dependency; take the lock from before it and write it anew.",
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

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.17" }]

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

/// The variables of which every value is locked for, unless the project says otherwise.
const UNIVERSAL: [&str; 6] = [
    "sys_platform",
    "os_name",
    "platform_machine",
    "platform_system",
    "platform_python_implementation",
    "implementation_name",
];

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(uv) = facts.lock.uv() else {
        return;
    };
    let is_universal = uv.supported_markers.is_empty();
    let mut left_out: HashSet<&str> = HashSet::new();
    if let Some(manifest) = roots::manifest(facts) {
        let overrides = manifest.overrides.iter().map(|one| &*one.name.normal);
        left_out.extend(overrides.chain(manifest.excludes.iter().map(|name| &*name.normal)));
        let scoped = manifest.scoped_overrides.iter();
        left_out
            .extend(scoped.flat_map(|one| one.dependencies.iter().map(|one| &*one.name.normal)));
        let scoped = manifest.scoped_excludes.iter();
        left_out.extend(scoped.flat_map(|one| one.dependencies.iter().map(|name| &*name.normal)));
    }
    let members = roots::Members::new(facts);
    for package in facts.lock.packages.iter().filter(|one| one.is_local()) {
        let is_member = members.have(package);
        let edges = package.dependencies.iter();
        let edges: HashSet<(&Section<'_>, &str)> = edges
            .map(|edge| (&edge.section, &*edge.name.normal))
            .collect();
        for (requirement, group) in recorded(package, is_member) {
            let name = &*requirement.name.normal;
            // A project that asks for extras of its own gets what they ask for.
            if left_out.contains(name) || name == package.name.normal {
                continue;
            }
            let section = match (demand(requirement, is_universal), group) {
                (Demand::Doubtful, _) => continue,
                (_, Some(group)) => Section::Group(group.into()),
                // Only the extras that somebody asks for are locked of what is no member.
                (Demand::Extra(_), None) if !is_member => continue,
                (Demand::Extra(extra), None) => Section::Extra(extra.into()),
                (Demand::Always, None) => Section::Dependencies,
            };
            if edges.contains(&(&section, name)) {
                continue;
            }
            let message = format!(
                "`{}` records that it requires `{name}`, and has no dependency on it",
                package.name.normal
            );
            findings
                .add(requirement.at, message)
                .about(name)
                .see(package.name.at, "the entry without the dependency")
                .help(
                    "find the commit that removed the dependency, and take the lock from before; \
                     `uv lock` keeps what is there",
                );
        }
    }
}

/// What a package records, each with its dependency group.
fn recorded<'p>(
    package: &'p Package<'_>,
    is_member: bool,
) -> impl Iterator<Item = (&'p Requirement<'p>, Option<&'p str>)> {
    package.metadata.iter().flat_map(move |metadata| {
        // The groups of what is no member are nobody's.
        let groups = metadata.requires_dev.iter().filter(move |_| is_member);
        let of_groups = groups.flat_map(|(group, requirements)| {
            requirements
                .iter()
                .map(move |requirement| (requirement, Some(&*group.value)))
        });
        let plain = metadata.requires_dist.iter();
        plain
            .map(|requirement| (requirement, None))
            .chain(of_groups)
    })
}

/// When a requirement must have come to something.
enum Demand<'r> {
    /// In any case.
    Always,
    /// For this extra.
    Extra(&'r str),
    /// Its marker may rightly come to nothing.
    Doubtful,
}

fn demand<'r>(requirement: &'r Requirement<'_>, is_universal: bool) -> Demand<'r> {
    let Some(marker) = &requirement.marker else {
        return Demand::Always;
    };
    let is_certain = |condition: &str| is_universal && is_satisfiable(condition);
    let extra = |text| quoted(text).map_or(Demand::Doubtful, Demand::Extra);
    if let Some(text) = marker.value.strip_prefix("extra == ") {
        return extra(text);
    }
    match marker.value.rsplit_once(" and extra == ") {
        Some((condition, text)) if is_certain(condition) => extra(text),
        None if is_certain(&marker.value) => Demand::Always,
        _ => Demand::Doubtful,
    }
}

/// `variable == 'text'` or `variable != 'text'`, of a variable that takes every value.
fn is_satisfiable(condition: &str) -> bool {
    let compared = condition
        .split_once(" == ")
        .or_else(|| condition.split_once(" != "));
    compared.is_some_and(|(variable, text)| UNIVERSAL.contains(&variable) && quoted(text).is_some())
}

/// A text without its single quotes; `None` for anything more.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.contains('\'')).then_some(inner)
}
