//! Locks of pipenv.

pub mod hash;
pub mod recorded;

use std::collections::HashSet;

use crate::lockfiles::declared::{
    self,
    pipfile::{self, Pipfile},
};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::Findings;
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
    Some(Wants {
        sourced: sourced(requirements, &facts.lock.packages),
        all,
        scope: Scope::one(python.as_deref()),
        keeps_extras: true,
        passed_over: HashSet::new(),
        most: Severity::Error,
    })
}
