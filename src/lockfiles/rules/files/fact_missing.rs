//! Files of which the lock says less than of all others.

use std::collections::BTreeMap;

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{File, Package, Source};

/// The rule.
pub const RULE: Rule = Rule {
    id: "fact-missing",
    summary: "A file has no size or no time of upload, where the others of its index have one",
    why: "An index serves both or neither. A file without them, among files that have them, was written by hand or came from \
          elsewhere; `min-age` cannot judge it. Off, since an index may have old files without a time.",
    level: Level::Off,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3", size = 70442, upload-time = "2024-09-15T18:07:37Z" },
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/six-1.17.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050, upload-time = "2024-12-04T17:35:26Z" },
]
"#,
        )],
        base: &[],
        inputs: &[("rules", "fact-missing warning")],
    },
    repair: "Find the commit that brought the line; take the entry out and write the lock anew.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/idna-3.10-py3-none-any.whl", hash = "sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3", size = 70442, upload-time = "2024-09-15T18:07:37Z" },
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/six-1.17.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 34031, upload-time = "2024-12-04T17:35:28Z" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050, upload-time = "2024-12-04T17:35:26Z" },
]
"#,
        )],
        base: &[],
        inputs: &[("rules", "fact-missing warning")],
    },
};

/// So many files are named one by one.
const FEW: usize = 20;

/// What a file can say of itself.
const FACTS: [(&str, Has); 2] = [
    ("size", |file| file.size.is_some()),
    ("time of upload", |file| file.upload_time.is_some()),
];

type Has = fn(&File<'_>) -> bool;

type Entry<'a> = (&'a Package<'a>, &'a File<'a>);

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let mut by_index: BTreeMap<&str, Vec<Entry<'_>>> = BTreeMap::new();
    for package in &facts.lock.packages {
        let index = match &package.source.value {
            Source::Registry(index) => &**index,
            Source::Unstated => "",
            _ => continue,
        };
        let files = by_index.entry(index).or_default();
        files.extend(package.files.iter().map(|file| (package, file)));
    }
    for files in by_index.values() {
        for (fact, has) in FACTS {
            let without: Vec<&Entry<'_>> = files.iter().filter(|(_, file)| !has(file)).collect();
            // Where as many have none, the index says it of some files only.
            if without.len() * 2 >= files.len() {
                continue;
            }
            let rest = without.len().saturating_sub(FEW);
            for (index, (package, file)) in without.iter().take(FEW).enumerate() {
                let more = match rest {
                    rest if rest > 0 && index + 1 == FEW => {
                        format!("; nor have {}", count(rest as u64, "other file"))
                    }
                    _ => String::new(),
                };
                findings
                    .add(
                        file.at,
                        format!(
                            "`{}` of `{}` has no {fact} here, and others of its index have one{more}",
                            file.name,
                            package.title()
                        ),
                    )
                    .about(&package.name.normal)
                    .help("find the commit that brought the line; take the entry out and write the lock anew");
            }
        }
    }
}
