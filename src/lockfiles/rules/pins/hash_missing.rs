//! Files that nothing ties to their bytes.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::public_index::{has_hashes_of_some, is_public};
use crate::lockfiles::rules::graph::roots;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{Format, Package, Source};
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "hash-missing",
    summary: "A file of a package has no hash",
    why: "Without a hash an index, a mirror or a proxy can hand out other bytes under the same name, and every tool \
          installs them. `uv lock --check` and `poetry check --lock` accept a lock without a single hash.\n\n\
          Where no file of a package has a hash, and its index is not the public one, the index may serve none: that is a \
          warning, unless the lock has hashes of at least four times as many other packages of that index. Some indexes, \
          such as PyTorch's, are known to have hashes for a part of their packages. In `pylock.toml` it is always an error: \
          installers refuse such a file. A package of which uv locks no file, since it is asked for on no platform that there \
          is, is passed over. Requirements without any hash are one finding a file. Source trees and repositories have no hash; a repository has its commit.",
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
sdist = { url = "https://files.example/six-1.17.0.tar.gz", size = 34031 }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Write the lock anew; where the index serves no hashes, let the mirror or proxy in front of it add them, or \
             ignore the packages that come from it.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/six-1.17.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 34031 }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

/// For each package of an index of which no file has a hash there must be so many of which all have, for it to be known that
/// the index serves hashes.
const TIMES: usize = 4;

/// So many packages are named one by one; more are one finding.
const FEW: usize = 20;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let mut bare: Vec<(&Package<'_>, Location, usize)> = Vec::new();
    let mut is_hashed = false;
    let mut served: HashMap<&str, (usize, usize)> = HashMap::new();
    let somewhere = OnceCell::new();
    for package in facts
        .lock
        .packages
        .iter()
        .filter(|package| has_files(package) && !is_open(package, facts.lock.format))
        .filter(|package| !is_left_out(package, facts, &somewhere))
    {
        let without: Vec<_> = package
            .files
            .iter()
            .filter(|file| file.hashes.is_empty())
            .collect();
        let has_some = without.len() < package.files.len() || !package.hashes.is_empty();
        is_hashed |= has_some;
        let (hashed, all) = served.entry(index_of(package)).or_default();
        *hashed += usize::from(without.is_empty() && has_some);
        *all += 1;
        let is_covered = !package.hashes.is_empty() || (without.is_empty() && has_some);
        if !is_covered {
            let at = without.first().map_or(package.name.at, |file| file.at);
            bare.push((package, at, without.len()));
        }
    }
    // That an index serves hashes of a package is known of the public one, from the package's other files, and from the
    // index's other packages.
    let (certain, doubtful): (Vec<_>, Vec<_>) =
        bare.into_iter().partition(|(package, _, without)| {
            let index = index_of(package);
            let is_demanded = facts.lock.format == Format::Pylock;
            let is_served = served.get(index).is_some_and(|(hashed, all)| {
                *hashed >= TIMES * (all - hashed) && !has_hashes_of_some(index)
            });
            let is_in_part = *without < package.files.len();
            index.is_empty() || is_demanded || is_public(index) || is_in_part || is_served
        });
    let few = match facts.lock.format {
        Format::Requirements if !is_hashed => 1,
        _ => FEW,
    };
    for (group, most) in [(certain, Severity::Error), (doubtful, Severity::Warning)] {
        if group.len() > few
            && let Some((_, at, _)) = group.first()
        {
            let packages = count(group.len() as u64, "package");
            findings
                .add(
                    *at,
                    format!("{packages} have files without a hash; this is the first"),
                )
                .at_most(most)
                .help(help(facts));
            continue;
        }
        for (package, at, without) in group {
            let message = match without {
                0 | 1 => format!("`{}` has no hash here", package.title()),
                _ => format!("`{}` has {without} files without a hash", package.title()),
            };
            findings
                .add(at, message)
                .about(&package.name.normal)
                .at_most(most)
                .help(help(facts));
        }
    }
}

fn help(facts: &Facts<'_>) -> String {
    format!("write the lock anew: `{}`", facts.lock.format.relock())
}

/// Whether it is installed from files that could be hashed.
fn has_files(package: &Package<'_>) -> bool {
    matches!(
        package.source.value,
        Source::Unstated | Source::Registry(_) | Source::Url { .. } | Source::Path(_)
    )
}

