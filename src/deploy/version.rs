//! What versions say of a release, by the rules of Python packages (PEP 440).

use std::str::FromStr;

use pep440_rs::Version;

/// Something that names a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What names it: `tag v1.0`, `pyproject.toml`, a file.
    pub by: String,
    /// The version as it is written there.
    pub version: String,
}

/// The version that a tag names: `v1.2`, `1.2`, `notes-1.2`, `notes-v1.2`, `notes/1.2`; `name` is the project's. Nothing where
/// the tag names none.
pub fn of_tag(tag: &str, name: Option<&str>) -> Option<String> {
    let own = name.and_then(|name| {
        let start = tag.get(..name.len())?;
        let rest = tag.get(name.len()..)?;
        let is_own = normalised(start) == normalised(name);
        is_own
            .then(|| rest.strip_prefix(['-', '/', '@', '_']))
            .flatten()
    });
    let last = own.unwrap_or_else(|| tag.rsplit('/').next().unwrap_or(tag));
    let bare = last.strip_prefix(['v', 'V']).unwrap_or(last);
    Version::from_str(bare).is_ok().then(|| bare.to_owned())
}

/// Name and version of a wheel or sdist by the name of its file (PEP 427, PEP 625); nothing of any other file.
pub fn of_file(name: &str) -> Option<(String, String)> {
    let name = name.rsplit('/').next()?;
    if let Some(stem) = name.strip_suffix(".whl") {
        let parts: Vec<&str> = stem.split('-').collect();
        return match &*parts {
            [project, version, _, _, _] | [project, version, _, _, _, _] => {
                Some(((*project).to_owned(), (*version).to_owned()))
            }
            _ => None,
        };
    }
    let stem = name
        .strip_suffix(".tar.gz")
        .or_else(|| name.strip_suffix(".zip"))?;
    let (project, version) = stem.rsplit_once('-')?;
    Version::from_str(version)
        .is_ok()
        .then(|| (project.to_owned(), version.to_owned()))
}

/// The name of a project as indexes compare it (PEP 503).
pub fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(letter.to_lowercase());
        }
    }
    normal
}

/// What must hold.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// The version that stands, where one is known.
    pub last: Option<&'r str>,
    /// The newest version of the project on the index that it goes to, where one is known.
    pub published: Option<&'r str>,
    /// Whether an older one may follow.
    pub downgrade: bool,
    /// Whether pre-releases may.
    pub prereleases: bool,
}

/// A reason against a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What is wrong.
    pub why: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// What to do where versions differ or are none.
pub const MAKE_THEM_THE_SAME: &str =
    "make them the same, or turn the gate off with `gates = { version = false }`";
const ALLOW_PRE_RELEASES: &str = "deploy a final release, or let them in with `prereleases = true`";
const ALLOW_OLDER: &str =
    "deploy a newer version, or let older ones follow with `gates = { downgrade = true }`";

