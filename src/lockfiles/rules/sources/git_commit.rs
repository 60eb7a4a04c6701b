//! Repositories that are not at a full commit.

use crate::lockfiles::address::conceal;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{GitReference, Package, Source};
use crate::model::sources::Location;

/// The rule.
pub const RULE: Rule = Rule {
    id: "git-commit",
    summary: "A repository is locked at something that can move",
    why: "A tag and a branch can be moved to other code, and so can the beginning of a SHA that somebody finds a twin of. Only \
          the full SHA of a commit, 40 or 64 digits, says which code is installed; it stands in place of the hash that \
          other files have. uv, Poetry and PDM always write it, and a requirement can be written without it.\n\n\
          Revisions of Subversion and Bazaar are numbers, and are not looked at.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "requirements.txt",
            "six @ git+https://git.example/six.git@1.17.0\n",
        )],
        base: &[],
        inputs: &[],
    },
    repair: "Write the lock anew with its tool, or put the full SHA in place of the tag: `git rev-parse 1.17.0^{commit}` \
             says it.",
    repaired: Example {
        files: &[(
            "requirements.txt",
            "six @ git+https://git.example/six.git@b620447b19b1ab0b03e0e4c8d4a5f1b0dd8c7b1e\n",
        )],
        base: &[],
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    for package in &facts.lock.packages {
        let Source::Git {
            commit, reference, ..
        } = &package.source.value
        else {
            continue;
        };
        let written = commit.as_deref().or(reference.as_ref().map(text));
        let is_full = commit.as_deref().is_some_and(is_full_commit);
        if is_full || is_numbered(package, written, facts) {
            continue;
        }
        let message = match written {
            Some(written) => format!(
                "`{}` comes from a git repository at `{}`, which is no full commit",
                package.title(),
                conceal(written)
            ),
            None => format!(
                "`{}` comes from a git repository at no commit in particular",
                package.title()
            ),
        };
        findings
            .add(package.source.at, message)
            .about(&package.name.normal)
            .help(format!(
                "put the full SHA of the commit there, or write the lock anew: `{}`",
                facts.lock.format.relock()
            ));
    }
}

fn text<'r>(reference: &'r GitReference<'_>) -> &'r str {
    match reference {
        GitReference::Tag(text) | GitReference::Branch(text) | GitReference::Revision(text) => text,
    }
}

fn is_full_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether it is a number of a system that has no other names for its revisions, as far as the line says so.
fn is_numbered(package: &Package<'_>, written: Option<&str>, facts: &Facts<'_>) -> bool {
    let is_number = written
        .is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    is_number && {
        let line = facts
            .sources
            .text(from_line_start(package.source.at, facts));
        let before = line.split("://").next().unwrap_or_default();
        before
            .split(|sign: char| !sign.is_ascii_alphanumeric())
            .any(|word| matches!(word, "svn" | "bzr"))
    }
}

/// A place, from the beginning of its line.
fn from_line_start(at: Location, facts: &Facts<'_>) -> Location {
    let bytes = facts.sources.bytes(at.file);
    let before = usize::try_from(at.start)
        .ok()
        .and_then(|start| bytes.get(..start))
        .unwrap_or_default();
    let line = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    Location {
        start: u32::try_from(line).unwrap_or(at.start),
        ..at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::policy::Policy;
    use crate::lockfiles::rules::judge;
    use crate::lockfiles::{Format, read};
    use crate::model::sources::Sources;

    fn found(format: Format, text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("lock", text.into()).unwrap();
        let reading = read(format, file, &sources);
        let policy = Policy::default();
        let facts = Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy);
        let all = judge(&reading, Some(&facts), &policy).into_iter();
        all.filter(|finding| finding.rule.id == RULE.id)
            .map(|finding| finding.message)
            .collect()
    }

    /// A lock with a package at this commit.
    type Lock = fn(&str) -> String;

    #[test]
    fn each_format_names_its_commit_in_its_own_way() {
        let sha = "b620447b19b1ab0b03e0e4c8d4a5f1b0dd8c7b1e";
        let uv: Lock = |commit| {
            format!(
                "version = 1\nrequires-python = \">=3.11\"\n[[package]]\nname = \"a\"\nversion = \"1\"\n\
                 source = {{ git = \"https://g.example/a?rev=main#{commit}\" }}\n"
            )
        };
        let poetry: Lock = |commit| {
            format!(
                "[[package]]\nname = \"a\"\nversion = \"1\"\n[package.source]\ntype = \"git\"\nurl = \"https://g.example/a\"\n\
                 reference = \"main\"\nresolved_reference = \"{commit}\"\n[metadata]\nlock-version = \"2.1\"\n"
            )
        };
        let pdm: Lock = |commit| {
            format!(
                "[metadata]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"a\"\nversion = \"1\"\n\
                 git = \"https://g.example/a\"\nref = \"main\"\nrevision = \"{commit}\"\n"
            )
        };
        let pipfile: Lock = |commit| {
            format!(
                "{{\"_meta\": {{\"hash\": {{\"sha256\": \"00\"}}, \"pipfile-spec\": 6, \"sources\": []}}, \
                 \"default\": {{\"a\": {{\"git\": \"https://g.example/a\", \"ref\": \"{commit}\"}}}}, \"develop\": {{}}}}"
            )
        };
        let pylock: Lock = |commit| {
            format!(
                "lock-version = \"1.0\"\ncreated-by = \"x\"\n[[packages]]\nname = \"a\"\n\
                 vcs = {{ type = \"git\", url = \"https://g.example/a\", commit-id = \"{commit}\" }}\n"
            )
        };
        let requirements: Lock = |commit| format!("a @ git+https://g.example/a@{commit}\n");
        for (format, lock) in [
            (Format::Uv, uv),
            (Format::Poetry, poetry),
            (Format::Pdm, pdm),
            (Format::Pipfile, pipfile),
            (Format::Pylock, pylock),
            (Format::Requirements, requirements),
        ] {
            assert_eq!(found(format, &lock(sha)), [""; 0], "{format:?}");
            for moving in ["v1.0", "b620447", "20260101"] {
                let messages = found(format, &lock(moving));
                assert_eq!(messages.len(), 1, "{format:?} {moving}");
                assert!(messages[0].contains(&format!("`{moving}`")), "{messages:?}");
            }
        }
        assert_eq!(
            found(Format::Requirements, "-e git+https://g.example/a#egg=a\n").len(),
            1
        );
        let number = "a @ svn+https://g.example/a@1234\n";
        assert_eq!(found(Format::Requirements, number), [""; 0]);
    }
}
