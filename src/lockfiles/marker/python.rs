//! Versions of Python as a line that comparisons cut into ranges.

use crate::lockfiles::marker::Marker;
use crate::lockfiles::requirement::Version;

/// A place between versions: just before one, or just behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    version: Version,
    is_behind: bool,
}

/// All Pythons from one cut to another; an end that is missing is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where it begins.
    pub from: Option<Cut>,
    /// Where it ends.
    pub to: Option<Cut>,
}

impl Range {
    /// Whether it has all of another one.
    pub(super) fn has(&self, other: &Self) -> bool {
        let begins = match (&self.from, &other.from) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own <= other,
        };
        let ends = match (&self.to, &other.to) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(other)) => own >= other,
        };
        begins && ends
    }
}

/// A set of Pythons: those that are in one range of each list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pythons {
    pub(super) lists: Vec<Vec<Range>>,
}

impl Pythons {
    /// Reads specifiers: `>=3.11,<4`. `None` where they are none.
    pub fn parse(specifiers: &str) -> Option<Self> {
        let parts = specifiers
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let lists = parts
            .map(|part| {
                let end = part.find(|c: char| !matches!(c, '<' | '>' | '=' | '!' | '~'))?;
                let (operator, version) = part.split_at_checked(end)?;
                full(operator, version.trim())
            })
            .collect::<Option<_>>()?;
        Some(Self { lists })
    }

    /// The marker that holds on these Pythons and nowhere else.
    pub fn marker(&self) -> Marker {
        Marker::All(self.lists.iter().cloned().map(Marker::Python).collect())
    }

    /// Those of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.lists.extend(other.lists);
        self
    }

    /// Those of either; `None` where that would be too many ranges.
    pub fn or(self, other: &Self) -> Option<Self> {
        const LISTS: usize = 64;
        let mut lists = Vec::new();
        for own in &self.lists {
            for other in &other.lists {
                lists.push(own.iter().chain(other).cloned().collect());
            }
        }
        (lists.len() <= LISTS).then_some(Self { lists })
    }

    /// Whether it has all of another set.
    pub fn covers(&self, other: &Self) -> bool {
        let lists = self.lists.iter().chain(&other.lists);
        let cells = cells(lists.flatten());
        cells.iter().all(|cell| self.has(cell) || !other.has(cell))
    }

    /// Whether both are the same set.
    pub fn is_same(&self, other: &Self) -> bool {
        let lists = self.lists.iter().chain(&other.lists);
        let cells = cells(lists.flatten());
        cells.iter().all(|cell| self.has(cell) == other.has(cell))
    }

    pub(super) fn has(&self, cell: &Range) -> bool {
        self.lists
            .iter()
            .all(|list| list.iter().any(|range| range.has(cell)))
    }
}

/// The stretches between all the ends of some ranges.
pub(super) fn cells<'r>(ranges: impl Iterator<Item = &'r Range>) -> Vec<Range> {
    let mut cuts: Vec<&Cut> = ranges
        .flat_map(|range| range.from.iter().chain(&range.to))
        .collect();
    cuts.sort();
    cuts.dedup();
    let mut cells = Vec::with_capacity(cuts.len() + 1);
    let mut from = None;
    for cut in cuts {
        cells.push(Range {
            from,
            to: Some(cut.clone()),
        });
        from = Some(cut.clone());
    }
    cells.push(Range { from, to: None });
    cells
}

fn before(version: Version) -> Cut {
    Cut {
        version,
        is_behind: false,
    }
}

fn behind(version: Version) -> Cut {
    Cut {
        version,
        is_behind: true,
    }
}

fn all_but(range: Range) -> Vec<Range> {
    let (first, last) = (range.from, range.to);
    vec![
        Range {
            from: None,
            to: first,
        },
        Range {
            from: last,
            to: None,
        },
    ]
}

/// The first version behind all those that begin with these numbers.
fn next(release: &[u64]) -> Version {
    let mut next = release.to_vec();
    if let Some(last) = next.last_mut() {
        *last = last.saturating_add(1);
    }
    Version::of_release(&next)
}

/// `python_full_version <operator> <version>`; `None` for what is no comparison.
pub(super) fn full(operator: &str, text: &str) -> Option<Vec<Range>> {
    if let Some(prefix) = text.strip_suffix(".*") {
        let prefix = Version::parse(prefix)?;
        let range = Range {
            to: Some(before(next(prefix.release()))),
            from: Some(before(prefix)),
        };
        return match operator {
            "==" => Some(vec![range]),
            "!=" => Some(all_but(range)),
            _ => None,
        };
    }
    let version = Version::parse(text)?;
    let range = match operator {
        ">=" => Range {
            from: Some(before(version)),
            to: None,
        },
        ">" => Range {
            from: Some(behind(version)),
            to: None,
        },
        "<" => Range {
            from: None,
            to: Some(before(version)),
        },
        "<=" => Range {
            from: None,
            to: Some(behind(version)),
        },
        "==" | "===" | "!=" => Range {
            from: Some(before(version.clone())),
            to: Some(behind(version)),
        },
        "~=" => {
            let (_, prefix) = version.release().split_last()?;
            if prefix.is_empty() {
                return None;
            }
            Range {
                to: Some(before(next(prefix))),
                from: Some(before(version)),
            }
        }
        _ => return None,
    };
    Some(if operator == "!=" {
        all_but(range)
    } else {
        vec![range]
    })
}

/// `python_version <operator> <version>`: only the first two numbers of a Python are compared.
pub(super) fn short(operator: &str, text: &str) -> Option<Vec<Range>> {
    if matches!(operator, "in" | "not in") {
        let parts = text
            .split([' ', ',', '|'])
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let ranges: Vec<Vec<Range>> = parts.map(|part| short("==", part)).collect::<Option<_>>()?;
        return (operator == "in").then(|| ranges.into_iter().flatten().collect());
    }
    if text.ends_with(".*") || operator == "~=" {
        return full(operator, text);
    }
    let version = Version::parse(text)?;
    let release = version.release();
    let major = release.first().copied()?;
    let minor = release.get(1).copied().unwrap_or(0);
    let two = [major, minor];
    let (first, following) = (Version::of_release(&two), next(&two));
    let is_longer = release.iter().skip(2).any(|number| *number > 0);
    let from = |version| {
        vec![Range {
            from: Some(before(version)),
            to: None,
        }]
    };
    let until = |version| {
        vec![Range {
            from: None,
            to: Some(before(version)),
        }]
    };
    let range = Range {
        from: Some(before(first.clone())),
        to: Some(before(following.clone())),
    };
    match (operator, is_longer) {
        (">=", false) => Some(from(first)),
        (">", _) | (">=", true) => Some(from(following)),
        ("<", false) => Some(until(first)),
        ("<=", _) | ("<", true) => Some(until(following)),
        ("==" | "===", false) => Some(vec![range]),
        ("!=", false) => Some(all_but(range)),
        ("==" | "===", true) => Some(Vec::new()),
        ("!=", true) => Some(vec![Range {
            from: None,
            to: None,
        }]),
        _ => None,
    }
}
