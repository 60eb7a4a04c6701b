//! A declaration that changed alone.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::before;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::declared::{Declarations, GroupItem};
use crate::model::lockfile::{Format, Requirement, Text};
use crate::model::sources::Located;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-unchanged",
    summary: "A declaration changed, and the lock did not",
    why: "Each of these tools writes what is declared into its lock, so a dependency that changed without it was not locked. \
          Spelling (spaces, case) does not count.",
    level: Level::Note,
    check: Check::Lock(check),
    failing: Example {
        files: &[
            (
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
            ),
            (
                "pyproject.toml",
                r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["six>=1.17"]
"#,
            ),
        ],
        base: &[
            (
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
            ),
            (
                "pyproject.toml",
                r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["six"]
"#,
            ),
        ],
        inputs: &[],
    },
    repair: "Write the lock anew: `uv lock`.",
    repaired: Example {
        files: &[
            (
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
            ),
            (
                "pyproject.toml",
                r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["Six "]
"#,
            ),
        ],
        base: &[
            (
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
            ),
            (
                "pyproject.toml",
                r#"[project]
name = "service"
version = "0.1.0"
dependencies = ["six"]
"#,
            ),
        ],
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let (Some(lock), Some(base), Some(declared)) = (before(facts), facts.base, facts.declared)
    else {
        return;
    };
    let Some(declared_before) = base.declared else {
        return;
    };
    let is_asked = matches!(facts.lock.format, Format::Uv | Format::Poetry | Format::Pdm);
    let is_same = base.sources.bytes(lock.file) == facts.sources.bytes(facts.lock.file);
    if !is_asked || !is_same || facts.workspace.is_some() {
        return;
    }
    let known: Vec<String> = requirements(declared_before).map(plain).collect();
    for requirement in requirements(declared) {
        if !known.contains(&plain(requirement)) {
            let message = format!(
                "`{}` is declared otherwise than on the base, and the lock did not change",
                requirement.name.written
            );
            findings
                .add(requirement.at, message)
                .about(&requirement.name.normal)
                .help(format!(
                    "write the lock anew: `{}`",
                    facts.lock.format.relock()
                ));
        }
    }
}

fn requirements<'p>(declared: &'p Declarations<'_>) -> impl Iterator<Item = &'p Requirement<'p>> {
    let project = declared.project.iter();
    let of_project = project.flat_map(|project| {
        let extras = project
            .extras
            .iter()
            .flat_map(|(_, requirements)| requirements);
        project.dependencies.iter().chain(extras)
    });
    let groups = declared.groups.iter().flat_map(|group| &group.items);
    let of_groups = groups.filter_map(|item| match item {
        GroupItem::Requirement(requirement) => Some(&**requirement),
        GroupItem::Include(_) => None,
    });
    of_project.chain(of_groups)
}

/// A requirement without what is only spelling.
fn plain(requirement: &Requirement<'_>) -> String {
    let mut extras: Vec<&str> = requirement
        .extras
        .iter()
        .map(|extra| &*extra.value)
        .collect();
    extras.sort_unstable();
    let text = |located: Option<&Located<Text<'_>>>| {
        let text = located.map_or("", |located| &*located.value);
        text.split_whitespace().collect::<String>()
    };
    format!(
        "{} {extras:?} {} {} {:?}",
        requirement.name.normal,
        text(requirement.specifier.as_ref()),
        text(requirement.marker.as_ref()),
        requirement.source.as_ref().map(|source| &source.value),
    )
}
