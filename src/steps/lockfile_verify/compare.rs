//! What a change does to one lock, for the table and the outputs; and which findings the base has as well.

use std::collections::HashMap;

use crate::lockfiles::difference::{
    Change, Jump, Kind, changes, exchanges, hash_changes, new_origins, source_changes,
};
use crate::lockfiles::rules::Finding;
use crate::model::lockfile::{Lockfile, Package, Source};

/// What a change does to one lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Package, before, now, what happened: the rows of the table.
    pub rows: Vec<Vec<String>>,
    /// The farthest that a package moved.
    pub max_jump: Option<Jump>,
    /// The places that nothing came from before.
    pub new_sources: u64,
    /// Packages of the same version with other bytes, other files, or from elsewhere without a proof.
    pub alarms: u64,
}

impl Compared {
    /// Nothing changed.
    pub fn unchanged() -> Self {
        Self::default()
    }

    /// A lock that is new: everything in it is.
    pub fn of_new(lock: &Lockfile<'_>) -> Self {
        let third_party = lock.third_party();
        Self {
            rows: third_party
                .map(|package| row(&package.name.normal, "", &version(package, false), "added"))
                .collect(),
            // Where everything is new, so is each place; that there is any is what counts.
            new_sources: u64::from(lock.third_party().next().is_some()),
            ..Self::default()
        }
    }

    /// The lock before and now.
    pub fn between<'a>(before: &'a Lockfile<'a>, now: &'a Lockfile<'a>) -> Self {
        let hashes = hash_changes(before, now);
        let exchanges = exchanges(before, now);
        let sources = source_changes(before, now);
        let changes = changes(before, now);
        let alarms = hashes.len() + exchanges.len() + sources.len();
        let mut rows: Vec<Vec<String>> = hashes
            .iter()
            .map(|change| {
                let version = version(change.package, false);
                let name = &change.package.name.normal;
                row(name, &version, &version, "⚠️ same version, other hash")
            })
            .collect();
        rows.extend(exchanges.iter().map(|exchange| {
            let version = version(exchange.package, false);
            let name = &exchange.package.name.normal;
            row(name, &version, &version, "⚠️ same version, other files")
        }));
        let mut rest: Vec<&Change<'_>> = changes.iter().collect();
        rest.sort_by_key(|change| std::cmp::Reverse(rank(change.kind)));
        rows.extend(rest.into_iter().map(|change| {
            let is_moved = matches!(change.kind, Kind::Commit | Kind::Source);
            let text = |package: Option<&Package<'_>>| {
                package.map_or_else(String::new, |package| version(package, is_moved))
            };
            let what = change.kind.describe();
            row(
                change.name(),
                &text(change.before),
                &text(change.after),
                &what,
            )
        }));
        Self {
            rows,
            max_jump: changes.iter().filter_map(|change| change.kind.jump()).max(),
            new_sources: new_origins(before, now).len() as u64,
            alarms: alarms as u64,
        }
    }
}

/// What one wants to see first comes first.
fn rank(kind: Kind) -> (u8, Option<Jump>) {
    let group = match kind {
        Kind::Source => 5,
        Kind::Downgraded(_) => 4,
        Kind::Replaced | Kind::Commit => 3,
        Kind::Upgraded(_) => 2,
        Kind::Added => 1,
        Kind::Removed => 0,
    };
    (group, kind.jump())
}

fn row(name: &str, before: &str, now: &str, what: &str) -> Vec<String> {
    [name, before, now, what].map(str::to_owned).to_vec()
}

/// The version; with its source where that is what changed.
fn version(package: &Package<'_>, with_source: bool) -> String {
    let version = package
        .version
        .as_ref()
        .map_or("", |version| &*version.value);
    if !with_source {
        return version.to_owned();
    }
    let source = match &package.source.value {
        Source::Unstated => "default index".to_owned(),
        Source::Git { url, commit, .. } => {
            let commit = commit.as_deref().unwrap_or_default();
            format!("{url} {}", commit.get(..12).unwrap_or(commit))
        }
        Source::Registry(place)
        | Source::Url { url: place, .. }
        | Source::Path(place)
        | Source::Directory(place)
        | Source::Editable(place)
        | Source::Virtual(place) => place.clone().into_owned(),
    };
    format!("{version} {source}").trim().to_owned()
}

/// Whether each finding is new: what the base's own lock gives, by the same rules, is known. Each of the base's findings
/// stands for one.
pub fn mark(found: Vec<Finding>, of_base: &[Finding]) -> Vec<(Finding, Option<bool>)> {
    let mut known: HashMap<(&str, Option<&str>, &str), usize> = HashMap::new();
    for finding in of_base {
        *known.entry(identity(finding)).or_default() += 1;
    }
    let is_new: Vec<bool> = found
        .iter()
        .map(|finding| match known.get_mut(&identity(finding)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        })
        .collect();
    found
        .into_iter()
        .zip(is_new.into_iter().map(Some))
        .collect()
}

fn identity(finding: &Finding) -> (&str, Option<&str>, &str) {
    (
        finding.rule.id,
        finding.package.as_deref(),
        &finding.message,
    )
}
