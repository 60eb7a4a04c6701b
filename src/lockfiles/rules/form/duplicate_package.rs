//! The same package twice.

use std::collections::HashMap;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::form::repeated::removal;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{Format, Hash, Package};

/// The rule.
pub const RULE: Rule = Rule {
    id: "duplicate-package",
    summary: "A package stands in the lock twice",
    why: "Several versions of a package are fine where markers choose between them. Two entries of the same version from \
          the same source are none of that: which one counts depends on the tool, so that a second entry with another \
          file hides behind the first. poetry accepts it; uv says that a source is missing, which is wrong.\n\n\
          In requirements two entries for the same environments are a conflict unless they are the same to the last \
          hash, which is only told as a note.",
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
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 11050 },
]
"#,
    )]),
    repair: "Remove the entry that a merge or an edit brought in, or write the lock anew. `lockgate lockfile-verify --fix` \
             removes a second entry that is the same to the last byte.",
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
    let mut first: HashMap<_, &Package<'_>> = HashMap::with_capacity(facts.lock.packages.len());
    for package in &facts.lock.packages {
        let Some(before) = first.insert(key(package, facts.lock.format), package) else {
            continue;
        };
        let message = if same_version(before, package) {
            format!("`{}` stands here for the second time", package.title())
        } else {
            format!(
                "`{}` is pinned again, as {}, for the same environments",
                before.title(),
                package.title()
            )
        };
        let finding = findings.add(package.name.at, message);
        finding
            .about(&package.name.normal)
            .see(before.name.at, "the first entry")
            .help("remove one of them, or write the lock anew");
        let is_repeated = same_version(before, package) && digests(before) == digests(package);
        if facts.lock.format == Format::Requirements && is_repeated {
            finding.at_most(Severity::Note);
        }
        if let Some(at) = is_repeated
            .then(|| removal(before, package, facts))
            .flatten()
        {
            finding.fix(at, "");
        }
    }
}

/// What no two entries may have in common.
fn key<'a>(package: &'a Package<'_>, format: Format) -> impl Eq + std::hash::Hash + use<'a> {
    // Requirements have no forks: two versions for the same marker exclude each other.
    let version = (format != Format::Requirements).then(|| text(package.version.as_ref()));
    let extras: Vec<&str> = package.extras.iter().map(|extra| &*extra.value).collect();
    (
        &*package.name.normal,
        version,
        format!("{:?}", package.source.value),
        extras,
        text(package.marker.as_ref()),
    )
}

fn text<'a>(
    located: Option<&'a crate::model::sources::Located<crate::model::lockfile::Text<'_>>>,
) -> &'a str {
    located.map_or("", |located| &*located.value)
}

fn same_version(left: &Package<'_>, right: &Package<'_>) -> bool {
    text(left.version.as_ref()) == text(right.version.as_ref())
}

fn digests<'p>(package: &'p Package<'_>) -> Vec<&'p str> {
    let of_files = package.files.iter().flat_map(|file| &file.hashes);
    let mut digests: Vec<&str> = of_files
        .chain(&package.hashes)
        .map(|hash: &Hash<'_>| &*hash.digest)
        .collect();
    digests.sort_unstable();
    digests
}
