//! Files on hosts that do not belong to their index.

use std::collections::{HashMap, HashSet};

use crate::lockfiles::address::{Address, conceal};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::public_index::{is_file_host, is_known_host, is_public, is_public_host};
use crate::lockfiles::rules::sources::causes::{Causes, Place, complete, named};
use crate::lockfiles::rules::sources::project_indexes;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{File, Format, Package, Source};

/// The rule.
pub const RULE: Rule = Rule {
    id: "host-not-allowed",
    summary: "A file is served by a host that does not belong to its index",
    why: "The URL of a file can be swapped for one of a look-alike host, hash and all; the tools download it from there, and \
          reviews do not show it.\n\n\
          The hosts of the public index are known. Another index may keep its files elsewhere: the host of the index, and \
          the hosts that serve most of its packages, belong to it; of PyTorch's a second host is known. If the files of one \
          package lie on several hosts of which only some belong, or the index is the public one, that is an error, otherwise \
          a warning. In a `pylock.toml` that does not name the index of a package, \
          the hosts of the public index, of those that the project beside it names, and the one that serves most of the other \
          packages belong. What one host serves of more than three packages of one index is one finding. `allowed-hosts` names further ones.",
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

/// The host of a file as it is written; `None` where it is no URL with a host.
fn host_of<'f>(file: &'f File<'_>) -> Option<&'f str> {
    let url = file.url.as_ref()?;
    Address::parse(&url.value).map(|address| address.host)
}

/// Each index that is not the public one. Under an empty name, what comes from indexes that the lock does not name.
#[derive(Debug, Default)]
struct Counts<'a> {
    by_index: HashMap<&'a str, Count>,
    /// The hosts of the indexes that the project names, where the lock names none.
    declared: Vec<String>,
}

/// What hosts serve of an index.
#[derive(Debug, Default)]
struct Count {
    /// How many packages each host has files of.
    served: HashMap<String, usize>,
    /// How many packages there are.
    all: usize,
}

/// The index of a package; empty where the lock does not name it, though its files have addresses.
fn index_of<'a>(package: &'a Package<'a>, facts: &Facts<'_>) -> Option<&'a str> {
    match &package.source.value {
        Source::Registry(index) => Some(index),
        Source::Unstated if facts.lock.format == Format::Pylock => Some(""),
        _ => None,
    }
}

fn counts<'a>(facts: &Facts<'a>) -> Counts<'a> {
    let mut counts = Counts::default();
    if facts.lock.format == Format::Pylock {
        let declared = project_indexes::indexes(facts).unwrap_or_default();
        let hosts = declared
            .iter()
            .filter_map(|index| Address::parse(index))
            .map(|address| address.host.to_owned());
        counts.declared = hosts.collect();
    }
    for package in &facts.lock.packages {
        let Some(index) = index_of(package, facts) else {
            continue;
        };
        if is_public(index) {
            continue;
        }
        let hosts: HashSet<String> = package
            .files
            .iter()
            .filter_map(|file| host_of(file).map(str::to_ascii_lowercase))
            .collect();
        if hosts.is_empty() {
            continue;
        }
        let count = counts.by_index.entry(index).or_default();
        count.all += 1;
        for host in hosts {
            *count.served.entry(host).or_default() += 1;
        }
    }
    counts
}

/// The index of a package, and what all its files are measured by.
struct Index<'i> {
    /// Its address; empty where the lock does not name it.
    text: &'i str,
    host: Option<&'i str>,
    is_public: bool,
    counts: &'i Counts<'i>,
}

impl<'i> Index<'i> {
    /// `None` for folders, and for indexes that are only named.
    fn new(text: &'i str, counts: &'i Counts<'i>) -> Option<Self> {
        let host = Address::parse(text).map(|address| address.host);
        (text.is_empty() || host.is_some()).then(|| Self {
            text,
            host,
            is_public: is_public(text),
            counts,
        })
    }

