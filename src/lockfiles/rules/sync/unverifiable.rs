//! What cannot be verified without running Poetry, PDM, pipenv, or what compiles requirements.

use crate::lockfiles::declared::poetry::{Form, content_hash};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::pdm::content_hash::{State, state};
use crate::lockfiles::rules::sync::{compiled, pipfile};

/// Tells it of a lock of Poetry, PDM or pipenv, and of compiled requirements.
pub fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    pipfile::unverifiable(facts, findings);
    compiled::unverifiable(facts, findings);
    let Some(project) = Project::of(facts) else {
        return;
    };
    if let Some(State::Unknown(at, why)) = state(facts, &project) {
        findings
            .add(at, format!("this lock cannot be verified: {why}"))
            .help("run `pdm lock --check` besides");
    }
    let hash = facts.lock.content_hash.as_ref();
    if let Some(recorded) = hash.filter(|_| facts.lock.poetry().is_some())
        && content_hash(&project.document, Form::Groups).is_none()
    {
        let why = "a value of `pyproject.toml` has no place in Poetry's hash, a date or a table of another type";
        findings
            .add(recorded.at, format!("this lock cannot be verified: {why}"))
            .help("run `poetry check --lock` besides");
    }
}
