//! Requirements, versions and specifiers (PEP 508, PEP 440): the one door to the crates that know them.
//!
//! The crates are not named elsewhere in [`lockfiles`](crate::lockfiles), so that they can be replaced.

mod constraint;
mod split;

pub use crate::lockfiles::requirement::constraint::{Constraint, Fit};
pub use crate::lockfiles::requirement::split::{Split, Wrong, split};

use std::str::FromStr;

use crate::model::lockfile::{Name, Requirement, Source, Text};
use crate::model::sources::{Located, Location};

/// A version (PEP 440), which can be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pep440_rs::Version);

impl Version {
    /// Reads a version; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        pep440_rs::Version::from_str(text.trim()).ok().map(Self)
    }

    /// The version of these numbers.
    pub fn of_release(release: &[u64]) -> Self {
        Self(pep440_rs::Version::new(release))
    }

    /// The numbers: `1.2.3`.
    pub fn release(&self) -> &[u64] {
        self.0.release()
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    /// The part behind `+`; empty where there is none.
    pub fn is_local(&self) -> bool {
        self.0.is_local()
    }

    /// Whether it is a pre- or development release.
    pub fn is_pre(&self) -> bool {
        self.0.any_prerelease()
    }

    /// Whether it is a post-release.
    pub fn is_post(&self) -> bool {
        self.0.is_post()
    }
}

impl std::fmt::Display for Version {
    /// The normal form: `1.0rc1` for `1.0-RC.1`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Specifiers (PEP 440): `>=1.0,<2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specifiers(pep440_rs::VersionSpecifiers);

impl Specifiers {
    /// Reads specifiers, in parentheses or not; `None` for what are none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        pep440_rs::VersionSpecifiers::from_str(inner.unwrap_or(text))
            .ok()
            .map(Self)
    }

    /// Whether a version satisfies all of them.
    pub fn contain(&self, version: &Version) -> bool {
        self.0.contains(&version.0)
    }

    /// Whether both have the same specifiers, whatever their order and spelling: `>=1` is `>=1.0`.
    pub fn is_same(&self, other: &Self) -> bool {
        let within = |left: &Self, right: &Self| {
            left.0
                .iter()
                .all(|own| right.0.iter().any(|other| own == other))
        };
        within(self, other) && within(other, self)
    }

    /// Whether both are the same set of specifiers, whatever their order and spelling.
    pub fn agree(&self, other: &Self) -> bool {
        let texts = |own: &Self| {
            let mut texts: Vec<String> = own.0.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            texts
        };
        texts(self) == texts(other)
    }
}

/// Reads a requirement (PEP 508) that stands in a file: `part` tells where a range of its bytes is.
pub fn requirement<'a>(
    text: &Text<'a>,
    at: Location,
    part: impl Fn(std::ops::Range<usize>) -> Location,
) -> Result<Requirement<'a>, Wrong> {
    let split = split(text)?;
    let piece = |range: std::ops::Range<usize>| -> Located<Text<'a>> {
        let value = match text {
            Text::Borrowed(text) => Text::Borrowed(text.get(range.clone()).unwrap_or_default()),
            Text::Owned(text) => {
                Text::Owned(text.get(range.clone()).unwrap_or_default().to_owned())
            }
        };
        Located::new(value, part(range))
    };
    let name = piece(split.name);
    Ok(Requirement {
        name: Name::new(name.value, name.at),
        extras: split.extras.into_iter().map(piece).collect(),
        specifier: split.specifier.map(piece),
        marker: split.marker.map(piece),
        source: split.url.map(|url| {
            let url = piece(url);
            Located::new(
                Source::Url {
                    url: url.value,
                    subdirectory: None,
                },
                url.at,
            )
        }),
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_specifiers_are_those_of_python() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("1.0") == version("1.0.0") && version("1.0rc1") < version("1.0"));
        assert!(version("1!0.1") > version("9"));
        assert!(Version::parse("1.0-x-y").is_none());
        let specifiers = Specifiers::parse(">=5.1, <5.3").unwrap();
        assert!(specifiers.contain(&version("5.2")) && !specifiers.contain(&version("5.3")));
        assert!(specifiers.agree(&Specifiers::parse("<5.3,>=5.1").unwrap()));
        assert!(!specifiers.agree(&Specifiers::parse(">=5.1").unwrap()));
    }
}
