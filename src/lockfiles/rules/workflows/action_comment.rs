//! Comments that contradict each other.

use std::collections::HashMap;

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::{Used, WorkflowFacts, is_exact, is_same_version};

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-comment",
    summary: "The comments behind pinned actions contradict each other",
    why: "The comment is what people and update tools read. If one repository calls two commits of an action by one version, \
          or one commit by two, at least one of the comments is wrong: a typing error, or a commit that does not belong to the \
          tag. With a base, a change of the commit alone or of the comment alone is told as well; a version that moves on \
          (`v4`) may have another commit.",
    level: Level::Off,
    check: Check::Workflows(check),
    failing: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: actions/checkout@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.1
",
        )],
        base: &[],
        inputs: &[("rules", "action-comment error")],
    },
    repair: "Look up which commit the tag has, and correct the other place.",
    repaired: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
",
        )],
        base: &[],
        inputs: &[("rules", "action-comment error")],
    },
};

fn check(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    within(facts, findings);
    against_base(facts, findings);
}

/// What the repository says in two places.
fn within(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    let mut commits: HashMap<(&str, &str), (&str, &Used)> = HashMap::new();
    let mut versions: HashMap<(&str, &str), (&str, &Used)> = HashMap::new();
    for used in facts.used() {
        let (Some((remote, commit)), Some(version)) = (used.pin(), used.version()) else {
            continue;
        };
        // `v4` moves on: two commits of it are no contradiction.
        let (known, first) = *commits
            .entry((remote.repository, version))
            .or_insert((commit, used));
        let contradiction = if is_exact(version) && !known.eq_ignore_ascii_case(commit) {
            Some((
                format!(
                    "`{version}` of `{}` is another commit elsewhere",
                    remote.repository
                ),
                first,
            ))
        } else {
            let (known, first) = *versions
                .entry((remote.repository, commit))
                .or_insert((version, used));
            (!is_same_version(known, version)).then(|| {
                (
                    format!(
                        "this commit of `{}` is called `{known}` elsewhere, and `{version}` here",
                        remote.repository
                    ),
                    first,
                )
            })
        };
        if let Some((message, first)) = contradiction {
            findings
                .add(used.text.at, message)
                .see(first.text.at, "the first place")
                .help("look up the commit of the tag, and correct the place that is wrong");
        }
    }
}

/// What a change does to one half of a pin, and leaves the other half as it was.
fn against_base(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    let before = facts.before.unwrap_or_default().iter();
    let pins: Vec<(&str, &str, &str)> = before
        .flat_map(|workflow| &workflow.used)
        .filter_map(|used| {
            let (remote, commit) = used.pin()?;
            Some((remote.repository, commit, used.version()?))
        })
        .collect();
    for used in facts.used() {
        let (Some((remote, commit)), Some(version)) = (used.pin(), used.version()) else {
            continue;
        };
        let own = || {
            let of_repository = |pin: &&(&str, &str, &str)| pin.0 == remote.repository;
            pins.iter().filter(of_repository)
        };
        let is_commit = |known: &str| known.eq_ignore_ascii_case(commit);
        if own().any(|(_, known, name)| is_commit(known) && *name == version) {
            continue;
        }
        let repository = remote.repository;
        let message = if is_exact(version) && own().any(|(.., name)| *name == version) {
            format!(
                "`{version}` of `{repository}` is another commit on the base: only the commit was changed"
            )
        } else if let Some((.., name)) =
            own().find(|(_, known, name)| is_commit(known) && !is_same_version(name, version))
        {
            format!(
                "this commit of `{repository}` is called `{name}` on the base, and `{version}` here: only the comment was changed"
            )
        } else {
            continue;
        };
        findings
            .add(used.text.at, message)
            .help("look up the commit of the tag, and change both halves or none");
    }
}
