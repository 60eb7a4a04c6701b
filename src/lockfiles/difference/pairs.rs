//! Which entry of the lock was which before the change.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::str::FromStr;

use pep440_rs::Version;

use crate::lockfiles::difference::origins::is_same_source;
use crate::lockfiles::difference::version::{Jump, Step, VersionKey, step};
use crate::model::lockfile::{Lockfile, Package, Source};

/// What became of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// A later version.
    Upgraded(Jump),
    /// An earlier version.
    Downgraded(Jump),
    /// Another version, and nothing says which is later.
    Replaced,
    /// The same version, another commit of the same repository.
    Commit,
    /// The same version from elsewhere.
    Source,
}

impl Kind {
    /// How far it moved; none for what came, went, or stayed at its version.
    pub fn jump(self) -> Option<Jump> {
        match self {
            Self::Upgraded(jump) | Self::Downgraded(jump) => Some(jump),
            // Nothing says how far it is, so nobody may take it for a small step.
            Self::Replaced | Self::Commit => Some(Jump::Major),
            Self::Added | Self::Removed | Self::Source => None,
        }
    }

    /// For people: `upgraded, minor`.
    pub fn describe(self) -> String {
        match self {
            Self::Added => "added".to_owned(),
            Self::Removed => "removed".to_owned(),
            Self::Upgraded(jump) => format!("upgraded, {}", jump.name()),
            Self::Downgraded(jump) => format!("downgraded, {}", jump.name()),
            Self::Replaced => "another version".to_owned(),
            Self::Commit => "another commit".to_owned(),
            Self::Source => "from elsewhere".to_owned(),
        }
    }
}

/// One package that is not as it was.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// What became of it.
    pub kind: Kind,
    /// The entry before; none where it is new.
    pub before: Option<&'a Package<'a>>,
    /// The entry now; none where it is gone.
    pub after: Option<&'a Package<'a>>,
}

impl<'a> Change<'a> {
    /// The normalised name.
    pub fn name(&self) -> &'a str {
        self.after
            .or(self.before)
            .map_or("", |package| &package.name.normal)
    }
}

type Entries<'a> = Vec<&'a Package<'a>>;

/// The packages that are not as they were, by name. What the workspace itself holds is left out.
pub fn changes<'a>(before: &'a Lockfile<'a>, after: &'a Lockfile<'a>) -> Vec<Change<'a>> {
    let mut by_name: BTreeMap<&str, (Entries<'a>, Entries<'a>)> = BTreeMap::new();
    for package in &before.packages {
        by_name
            .entry(&package.name.normal)
            .or_default()
            .0
            .push(package);
    }
    for package in &after.packages {
        by_name
            .entry(&package.name.normal)
            .or_default()
            .1
            .push(package);
    }
    let mut changes = Vec::new();
    for (_, (mut before, mut after)) in by_name {
        if before
            .iter()
            .chain(&after)
            .all(|package| package.is_local())
        {
            continue;
        }
        // Entries for extras repeat the version of their package.
        let mut seen = HashSet::new();
        before.retain(|package| seen.insert((VersionKey::of(package), &package.source.value)));
        seen.clear();
        after.retain(|package| seen.insert((VersionKey::of(package), &package.source.value)));

        let whole = |package: &'a Package<'a>| (VersionKey::of(package), &package.source.value);
        pair(&mut before, &mut after, whole, |_, _| {});
        pair(&mut before, &mut after, VersionKey::of, |before, after| {
            changes.extend(moved(before, after));
        });
        let forks = |package: &'a Package<'a>| {
            let markers = package.resolution_markers.iter().chain(&package.marker);
            markers.map(|marker| &*marker.value).collect::<Vec<&str>>()
        };
        pair(&mut before, &mut after, forks, |before, after| {
            changes.push(other_version(before, after));
        });
        // The latest was the latest.
        for side in [&mut before, &mut after] {
            side.sort_by_cached_key(|package| (Version::from_str(text(package)).ok(), package.at));
        }
        let pairs = before.len().min(after.len());
        let (old, new) = (before.split_off(pairs), after.split_off(pairs));
        let paired = before.into_iter().zip(after);
        changes.extend(paired.map(|(before, after)| other_version(before, after)));
        changes.extend(old.into_iter().map(|package| Change {
            kind: Kind::Removed,
            before: Some(package),
            after: None,
        }));
        changes.extend(new.into_iter().map(|package| Change {
            kind: Kind::Added,
            before: None,
            after: Some(package),
        }));
    }
    changes
}

/// Takes the entries that agree in `key` from both sides, each with one of the other.
fn pair<'a, K: Eq + Hash>(
    before: &mut Entries<'a>,
    after: &mut Entries<'a>,
    key: impl Fn(&'a Package<'a>) -> K,
    mut found: impl FnMut(&'a Package<'a>, &'a Package<'a>),
) {
    let mut waiting: HashMap<K, VecDeque<&'a Package<'a>>> = HashMap::new();
    for package in before.drain(..) {
        waiting.entry(key(package)).or_default().push_back(package);
    }
    after.retain(|package| {
        let other = waiting.get_mut(&key(package)).and_then(VecDeque::pop_front);
        if let Some(other) = other {
            found(other, package);
        }
        other.is_none()
    });
    before.extend(waiting.into_values().flatten());
    before.sort_by_key(|package| package.at);
}

/// The same version, not from quite the same source.
fn moved<'a>(before: &'a Package<'a>, after: &'a Package<'a>) -> Option<Change<'a>> {
    let kind = match (&before.source.value, &after.source.value) {
        (old, new) if is_same_source(old, new) => return None,
        (
            Source::Git {
                url: old,
                commit: old_commit,
                ..
            },
            Source::Git {
                url: new,
                commit: new_commit,
                ..
            },
        ) if old == new => {
            if old_commit == new_commit {
                return None;
            }
            Kind::Commit
        }
        _ => Kind::Source,
    };
    Some(Change {
        kind,
        before: Some(before),
        after: Some(after),
    })
}

fn other_version<'a>(before: &'a Package<'a>, after: &'a Package<'a>) -> Change<'a> {
    let kind = match step(text(before), text(after)) {
        Step::Up(jump) => Kind::Upgraded(jump),
        Step::Down(jump) => Kind::Downgraded(jump),
        Step::Same | Step::Unknown => Kind::Replaced,
    };
    Change {
        kind,
        before: Some(before),
        after: Some(after),
    }
}

fn text<'a>(package: &'a Package<'_>) -> &'a str {
    package
        .version
        .as_ref()
        .map_or("", |version| &version.value)
}
