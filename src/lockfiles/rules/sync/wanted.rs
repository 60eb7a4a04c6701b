//! What the inputs of a lock ask for, and whether the packages that are locked satisfy it.

use std::collections::HashSet;

use crate::lockfiles::address::conceal;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::normal::{Origin, of_address, of_source};
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirement::{Specifiers, Version};
use crate::lockfiles::rules::sync::{compiled, pipfile, pylock};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{GitReference, Package, Requirement, Source, Specific};

/// The Pythons that a lock may have been made with, where nobody says.
const OLDEST: &str = ">=3.8";

/// The newest Python that a lock may have been made with.
const NEWEST: &str = ">=3.15";

/// A requirement of an input.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// What is asked for.
    pub requirement: Requirement<'a>,
    /// The category of the lock that must have it; none where there are no categories.
    pub category: Option<String>,
    /// Whether it only constrains what others ask for.
    pub is_constraint: bool,
}

/// The environments that a lock is for.
#[derive(Debug)]
pub struct Scope {
    /// It is for some of these Pythons, and for no other.
    pub pythons: Pythons,
    /// Whether it is for all platforms, and what it does not install somewhere has a marker.
    pub is_universal: bool,
    /// Whether nobody says which of the Pythons is the oldest: what an older one needs may be locked or not.
    pub is_open: bool,
}

impl Scope {
    /// One environment: a Python of these versions, or any where they cannot be read.
    pub fn one(pythons: Option<&str>) -> Self {
        let any = || Pythons::parse(OLDEST).unwrap_or_default();
        Self {
            pythons: pythons.and_then(Pythons::parse).unwrap_or_else(any),
            is_universal: false,
            is_open: pythons.is_none(),
        }
    }

    /// Whether what has this marker must be locked.
    pub fn requires(&self, marker: Option<&Marker>) -> bool {
        marker.is_some_and(|marker| {
            if !self.is_universal {
                return agree(marker, &Marker::TRUE, &self.pythons) == Agreement::Same;
            }
            let newest = Pythons::parse(NEWEST).filter(|_| self.is_open);
            let pythons = newest.as_ref().unwrap_or(&self.pythons);
            agree(marker, &Marker::FALSE, pythons) == Agreement::Different
        })
    }

    /// Whether what has this marker is certainly not locked.
    pub fn excludes(&self, marker: Option<&Marker>) -> bool {
        marker.is_some_and(|marker| agree(marker, &Marker::FALSE, &self.pythons) == Agreement::Same)
    }
}

/// All that the inputs of a lock ask for.
#[derive(Debug)]
pub struct Wants<'a> {
    /// Each requirement.
    pub all: Vec<Wanted<'a>>,
    /// What the lock is for.
    pub scope: Scope,
    /// Whether the lock records with which extras a package is wanted.
    pub keeps_extras: bool,
    /// Normalised names of which nothing can be said: the tool leaves them out, or takes them from elsewhere.
    pub passed_over: HashSet<String>,
    /// How much it counts at most where the lock does not agree.
    pub most: Severity,
    /// Normalised names of which a requirement says from where.
    pub sourced: HashSet<String>,
}

/// How a requirement stands to the lock.
#[derive(Debug)]
pub enum Answer<'a> {
    /// A package satisfies it, or nobody can tell.
    Fine,
    /// There is no such package.
    NotLocked,
    /// This package has another version.
    Version(&'a Package<'a>),
    /// This package comes from elsewhere.
    Source(&'a Package<'a>),
    /// This package is locked without these extras.
    Extras(&'a Package<'a>, Vec<String>),
}

/// What the inputs of a lock ask for; `None` where they are not known, or other rules compare them.
pub fn of<'a>(facts: &Facts<'a>) -> Option<Wants<'a>> {
    match facts.lock.specific {
        Specific::Pipfile(_) => pipfile::wants(facts),
        Specific::Requirements(_) => compiled::wants(facts),
        Specific::Pylock(_) => pylock::wants(facts),
        _ => None,
    }
}

/// Whether an entry has no name but only a place, so that nobody can tell what it installs.
pub fn is_nameless(requirement: &Requirement<'_>) -> bool {
    requirement.source.is_some() && requirement.name.written.contains(['/', ':', '\\', '.'])
}

/// The normalised names of which one of these requirements says from where.
pub fn sourced<'r, 'a: 'r>(
    all: impl Iterator<Item = &'r Requirement<'a>> + Clone,
    locked: &[Package<'_>],
) -> HashSet<String> {
    // What has no name but only a place may be any package from such a place.
    if all.clone().any(is_nameless) {
        let direct = locked.iter();
        let direct = direct.filter(|package| is_elsewhere(None, &package.source.value));
        return direct
            .map(|package| package.name.normal.to_string())
            .collect();
    }
    all.filter(|requirement| requirement.source.is_some())
        .map(|requirement| requirement.name.normal.to_string())
        .collect()
}

/// The command that writes a lock anew: for requirements, the one in their header.
pub fn relock(facts: &Facts<'_>) -> String {
    let requirements = facts.lock.requirements();
    let command = requirements.and_then(|requirements| requirements.command.as_ref());
    match command {
        Some(command) => conceal(&command.value).into_owned(),
        None => facts.lock.format.relock().to_owned(),
    }
}

