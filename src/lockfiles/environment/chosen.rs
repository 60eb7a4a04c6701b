//! Which packages of a lock are installed for some groups and extras, and where.

use std::collections::BTreeSet;

use crate::lockfiles::environment::{Refusal, graph};
use crate::lockfiles::marker::{Asked, Condition};
use crate::lockfiles::normalise_name;
use crate::lockfiles::requirement::Version;
use crate::model::lockfile::{Format, Lockfile, Package, Section, Text};
use crate::model::sources::Located;

/// Whether the lock itself says what is installed where. Locks of Poetry 1.x, and those of PDM without
/// `inherit_metadata`, leave that to a new resolution.
pub fn is_complete(lock: &Lockfile<'_>) -> bool {
    match lock.format {
        Format::Poetry => lock
            .version
            .as_ref()
            .and_then(|version| Version::parse(&version.value))
            .is_some_and(|version| version >= Version::of_release(&[2, 1])),
        Format::Pdm => lock.pdm().is_some_and(|pdm| {
            let strategy = &pdm.strategy;
            strategy.iter().any(|one| one.value == "inherit_metadata")
        }),
        _ => true,
    }
}

/// The group that is always installed, as each tool calls it.
fn own_group(format: Format) -> &'static str {
    match format {
        Format::Poetry => "main",
        _ => "default",
    }
}

/// The packages with the place of each: one that appears several times has its places apart.
pub fn chosen<'l>(
    lock: &'l Lockfile<'l>,
    asked: &Asked,
) -> Result<Vec<(&'l Package<'l>, Condition)>, Refusal> {
    match lock.format {
        Format::Uv | Format::UvScript => graph::needed(lock, asked),
        Format::Poetry | Format::Pdm | Format::Pipfile => by_group(lock, asked),
        Format::Pylock => {
            let mut asked = asked.clone();
            let defaults = lock.pylock().map(|pylock| &pylock.default_groups);
            let defaults = defaults.into_iter().flatten();
            asked
                .groups
                .extend(defaults.map(|group| normalise_name(&group.value)));
            everything(lock, &asked)
        }
        Format::Requirements => everything(lock, asked),
    }
}

/// Each entry, where its marker says.
fn everything<'l>(
    lock: &'l Lockfile<'l>,
    asked: &Asked,
) -> Result<Vec<(&'l Package<'l>, Condition)>, Refusal> {
    lock.packages
        .iter()
        .map(|package| Ok((package, condition(package.marker.as_ref(), asked)?)))
        .collect()
}

/// The entries of the groups that are asked for, each of which says where it is installed.
fn by_group<'l>(
    lock: &'l Lockfile<'l>,
    asked: &Asked,
) -> Result<Vec<(&'l Package<'l>, Condition)>, Refusal> {
    let mut groups: BTreeSet<String> = asked.groups.clone();
    groups.insert(own_group(lock.format).to_owned());
    if lock.format == Format::Pdm {
        // An extra is a group like any other there.
        groups.extend(asked.extras.iter().cloned());
    }
    let mut found = Vec::new();
    for package in &lock.packages {
        let mut place = Condition::never();
        for group in &package.groups {
            let name = normalise_name(&group.value);
            if !groups.contains(&name) {
                continue;
            }
            let of_group = package
                .group_markers
                .iter()
                .find(|(own, _)| normalise_name(own) == name)
                .map(|(_, marker)| marker);
            let marker = of_group.or(package.marker.as_ref());
            let here = condition(marker, asked)?;
            let joined = place.or(&here);
            place = joined.ok_or_else(|| too_large(package))?;
        }
        if !place.is_never() {
            found.push((package, place));
        }
    }
    Ok(found)
}

/// Two conditions of a package cannot be put together.
pub fn too_large(package: &Package<'_>) -> Refusal {
    Refusal::new(
        package.at,
        "has markers that are too large to be put together",
    )
}

fn condition(marker: Option<&Located<Text<'_>>>, asked: &Asked) -> Result<Condition, Refusal> {
    let Some(marker) = marker else {
        return Ok(Condition::always());
    };
    Condition::of(&marker.value, asked)
        .ok_or_else(|| Refusal::new(marker.at, "has a marker that cannot be written for pip"))
}

/// The groups, or else the extras, that bring these packages in; none where the project always has them.
pub fn asked_for(lock: &Lockfile<'_>, packages: &[&str]) -> Asked {
    let mut asked = Asked::default();
    for package in packages {
        let one = asked_for_one(lock, &normalise_name(package));
        asked.groups.extend(one.groups);
        asked.extras.extend(one.extras);
    }
    asked
}

fn asked_for_one(lock: &Lockfile<'_>, wanted: &str) -> Asked {
    let mut asked = Asked::default();
    match lock.format {
        Format::Uv | Format::UvScript => {
            let projects = lock.packages.iter().filter(|package| package.is_local());
            for edge in projects.flat_map(|project| &project.dependencies) {
                match &edge.section {
                    _ if edge.name.normal != wanted => {}
                    Section::Dependencies => {}
                    Section::Extra(extra) => drop(asked.extras.insert(extra.to_string())),
                    Section::Group(group) => drop(asked.groups.insert(group.to_string())),
                }
            }
            if !asked.groups.is_empty() {
                asked.extras.clear();
            }
        }
        Format::Poetry | Format::Pdm | Format::Pipfile => {
            let own = own_group(lock.format);
            for package in lock.named(wanted) {
                let names = package
                    .groups
                    .iter()
                    .map(|group| normalise_name(&group.value));
                asked.groups.extend(names);
            }
            if asked.groups.contains(own) {
                asked.groups.clear();
            }
            let extras = lock.poetry().map(|poetry| &poetry.extras);
            for (extra, names) in extras.into_iter().flatten() {
                let is_named = |text: &Located<Text<'_>>| {
                    let end = text.value.find([' ', '(', '[']).unwrap_or(text.value.len());
                    text.value
                        .get(..end)
                        .is_some_and(|name| normalise_name(name) == wanted)
                };
                let is_optional = lock.named(wanted).all(|package| package.is_optional);
                if is_optional && names.iter().any(is_named) {
                    asked.extras.insert(normalise_name(&extra.value));
                }
            }
        }
        Format::Pylock => {
            let Some(pylock) = lock.pylock() else {
                return asked;
            };
            let has = |asked: &Asked| {
                chosen(lock, asked).is_ok_and(|found| {
                    let mut named = found.iter().filter(|(one, _)| one.name.normal == wanted);
                    named.any(|(_, condition)| !condition.is_never())
                })
            };
            if has(&asked) {
                return asked;
            }
            for group in &pylock.dependency_groups {
                let one = Asked {
                    groups: BTreeSet::from([normalise_name(&group.value)]),
                    ..Asked::default()
                };
                if has(&one) {
                    return one;
                }
            }
            for extra in &pylock.extras {
                let one = Asked {
                    extras: BTreeSet::from([normalise_name(&extra.value)]),
                    ..Asked::default()
                };
                if has(&one) {
                    return one;
                }
            }
        }
        Format::Requirements => {}
    }
    asked
}