    /// Whether a host may serve files of it.
    fn has(&self, host: &str, facts: &Facts<'_>) -> bool {
        let mut allowed = facts.policy.hosts.iter();
        if allowed.any(|allowed| allowed.eq_ignore_ascii_case(host)) {
            return true;
        }
        if self.is_public {
            return is_public_host(host);
        }
        let is_own = |own: &str| own.eq_ignore_ascii_case(host) || is_file_host(own, host);
        let mut declared = self.counts.declared.iter();
        if self.text.is_empty() && (is_known_host(host) || declared.any(|own| is_own(own))) {
            return true;
        }
        if self.host.is_some_and(is_own) {
            return true;
        }
        // One package says nothing about where an index keeps its files if another host serves it as well.
        self.counts.by_index.get(self.text).is_some_and(|count| {
            let served = count.served.get(&host.to_ascii_lowercase());
            let served = served.copied().unwrap_or(0);
            served * 2 > count.all && (count.served.len() == 1 || count.all > 2)
        })
    }
}

/// What makes a file wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cause<'a> {
    index: &'a str,
    /// None where the address names no host.
    host: Option<String>,
    /// Whether the index is known to have its files elsewhere.
    is_certain: bool,
}

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let counts = counts(facts);
    let mut causes: Causes<'_, Cause<'_>> = Causes::default();
    for package in &facts.lock.packages {
        let Some(index) = index_of(package, facts).and_then(|index| Index::new(index, &counts))
        else {
            continue;
        };
        let (fine, foreign): (Vec<&File<'_>>, Vec<&File<'_>>) = package
            .files
            .iter()
            .filter(|file| file.url.is_some() && !file.is_path)
            .partition(|file| host_of(file).is_some_and(|host| index.has(host, facts)));
        let is_certain = index.is_public || !fine.is_empty();
        for file in foreign {
            let Some(url) = file.url.as_ref() else {
                continue;
            };
            let cause = Cause {
                index: index.text,
                host: host_of(file).map(str::to_ascii_lowercase),
                is_certain,
            };
            let place = Place {
                package: Some(package),
                text: &url.value,
                at: url.at,
            };
            causes.add(cause, place);
        }
    }
    for (cause, first, places) in causes.each() {
        report(cause, first, places, findings);
    }
}

