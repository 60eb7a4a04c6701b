//! Constraints of versions: those of PEP 440, and Poetry's own, `^1.2` and `~1.2 || >=3`.

use crate::lockfiles::marker::Pythons;
use crate::lockfiles::requirement::{Specifiers, Version};

/// Longer constraints are not looked at.
const LIMIT: usize = 1024;

/// Nor are those with more alternatives.
const ALTERNATIVES: usize = 32;

/// Which versions are allowed: those that satisfy one of the alternatives, each a list of specifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    alternatives: Vec<(Specifiers, String)>,
}

/// Whether a version satisfies a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Tools differ in what they say of pre-, post- and local releases at an end of a range.
    Unknown,
}

impl Constraint {
    /// Any version.
    pub fn any() -> Option<Self> {
        Self::standard("")
    }

    /// Reads specifiers of PEP 440.
    pub fn standard(text: &str) -> Option<Self> {
        let specifiers = Specifiers::parse(text)?;
        Some(Self {
            alternatives: vec![(specifiers, text.to_owned())],
        })
    }

    /// Reads what Poetry reads; `None` for what has no counterpart in PEP 440.
    pub fn poetry(text: &str) -> Option<Self> {
        if text.len() > LIMIT {
            return None;
        }
        let alternatives = text
            .split('|')
            .map(str::trim)
            // `||` and `|` are the same.
            .filter(|part| !part.is_empty())
            .map(|part| {
                let specifiers = all(part)?;
                Some((Specifiers::parse(&specifiers)?, specifiers))
            })
            .collect::<Option<Vec<_>>>()?;
        (1..=ALTERNATIVES)
            .contains(&alternatives.len())
            .then_some(Self { alternatives })
    }

    /// Whether it allows a version.
    pub fn fit(&self, version: &str) -> Fit {
        let Some(version) = Version::parse(version) else {
            return Fit::Unknown;
        };
        let mut alternatives = self.alternatives.iter();
        if alternatives.any(|(specifiers, _)| specifiers.contain(&version)) {
            Fit::Yes
        } else if version.is_pre() || version.is_post() || version.is_local() {
            Fit::Unknown
        } else {
            Fit::No
        }
    }

    /// The Pythons that it allows, if it is about them.
    pub fn pythons(&self) -> Option<Pythons> {
        let mut alternatives = self
            .alternatives
            .iter()
            .map(|(_, text)| Pythons::parse(text));
        let first = alternatives.next()??;
        alternatives.try_fold(first, |all, one| all.or(&one?))
    }
}

/// Specifiers that have to hold together, with commas or blanks between them, as PEP 440 has them.
fn all(text: &str) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    let mut operator = String::new();
    for part in text.split([',', ' ', '\t']).filter(|part| !part.is_empty()) {
        // A blank may stand behind an operator.
        let end = part.find(|sign: char| !matches!(sign, '^' | '~' | '=' | '<' | '>' | '!'));
        let (sign, version) = part.split_at_checked(end.unwrap_or(part.len()))?;
        operator.push_str(sign);
        if !version.is_empty() {
            found.extend(one(&operator, version)?);
            operator.clear();
        }
    }
    operator.is_empty().then(|| found.join(","))
}

/// One of Poetry's constraints; none for any version.
#[expect(
    clippy::option_option,
    reason = "it may be any version, or be no constraint"
)]
fn one(operator: &str, text: &str) -> Option<Option<String>> {
    let is_any = |part: &str| matches!(part, "*" | "x" | "X");
    if text.split('.').all(is_any) {
        return operator.is_empty().then_some(None);
    }
    let plain = |operator: &str| Some(Some(format!("{operator}{text}")));
    match operator {
        "" | "=" | "==" => plain("=="),
        "<>" => plain("!="),
        "!=" | ">=" | "<=" | ">" | "<" | "~=" | "===" => plain(operator),
        "^" | "~" => {
            let version = Version::parse(text)?;
            let release = version.release();
            if version.epoch() > 0 || version.is_local() {
                return None;
            }
            // The first number that must not change: for `^` that which is not zero, for `~` the second one.
            let fixed = match operator {
                "^" => release.iter().position(|number| *number > 0),
                _ => Some(1),
            };
            let last = release.len().checked_sub(1)?;
            let fixed = fixed.unwrap_or(last).min(last).min(2);
            let next: Vec<String> = release
                .iter()
                .take(fixed + 1)
                .enumerate()
                .map(|(at, number)| number.saturating_add(u64::from(at == fixed)).to_string())
                .collect();
            Some(Some(format!(">={text},<{}", next.join("."))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_of_poetry_allow_what_poetry_allows() {
        for (constraint, allowed, not) in [
            ("*", &["0", "9.1"][..], &[][..]),
            ("^1.2.3", &["1.2.3", "1.9"], &["1.2.2", "2.0"]),
            ("^1", &["1.0", "1.9"], &["2.0", "0.9"]),
            ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]),
            ("^0.0.3", &["0.0.3"], &["0.0.4", "0.0.2"]),
            ("^0.0", &["0.0.9"], &["0.1.0"]),
            ("^0", &["0.9"], &["1.0"]),
            ("~1.2.3", &["1.2.9"], &["1.3.0"]),
            ("~1.2", &["1.2.0", "1.2.9"], &["1.3"]),
            ("~1", &["1.9"], &["2.0"]),
            ("~=1.4.5", &["1.4.9"], &["1.5.0"]),
            ("1.2", &["1.2", "1.2.0"], &["1.2.1"]),
            ("=1.2", &["1.2"], &["1.3"]),
            ("1.2.*", &["1.2.9"], &["1.3"]),
            (">= 1.2 , <2", &["1.2"], &["2.0"]),
            (">=1.2 <2", &["1.2"], &["2.0"]),
            ("<1 || ^2.1 | 3.0", &["0.9", "2.2", "3.0"], &["1.5", "3.1"]),
            (">=1,<>1.5", &["1.4"], &["1.5"]),
        ] {
            let read = Constraint::poetry(constraint).unwrap();
            for version in allowed {
                assert_eq!(read.fit(version), Fit::Yes, "{constraint} {version}");
            }
            for version in not {
                assert_eq!(read.fit(version), Fit::No, "{constraint} {version}");
            }
        }
        for other in ["", "||", "^", "dev", "^1!2", ">=*", "^^1", "1.x"] {
            assert_eq!(Constraint::poetry(other), None, "{other}");
        }
        assert_eq!(Constraint::poetry(&"1||".repeat(100)), None);
        assert_eq!(Constraint::poetry(&">1,".repeat(1_000)), None);
    }

    #[test]
    fn what_tools_differ_in_is_not_known() {
        let constraint = Constraint::poetry("^1.0").unwrap();
        assert_eq!(constraint.fit("2.0rc1"), Fit::Unknown);
        assert_eq!(constraint.fit("newest"), Fit::Unknown);
        let constraint = Constraint::standard("<=2.1").unwrap();
        assert_eq!(constraint.fit("2.1.post1"), Fit::Unknown);
        assert_eq!(constraint.fit("2.2"), Fit::No);
    }

    #[test]
    fn pythons_are_read_in_either_spelling() {
        let pythons = |text| Constraint::poetry(text).unwrap().pythons().unwrap();
        assert!(pythons("^3.11").is_same(&pythons(">=3.11,<4")));
        assert!(pythons("~3.11 || ~3.12").is_same(&pythons(">=3.11,<3.13")));
        assert!(!pythons("^3.11").is_same(&pythons("^3.12")));
    }
}
