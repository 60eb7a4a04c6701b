//! The rules: one file each, in the folder of its family. A family lists its rules, and this file the families.

mod age;
mod change;
mod files;
mod finding;
mod form;
mod graph;
mod index;
mod pins;
mod platforms;
mod rule;
mod sources;
mod sync;
mod workflows;

pub use crate::lockfiles::rules::finding::{Edit, Finding, Findings, Related};
pub use crate::lockfiles::rules::rule::{Check, Example, Family, Rule};
pub use crate::lockfiles::rules::sources::is_index_refused;

use crate::lockfiles::Reading;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::gone::GoneLock;
use crate::lockfiles::policy::{Level, Policy};
use crate::lockfiles::workflow::WorkflowFacts;

/// The rule that says that something cannot be verified without running code; `strict` makes it no verdict.
pub const UNVERIFIABLE: &str = "sync-unverifiable";

/// Every family, in the order of the documentation.
pub const FAMILIES: &[Family] = &[
    form::FAMILY,
    graph::FAMILY,
    files::FAMILY,
    pins::FAMILY,
    sync::FAMILY,
    sources::FAMILY,
    platforms::FAMILY,
    age::FAMILY,
    index::FAMILY,
    change::FAMILY,
    workflows::FAMILY,
];

/// Every rule, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules).copied()
}

/// The rule of this id.
pub fn from_id(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The level that counts for a rule.
pub fn level(rule: &Rule, policy: &Policy) -> Level {
    policy.levels.get(rule.id).copied().unwrap_or(rule.level)
}

/// Judges one lock by every rule that is on. Without facts (the file cannot be read) only its faults are told.
pub fn judge(reading: &Reading<'_>, facts: Option<&Facts<'_>>, policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    // A lock that uv does not read was not made from what is declared now, and need not be.
    let is_unread = facts.is_some_and(|facts| facts.workspace.is_some());
    let families = FAMILIES
        .iter()
        .filter(|family| !is_unread || family.title != sync::FAMILY.title);
    for rule in families.flat_map(|family| family.rules).copied() {
        let Some(severity) = level(rule, policy).severity() else {
            continue;
        };
        let mut findings = Findings::new(rule, severity, &mut found);
        match (rule.check, facts) {
            (Check::Fault(kind), _) => {
                for fault in reading.faults.iter().filter(|fault| fault.kind == kind) {
                    findings
                        .add(fault.at, fault.message.clone())
                        .help(&fault.help);
                }
            }
            (Check::Lock(check), Some(facts)) => check(facts, &mut findings),
            (Check::Lock(_), None) | (Check::Gone(_) | Check::Workflows(_), _) => {}
        }
    }
    found.sort_by(|left, right| (left.at, left.rule.id).cmp(&(right.at, right.rule.id)));
    found
}

/// Judges a lock that a change takes away by every rule about such that is on.
pub fn judge_gone(gone: &GoneLock<'_>, policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in all() {
        if let (Check::Gone(check), Some(severity)) = (rule.check, level(rule, policy).severity()) {
            check(gone, &mut Findings::new(rule, severity, &mut found));
        }
    }
    found
}

/// Whether somebody asks for the workflows: for a rule that is off by itself, or for what needs the network.
pub fn asks_for_workflows(policy: &Policy) -> bool {
    let is_asked = |rule: &Rule| rule.level == Level::Off && level(rule, policy) != Level::Off;
    policy.action_check
        || all().any(|rule| matches!(rule.check, Check::Workflows(_)) && is_asked(rule))
}

/// Judges the workflows of the repository by every rule about them that is on.
pub fn judge_workflows(facts: &WorkflowFacts<'_>, policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in all() {
        if let (Check::Workflows(check), Some(severity)) =
            (rule.check, level(rule, policy).severity())
        {
            check(facts, &mut Findings::new(rule, severity, &mut found));
        }
    }
    found.sort_by(|left, right| (left.at, left.rule.id).cmp(&(right.at, right.rule.id)));
    found
}

#[cfg(test)]
mod tests;
