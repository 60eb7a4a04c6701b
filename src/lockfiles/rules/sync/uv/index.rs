//! Each package comes from an index that the project declares.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normal;
use crate::lockfiles::policy::Level;
use crate::lockfiles::public_index::is_public;
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::Source;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-index",
    summary: "A package is locked from an index that the project does not declare",
    why: "Where a project declares indexes, uv refuses a lock with packages from others. With no index of its own declared as the default, that index may be set for a machine: then it is a warning.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[[tool.uv.index]]
name = "own"
url = "https://own.example/simple"
default = true
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
    repair: "Run `uv lock`, or declare the index in `[[tool.uv.index]]`.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[[tool.uv.index]]
name = "own"
url = "https://index.example/simple"
default = true
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

/// So many packages are named one by one.
const FEW: usize = 10;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts) else {
        return;
    };
    let configured = || view.configuration().flat_map(|(_, uv)| &uv.indexes);
    let Some(first) = configured().next() else {
        return;
    };
    let has_default = configured().any(|index| index.is_default);
    let mut known: Vec<String> = Vec::new();
    let configuration = view.configuration().map(|(tree, _)| tree);
    for tree in view.projects.iter().copied().chain(configuration) {
        let indexes = tree.settings().map_or(&[][..], |uv| &uv.indexes);
        known.extend(indexes.iter().map(|index| {
            let url = &index.url.value;
            if normal::is_url(url) {
                normal::index(url)
            } else {
                view.path_of(&tree, url)
            }
        }));
    }
    let mut found = 0;
    for package in &facts.lock.packages {
        let Source::Registry(url) = &package.source.value else {
            continue;
        };
        let index = normal::index(url);
        let is_known = known
            .iter()
            .any(|known| normal::same_index(known, &index) && !view.tells_apart(known, &index));
        if is_known || (!has_default && is_public(url)) {
            continue;
        }
        found += 1;
        if found > FEW {
            return;
        }
        let message = format!(
            "`{}` is locked from `{index}`, which is not declared",
            package.title()
        );
        let finding = findings.add(package.source.at, message);
        finding
            .about(&package.name.normal)
            .see(first.at, "the indexes that are declared")
            .help(format!(
                "write the lock anew, `{}`, or declare the index",
                facts.lock.format.relock()
            ));
        finding.at_most(view.worst());
        if !has_default {
            finding.at_most(Severity::Warning);
        }
    }
}