/// The version that all of them name, in normal form; nothing where none does. Fails with every reason against it.
pub fn judge(named: &[Named], rules: Rules<'_>) -> Result<Option<String>, Vec<Objection>> {
    let mut reasons = Vec::new();
    let mut parsed: Vec<(&Named, Version)> = Vec::new();
    for one in named {
        match Version::from_str(&one.version) {
            Ok(version) => parsed.push((one, version)),
            Err(_) => reasons.push(Objection {
                why: format!(
                    "{} names the version `{}`, which is none (PEP 440)",
                    one.by, one.version
                ),
                hint: MAKE_THEM_THE_SAME,
            }),
        }
    }
    let Some((first, version)) = parsed.first() else {
        return if reasons.is_empty() {
            Ok(None)
        } else {
            Err(reasons)
        };
    };
    for (other, theirs) in parsed.iter().filter(|(_, theirs)| theirs != version) {
        reasons.push(Objection {
            why: format!(
                "{} names the version {version}, and {} names {theirs}",
                first.by, other.by
            ),
            hint: MAKE_THEM_THE_SAME,
        });
    }
    if version.any_prerelease() && !rules.prereleases {
        reasons.push(Objection {
            why: format!("{version} is a pre-release, and the environment takes none"),
            hint: ALLOW_PRE_RELEASES,
        });
    }
    for (newer, where_it_is) in [
        (rules.last, "which stands there"),
        (rules.published, "which the index has"),
    ] {
        let newer = newer.and_then(|newer| Version::from_str(newer).ok());
        if let Some(newer) = newer.filter(|newer| newer > version && !rules.downgrade) {
            reasons.push(Objection {
                why: format!("{version} is older than {newer}, {where_it_is}"),
                hint: ALLOW_OLDER,
            });
        }
    }
    if reasons.is_empty() {
        Ok(Some(version.to_string()))
    } else {
        Err(reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Rules<'static> = Rules {
        last: None,
        published: None,
        downgrade: false,
        prereleases: true,
    };

    fn named(versions: &[&str]) -> Vec<Named> {
        let named = versions.iter().map(|version| Named {
            by: format!("`{version}`"),
            version: (*version).to_owned(),
        });
        named.collect()
    }

    #[test]
    fn tags_are_read_with_their_prefixes() {
        for (tag, version) in [
            ("v1.2.3", Some("1.2.3")),
            ("1.2.3rc1", Some("1.2.3rc1")),
            ("my-notes-1.2", Some("1.2")),
            ("My_Notes/v1.2", Some("1.2")),
            ("my-notes-v2024.01.05", Some("2024.01.05")),
            ("other/v3", Some("3")),
            ("release", None),
            ("my-notes", None),
            ("v", None),
            ("é", None),
        ] {
            assert_eq!(of_tag(tag, Some("my.notes")).as_deref(), version, "{tag}");
        }
    }

    #[test]
    fn files_are_read_by_their_names() {
        let of = |name| of_file(name).map(|(name, version)| format!("{name} {version}"));
        for (name, expected) in [
            ("notes-0.1.0-py3-none-any.whl", Some("notes 0.1.0")),
            ("notes-0.1.0-1-py3-none-any.whl", Some("notes 0.1.0")),
            ("dist/my_notes-1.0.tar.gz", Some("my_notes 1.0")),
            ("notes.whl", None),
            ("site.tar.gz", None),
            ("a-b.tar.gz", None),
            ("notes-1.0.exe", None),
        ] {
            assert_eq!(of(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn all_must_name_the_same_version() {
        assert_eq!(judge(&[], FREE), Ok(None));
        let same = named(&["1.0", "v1.0.0", "01.0"]);
        assert_eq!(judge(&same, FREE), Ok(Some("1.0".into())));
        let reasons = judge(&named(&["1.0", "1.1", "x"]), FREE).unwrap_err();
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        // A dash means a post-release here, which is newer.
        assert!(judge(&named(&["1.2.3", "1.2.3-1"]), FREE).is_err());
    }

    #[test]
    fn older_ones_and_pre_releases_only_go_where_they_may() {
        let rules = |last, downgrade, prereleases| Rules {
            last,
            published: None,
            downgrade,
            prereleases,
        };
        let judge = |version: &str, rules| judge(&named(&[version]), rules).is_ok();
        assert!(!judge("1.0rc1", rules(None, false, false)));
        assert!(!judge("1.0.dev1", rules(None, false, false)));
        assert!(judge("1.0.post1", rules(Some("1.0"), false, false)));
        assert!(!judge("1.9", rules(Some("1.10"), false, false)));
        assert!(judge("1.9", rules(Some("1.10"), true, false)));
        assert!(judge("1.10", rules(Some("1.10"), false, false)));
        assert!(!judge("2.0", rules(Some("1!0.1"), false, false)));
        assert!(judge("1.0", rules(Some("not a version"), false, false)));
        let published = |version| Rules {
            published: Some(version),
            ..FREE
        };
        assert!(!judge("1.9", published("1.10")));
        assert!(judge("1.10.0", published("1.10")));
    }
}
