//! The Pythons of a lock of Poetry are those of the project.

use crate::lockfiles::document::Value;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::requirement::Constraint;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::beside::Project;
use crate::lockfiles::rules::sync::direct::relock;
use crate::lockfiles::rules::sync::poetry::requirements::is_two;

/// Tells it where they are others. What cannot be read is left to the content hash.
pub fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(project) = Project::of(facts).filter(|_| facts.lock.poetry().is_some()) else {
        return;
    };
    // What `[tool.poetry]` says of it counts more, and Poetry 1 reads nothing else.
    let root = project.document.root();
    let standard = root
        .path(&["project", "requires-python"])
        .filter(|_| is_two(facts.lock));
    let declared = root
        .path(&["tool", "poetry", "dependencies", "python"])
        .or(standard);
    let (Some(declared), Some(locked)) = (declared, &facts.lock.requires_python) else {
        return;
    };
    let Some(text) = declared
        .as_str()
        .or_else(|| declared.get("version").and_then(Value::as_str))
    else {
        return;
    };
    let pythons = |text: &str| Constraint::poetry(text)?.pythons();
    let (Some(own), Some(other)) = (pythons(&text), pythons(&locked.value)) else {
        return;
    };
    if !own.is_same(&other) {
        let fate = if other.covers(&own) {
            "no version must move"
        } else {
            "versions may move"
        };
        findings
            .add(
                project.key_at(declared),
                format!(
                    "`{text}` is declared here; the lock is for `{}`",
                    locked.value
                ),
            )
            .see(locked.at, "the Pythons of the lock")
            .help(format!("write the lock anew: `{}`; {fate}", relock(facts)));
    }
}
