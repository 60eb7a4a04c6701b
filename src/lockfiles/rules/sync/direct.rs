//! What a project asks for itself, and whether the lock has a pin for it.

use crate::lockfiles::address::conceal;
use crate::lockfiles::document::{Kind, Value};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::requirement::{Constraint, Fit, split};
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::{pdm, poetry};
use crate::model::lockfile::{Name, Package, Source, Specific};
use crate::model::sources::Location;

/// A requirement of the project.
#[derive(Clone, Debug)]
pub struct Direct {
    /// What is asked for.
    pub name: Name<'static>,
    /// With which extras, as they are written.
    pub extras: Vec<String>,
    /// The versions that will do; `None` where the text does not tell, or something else has a say.
    pub constraint: Option<Constraint>,
    /// Where it is asked for; `None` where that cannot be told.
    pub marker: Option<Marker>,
    /// Whether it names a repository, an address or a path.
    pub is_elsewhere: bool,
    /// As it is written, but for secrets.
    pub shown: String,
    /// Where.
    pub at: Location,
}

/// What the lock has for a requirement.
#[derive(Clone, Copy, Debug)]
pub enum Pin<'a> {
    /// A version that satisfies it, or it is asked for nowhere.
    Fits,
    /// Only versions that do not satisfy it; one of them.
    Unfit(&'a Package<'a>),
    /// Nothing.
    Missing,
    /// That cannot be told.
    Unknown,
}

/// What the project beside a lock of Poetry or PDM asks for; `None` for other locks, and where the tool that wrote it
/// reads other tables than the project has.
pub fn declared(project: &Project<'_>, facts: &Facts<'_>) -> Option<Vec<Direct>> {
    let mut found = match facts.lock.specific {
        Specific::Poetry(_) => poetry::requirements::direct(project, facts)?,
        Specific::Pdm(_) => pdm::requirements::direct(project, facts),
        _ => return None,
    };
    // It may ask for itself, with extras.
    let own = own_name(project);
    found.retain(|direct| own.as_deref() != Some(&*direct.name.normal));
    Some(found)
}

/// What the lock has for a requirement, in environments with these Pythons, where they are known.
pub fn pin<'a>(direct: &Direct, facts: &Facts<'a>, pythons: Option<&Pythons>) -> Pin<'a> {
    let locked = facts.index.named(&direct.name.normal);
    let Some(marker) = &direct.marker else {
        return Pin::Unknown;
    };
    let is_asked = match pythons {
        _ if *marker == Marker::TRUE => Agreement::Different,
        Some(pythons) => agree(marker, &Marker::FALSE, pythons),
        None => Agreement::Unknown,
    };
    match (is_asked, &direct.constraint) {
        (Agreement::Same, _) => Pin::Fits,
        (Agreement::Different, _) if locked.is_empty() => Pin::Missing,
        (Agreement::Different, Some(constraint)) => {
            let fit = |package: &Package<'_>| match (&package.source.value, &package.version) {
                (Source::Unstated | Source::Registry(_), Some(version)) => {
                    constraint.fit(&version.value)
                }
                _ => Fit::Unknown,
            };
            // Where markers choose between several, which one is meant is not looked at.
            if locked.iter().any(|package| fit(package) == Fit::Yes) {
                return Pin::Fits;
            }
            let unfit = locked.iter().all(|package| fit(package) == Fit::No);
            match locked.first().filter(|_| unfit) {
                Some(package) => Pin::Unfit(package),
                None => Pin::Unknown,
            }
        }
        _ => Pin::Unknown,
    }
}

/// The Pythons that a lock of Poetry or PDM is for; `None` where that cannot be told.
pub fn pythons(facts: &Facts<'_>) -> Option<Pythons> {
    match &facts.lock.specific {
        Specific::Pdm(pdm) => pdm::requirements::pythons(pdm),
        _ => Constraint::poetry(&facts.lock.requires_python.as_ref()?.value)?.pythons(),
    }
}

/// The command that writes the lock anew without moving a version that still satisfies what is asked for.
pub fn relock(facts: &Facts<'_>) -> &'static str {
    match facts.lock.specific {
        Specific::Poetry(_) => poetry::content_hash::relock(facts.lock),
        _ => facts.lock.format.relock(),
    }
}

/// A list of requirements (PEP 508), or a table of such lists. What is no requirement is left out.
pub fn listed(lists: Option<Value<'_, '_>>, project: &Project<'_>, found: &mut Vec<Direct>) {
    let Some(lists) = lists else {
        return;
    };
    if lists.kind() == Kind::Table {
        for list in lists.entries() {
            listed(
                Some(list).filter(|list| list.kind() == Kind::Array),
                project,
                found,
            );
        }
        return;
    }
    for item in lists.entries() {
        let Some(text) = item.as_str() else {
            continue;
        };
        let at = project.key_at(item);
        let Ok(split) = split(&text) else {
            found.extend(editable(&text, at));
            continue;
        };
        let part = |range| text.get(range).unwrap_or_default();
        let constraint = match (&split.url, split.specifier) {
            (Some(_), _) => None,
            (None, Some(specifier)) => Constraint::standard(part(specifier)),
            (None, None) => Constraint::any(),
        };
        found.push(Direct {
            name: Name::new(part(split.name).to_owned().into(), at),
            extras: split
                .extras
                .into_iter()
                .map(|extra| part(extra).to_owned())
                .collect(),
            constraint,
            marker: match split.marker {
                Some(marker) => Marker::parse(part(marker)),
                None => Some(Marker::TRUE),
            },
            is_elsewhere: split.url.is_some(),
            shown: conceal(&text).into_owned(),
            at,
        });
    }
}

/// `-e file:///${PROJECT_ROOT}/lib#egg=lib`, as PDM has it in groups.
fn editable(text: &str, at: Location) -> Option<Direct> {
    let (_, fragment) = text.strip_prefix("-e ")?.split_once('#')?;
    let mut parts = fragment.split('&');
    let name = parts.find_map(|part| part.strip_prefix("egg="))?;
    let (name, _) = name.split_once('[').unwrap_or((name, ""));
    Some(Direct {
        name: Name::new(name.to_owned().into(), at),
        extras: Vec::new(),
        constraint: None,
        marker: None,
        is_elsewhere: true,
        shown: conceal(text).into_owned(),
        at,
    })
}

/// The project's own name, normalised: it may ask for itself with extras.
fn own_name(project: &Project<'_>) -> Option<String> {
    let root = project.document.root();
    let name = [&["project", "name"][..], &["tool", "poetry", "name"]]
        .into_iter()
        .find_map(|keys| root.path(keys)?.as_str())?;
    Some(crate::lockfiles::normalise_name(&name))
}