/// The marker of a requirement; `None` where it cannot be read.
pub fn marker(requirement: &Requirement<'_>) -> Option<Marker> {
    match &requirement.marker {
        Some(marker) => Marker::parse(&marker.value),
        None => Some(Marker::TRUE),
    }
}

impl<'a> Wants<'a> {
    /// How one of the requirements stands to the lock.
    pub fn answer(&self, wanted: &Wanted<'_>, facts: &Facts<'a>) -> Answer<'a> {
        let requirement = &wanted.requirement;
        let name = &*requirement.name.normal;
        let marker = marker(requirement);
        let is_required = self.scope.requires(marker.as_ref());
        if !is_required || is_nameless(requirement) || self.passed_over.contains(name) {
            return Answer::Fine;
        }
        let is_in = |package: &Package<'_>| match &wanted.category {
            Some(category) => package.groups.iter().any(|group| group.value == *category),
            None => true,
        };
        let locked: Vec<&'a Package<'a>> = facts
            .index
            .named(name)
            .iter()
            .copied()
            .filter(|package| is_in(package))
            .collect();
        if locked.is_empty() {
            return if wanted.is_constraint {
                Answer::Fine
            } else {
                Answer::NotLocked
            };
        }
        let beside = |package: &&Package<'_>| self.is_for(package, marker.as_ref());
        let mut answer = Answer::Fine;
        for package in locked.into_iter().filter(beside) {
            match self.compare(wanted, package) {
                Answer::Fine => {}
                other => answer = other,
            }
        }
        answer
    }

    /// Whether a package is for environments in which a requirement counts; true only where that is certain.
    fn is_for(&self, package: &Package<'_>, wanted: Option<&Marker>) -> bool {
        let Some(own) = &package.marker else {
            return true;
        };
        let Some(both) = Marker::parse(&own.value).zip(wanted.cloned()) else {
            return false;
        };
        let both = both.0.and(both.1);
        agree(&both, &Marker::FALSE, &self.scope.pythons) == Agreement::Different
    }

    fn compare(&self, wanted: &Wanted<'_>, package: &'a Package<'a>) -> Answer<'a> {
        let requirement = &wanted.requirement;
        let source = requirement.source.as_ref().map(|source| &source.value);
        // Another requirement, or a constraint, may say from where.
        let is_said = source.is_some() || !self.sourced.contains(&*requirement.name.normal);
        let may_say = is_said && !wanted.is_constraint;
        if may_say && is_elsewhere(source, &package.source.value) {
            return Answer::Source(package);
        }
        let specifier = requirement.specifier.as_ref();
        let specifiers = specifier.and_then(|text| Specifiers::parse(&text.value));
        let version = package.version.as_ref();
        let version = version.and_then(|version| Version::parse(&version.value));
        if let (Some(specifiers), Some(version), None) = (specifiers, version, source)
            && !specifiers.contain(&version)
        {
            return Answer::Version(package);
        }
        if !self.keeps_extras || wanted.is_constraint {
            return Answer::Fine;
        }
        let own: Vec<String> = package
            .extras
            .iter()
            .map(|extra| normalise_name(&extra.value))
            .collect();
        let missing: Vec<String> = requirement
            .extras
            .iter()
            .map(|extra| normalise_name(&extra.value))
            .filter(|extra| !own.contains(extra))
            .collect();
        if missing.is_empty() {
            Answer::Fine
        } else {
            Answer::Extras(package, missing)
        }
    }
}

/// Whether a package certainly comes from elsewhere than a requirement says.
fn is_elsewhere(wanted: Option<&Source<'_>>, locked: &Source<'_>) -> bool {
    let is_index = matches!(locked, Source::Unstated | Source::Registry(_));
    let Some(wanted) = wanted else {
        return matches!(locked, Source::Url { .. } | Source::Git { .. });
    };
    if is_index {
        return true;
    }
    match (origin(wanted), origin(locked)) {
        (Some(Origin::Git(own, asked, _)), Some(Origin::Git(other, got, _))) => {
            let place = |url: &str| {
                let url = url.trim_end_matches('/').to_ascii_lowercase();
                url.strip_suffix(".git").unwrap_or(&url).to_owned()
            };
            let is_commit = |text: &str| text.len() == 40 && is_hex(text);
            // A branch or a tag may have become its commit.
            let differs = match (asked, got) {
                (Some((_, asked)), Some((_, got))) => is_commit(&asked) && asked != got,
                _ => false,
            };
            place(&own) != place(&other) || differs
        }
        (Some(Origin::Url(own, _)), Some(Origin::Url(other, _))) => own != other,
        (Some(Origin::Git(..)), Some(Origin::Url(..)))
        | (Some(Origin::Url(..)), Some(Origin::Git(..))) => true,
        _ => false,
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The origin of a repository or an archive on another machine; `None` for what cannot be compared.
fn origin(source: &Source<'_>) -> Option<Origin> {
    match source {
        Source::Url { url, .. } => of_address(url),
        Source::Git { url, reference, .. } if url.contains("://") => {
            // As a requirement writes it, so that both are read in the same way.
            let asked = match reference {
                Some(GitReference::Revision(asked)) => format!("@{asked}"),
                _ => String::new(),
            };
            let url = url.strip_prefix("git+").unwrap_or(url);
            of_address(&format!("git+{url}{asked}"))
        }
        Source::Git { .. } => Some(of_source(source)),
        _ => None,
    }
}
