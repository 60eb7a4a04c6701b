//! Files on hosts that do not belong to their index.

use std::collections::{HashMap, HashSet};

use crate::lockfiles::address::{Address, conceal};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::public_index::{is_public, is_public_host};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{File, Package, Source};

/// The rule.
pub const RULE: Rule = Rule {
    id: "host-not-allowed",
    summary: "A file is served by a host that does not belong to its index",
    why: "The URL of a file can be swapped for one of a look-alike host, hash and all; the tools download it from there, and \
          reviews do not show it.\n\n\
          The hosts of the public index are known. Another index may keep its files elsewhere: the host of the index, and \
          the hosts that serve most of its packages, belong to it, and those of the same domain that serve whole packages, \
          more than one. If the files of one package lie on several hosts of \
          which only some belong, or the index is the public one, that is an error, otherwise a warning. `allowed-hosts` \
          names further ones.",
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
sdist = { url = "https://lndex.example/six-1.17.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 34031 }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Find out who changed the address, and write the lock anew. A host that belongs to the index is named in \
             `allowed-hosts`.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://index.example/six-1.17.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 34031 }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

/// The host of a file; `None` where it is no URL with a host.
fn host_of(file: &File<'_>) -> Option<String> {
    let url = file.url.as_ref()?;
    Address::parse(&url.value).map(|address| address.host.to_ascii_lowercase())
}

/// Each index that is not the public one.
type Counts<'a> = HashMap<&'a str, Count>;

/// What hosts serve of an index.
#[derive(Debug, Default)]
struct Count {
    /// How many packages each host has files of.
    served: HashMap<String, usize>,
    /// How many packages each host has all files of.
    whole: HashMap<String, usize>,
    /// How many packages there are.
    all: usize,
}

fn counts<'a>(facts: &Facts<'a>) -> Counts<'a> {
    let mut counts = Counts::new();
    for package in &facts.lock.packages {
        let Source::Registry(index) = &package.source.value else {
            continue;
        };
        if is_public(index) {
            continue;
        }
        let hosts: HashSet<String> = package.files.iter().filter_map(host_of).collect();
        if hosts.is_empty() {
            continue;
        }
        let count = counts.entry(index).or_default();
        count.all += 1;
        let is_whole = hosts.len() == 1;
        for host in hosts {
            if is_whole {
                *count.whole.entry(host.clone()).or_default() += 1;
            }
            *count.served.entry(host).or_default() += 1;
        }
    }
    counts
}

/// Whether a host may serve files of an index.
fn belongs(host: &str, index: &str, counts: &Counts<'_>, facts: &Facts<'_>) -> bool {
    let allowed = &facts.policy.hosts;
    if allowed
        .iter()
        .any(|allowed| allowed.eq_ignore_ascii_case(host))
    {
        return true;
    }
    if is_public(index) {
        return is_public_host(host);
    }
    let own = Address::parse(index).map(|address| address.host);
    if own.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
        return true;
    }
    if is_sister(host, index, counts) {
        return true;
    }
    // One package says nothing about where an index keeps its files if another host serves it as well.
    counts.get(index).is_some_and(|count| {
        let served = count.served.get(host).copied().unwrap_or(0);
        served * 2 > count.all && (count.served.len() == 1 || count.all > 2)
    })
}

/// Whether a host stands beside that of the index, `files.example.com` beside `index.example.com`, and more than one
/// package lies there with all of its files: one that was swapped does not.
fn is_sister(host: &str, index: &str, counts: &Counts<'_>) -> bool {
    let parent = |host: &str| {
        let (_, parent) = host.split_once('.')?;
        parent.contains('.').then(|| parent.to_ascii_lowercase())
    };
    let Some(own) = Address::parse(index).map(|address| address.host) else {
        return false;
    };
    let whole = counts
        .iter()
        .filter(|(other, _)| {
            let other = Address::parse(other).map(|address| address.host);
            other.is_some_and(|other| other.eq_ignore_ascii_case(own))
        })
        .filter_map(|(_, count)| count.whole.get(host))
        .sum::<usize>();
    whole > 1 && parent(own).is_some_and(|own| parent(host) == Some(own))
}

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let counts = counts(facts);
    for package in &facts.lock.packages {
        let Source::Registry(index) = &package.source.value else {
            continue;
        };
        // Folders, and indexes that are only named.
        if Address::parse(index).is_none() {
            continue;
        }
        let (fine, foreign): (Vec<&File<'_>>, Vec<&File<'_>>) = package
            .files
            .iter()
            .filter(|file| file.url.is_some() && !file.is_path)
            .partition(|file| {
                host_of(file).is_some_and(|host| belongs(&host, index, &counts, facts))
            });
        let is_certain = is_public(index) || !fine.is_empty();
        report(package, index, &foreign, is_certain, findings);
    }
}

/// One finding for each host.
fn report(
    package: &Package<'_>,
    index: &str,
    foreign: &[&File<'_>],
    is_certain: bool,
    findings: &mut Findings<'_>,
) {
    let mut told = HashSet::new();
    for file in foreign {
        let Some(url) = file.url.as_ref() else {
            continue;
        };
        let host = host_of(file);
        if !told.insert(host.clone()) {
            continue;
        }
        let index = conceal(index);
        let message = match &host {
            Some(host) => format!(
                "a file of `{}` is served by `{host}`, which does not belong to `{index}`",
                package.title()
            ),
            None => format!(
                "the address of a file of `{}` names no host: `{}`",
                package.title(),
                conceal(&url.value)
            ),
        };
        let finding = findings.add(url.at, message);
        finding
            .about(&package.name.normal)
            .help("find out who changed it, and write the lock anew; a host that belongs to the index is named in `allowed-hosts`");
        if !is_certain {
            finding.at_most(Severity::Warning);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::ids;

    /// A lock in which these hosts serve a package each.
    fn lock(hosts: &[&str]) -> String {
        let mut lock = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n".to_owned();
        for (at, host) in hosts.iter().enumerate() {
            let hash = "0".repeat(64);
            let package = format!(
                "[[package]]\nname = \"p{at}\"\nversion = \"1.0\"\nsource = {{ registry = \"https://index.tools.example/simple\" }}\nwheels = [\n    {{ url = \"https://{host}/p{at}-1.0-py3-none-any.whl\", hash = \"sha256:{hash}\" }},\n]\n"
            );
            lock.push_str(&package);
        }
        lock
    }

    fn is_foreign(hosts: &[&str]) -> bool {
        ids(&[("uv.lock", &lock(hosts))]).contains(&"host-not-allowed")
    }

    #[test]
    fn an_index_may_have_a_second_host_of_its_domain() {
        let (own, sister) = ("index.tools.example", "index-2.tools.example");
        assert!(!is_foreign(&[own, own, own, sister, sister]));
        assert!(is_foreign(&[own, own, own, sister]));
        let stranger = "index-2.tool.example";
        assert!(is_foreign(&[own, own, own, stranger, stranger]));
    }
}
