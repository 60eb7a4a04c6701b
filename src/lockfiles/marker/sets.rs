//! Markers as sets of comparisons, so that several can be put together and be written again.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::lockfiles::marker::parse::{DEPTH, LENGTH, Token, take, tokens, variable};
use crate::lockfiles::normalise_name;

/// More sets than these are not put together.
const SETS: usize = 256;

/// The extras and dependency groups that are asked for, by their normalised names: what a marker says of them is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Extras.
    pub extras: BTreeSet<String>,
    /// Dependency groups (PEP 735), or what the tool calls its groups and categories.
    pub groups: BTreeSet<String>,
}

/// A comparison that only an environment can decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Comparison {
    variable: &'static str,
    operator: String,
    text: String,
    /// `'text' in variable`.
    is_turned: bool,
}

impl Comparison {
    /// The comparison that holds where this one does not.
    fn opposite(&self) -> Option<Self> {
        let operator = match self.operator.as_str() {
            "<" => ">=",
            ">=" => "<",
            ">" => "<=",
            "<=" => ">",
            "==" => "!=",
            "!=" => "==",
            "in" => "not in",
            "not in" => "in",
            _ => return None,
        };
        Some(Self {
            operator: operator.to_owned(),
            ..self.clone()
        })
    }

    fn write(&self, marker: &mut String) {
        let Self {
            variable,
            operator,
            text,
            ..
        } = self;
        let quote = if text.contains('\'') { '"' } else { '\'' };
        let _ = if self.is_turned {
            write!(marker, "{quote}{text}{quote} {operator} {variable}")
        } else {
            write!(marker, "{variable} {operator} {quote}{text}{quote}")
        };
    }
}

/// Where something is needed: where one of these sets holds, each with all of its comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    sets: BTreeSet<BTreeSet<Comparison>>,
}

impl Condition {
    /// Nowhere.
    pub fn never() -> Self {
        Self::default()
    }

    /// Everywhere.
    pub fn always() -> Self {
        Self {
            sets: BTreeSet::from([BTreeSet::new()]),
        }
    }

    fn when(holds: bool) -> Self {
        if holds { Self::always() } else { Self::never() }
    }

    /// Where a marker holds for those who ask for these extras and groups; `None` for what is no marker, and for one
    /// that is too large to be put together with others.
    pub fn of(marker: &str, asked: &Asked) -> Option<Self> {
        if marker.len() > LENGTH {
            return None;
        }
        let tokens = tokens(marker)?;
        let mut rest = tokens.as_slice();
        let condition = any(&mut rest, asked, 0)?;
        rest.is_empty().then_some(condition)
    }

    /// Whether it holds nowhere.
    pub fn is_never(&self) -> bool {
        self.sets.is_empty()
    }

    /// Where this or the other one holds; `None` where that is too large.
    pub fn or(&self, other: &Self) -> Option<Self> {
        let mut joined = self.clone();
        for set in &other.sets {
            joined.add(set.clone());
        }
        (joined.sets.len() <= SETS).then_some(joined)
    }

    /// Where this and the other one hold; `None` where that is too large.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let mut joined = Self::never();
        for left in &self.sets {
            for right in &other.sets {
                joined.add(left.union(right).cloned().collect());
                if joined.sets.len() > SETS {
                    return None;
                }
            }
        }
        Some(joined)
    }

    /// Adds a set, unless one with fewer comparisons says as much; two that differ in nothing but a comparison and its
    /// opposite are one without it.
    fn add(&mut self, set: BTreeSet<Comparison>) {
        let mut set = set;
        loop {
            if self.sets.iter().any(|known| known.is_subset(&set)) {
                return;
            }
            let shorter = set.iter().find_map(|one| {
                let mut other = set.clone();
                other.remove(one);
                let rest = other.clone();
                other.insert(one.opposite()?);
                self.sets.remove(&other).then_some(rest)
            });
            match shorter {
                Some(shorter) => set = shorter,
                None => break,
            }
        }
        self.sets.retain(|known| !set.is_subset(known));
        self.sets.insert(set);
    }

    /// The marker; empty where it always holds. Meaningless where it never does.
    pub fn marker(&self) -> String {
        let mut marker = String::new();
        for (index, set) in self.sets.iter().enumerate() {
            if index > 0 {
                marker.push_str(" or ");
            }
            for (index, comparison) in set.iter().enumerate() {
                if index > 0 {
                    marker.push_str(" and ");
                }
                comparison.write(&mut marker);
            }
        }
        marker
    }
}

