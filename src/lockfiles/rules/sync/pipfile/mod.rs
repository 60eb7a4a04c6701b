//! Locks of pipenv.

pub mod hash;
pub mod recorded;

use crate::lockfiles::declared::{
    self,
    pipfile::{self, Pipfile},
};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::graph::EVERYWHERE;
use crate::lockfiles::rules::sync::absent::whole;
use crate::lockfiles::rules::sync::wanted::{Scope, Wanted, Wants, sourced};
use crate::model::diagnostic::Severity;
use crate::model::sources::FileId;

/// The `Pipfile` beside a lock; `None` where there is none, or none that can be read.
pub fn beside<'a>(facts: &Facts<'a>) -> Option<Pipfile<'a>> {
    pipfile::read(file(facts)?, facts.sources)
}

fn file(facts: &Facts<'_>) -> Option<FileId> {
    facts.lock.pipfile()?;
    let lock = facts.sources.path(facts.lock.file);
    facts
        .sources
        .find(&declared::beside(facts.lock.format, lock)?)
}

/// Tells a `Pipfile` that cannot be compared with the lock beside it.
pub fn unverifiable(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(file) = file(facts) else {
        return;
    };
    let why = match pipfile::read(file, facts.sources) {
        None => "it is no TOML",
        Some(pipfile) if pipfile.hashes.is_none() => {
            "a value in it has no place in pipenv's hash, a date or a category that is no table"
        }
        Some(_) => return,
    };
    findings
        .add(
            whole(file),
            format!("the lock beside this cannot be verified: {why}"),
        )
        .help("repair it: `pipenv verify` says where it is wrong");
}

/// What the `Pipfile` asks for, of the categories that are locked.
pub fn wants<'a>(facts: &Facts<'a>) -> Option<Wants<'a>> {
    let pipfile = beside(facts)?;
    let lock = facts.lock.pipfile()?;
    let python = pipfile.requires.iter().find_map(|(key, value)| {
        let is_full = match &**key {
            "python_full_version" => true,
            "python_version" => false,
            _ => return None,
        };
        let text = value.value.trim();
        Some(if is_full || text.ends_with(".*") {
            format!("=={text}")
        } else {
            format!("=={text}.*")
        })
    });
    let is_locked = |category: &str| lock.categories.iter().any(|own| own.value == category);
    let all = pipfile.packages.into_iter();
    let all = all
        .filter(|(category, _)| is_locked(category))
        .map(|(category, package)| Wanted {
            requirement: package.asked(),
            category: Some(category),
            is_constraint: false,
        });
    let all: Vec<Wanted<'a>> = all.collect();
    let requirements = all.iter().map(|wanted| &wanted.requirement);
    // Earlier releases left them out, whatever the Pipfile says.
    let left_out = EVERYWHERE
        .into_iter()
        .filter(|name| facts.index.named(name).is_empty());
    // What pipenv took over from a `pylock.toml` has no extras, as that has none.
    let is_from_pylock = facts.lock.packages.iter().any(|package| {
        let marker = package.marker.as_ref();
        marker.is_some_and(|marker| marker.value.contains("dependency_groups"))
    });
    Some(Wants {
        sourced: sourced(requirements, &facts.lock.packages),
        all,
        scope: Scope::one(python.as_deref()),
        keeps_extras: !is_from_pylock,
        passed_over: left_out.map(str::to_owned).collect(),
        most: Severity::Error,
    })
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::ids;

    /// What is said of a lock with six and pysocks, beside a Pipfile with these packages.
    fn found(packages: &str, entries: &str) -> Vec<&'static str> {
        let hash = "0".repeat(64);
        let pipfile = format!("[packages]\n{packages}\n");
        let entry = |name: &str| {
            format!("\"{name}\": {{\"hashes\": [\"sha256:{hash}\"], \"version\": \"==1.17.0\"")
        };
        let lock = format!(
            "{{\"_meta\": {{\"hash\": {{\"sha256\": \"{hash}\"}}, \"pipfile-spec\": 6, \"requires\": {{}}, \"sources\": []}}, \"default\": {{{}{entries}}}, {}}}}}, \"develop\": {{}}}}",
            entry("six"),
            entry("pysocks")
        );
        let mut ids = ids(&[("Pipfile", &pipfile), ("Pipfile.lock", &lock)]);
        ids.retain(|id| id.starts_with("requirement-"));
        ids
    }

    #[test]
    fn what_earlier_releases_left_out_is_not_missed() {
        assert_eq!(
            found("six = \"*\"\nsetuptools = \"*\"\nWheel = \"*\"", ""),
            [""; 0]
        );
        assert_eq!(
            found("six = \"*\"\nidna = \"*\"", ""),
            ["requirement-not-locked"]
        );
    }

    #[test]
    fn what_came_from_a_pylock_has_no_extras() {
        let packages = "six = {extras = [\"x\"], version = \"*\"}";
        assert_eq!(found(packages, ""), ["requirement-not-satisfied"]);
        let marker = ", \"markers\": \"'dev' in dependency_groups\"";
        assert_eq!(found(packages, marker), [""; 0]);
    }
}
