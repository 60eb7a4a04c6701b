//! The same version with other bytes.

use crate::error::count;
use crate::lockfiles::difference::{HashChange, Was, hash_changes};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::{FEW, before};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Hash;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hash-changed",
    summary: "A file of the same version has another hash than on the base",
    why: "An index never serves other bytes under the name of a file that it has served. A hash that changes while \
          version and name stay is an attack, a mirror that builds packages itself, or a lock that was edited by hand. No tool \
          says so: `uv lock --check` and `poetry check --lock` accept it.\n\n\
          A file that is only new, because it was uploaded later, is none of this. A hash that is gone counts, and so does one \
          of another algorithm: nothing shows that it is the same file.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 11050 },
]
"#,
        )],
        base: &[(
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
        )],
        inputs: &[],
    },
    repair: "Take the lock of the base and write it anew. If the hash is the new one again, ask the index why, before anybody \
             installs it.",
    repaired: Example {
        files: &[(
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
        )],
        base: &[(
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
        )],
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(before) = before(facts) else { return };
    let changes = hash_changes(before, facts.lock);
    if changes.len() > FEW
        && let Some(first) = changes.first()
    {
        let packages = count(changes.len() as u64, "package");
        findings
            .add(first.at, format!("{packages} have other hashes than on the base at the same versions; this is the first"))
            .help(help(facts));
        return;
    }
    for change in &changes {
        findings
            .add(change.at, message(change))
            .about(&change.package.name.normal)
            .help(help(facts));
    }
}

fn message(change: &HashChange<'_>) -> String {
    let title = change.package.title();
    let what = match change.file {
        Some(file) => format!("`{}` of `{title}`", file.name),
        None => format!("`{title}`"),
    };
    let base = match &change.was {
        Was::Digest(hash) => format!(
            "has another hash than on the base, where it is {}",
            short(hash)
        ),
        Was::Algorithm(hash) => format!(
            "has a hash that cannot be compared with that of the base, {}",
            short(hash)
        ),
        Was::Hashed(hash) => format!("has no hash, and on the base it is {}", short(hash)),
    };
    match change.more {
        0 => format!("{what} {base}"),
        more => format!("{what} {base}; so has {}", count(more as u64, "file")),
    }
}

/// Enough of a hash to know it again.
fn short(hash: &Hash<'_>) -> String {
    let digits: String = hash.digest.chars().take(12).collect();
    format!("`{}:{digits}…`", hash.algorithm)
}

fn help(facts: &Facts<'_>) -> String {
    format!(
        "do not install it before somebody knows why; take the lock of the base and write it anew: `{}`",
        facts.lock.format.relock()
    )
}