fn any(rest: &mut &[Token<'_>], asked: &Asked, depth: usize) -> Option<Condition> {
    let mut condition = all(rest, asked, depth)?;
    while rest.first() == Some(&Token::Word("or")) {
        take(rest)?;
        condition = condition.or(&all(rest, asked, depth)?)?;
    }
    Some(condition)
}

fn all(rest: &mut &[Token<'_>], asked: &Asked, depth: usize) -> Option<Condition> {
    let mut condition = one(rest, asked, depth)?;
    while rest.first() == Some(&Token::Word("and")) {
        take(rest)?;
        condition = condition.and(&one(rest, asked, depth)?)?;
    }
    Some(condition)
}

fn one(rest: &mut &[Token<'_>], asked: &Asked, depth: usize) -> Option<Condition> {
    if rest.first() == Some(&Token::Open) {
        if depth >= DEPTH {
            return None;
        }
        take(rest)?;
        let inner = any(rest, asked, depth + 1)?;
        return (take(rest)? == Token::Close).then_some(inner);
    }
    let left = take(rest)?;
    let operator = match take(rest)? {
        Token::Operator(operator) => operator,
        Token::Word("in") => "in",
        Token::Word("not") => (take(rest)? == Token::Word("in")).then_some("not in")?,
        _ => return None,
    };
    let (name, text, is_turned) = match (left, take(rest)?) {
        (Token::Word(name), Token::Text(text)) => (variable(name)?, text, false),
        (Token::Text(text), Token::Word(name)) => (variable(name)?, text, true),
        _ => return None,
    };
    let is_asked = |known: &BTreeSet<String>| known.contains(&normalise_name(text));
    let holds = match (name, operator, is_turned) {
        ("extra", "==", _) | ("extras", "in", true) => is_asked(&asked.extras),
        ("extra", "!=", _) | ("extras", "not in", true) => !is_asked(&asked.extras),
        ("dependency_groups", "in", true) => is_asked(&asked.groups),
        ("dependency_groups", "not in", true) => !is_asked(&asked.groups),
        ("extra" | "extras" | "dependency_groups", ..) => return None,
        _ => {
            let set = BTreeSet::from([Comparison {
                variable: name,
                operator: operator.to_owned(),
                text: harmless(text)?.to_owned(),
                is_turned,
            }]);
            return Some(Condition {
                sets: BTreeSet::from([set]),
            });
        }
    };
    Some(Condition::when(holds))
}

/// A text that can stand in a line of requirements: pip takes ` --` for an option and ` #` for a comment wherever they
/// stand.
fn harmless(text: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,_+~*!-/".contains(c);
    (text.chars().all(is_plain) && !text.contains(" -") && !text.starts_with('-')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(extras: &[&str], groups: &[&str]) -> Asked {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Asked {
            extras: all(extras),
            groups: all(groups),
        }
    }

    #[test]
    fn what_is_said_of_extras_and_groups_is_decided() {
        let asked = asked(&["cli"], &["dev"]);
        for (marker, expected) in [
            ("extra == 'cli'", Some("")),
            (
                "extra == 'CLI' and os_name == \"nt\"",
                Some("os_name == 'nt'"),
            ),
            ("'cli' == extra", Some("")),
            ("extra == 'other' and os_name == 'nt'", None),
            ("extra != 'other'", Some("")),
            ("'dev' in dependency_groups", Some("")),
            ("'docs' in dependency_groups or 'cli' in extras", Some("")),
            ("'docs' in dependency_groups", None),
            (
                "(sys_platform == 'win32' or extra == 'x') and python_version < '3.12'",
                Some("python_version < '3.12' and sys_platform == 'win32'"),
            ),
            (
                "'arm' in platform_machine",
                Some("'arm' in platform_machine"),
            ),
            (
                "python_version in '3.11 3.12'",
                Some("python_version in '3.11 3.12'"),
            ),
        ] {
            let condition = Condition::of(marker, &asked).unwrap_or_else(|| panic!("{marker}"));
            let shown = (!condition.is_never()).then(|| condition.marker());
            assert_eq!(shown.as_deref(), expected, "{marker}");
        }
    }

    #[test]
    fn what_says_nothing_more_is_left_out() {
        let of = |marker| Condition::of(marker, &Asked::default()).unwrap();
        for (marker, expected) in [
            (
                "os_name == 'nt' or os_name == 'nt' and python_version < '3.9'",
                "os_name == 'nt'",
            ),
            (
                "python_full_version < '3.12' or python_full_version >= '3.12'",
                "",
            ),
            (
                "os_name == 'nt' and python_version < '3.9' or python_version >= '3.9' and os_name == 'nt'",
                "os_name == 'nt'",
            ),
        ] {
            assert_eq!(of(marker).marker(), expected);
        }
        let both = of("os_name == 'nt'").or(&Condition::always()).unwrap();
        assert_eq!(both, Condition::always());
        assert!(
            of("os_name == 'nt'")
                .and(&Condition::never())
                .unwrap()
                .is_never()
        );
    }

    #[test]
    fn strangers_and_giants_are_none() {
        let many: Vec<String> = (0..40)
            .map(|n| format!("(os_name == 'a{n}' or os_name == 'b{n}')"))
            .collect();
        for marker in [
            "os_name == 'x --hash=sha256:00'",
            "os_name == 'x # y'",
            "os_name == '-r'",
            "os_name == 'a\nb'",
            "os_name ==",
            "other == 'x'",
            "extra >= 'x'",
            &many.join(" and "),
            &"(".repeat(4_000),
            &"x".repeat(100_000),
        ] {
            assert!(
                Condition::of(marker, &Asked::default()).is_none(),
                "{marker}"
            );
        }
    }
}
