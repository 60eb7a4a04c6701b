//! What of a package manager's cache goes and what stays. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a part of a cache is worth, from what goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// No lock needs it.
    Unused,
    /// Answers of an index: installing from a lock asks for none of them.
    Answer,
    /// What can be downloaded again.
    Download,
    /// What was built here: it costs the most.
    Built,
}

impl Worth {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unused => "in no lock",
            Self::Answer => "answers of indexes",
            Self::Download => "downloads",
            Self::Built => "built here",
        }
    }
}

/// A part of a cache that goes or stays as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is of: `numpy 2.1.0`.
    pub name: String,
    /// What it is worth.
    pub worth: Worth,
    /// Its size.
    pub bytes: u64,
    /// Its files, folders and links, absolute.
    pub paths: Vec<PathBuf>,
}

/// What goes, in this order, and what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What goes.
    pub going: Vec<Part>,
    /// What stays.
    pub staying: Vec<Part>,
}

impl Plan {
    /// How many bytes go and how many stay.
    pub fn bytes(&self) -> (u64, u64) {
        let sum = |parts: &[Part]| parts.iter().map(|part| part.bytes).sum();
        (sum(&self.going), sum(&self.staying))
    }

    /// By worth: how many parts and bytes go.
    pub fn going_by_worth(&self) -> BTreeMap<Worth, (u64, u64)> {
        let mut all = BTreeMap::new();
        for part in &self.going {
            let (parts, bytes): &mut (u64, u64) = all.entry(part.worth).or_default();
            *parts += 1;
            *bytes += part.bytes;
        }
        all
    }
}

/// Takes out what no lock needs, and then, until what stays has at most `budget` bytes, what is worth least. Of the same
/// worth the largest goes first: many small downloads cost more time than one of the same bytes.
pub fn plan(mut parts: Vec<Part>, budget: Option<u64>) -> Plan {
    parts.sort_by(|a, b| {
        let by_size = || b.bytes.cmp(&a.bytes);
        let by_name = || a.name.cmp(&b.name);
        a.worth.cmp(&b.worth).then_with(by_size).then_with(by_name)
    });
    let mut left: u64 = parts.iter().map(|part| part.bytes).sum();
    let mut plan = Plan::default();
    for part in parts {
        let is_over = budget.is_some_and(|budget| left > budget);
        if part.worth == Worth::Unused || (is_over && part.bytes > 0) {
            left -= part.bytes;
            plan.going.push(part);
        } else {
            plan.staying.push(part);
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, worth: Worth, bytes: u64) -> Part {
        Part {
            name: name.into(),
            worth,
            bytes,
            paths: vec![PathBuf::from(name)],
        }
    }

    fn names(parts: &[Part]) -> Vec<&str> {
        parts.iter().map(|part| part.name.as_str()).collect()
    }

    #[test]
    fn what_no_lock_needs_goes_and_nothing_else_without_a_budget() {
        let parts = vec![
            part("old", Worth::Unused, 10),
            part("torch", Worth::Download, 900),
            part("index", Worth::Answer, 5),
        ];
        let plan = plan(parts, None);
        assert_eq!(names(&plan.going), ["old"]);
        assert_eq!(plan.bytes(), (10, 905));
        assert_eq!(plan.going_by_worth()[&Worth::Unused], (1, 10));
    }

    #[test]
    fn a_budget_takes_the_least_worth_first_and_of_that_the_largest() {
        let parts = || {
            vec![
                part("built", Worth::Built, 300),
                part("torch", Worth::Download, 900),
                part("idna", Worth::Download, 1),
                part("index", Worth::Answer, 50),
                part("old", Worth::Unused, 10),
            ]
        };
        for (budget, going) in [
            (2_000, vec!["old"]),
            (1_201, vec!["old", "index"]),
            (400, vec!["old", "index", "torch"]),
            (300, vec!["old", "index", "torch", "idna"]),
            (0, vec!["old", "index", "torch", "idna", "built"]),
        ] {
            let plan = plan(parts(), Some(budget));
            assert_eq!(names(&plan.going), going, "{budget}");
            assert!(plan.bytes().1 <= budget);
        }
    }
}
