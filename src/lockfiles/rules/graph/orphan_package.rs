//! Packages that nothing needs.

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::graph::loose::Loose;
use crate::lockfiles::rules::graph::{dangling_edge, roots};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Package;

/// The rule.
pub const RULE: Rule = Rule {
    id: "orphan-package",
    summary: "Nothing in the lock needs a package",
    why: "uv writes only what the project reaches. An entry that nothing leads to was added by hand, or the dependency that \
          led to it was removed: `uv lock --check` accepts both, and so does `uv lock`.\n\n\
          Every extra, group and marker counts as a way to a package. Nothing is said where the lock has no entry of the \
          project's own, or where another rule found that the graph is broken. In locks of Poetry and PDM the ways begin at \
          what `pyproject.toml` asks for, as far as that can be read. A `pylock.toml` says what its packages need only where PDM \
          wrote it, and nothing of what extras, repositories, archives and folders bring: where one of those is asked for, \
          nobody sees what nothing needs.",
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

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Find the commit that brought the entry, or removed what needs it; take the lock from before it and write it anew.",
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

/// So many are named one by one; more are one finding.
const FEW: usize = 20;

/// What to do.
fn help(facts: &Facts<'_>) -> String {
    let tool = if roots::is_exact(facts) {
        "`uv lock` keeps what is there".to_owned()
    } else {
        format!("`{}` writes it anew", facts.lock.format.relock())
    };
    format!(
        "find the commit that brought it or removed what needs it, and take the lock from before; {tool}"
    )
}

/// The packages that nothing leads to; none where that cannot be known.
fn orphans<'a>(facts: &Facts<'a>) -> Vec<&'a Package<'a>> {
    let packages = facts.lock.packages.iter();
    if let Some(loose) = Loose::of(facts) {
        let Some(reached) = loose.reached(facts) else {
            return Vec::new();
        };
        return packages
            .filter(|package| !reached.contains(&*package.name.normal))
            .collect();
    }
    match roots::reached(facts).filter(|_| roots::is_exact(facts)) {
        Some(reached) => packages
            .filter(|package| !reached.contains(&package.at))
            .collect(),
        None => Vec::new(),
    }
}

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let orphans = orphans(facts);
    if orphans.is_empty() || dangling_edge::is_broken(facts) {
        return;
    }
    if orphans.len() > FEW
        && let Some(first) = orphans.first()
    {
        let packages = count(orphans.len() as u64, "package");
        findings
            .add(
                first.name.at,
                format!("nothing in the lock needs {packages}; this is the first"),
            )
            .help(help(facts));
        return;
    }
    for orphan in orphans {
        findings
            .add(
                orphan.name.at,
                format!("nothing in the lock needs `{}`", orphan.title()),
            )
            .about(&orphan.name.normal)
            .help(help(facts));
    }
}
