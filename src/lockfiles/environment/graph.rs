//! What a lock of uv installs: from the projects of the workspace along the edges, and where each package is needed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::lockfiles::environment::Refusal;
use crate::lockfiles::facts::Index;
use crate::lockfiles::marker::{Asked, Condition};
use crate::lockfiles::normalise_name;
use crate::model::lockfile::{Edge, Lockfile, Package, Requirement, Section};
use crate::model::sources::Location;

/// An entry, by its place, as such or for one of its extras.
type Node<'l> = (Location, Option<&'l str>);

/// The packages that the projects need, or the script, with these groups and extras of theirs.
pub fn needed<'l>(
    lock: &'l Lockfile<'l>,
    asked: &Asked,
) -> Result<Vec<(&'l Package<'l>, Condition)>, Refusal> {
    let roots: Vec<&Package<'_>> = lock.packages.iter().filter(|one| one.is_local()).collect();
    let mut walk = Walk {
        lock,
        index: Index::new(lock),
        asked: with_conflicts(&roots, asked),
        found: BTreeMap::new(),
        open: VecDeque::new(),
    };
    for root in roots {
        for edge in &root.dependencies {
            let is_asked = match &edge.section {
                Section::Dependencies => true,
                Section::Extra(extra) => asked.extras.contains(&normalise_name(extra)),
                Section::Group(group) => asked.groups.contains(&normalise_name(group)),
            };
            if is_asked {
                walk.follow(edge, &Condition::always())?;
            }
        }
    }
    let manifest = lock.uv().and_then(|uv| uv.manifest.as_ref());
    for requirement in manifest
        .iter()
        .flat_map(|manifest| &manifest.value.requirements)
    {
        walk.ask(requirement)?;
    }
    while let Some((place, extra)) = walk.open.pop_front() {
        let Some((package, condition)) = walk.found.get(&(place, extra)).cloned() else {
            continue;
        };
        for edge in &package.dependencies {
            let is_needed = match (&edge.section, extra) {
                (Section::Dependencies, None) => true,
                (Section::Extra(own), Some(extra)) => normalise_name(own) == normalise_name(extra),
                _ => false,
            };
            if is_needed {
                walk.follow(edge, &condition)?;
            }
        }
    }
    let plain = walk
        .found
        .into_iter()
        .filter(|((_, extra), _)| extra.is_none());
    Ok(plain.map(|(_, found)| found).collect())
}

/// What excludes each other is told apart by extras that uv makes up: `extra-3-app-cpu`, `group-3-app-dev`.
fn with_conflicts(roots: &[&Package<'_>], asked: &Asked) -> Asked {
    let mut all = asked.clone();
    let mut more = BTreeSet::new();
    for root in roots {
        let name = &*root.name.normal;
        let of = |kind: &str, own: &String| format!("{kind}-{}-{name}-{own}", name.len());
        more.extend(asked.extras.iter().map(|extra| of("extra", extra)));
        more.extend(asked.groups.iter().map(|group| of("group", group)));
        more.insert(format!("project-{}-{name}", name.len()));
    }
    all.extras.extend(more);
    all
}

struct Walk<'l> {
    lock: &'l Lockfile<'l>,
    index: Index<'l>,
    asked: Asked,
    found: BTreeMap<Node<'l>, (&'l Package<'l>, Condition)>,
    open: VecDeque<Node<'l>>,
}

impl<'l> Walk<'l> {
    fn follow(&mut self, edge: &'l Edge<'l>, parent: &Condition) -> Result<(), Refusal> {
        let too_large =
            || Refusal::new(edge.at, "has a marker that is too large to be put together");
        let own = match &edge.marker {
            Some(marker) => Condition::of(&marker.value, &self.asked).ok_or_else(too_large)?,
            None => Condition::always(),
        };
        let condition = parent.and(&own).ok_or_else(too_large)?;
        let targets: Vec<&'l Package<'l>> = self.index.targets(edge).collect();
        for target in targets {
            let extras = edge.extras.iter().map(|extra| Some(&*extra.value));
            for extra in std::iter::once(None).chain(extras) {
                self.note(target, extra, &condition).ok_or_else(too_large)?;
            }
        }
        Ok(())
    }

    /// A requirement of a script, or of a workspace without a project.
    fn ask(&mut self, requirement: &'l Requirement<'l>) -> Result<(), Refusal> {
        let wrong = || Refusal::new(requirement.at, "has a marker that cannot be read");
        let condition = match &requirement.marker {
            Some(marker) => Condition::of(&marker.value, &self.asked).ok_or_else(wrong)?,
            None => Condition::always(),
        };
        let lock = self.lock;
        for target in lock.named(&requirement.name.normal) {
            let extras = requirement.extras.iter().map(|extra| Some(&*extra.value));
            for extra in std::iter::once(None).chain(extras) {
                self.note(target, extra, &condition).ok_or_else(wrong)?;
            }
        }
        Ok(())
    }

    fn note(
        &mut self,
        target: &'l Package<'l>,
        extra: Option<&'l str>,
        condition: &Condition,
    ) -> Option<()> {
        let node = (target.at, extra);
        let known = self
            .found
            .entry(node)
            .or_insert_with(|| (target, Condition::never()));
        let joined = known.1.or(condition)?;
        if joined != known.1 {
            known.1 = joined;
            self.open.push_back(node);
        }
        Some(())
    }
}