fn report(cause: &Cause<'_>, first: &Place<'_>, places: &[Place<'_>], findings: &mut Findings<'_>) {
    let packages = named(places);
    let which = match cause.index {
        "" => "no index that the project names".to_owned(),
        index => format!("`{}`", conceal(index)),
    };
    let verb = if cause.index.is_empty() {
        "belongs"
    } else {
        "does not belong"
    };
    let is_one = places.len() == 1;
    let message = match &cause.host {
        Some(host) if is_one => {
            format!("a file of {packages} is served by `{host}`, which {verb} to {which}")
        }
        Some(host) => {
            format!("files of {packages} are served by `{host}`, which {verb} to {which}")
        }
        None if is_one => format!(
            "the address of a file of {packages} names no host: `{}`",
            conceal(first.text)
        ),
        None => format!(
            "the addresses of files of {packages} name no host: `{}`",
            conceal(first.text)
        ),
    };
    let finding = findings.add(first.at, message);
    finding.help("find out who changed it, and write the lock anew; a host that belongs to the index is named in `allowed-hosts`");
    complete(finding, places);
    if !cause.is_certain {
        finding.at_most(Severity::Warning);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::lockfiles::public_index::{FILE_HOST, FILE_HOSTS};
    use crate::lockfiles::rules::tests::{found_in, ids};
    use crate::model::diagnostic::Severity;

    /// A lock of an index in which these hosts serve a package each.
    fn lock(index: &str, hosts: &[&str]) -> String {
        let mut lock = "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n".to_owned();
        for (at, host) in hosts.iter().enumerate() {
            let hash = "0".repeat(64);
            let package = format!(
                "[[package]]\nname = \"p{at}\"\nversion = \"1.0\"\nsource = {{ registry = \"https://{index}/simple\" }}\nwheels = [\n    {{ url = \"https://{host}/p{at}-1.0-py3-none-any.whl\", hash = \"sha256:{hash}\" }},\n]\n"
            );
            lock.push_str(&package);
        }
        lock
    }

    fn is_foreign(index: &str, hosts: &[&str]) -> bool {
        ids(&[("uv.lock", &lock(index, hosts))]).contains(&"host-not-allowed")
    }

    #[test]
    fn a_second_host_belongs_to_an_index_only_where_that_is_known() {
        // That names are alike says nothing: whose domain that is above both nobody knows.
        let (own, sister) = ("index.tools.example", "index-2.tools.example");
        assert!(is_foreign(own, &[own, own, own, sister, sister]));
        assert!(!is_foreign(own, &[own, own, sister, sister, sister]));
        let (index, files) = crate::lockfiles::public_index::FILE_HOSTS[0];
        assert!(!is_foreign(index, &[index, index, index, files]));
        assert!(is_foreign(own, &[own, own, own, files]));
    }

    #[test]
    fn files_of_a_pylock_without_indexes_come_from_hosts_that_are_known_or_serve_most() {
        let lock = |hosts: &[&str]| {
            let mut lock = "lock-version = \"1.0\"\ncreated-by = \"x\"\n".to_owned();
            for (at, host) in hosts.iter().enumerate() {
                let hash = "0".repeat(64);
                let _ = write!(
                    lock,
                    "[[packages]]\nname = \"p{at}\"\nversion = \"1.0\"\nwheels = [{{ url = \"https://{host}/p{at}-1.0-py3-none-any.whl\", hashes = {{ sha256 = \"{hash}\" }} }}]\n"
                );
            }
            lock
        };
        let project = "[project]\nname = \"app\"\ndependencies = [\"p0\"]\n";
        let declared = format!(
            "{project}[[tool.pdm.source]]\nname = \"x\"\nurl = \"https://evil.example/simple\"\n"
        );
        let (public, own, evil) = (FILE_HOST, "files.example", "evil.example");
        for (hosts, project, expected) in [
            (vec![public, public, evil], project, 1),
            (vec![own, own, own, evil], project, 1),
            (vec![public, public, evil], &declared, 0),
            (vec![own, own, own, public], project, 0),
            (vec![own], project, 0),
            (vec![public, FILE_HOSTS[0].0], project, 0),
        ] {
            let lock = lock(&hosts);
            let found = found_in(
                &[("pylock.toml", &lock), ("pyproject.toml", project)],
                &[],
                &[],
            );
            let own = found.iter().filter(|one| one.rule.id == "host-not-allowed");
            let own: Vec<_> = own
                .map(|one| (one.severity, one.package.as_deref()))
                .collect();
            assert_eq!(own.len(), expected, "{hosts:?}: {own:?}");
            assert!(own.iter().all(|one| one.0 == Severity::Warning), "{own:?}");
        }
        // Another wheel of the same package on another host.
        let split = lock(&[public, public]).replacen(
            "wheels = [",
            "wheels = [{ url = \"https://evil.example/p0-1.0-cp39-none-any.whl\", hashes = { sha256 = \"00\" } }, ",
            1,
        );
        let found = found_in(&[("pylock.toml", &split)], &[], &[]);
        let own = found
            .iter()
            .find(|one| one.rule.id == "host-not-allowed")
            .unwrap();
        assert_eq!(own.severity, Severity::Error);
        assert_eq!(
            own.message,
            "a file of `p0 1.0` is served by `evil.example`, which belongs to no index that the project names"
        );
    }

    #[test]
    fn what_one_host_serves_is_one_finding() {
        let index = crate::lockfiles::public_index::SIMPLE_API;
        let index = index
            .trim_end_matches("/simple/")
            .trim_start_matches("https://");
        let hosts = ["proxy.example"; 5];
        let mut hosts = hosts.to_vec();
        hosts.push("evil.example");
        let found = found_in(&[("uv.lock", &lock(index, &hosts))], &[], &[]);
        let own = found
            .iter()
            .filter(|finding| finding.rule.id == "host-not-allowed");
        let told: Vec<_> = own
            .map(|one| (&*one.message, one.package.as_deref(), one.related.len()))
            .collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].0.starts_with("files of `p0 1.0`, `p1 1.0`, `p2 1.0` and 2 other packages are served by `proxy.example`"), "{told:?}");
        assert_eq!((told[0].1, told[0].2), (None, 2));
        assert!(
            told[1]
                .0
                .starts_with("a file of `p5 1.0` is served by `evil.example`"),
            "{told:?}"
        );
        assert_eq!(told[1].1, Some("p5"));
    }
}
