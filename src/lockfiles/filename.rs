//! Names of distribution files: wheels (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>)
//! and source distributions (<https://packaging.python.org/en/latest/specifications/source-distribution-format/>).
//!
//! Older files stand on every index, so that they are read as installers read them: names with capitals and dots,
//! sdists whose names hold the separator.

use crate::lockfiles::requirement::Version;

/// The name of a wheel, taken apart. Each of the tags may be several, separated by dots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WheelName<'a> {
    /// The distribution, escaped.
    pub distribution: &'a str,
    /// The version, escaped.
    pub version: &'a str,
    /// The build tag.
    pub build: Option<&'a str>,
    /// The Python tag: `py2.py3`.
    pub python: &'a str,
    /// The ABI tag: `cp311`, `abi3`, `none`.
    pub abi: &'a str,
    /// The platform tag: `any`, `manylinux_2_17_x86_64.manylinux2014_x86_64`.
    pub platform: &'a str,
}

impl<'a> WheelName<'a> {
    /// Takes the name of a file apart; `None` for what is no wheel.
    pub fn parse(file: &'a str) -> Option<Self> {
        let stem = strip_suffix(file, ".whl")?;
        let mut hyphens = memchr::memchr_iter(b'-', stem.as_bytes());
        let mut start = Some(0);
        let mut parts = std::iter::from_fn(|| {
            let from = start?;
            let hyphen = hyphens.next();
            start = hyphen.map(|hyphen| hyphen + 1);
            stem.get(from..hyphen.unwrap_or(stem.len()))
        });
        let (distribution, version) = (parts.next()?, parts.next()?);
        let (third, fourth, fifth) = (parts.next()?, parts.next()?, parts.next()?);
        let (build, python, abi, platform) = match parts.next() {
            Some(sixth) => (Some(third), fourth, fifth, sixth),
            None => (None, third, fourth, fifth),
        };
        let all = [distribution, version, python, abi, platform];
        let is_whole = parts.next().is_none() && all.iter().all(|part| !part.is_empty());
        is_whole.then_some(Self {
            distribution,
            version,
            build,
            python,
            abi,
            platform,
        })
    }
}

/// Endings of source distributions; only the first is written today.
const SDISTS: [&str; 6] = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar"];

/// The name of a source distribution without its ending; `None` for what is none.
pub fn sdist_stem(file: &str) -> Option<&str> {
    SDISTS
        .iter()
        .find_map(|suffix| strip_suffix(file, suffix))
        .filter(|stem| !stem.is_empty())
}

/// The version in the name of a source distribution of this package, by its normalised name; `None` where it is the
/// file of another package.
pub fn sdist_version<'a>(stem: &'a str, normal: &str) -> Option<&'a str> {
    // Older names hold hyphens, and so do older versions: the package's name says where it ends.
    stem.match_indices('-').find_map(|(at, _)| {
        let (name, version) = (stem.get(..at)?, stem.get(at + 1..)?);
        let is_version = version.starts_with(|first: char| first.is_ascii_digit() || first == 'v');
        (is_version && is_name(name, normal)).then_some(version)
    })
}

/// Whether a name, as it was written, is this normalised one.
pub fn is_name(written: &str, normal: &str) -> bool {
    let mut expected = normal.bytes();
    let mut is_separated = false;
    for byte in written.bytes() {
        let is_separator = matches!(byte, b'-' | b'_' | b'.');
        let byte = if is_separator {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        };
        if is_separator && is_separated {
            continue;
        }
        is_separated = is_separator;
        if expected.next() != Some(byte) {
            return false;
        }
    }
    expected.next().is_none()
}

/// Whether the version in the name of a file is that of its package. A file may have a local version where the package
/// names none.
pub fn is_version(in_name: &str, of_package: &str) -> bool {
    if in_name == of_package {
        return true;
    }
    let in_name = in_name.replace('_', "-");
    let public = in_name.split_once('+').map(|(public, _)| public);
    let Some(package) = Version::parse(of_package) else {
        return false;
    };
    let is_same = |text: &str| Version::parse(text).is_some_and(|version| version == package);
    is_same(&in_name) || (!package.is_local() && public.is_some_and(is_same))
}

/// Without this ending, in any case.
fn strip_suffix<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let (stem, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_taken_apart() {
        let wheel = WheelName::parse(
            "ast_serialize-0.13.1-2-cp315-abi3.abi3t-manylinux_2_5_i686.manylinux1_i686.whl",
        );
        assert_eq!(
            wheel,
            Some(WheelName {
                distribution: "ast_serialize",
                version: "0.13.1",
                build: Some("2"),
                python: "cp315",
                abi: "abi3.abi3t",
                platform: "manylinux_2_5_i686.manylinux1_i686",
            })
        );
        for none in [
            "six-1.17.0.tar.gz",
            "six-1.17.0-any.whl",
            "six-1.0-1-py3-none-any-x.whl",
            "six--py3-none-any.whl",
            ".whl",
            "é.whl",
            "whl",
            "",
        ] {
            assert_eq!(WheelName::parse(none), None, "{none}");
        }
    }

    #[test]
    fn sdists_are_read_as_the_package_tells() {
        for (file, package, version) in [
            ("requests-2.32.0.tar.gz", "requests", Some("2.32.0")),
            ("zope.interface-5.0.zip", "zope-interface", Some("5.0")),
            (
                "Flask-SQLAlchemy-2.5.1.TAR.GZ",
                "flask-sqlalchemy",
                Some("2.5.1"),
            ),
            ("pytz-2004-1.tar.gz", "pytz", Some("2004-1")),
            ("x-2-1.0.tar.gz", "x-2", Some("1.0")),
            ("evil-2.32.0.tar.gz", "requests", None),
            ("requests.tar.gz", "requests", None),
            ("requests-.tar.gz", "requests", None),
        ] {
            let stem = sdist_stem(file).unwrap();
            assert_eq!(sdist_version(stem, package), version, "{file}");
        }
        assert_eq!(sdist_stem("requests-2.32.0.exe"), None);
        assert_eq!(sdist_stem(".tar.gz"), None);
    }

    #[test]
    fn names_and_versions_are_compared_as_installers_do() {
        assert!(is_name("Zope.._Interface", "zope-interface"));
        assert!(!is_name("zope-interface-", "zope-interface"));
        assert!(!is_name("requests2", "requests") && !is_name("", "requests"));
        for (in_name, of_package, is_it) in [
            ("1.0", "1.0.0", true),
            ("2.5.1+cpu", "2.5.1+cpu", true),
            ("2.5.1+cpu", "2.5.1", true),
            ("2.5.1", "2.5.1+cpu", false),
            ("1.0+ubuntu_1", "1.0+ubuntu.1", true),
            ("1.0_post1", "1.0.post1", true),
            ("1.0rc1", "1.0", false),
            ("abc", "1.0", false),
            ("1.0", "abc", false),
        ] {
            assert_eq!(
                is_version(in_name, of_package),
                is_it,
                "{in_name} {of_package}"
            );
        }
    }
}
