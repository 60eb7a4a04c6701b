//! What cannot be verified without running code of the project.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normal::{self, Origin};
use crate::lockfiles::normalise_name;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::absent::{self, whole};
use crate::lockfiles::rules::sync::unverifiable;
use crate::lockfiles::rules::sync::uv::compare::compare;
use crate::lockfiles::rules::sync::uv::conflicts;
use crate::lockfiles::rules::sync::uv::recorded::{is_computed, recorded, top};
use crate::lockfiles::rules::sync::uv::self_extras::compare_requires_dist;
use crate::lockfiles::rules::sync::uv::view::{Tree, View};
use crate::lockfiles::rules::{Check, Example, Findings, Rule, UNVERIFIABLE};
use crate::model::lockfile::Package;

/// The rule.
pub const RULE: Rule = Rule {
    id: UNVERIFIABLE,
    summary: "Whether the lock agrees cannot be told from the files alone",
    why: "A build backend may compute what a project requires; running it is not what a check of files does. The same holds for a lock that records nothing of what it was made from, for a lock of PDM with `lock_inputs` of more than plain requirements of one project, for a lock beside which the project, the `Pipfile` or the script is missing, for compiled requirements whose inputs are not in the repository or are for a build backend to read, and for a project that cannot be read. The input `strict` makes this no verdict.",
    level: Level::Warning,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dynamic = ["dependencies"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
    repair: "State the dependencies in `[project]`, or let `uv lock --check` run besides.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
};

/// What can be done.
const HELP: &str = "run `uv lock --check` besides";

/// So many projects are told one by one.
const FEW: usize = 3;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    if let Some((at, why)) = absent::told(facts) {
        findings.add(at, why.message).help(why.help);
        return;
    }
    unverifiable::check(facts, findings);
    if facts.lock.uv().is_none() {
        return;
    }
    let declared = facts.declared.iter().copied().chain(facts.members);
    let declared = declared.chain(facts.configuration);
    for broken in declared.filter(|declared| !declared.is_whole) {
        findings
            .add(
                whole(broken.file),
                "not all of this can be read, so that nothing is compared with it",
            )
            .help("repair it; `uv lock --check` says where it is wrong");
    }
    let Some(view) = View::new(facts) else {
        if let Some(root) = facts.declared.filter(|root| root.is_whole) {
            let message = "this declares no project that uv locks, so that nothing is compared with the lock beside it";
            findings
                .add(whole(root.file), message)
                .help("declare `[project]`, or remove the lock");
        }
        return;
    };
    if conflicts::declared(&view).is_none() {
        findings
            .add(
                top(&view),
                "these conflicts cannot be verified: they are too many",
            )
            .help(HELP);
    }
    let mut without: Vec<(&Tree<'_>, &Package<'_>, &str)> = Vec::new();
    for (tree, package) in view.locked() {
        let Some(recorded) = recorded(tree, package) else {
            without.push((
                tree,
                package,
                if is_computed(tree) {
                    "a build backend computes what it requires"
                } else {
                    "the lock does not record what it was made from"
                },
            ));
            continue;
        };
        let mut unknown =
            compare_requires_dist(&view, tree, package, &recorded.requires_dist).unknown;
        for (name, _, declared) in view.groups(tree) {
            let mut groups = recorded.requires_dev.iter();
            let group = groups.find(|(group, _)| normalise_name(&group.value) == name);
            let requirements = group.map_or(&[][..], |(_, requirements)| requirements);
            unknown.extend(compare(&view, declared, requirements).unknown);
        }
        for (at, why) in unknown {
            findings
                .add(at, format!("this cannot be verified: {why}"))
                .about(&package.name.normal)
                .help(HELP);
        }
    }
    tell_projects(&without, findings);
    let known: Vec<_> = view.locked().map(|(_, package)| package.at).collect();
    for package in facts
        .lock
        .packages
        .iter()
        .filter(|package| package.is_local())
    {
        if !known.contains(&package.at) && !is_stale(&view, package) {
            let message = format!(
                "`{}` cannot be verified: its folder has no `pyproject.toml` in this repository",
                package.name.normal
            );
            findings
                .add(package.source.at, message)
                .about(&package.name.normal)
                .help(HELP);
        }
    }
}

/// Tells projects of which nothing can be compared: each of a few, the first of many.
fn tell_projects(without: &[(&Tree<'_>, &Package<'_>, &str)], findings: &mut Findings<'_>) {
    let told = if without.len() > FEW {
        1
    } else {
        without.len()
    };
    for (tree, package, why) in without.iter().take(told) {
        let name = &package.name.normal;
        let message = match without.len() - told {
            0 => format!("`{name}` cannot be verified: {why}"),
            others => format!("`{name}` and {others} other projects cannot be verified: {why}"),
        };
        findings
            .add(tree.at(), message)
            .about(name)
            .see(package.name.at, "the project in the lock")
            .help(HELP);
    }
}

/// Whether a source tree has gone from the workspace, which other rules tell.
fn is_stale(view: &View<'_>, package: &Package<'_>) -> bool {
    let manifest = view.uv.manifest.as_ref();
    let mut members = manifest.iter().flat_map(|manifest| &manifest.value.members);
    let is_root = matches!(
        normal::of_source(&package.source.value),
        Origin::Folder(path, _) if path == "."
    );
    is_root || members.any(|member| member.normal == package.name.normal)
}
