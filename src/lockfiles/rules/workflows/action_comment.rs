//! Comments that contradict each other.

use std::collections::HashMap;

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::{Used, WorkflowFacts, is_commit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-comment",
    summary: "The comments behind pinned actions contradict each other",
    why: "The comment is what people and update tools read. If one repository calls two commits of an action by one version, \
          or one commit by two, at least one of the comments is wrong: a typing error, or a commit that does not belong to the \
          tag.",
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
    let mut commits: HashMap<(&str, &str), (&str, &Used)> = HashMap::new();
    let mut versions: HashMap<(&str, &str), (&str, &Used)> = HashMap::new();
    for used in facts.used() {
        let (Some(remote), Some(version)) = (used.remote(), used.version()) else {
            continue;
        };
        let Some(commit) = remote.reference.filter(|reference| is_commit(reference)) else {
            continue;
        };
        // `v4` moves on: two commits of it are no contradiction.
        let is_exact = version.matches('.').count() >= 2;
        let (known, first) = *commits
            .entry((remote.repository, version))
            .or_insert((commit, used));
        let contradiction = if is_exact && !known.eq_ignore_ascii_case(commit) {
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
            let is_same = plain(known).starts_with(plain(version))
                || plain(version).starts_with(plain(known));
            (!is_same).then(|| {
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

/// A version without its letter.
fn plain(version: &str) -> &str {
    version.trim_start_matches(['v', 'V'])
}
