//! What the repository of an action says of its tags and branches, and what a pinned commit is by that.

use std::collections::BTreeMap;

use crate::lockfiles::workflow::{is_commit, is_exact, is_same_version};

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    /// What the tag names: a commit, or the tag's own object where it is annotated.
    object: String,
    /// The commit.
    commit: String,
}

/// The tags and branches of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    tags: BTreeMap<String, Tag>,
    branches: BTreeMap<String, String>,
}

/// The answers of repositories.
#[derive(Clone, Debug, Default)]
pub struct Remotes {
    /// By the name of the repository in small letters: its tags and branches, or why it could not be asked.
    pub repositories: BTreeMap<String, Result<Refs, String>>,
    /// What an earlier run has verified: repository, commit and version.
    pub verified: Vec<(String, String, Option<String>)>,
    /// By repository and commit: whether a tag or a branch leads to it, where that was looked at.
    pub history: BTreeMap<(String, String), bool>,
}

/// What a pinned commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The commit of the tag that the comment names; without such a comment, a tag's or the tip of a branch.
    Verified,
    /// That of another tag or branch than the comment names; what it is.
    Wrong(String),
    /// Nothing shows that it belongs to the repository; what is known.
    Unknown(String),
}

impl Remotes {
    /// What a pinned commit is; `None` where the repository could not be asked.
    pub fn verdict(
        &self,
        repository: &str,
        commit: &str,
        version: Option<&str>,
    ) -> Option<Verdict> {
        let repository = repository.to_ascii_lowercase();
        let is_known = self.verified.iter().any(|(known, sha, name)| {
            *known == repository && sha.eq_ignore_ascii_case(commit) && name.as_deref() == version
        });
        if is_known {
            return Some(Verdict::Verified);
        }
        let refs = self.repositories.get(&repository)?.as_ref().ok()?;
        let verdict = refs.verdict(commit, version);
        let place = (repository, commit.to_ascii_lowercase());
        Some(match (verdict, self.history.get(&place)) {
            (Verdict::Unknown(_), Some(false)) => Verdict::Wrong(
                "no tag and no branch leads to it: it is of a fork, or of a branch that is gone"
                    .to_owned(),
            ),
            (Verdict::Unknown(what), Some(true)) => refs.of_history(version, what),
            (verdict, _) => verdict,
        })
    }

    /// Whether only the history of the repository can say more of a commit.
    pub fn needs_history(&self, repository: &str, commit: &str, version: Option<&str>) -> bool {
        let verdict = self.verdict(repository, commit, version);
        let Some(Ok(refs)) = self.repositories.get(&repository.to_ascii_lowercase()) else {
            return false;
        };
        let is_own = |known: &String| known.eq_ignore_ascii_case(commit);
        let mut tags = refs.tags.values();
        let is_named = tags.any(|tag| is_own(&tag.object) || is_own(&tag.commit))
            || refs.branches.values().any(is_own);
        matches!(verdict, Some(Verdict::Unknown(_))) && !is_named
    }
}

impl Refs {
    /// Reads what `git ls-remote` prints: object, tab, name; an annotated tag has a second line for its commit.
    pub fn read(text: &str) -> Self {
        let mut refs = Self::default();
        for line in text.lines() {
            let Some((object, name)) = line.split_once('\t') else {
                continue;
            };
            if !is_commit(object) {
                continue;
            }
            let object = object.to_ascii_lowercase();
            if let Some(branch) = name.strip_prefix("refs/heads/") {
                refs.branches.insert(branch.to_owned(), object);
            } else if let Some(tag) = name.strip_prefix("refs/tags/") {
                if let Some(tag) = tag.strip_suffix("^{}") {
                    if let Some(tag) = refs.tags.get_mut(tag) {
                        tag.commit = object;
                    }
                } else {
                    let commit = object.clone();
                    refs.tags.insert(tag.to_owned(), Tag { object, commit });
                }
            }
        }
        refs
    }

