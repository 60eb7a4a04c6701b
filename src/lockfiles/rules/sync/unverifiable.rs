//! What cannot be verified without running Poetry or PDM.

use crate::lockfiles::declared::poetry::{Form, content_hash};
use crate::lockfiles::facts::Facts;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::pdm::content_hash::{State, state};

/// Tells it of a lock of Poetry or PDM.
pub fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
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
