//! Dependency groups with what they include (PEP 735), and the Pythons that `[tool.uv.dependency-groups]` has for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::lockfiles::marker::{Marker, Pythons};
use crate::lockfiles::normalise_name;
use crate::model::declared::{Declarations, Group, GroupItem};
use crate::model::lockfile::{Requirement, Text};
use crate::model::sources::{Located, Location};

/// A group that includes others any deeper is not looked at.
const DEPTH: usize = 100;

/// A group that comes to more requirements is not looked at.
const LIMIT: usize = 10_000;

/// The groups of a project.
#[derive(Debug)]
pub struct Groups<'f> {
    flat: Vec<(&'f Group<'f>, Option<Flat<'f>>)>,
    pythons: BTreeMap<String, &'f Located<Text<'f>>>,
}

/// A group with what it includes.
#[derive(Clone, Debug, Default)]
struct Flat<'f> {
    /// The requirements, by where they stand and by the groups whose Pythons they are limited to.
    requirements: BTreeMap<(u32, BTreeSet<String>), &'f Requirement<'f>>,
    /// The groups whose Pythons it is limited to.
    limits: BTreeSet<String>,
}

/// A group's requirements, each with the marker that its groups add; or why they cannot be known.
pub type Requirements<'f> = Result<Vec<(&'f Requirement<'f>, Marker)>, String>;

impl<'f> Groups<'f> {
    /// Those of a project.
    pub fn new(declared: &'f Declarations<'f>) -> Self {
        let settings = declared.uv.iter().flat_map(|uv| &uv.group_pythons);
        let pythons: BTreeMap<_, _> = settings
            .map(|(name, pythons)| (normalise_name(&name.value), pythons))
            .collect();
        let groups: Vec<_> = declared
            .groups
            .iter()
            .map(|group| (normalise_name(&group.name.value), group))
            .collect();
        let mut reader = Reader {
            by_name: groups.iter().cloned().collect(),
            pythons: &pythons,
            done: BTreeMap::new(),
        };
        let flat = groups
            .iter()
            .map(|(name, group)| (*group, reader.flat(name, 0)))
            .collect();
        Self { flat, pythons }
    }

    /// Each group: its normalised name, where it stands, what it requires.
    pub fn all(&self) -> impl Iterator<Item = (String, Location, Requirements<'f>)> {
        self.flat.iter().map(|(group, flat)| {
            let name = normalise_name(&group.name.value);
            (name, group.name.at, self.requirements(flat.as_ref()))
        })
    }

    /// The Pythons that each group is limited to, by itself and by what it includes: their texts.
    pub fn pythons(&self) -> Vec<(String, Vec<&'f Located<Text<'f>>>)> {
        let limited = self.flat.iter().filter_map(|(group, flat)| {
            let limits = flat.as_ref()?.limits.iter();
            let texts: Vec<_> = limits
                .filter_map(|name| self.pythons.get(name).copied())
                .collect();
            (!texts.is_empty()).then(|| (normalise_name(&group.name.value), texts))
        });
        limited.collect()
    }

    fn requirements(&self, flat: Option<&Flat<'f>>) -> Requirements<'f> {
        let flat = flat.ok_or("it includes too much, or includes itself")?;
        let limited = flat.requirements.iter().map(|((_, limits), requirement)| {
            let markers = limits.iter().map(|name| {
                let text = self.pythons.get(name).map_or("", |pythons| &*pythons.value);
                let pythons = Pythons::parse(text);
                pythons.map_or_else(
                    || Err(format!("`{text}` is no range of Pythons")),
                    |pythons| Ok(pythons.marker()),
                )
            });
            let markers: Vec<Marker> = markers.collect::<Result<_, _>>()?;
            Ok((*requirement, Marker::All(markers)))
        });
        limited.collect()
    }
}

/// Puts groups together.
struct Reader<'r, 'f> {
    by_name: BTreeMap<String, &'f Group<'f>>,
    pythons: &'r BTreeMap<String, &'f Located<Text<'f>>>,
    /// What is known; `None` while a group is being looked at, and of one that cannot be.
    done: BTreeMap<String, Option<Flat<'f>>>,
}

impl<'f> Reader<'_, 'f> {
    fn flat(&mut self, name: &str, depth: usize) -> Option<Flat<'f>> {
        if let Some(known) = self.done.get(name) {
            return known.clone();
        }
        // A group that nobody declares is for uv to refuse.
        let Some(group) = self.by_name.get(name).copied() else {
            return Some(Flat::default());
        };
        if depth > DEPTH {
            return None;
        }
        self.done.insert(name.to_owned(), None);
        let flat = self.read(name, group, depth);
        self.done.insert(name.to_owned(), flat.clone());
        flat
    }

    fn read(&mut self, name: &str, group: &'f Group<'f>, depth: usize) -> Option<Flat<'f>> {
        let mut flat = Flat::default();
        for item in &group.items {
            match item {
                GroupItem::Requirement(requirement) => {
                    let key = (requirement.at.start, BTreeSet::new());
                    flat.requirements.insert(key, requirement);
                }
                GroupItem::Include(included) => {
                    let included = self.flat(&normalise_name(&included.value), depth + 1)?;
                    flat.requirements.extend(included.requirements);
                    flat.limits.extend(included.limits);
                }
            }
            if flat.requirements.len() > LIMIT {
                return None;
            }
        }
        if self.pythons.contains_key(name) {
            flat.limits.insert(name.to_owned());
            let limited = flat
                .requirements
                .into_iter()
                .map(|((at, mut limits), one)| {
                    limits.insert(name.to_owned());
                    ((at, limits), one)
                });
            flat.requirements = limited.collect();
        }
        Some(flat)
    }
}