    /// What a pinned commit is, with the version of the comment behind it.
    pub fn verdict(&self, commit: &str, version: Option<&str>) -> Verdict {
        let commit = commit.to_ascii_lowercase();
        let own: Vec<&str> = self
            .tags
            .iter()
            .filter(|(_, tag)| tag.commit == commit)
            .map(|(name, _)| name.as_str())
            .collect();
        let branch = self.branches.iter().find(|(_, tip)| **tip == commit);
        let branch = branch.map(|(name, _)| name.as_str());
        let Some(version) = version else {
            return match (own.is_empty(), branch) {
                (true, None) => self.unknown(&commit, None),
                _ => Verdict::Verified,
            };
        };
        let named = self.tag(version);
        // `v4.1.2` is a `v4`; `v4` is no `v4.1.2`. Repositories with several actions have tags such as `setup-v4.1.2`.
        let is_meant = |name: &&str| {
            let name = name.rsplit(['/', '@', '-']).next().unwrap_or_default();
            is_same_version(name, version)
                && digits(name).len() >= digits(version).len()
                && (named.is_none() || !is_exact(version))
        };
        if named.is_some_and(|(_, tag)| tag.commit == commit) || own.iter().any(is_meant) {
            return Verdict::Verified;
        }
        // The longest name says the most.
        let is_other = |name: &&&str| {
            digits(name).starts_with(|first: char| first.is_ascii_digit())
                && (named.is_some() || !is_same_version(name, version))
        };
        if let Some(other) = own.iter().filter(is_other).max_by_key(|name| name.len()) {
            return Verdict::Wrong(format!(
                "it is the commit of `{other}`, and the comment says `{version}`"
            ));
        }
        let says = match named {
            Some((name, tag)) => format!("`{name}` is `{}`", tag.commit),
            None => format!("there is no tag `{version}`"),
        };
        match (own.first(), branch) {
            (Some(tag), _) => Verdict::Unknown(format!("it is the tag `{tag}`, and {says}")),
            (None, Some(branch)) => {
                let what = format!("it is the tip of the branch `{branch}`, and {says}");
                if named.is_some() && is_exact(version) {
                    Verdict::Wrong(what)
                } else {
                    Verdict::Unknown(what)
                }
            }
            (None, None) => self.unknown(&commit, Some(&says)),
        }
    }

    /// What a commit is that a tag or a branch leads to, and that none ends at; `what` where that is not enough.
    fn of_history(&self, version: Option<&str>, what: String) -> Verdict {
        let Some(version) = version else {
            return Verdict::Verified;
        };
        match self.tag(version) {
            // It may have been there once.
            Some(_) if !is_exact(version) => Verdict::Verified,
            Some((name, tag)) => Verdict::Wrong(format!(
                "it is one of its history, and `{name}` is `{}`",
                tag.commit
            )),
            None => Verdict::Unknown(what),
        }
    }

    /// The tag of a version, with or without its letter.
    fn tag(&self, version: &str) -> Option<(&str, &Tag)> {
        let plain = digits(version);
        [version.to_owned(), format!("v{plain}"), plain.to_owned()]
            .iter()
            .find_map(|name| self.tags.get_key_value(name))
            .map(|(name, tag)| (name.as_str(), tag))
    }

    /// What is known of a commit that is neither a tag's nor a tip; `says` of the tag that the comment names.
    fn unknown(&self, commit: &str, says: Option<&str>) -> Verdict {
        let object = self.tags.iter().find(|(_, tag)| tag.object == commit);
        if let Some((name, tag)) = object {
            return Verdict::Unknown(format!(
                "it is the tag `{name}` itself, whose commit is `{}`",
                tag.commit
            ));
        }
        let none = "no tag and no branch ends there, so that it may be a commit of a fork";
        Verdict::Unknown(says.map_or_else(|| none.to_owned(), |says| format!("{none}; {says}")))
    }
}

