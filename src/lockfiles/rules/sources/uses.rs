//! Every address in a lock, with what it is for.

use std::collections::HashSet;

use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::sources::causes::{Causes, Place};
use crate::model::lockfile::{Package, Source};
use crate::model::sources::Location;

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An index; told once for each.
    Index,
    /// The place of a package that comes from no index.
    Source,
    /// A file of a package.
    File,
}

/// An address and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The package that needs it; for an index the first one, none where an option names it.
    pub package: Option<&'a Package<'a>>,
    /// As it is written.
    pub text: &'a str,
    /// What it is for.
    pub purpose: Purpose,
    /// Where it stands.
    pub at: Location,
}

/// The addresses that are wrong: those of files by what `wrong` says makes them so, each other one for itself. It says
/// nothing of those that are right.
pub fn causes<'a, K: Clone + Eq + std::hash::Hash>(
    facts: &Facts<'a>,
    wrong: impl Fn(&Use<'a>) -> Option<K>,
) -> Causes<'a, (Option<&'a str>, K)> {
    let mut causes = Causes::default();
    each(facts, |used| {
        if let Some(cause) = wrong(&used) {
            let place = Place {
                package: used.package,
                text: used.text,
                at: used.at,
            };
            let own = (used.purpose != Purpose::File).then_some(used.text);
            causes.add((own, cause), place);
        }
    });
    causes
}

/// Tells all addresses and paths of a lock, in the order of the file, each index once.
pub fn each<'a>(facts: &Facts<'a>, mut tell: impl FnMut(Use<'a>)) {
    let lock = facts.lock;
    let mut indexes: HashSet<&str> = HashSet::new();
    let mut index = |package: Option<&'a Package<'a>>, text: &'a str, at| {
        indexes.insert(text).then_some(Use {
            package,
            text,
            purpose: Purpose::Index,
            at,
        })
    };
    if let Some(pipfile) = lock.pipfile() {
        for source in &pipfile.sources {
            index(None, &source.url.value, source.url.at).map(&mut tell);
        }
    }
    for option in lock.requirements().map_or(&[][..], |file| &file.options) {
        if matches!(
            option.name,
            "--index-url" | "--extra-index-url" | "--find-links"
        ) {
            index(None, &option.value, option.at).map(&mut tell);
        }
    }
    for package in &lock.packages {
        let at = package.source.at;
        match &package.source.value {
            Source::Unstated | Source::Virtual(_) => {}
            Source::Registry(text) => {
                index(Some(package), text, at).map(&mut tell);
            }
            Source::Url { url: text, .. }
            | Source::Git { url: text, .. }
            | Source::Path(text)
            | Source::Directory(text)
            | Source::Editable(text) => tell(Use {
                package: Some(package),
                text,
                purpose: Purpose::Source,
                at,
            }),
        }
        for url in package.files.iter().filter_map(|file| file.url.as_ref()) {
            tell(Use {
                package: Some(package),
                text: &url.value,
                purpose: Purpose::File,
                at: url.at,
            });
        }
    }
}
