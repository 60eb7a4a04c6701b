//! One file with two hashes.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{File, Hash, Package};

/// The rule.
pub const RULE: Rule = Rule {
    id: "file-conflict",
    summary: "The same file has two different hashes",
    why: "One address serves one file. Two hashes for it mean that one of them was put there by hand or by a merge, and \
          installers that take the first that fits accept either.",
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
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 11050 },
]
"#,
    )]),
    repair: "Take the entry from git as it was, or remove it and write the lock anew.",
    repaired: Example::of(&[(
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
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let packages = &facts.lock.packages;
    let files: usize = packages.iter().map(|package| package.files.len()).sum();
    let mut by_address: HashMap<&str, &File<'_>, RandomState> =
        HashMap::with_capacity_and_hasher(files, RandomState::default());
    for package in packages {
        for (index, file) in package.files.iter().enumerate() {
            let before = match &file.url {
                Some(url) => by_address.insert(&url.value, file),
                // Without addresses the name is all there is, within its package.
                None => earlier(package, index, file),
            };
            let Some(before) = before else {
                continue;
            };
            if let Some(hash) = contradicted(before, file) {
                findings
                    .add(hash.at, format!("`{}` has another hash here", file.name))
                    .about(&package.name.normal)
                    .see(before.at, "the same file")
                    .help(format!(
                        "take the entry from git as it was, or remove it and run `{}`",
                        facts.lock.format.relock()
                    ));
            }
        }
    }
}

/// The file of the same name that stands before this one. Files of one name stand side by side.
fn earlier<'p, 'a>(
    package: &'p Package<'a>,
    index: usize,
    file: &File<'_>,
) -> Option<&'p File<'a>> {
    let before = package.files.get(index.checked_sub(1)?)?;
    (before.name == file.name && before.url.is_none()).then_some(before)
}

/// The hash of a file that another one of the same algorithm denies.
fn contradicted<'f, 'a>(before: &File<'_>, file: &'f File<'a>) -> Option<&'f Hash<'a>> {
    file.hashes.iter().find(|hash| {
        let mut others = before
            .hashes
            .iter()
            .filter(|other| other.algorithm == hash.algorithm)
            .peekable();
        others.peek().is_some()
            && others.all(|other| !other.digest.eq_ignore_ascii_case(&hash.digest))
    })
}