/// A version without its letter.
fn digits(version: &str) -> &str {
    version.trim_start_matches(['v', 'V'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn refs() -> Refs {
        let lines = [
            ('1', "refs/heads/main"),
            ('2', "refs/tags/v1.0.0"),
            ('3', "refs/tags/v1.0.0^{}"),
            ('4', "refs/tags/v1"),
            ('4', "refs/tags/v1.1.0"),
            ('5', "refs/tags/2.0.0"),
            ('6', "refs/tags/nightly"),
            ('7', "refs/pull/1/head"),
            ('8', "refs/tags/v3"),
            ('9', "refs/tags/setup-v5.0.1"),
        ];
        let text = lines.map(|(digit, name)| format!("{}\t{name}\n", sha(digit)));
        Refs::read(&format!("{}\nx\trefs/tags/v9\n\n", text.concat()))
    }

    #[test]
    fn a_commit_is_that_of_the_tag_that_the_comment_names() {
        for (commit, version) in [
            ('3', Some("v1.0.0")),
            ('3', Some("1.0.0")),
            ('4', Some("v1")),
            ('4', Some("v1.1")),
            ('3', Some("v1")),
            ('5', Some("v2.0.0")),
            ('5', Some("v2")),
            ('9', Some("v5.0.1")),
            ('9', Some("v5")),
            ('4', None),
            ('1', None),
            ('6', None),
        ] {
            assert_eq!(
                refs().verdict(&sha(commit), version),
                Verdict::Verified,
                "{commit} {version:?}"
            );
        }
        let upper = "A".repeat(40);
        let text = format!("{}\trefs/tags/v1.2.3\n", upper.to_lowercase());
        let verdict = Refs::read(&text).verdict(&upper, Some("v1.2.3"));
        assert_eq!(verdict, Verdict::Verified);
    }

    #[test]
    fn what_is_somebody_elses_is_wrong_and_what_nobody_names_is_unknown() {
        for (commit, version, part) in [
            (
                '4',
                Some("v1.0.0"),
                "`v1.1.0`, and the comment says `v1.0.0`",
            ),
            ('5', Some("v1"), "`2.0.0`"),
            ('3', Some("v9.9.9"), "`v1.0.0`"),
            (
                '1',
                Some("v1.0.0"),
                "branch `main`, and `v1.0.0` is `333333333333",
            ),
        ] {
            let verdict = refs().verdict(&sha(commit), version);
            assert!(
                matches!(&verdict, Verdict::Wrong(what) if what.contains(part)),
                "{commit} {version:?}: {verdict:?}"
            );
        }
        for (commit, version, part) in [
            ('7', None, "a commit of a fork"),
            ('7', Some("v1.0.0"), "`v1.0.0` is `3333"),
            ('7', Some("v9"), "there is no tag `v9`"),
            ('2', Some("v1.0.0"), "the tag `v1.0.0` itself"),
            ('1', Some("v9.0.0"), "there is no tag `v9.0.0`"),
            ('6', Some("v1"), "the tag `nightly`, and `v1` is `4444"),
            (
                '8',
                Some("v3.1.4"),
                "the tag `v3`, and there is no tag `v3.1.4`",
            ),
        ] {
            let verdict = refs().verdict(&sha(commit), version);
            assert!(
                matches!(&verdict, Verdict::Unknown(what) if what.contains(part)),
                "{commit} {version:?}: {verdict:?}"
            );
        }
    }

    #[test]
    fn repositories_that_were_not_asked_say_nothing_and_what_was_verified_stays_so() {
        let remotes = Remotes {
            repositories: [("a/b".to_owned(), Err("it sleeps".to_owned()))].into(),
            verified: vec![("c/d".to_owned(), sha('1'), None)],
            ..Remotes::default()
        };
        assert_eq!(remotes.verdict("a/b", &sha('1'), None), None);
        assert_eq!(
            remotes.verdict("C/D", &sha('1'), None),
            Some(Verdict::Verified)
        );
        assert_eq!(remotes.verdict("c/d", &sha('1'), Some("v1")), None);
    }

    #[test]
    fn history_tells_a_fork_from_a_commit_between_two_releases() {
        let place = |digit: char| ("a/b".to_owned(), sha(digit));
        let remotes = Remotes {
            repositories: [("a/b".to_owned(), Ok(refs()))].into(),
            history: [(place('a'), true), (place('b'), false), (place('2'), false)].into(),
            ..Remotes::default()
        };
        let verdict = |digit, version| remotes.verdict("A/b", &sha(digit), version).unwrap();
        assert_eq!(verdict('a', None), Verdict::Verified);
        assert_eq!(verdict('a', Some("v1")), Verdict::Verified);
        let is_wrong = |digit, version| matches!(verdict(digit, version), Verdict::Wrong(_));
        assert!(is_wrong('a', Some("v1.0.0")) && is_wrong('b', None) && is_wrong('b', Some("v1")));
        for (digit, version) in [('a', Some("v9")), ('7', None)] {
            assert!(matches!(verdict(digit, version), Verdict::Unknown(_)));
        }
        for (digit, version, expected) in [
            ('7', None, true),
            ('7', Some("v1"), true),
            ('3', Some("v1.0.0"), false),
            ('2', None, false),
            ('1', Some("v9"), false),
            ('6', Some("v1"), false),
        ] {
            let needs = remotes.needs_history("a/b", &sha(digit), version);
            assert_eq!(needs, expected, "{digit} {version:?}");
        }
    }
}