/// Whether uv wrote no file of a package because it is asked for on no platform that there is: `torch ; sys_platform ==
/// 'never'` among the overrides. Nothing is installed then.
fn is_left_out(
    package: &Package<'_>,
    facts: &Facts<'_>,
    somewhere: &OnceCell<Option<HashSet<Location>>>,
) -> bool {
    let is_bare = package.files.is_empty() && package.hashes.is_empty();
    is_bare
        && facts.lock.uv().is_some()
        && matches!(package.source.value, Source::Registry(_))
        && somewhere
            .get_or_init(|| roots::reached_somewhere(facts))
            .as_ref()
            .is_some_and(|reached| !reached.contains(&package.at))
}

/// Whether a requirement leaves the version open: nothing could be hashed, and `unpinned` says so.
fn is_open(package: &Package<'_>, format: Format) -> bool {
    format == Format::Requirements && package.version.is_none() && package.hashes.is_empty()
}

/// The index; empty where it is none, so that there is always a hash to be had.
fn index_of<'p>(package: &'p Package<'_>) -> &'p str {
    match &package.source.value {
        Source::Registry(index) => index,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::public_index::FILE_HOSTS;
    use crate::lockfiles::rules::tests::found_in;
    use crate::model::diagnostic::Severity;

    fn found(path: &str, text: &str) -> Vec<(&'static str, Severity)> {
        let found = found_in(&[(path, text)], &[], &[("rules", "sync-unverifiable off")]);
        found
            .iter()
            .map(|one| (one.rule.id, one.severity))
            .collect()
    }

    #[test]
    fn an_index_may_serve_hashes_of_some_packages_only() {
        let package = |host: &str, name: &str, hash: &str| {
            format!(
                "[[package]]\nname = \"{name}\"\nversion = \"1.0\"\nsource = {{ registry = \"https://{host}/simple\" }}\nwheels = [\n    {{ url = \"https://{host}/{name}-1.0-py3-none-any.whl\"{hash} }},\n]\n"
            )
        };
        let hash = format!(", hash = \"sha256:{}\"", "0".repeat(64));
        let head = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n";
        let (known, _) = FILE_HOSTS[0];
        for (host, hashed, bare, severity) in [
            ("index.example", 1, 1, Severity::Warning),
            ("index.example", 3, 1, Severity::Warning),
            ("index.example", 4, 1, Severity::Error),
            ("index.example", 7, 2, Severity::Warning),
            (known, 9, 1, Severity::Warning),
        ] {
            let some = (0..hashed).map(|at| package(host, &format!("some{at}"), &hash));
            let none = (0..bare).map(|at| package(host, &format!("none{at}"), ""));
            let lock: String = none.chain(some).collect();
            let expected = vec![("hash-missing", severity); bare];
            assert_eq!(
                found("uv.lock", &format!("{head}{lock}")),
                expected,
                "{host} {hashed}"
            );
        }
    }

    #[test]
    fn what_no_platform_installs_needs_no_file() {
        let lock = |marker: &str| {
            format!(
                "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"app\"\nversion = \"1.0\"\nsource = {{ virtual = \".\" }}\ndependencies = [\n    {{ name = \"torch\"{marker} }},\n]\n\n[[package]]\nname = \"torch\"\nversion = \"2.0\"\nsource = {{ registry = \"https://index.example/simple\" }}\n"
            )
        };
        assert_eq!(
            found("uv.lock", &lock(", marker = \"sys_platform == 'never'\"")),
            []
        );
        assert_eq!(
            found("uv.lock", &lock(", marker = \"sys_platform == 'win32'\"")),
            [("hash-missing", Severity::Warning)]
        );
        assert_eq!(
            found("uv.lock", &lock("")),
            [("hash-missing", Severity::Warning)]
        );
    }

    #[test]
    fn requirements_without_any_hash_are_one_finding() {
        let header = "# This file was autogenerated by uv via the following command:\n#    uv pip compile requirements.in\n";
        let text = format!(
            "{header}six==1.17.0\n    # via -r requirements.in\nidna==3.10\n    # via -r requirements.in\n"
        );
        assert_eq!(
            found("requirements.txt", &text),
            [("hash-missing", Severity::Error)]
        );
    }
}
