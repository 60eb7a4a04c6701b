//! How far a version moved.

use std::str::FromStr;

use pep440_rs::Version;

use crate::model::lockfile::Package;

/// The most significant part of a version that is another one, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Jump {
    /// Another post-release, or another local build of the same release.
    Post,
    /// Another pre-release or development release of the same release, or from one to the release.
    Pre,
    /// The third part of the release, or a later one.
    Patch,
    /// The second part.
    Minor,
    /// The first part; also where nothing says how far it is: a commit, a version that is none.
    Major,
    /// The epoch.
    Epoch,
}

impl Jump {
    /// The name in reports and outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Pre => "pre",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Epoch => "epoch",
        }
    }
}

/// Where a version went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nowhere: both are the same version, maybe in another spelling.
    Same,
    /// To a later one.
    Up(Jump),
    /// To an earlier one.
    Down(Jump),
    /// One of them is no version, so that nothing says how far it is.
    Unknown,
}

/// Compares two versions (PEP 440).
pub fn step(before: &str, after: &str) -> Step {
    if before == after {
        return Step::Same;
    }
    let (Ok(before), Ok(after)) = (Version::from_str(before), Version::from_str(after)) else {
        return Step::Unknown;
    };
    let Some(jump) = jump(&before, &after) else {
        return Step::Same;
    };
    if after > before {
        Step::Up(jump)
    } else {
        Step::Down(jump)
    }
}

fn jump(before: &Version, after: &Version) -> Option<Jump> {
    if before == after {
        return None;
    }
    if before.epoch() != after.epoch() {
        return Some(Jump::Epoch);
    }
    let (old, new) = (before.release(), after.release());
    let part = |release: &[u64], index: usize| release.get(index).copied().unwrap_or(0);
    let differing =
        (0..old.len().max(new.len())).find(|index| part(old, *index) != part(new, *index));
    Some(match differing {
        Some(0) => Jump::Major,
        Some(1) => Jump::Minor,
        Some(_) => Jump::Patch,
        None if before.pre() != after.pre() || before.dev() != after.dev() => Jump::Pre,
        None => Jump::Post,
    })
}

/// A version for comparing: two spellings of one are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VersionKey<'a> {
    /// A version.
    Version(Version),
    /// What is none.
    Text(&'a str),
    /// None is written.
    None,
}

impl<'a> VersionKey<'a> {
    /// That of a package.
    pub fn of(package: &'a Package<'_>) -> Self {
        match &package.version {
            Some(version) => match Version::from_str(&version.value) {
                Ok(version) => Self::Version(version),
                Err(_) => Self::Text(&version.value),
            },
            None => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_significant_part_names_the_jump() {
        for (before, after, expected) in [
            ("1.0", "1.0.0", Step::Same),
            ("1.0.0", "1.0.1", Step::Up(Jump::Patch)),
            ("1.2.3.4", "1.2.3.3", Step::Down(Jump::Patch)),
            ("1.9", "1.10.2", Step::Up(Jump::Minor)),
            ("1.9", "2.0rc1", Step::Up(Jump::Major)),
            ("2024.1", "1!1.0", Step::Up(Jump::Epoch)),
            ("1!1.0", "2.0", Step::Down(Jump::Epoch)),
            ("2.0rc1", "2.0", Step::Up(Jump::Pre)),
            ("2.0", "2.0.dev3", Step::Down(Jump::Pre)),
            ("2.0", "2.0.post1", Step::Up(Jump::Post)),
            ("2.5.1+cpu", "2.5.1+cu121", Step::Up(Jump::Post)),
            ("2.5.1+cpu", "2.5.1", Step::Down(Jump::Post)),
            ("2004d", "2005", Step::Unknown),
        ] {
            assert_eq!(step(before, after), expected, "{before} {after}");
        }
        assert!(Jump::Epoch > Jump::Major && Jump::Patch > Jump::Pre && Jump::Pre > Jump::Post);
    }
}
