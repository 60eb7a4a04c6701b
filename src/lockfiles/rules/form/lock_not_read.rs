//! Locks that no tool reads.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::normal;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "lock-not-read",
    summary: "A `uv.lock` stands beside a member of a workspace, where uv never reads it",
    why: "uv locks a workspace as a whole, beside its root. In the folder of a member every command of uv goes up to that lock: one \
          that is left beside the member pins nothing, and gets old unnoticed, while reviews and tools that update \
          dependencies take it for what is installed.\n\n\
          Such a lock is not compared with what is declared, since uv compares it neither. Everything else is looked at, for those who \
          read it by other means.",
    level: Level::Warning,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "libs/core/uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "core"
version = "0.1.0"
source = { virtual = "." }
"#,
        ),
        (
            "libs/core/pyproject.toml",
            r#"[project]
name = "core"
version = "0.1.0"
requires-python = ">=3.11"
"#,
        ),
        (
            "pyproject.toml",
            r#"[tool.uv.workspace]
members = ["libs/*"]
"#,
        ),
    ]),
    repair: "Delete it. Where the project is to have a lock of its own, take it out of the workspace: `exclude` in \
             `[tool.uv.workspace]`.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[tool.uv.workspace]
members = ["libs/*"]
exclude = ["libs/core"]
"#,
        ),
        (
            "libs/core/uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "core"
version = "0.1.0"
source = { virtual = "." }
"#,
        ),
        (
            "libs/core/pyproject.toml",
            r#"[project]
name = "core"
version = "0.1.0"
requires-python = ">=3.11"
"#,
        ),
    ]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(root) = facts.workspace else {
        return;
    };
    let start = |file| Location {
        file,
        start: 0,
        end: 0,
    };
    let version = facts.lock.version.as_ref();
    let at = version.map_or(start(facts.lock.file), |version| version.at);
    let path = facts.sources.path(root);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let read = normal::join(folder, "uv.lock");
    findings
        .add(
            at,
            format!("uv never reads this lock: the project is a member of a workspace, whose lock is `{read}`"),
        )
        .see(start(root), "the workspace")
        .help("delete it, or take the project out of the workspace (`exclude` in `[tool.uv.workspace]`)");
}
