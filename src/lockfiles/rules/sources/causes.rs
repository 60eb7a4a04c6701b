//! Places that one cause makes wrong: told as one finding, so that a proxy before an index is not told once a package.

use std::collections::HashMap;
use std::hash::Hash;

use crate::error::{count, list};
use crate::lockfiles::rules::Finding;
use crate::model::lockfile::Package;
use crate::model::sources::Location;

/// So many packages are named, and so few are told one by one: a change of one address is told on its line.
const NAMED: usize = 3;

/// A place that is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The package that it is about; none where it is about the whole lock.
    pub package: Option<&'a Package<'a>>,
    /// What is written there.
    pub text: &'a str,
    /// Where.
    pub at: Location,
}

impl Place<'_> {
    /// Whether both are about the same package. The places of one package stand together.
    fn is_of_same(&self, other: &Self) -> bool {
        self.package.map(|package| package.at) == other.package.map(|package| package.at)
    }
}

/// Places by what makes them wrong, in the order of the file.
#[derive(Debug)]
pub struct Causes<'a, K> {
    places: Vec<(K, Vec<Place<'a>>)>,
    known: HashMap<K, usize>,
}

impl<K> Default for Causes<'_, K> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            known: HashMap::new(),
        }
    }
}

impl<'a, K: Clone + Eq + Hash> Causes<'a, K> {
    /// Adds a place.
    pub fn add(&mut self, cause: K, place: Place<'a>) {
        let next = self.places.len();
        let index = *self.known.entry(cause.clone()).or_insert(next);
        match self.places.get_mut(index) {
            Some((_, places)) => places.push(place),
            None => self.places.push((cause, vec![place])),
        }
    }

    /// Each cause, with its first place and all of them; where few packages are concerned, once for each of these.
    pub fn each(&self) -> impl Iterator<Item = (&K, &Place<'a>, &[Place<'a>])> {
        self.places.iter().flat_map(|(cause, places)| {
            let together = firsts(places).len() > NAMED;
            places
                .chunk_by(move |left, right| together || left.is_of_same(right))
                .filter_map(move |places| Some((cause, places.first()?, places)))
        })
    }
}

/// The first place of each package, in the order of the file.
fn firsts<'p, 'a>(places: &'p [Place<'a>]) -> Vec<(&'a Package<'a>, &'p Place<'a>)> {
    let mut firsts: Vec<(&Package<'_>, &Place<'_>)> = Vec::new();
    // The places of one package stand together.
    for place in places {
        if let Some(package) = place.package
            && firsts.last().is_none_or(|(last, _)| last.at != package.at)
        {
            firsts.push((package, place));
        }
    }
    firsts
}

/// Their packages: `` `a 1.0`, `b 2.0`, `c 3.0` and 233 others``.
pub fn named(places: &[Place<'_>]) -> String {
    let firsts = firsts(places);
    let rest = firsts.len().saturating_sub(NAMED);
    let named = firsts.iter().take(NAMED);
    let mut named: Vec<String> = named
        .map(|(package, _)| format!("`{}`", package.title()))
        .collect();
    if rest > 0 {
        named.push(count(rest as u64, "other package"));
    }
    list(&named, "and")
}

/// Says of a finding at the first of these places which package it is about where that is one, and where the others are
/// that it names.
pub fn complete(finding: &mut Finding, places: &[Place<'_>]) {
    let firsts = firsts(places);
    if let [(package, _)] = &*firsts {
        finding.about(&package.name.normal);
    }
    for (package, place) in firsts.iter().take(NAMED).skip(1) {
        finding.see(place.at, format!("`{}`", package.title()));
    }
}
