//! Names of private packages that the public index serves.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::pattern;
use crate::lockfiles::policy::Level;
use crate::lockfiles::public_index::{self, is_public};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{Format, Package, Source};
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "private-name-public",
    summary: "The public index serves a package whose name is private",
    why: "Anybody can register a name there. Where a tool asks several indexes, the highest version wins, or the first \
          index that knows the name: that is how dependency confusion works. `private-names` says which names are yours; \
          without it nothing is looked for.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[("uv.lock", public_index::EXAMPLE_PRIVATE_NAME)],
        base: &[],
        inputs: &[("private-names", "acme-*")],
    },
    repair: "Pin the name to the private index (`[tool.uv.sources]` with an `explicit` index), and write the lock anew. Look \
             at what the public package is, and whether it ran anywhere.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "acme-core"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/acme_core-1.17.0-py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[("private-names", "acme-*")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for package in &facts.lock.packages {
        let name = &*package.name.normal;
        let Some(pattern) = pattern::any(&facts.policy.private_names, name) else {
            continue;
        };
        if let Some(at) = served_publicly(package, facts.lock.format) {
            findings
                .add(
                    at,
                    format!("`{}` comes from the public index, and `{pattern}` is private", package.title()),
                )
                .about(name)
                .help("pin the name to the private index (`[tool.uv.sources]`), and write the lock anew");
        }
    }
}

/// Where it says that the public index serves it.
fn served_publicly(package: &Package<'_>, format: Format) -> Option<Location> {
    match &package.source.value {
        Source::Registry(index) if is_public(index) => return Some(package.source.at),
        // poetry writes the source of everything that is not from the public index.
        Source::Unstated if format == Format::Poetry => return Some(package.name.at),
        _ => {}
    }
    let url = package.files.iter().filter_map(|file| file.url.as_ref());
    url.filter(|url| public_index::host(&url.value).is_some_and(public_index::is_public_host))
        .map(|url| url.at)
        .next()
}
