//! One action, two commits.

use std::collections::HashMap;

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::WorkflowFacts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-two-commits",
    summary: "The same action is used at two commits",
    why: "One of them was forgotten when the other was updated. It works, so it is rarely more than a warning.",
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
      - uses: actions/checkout@5fda3b95a4ea91299a34e894583c3862153e4b97 # v6.0.0
",
        )],
        base: &[],
        inputs: &[("rules", "action-two-commits error")],
    },
    repair: "Use the newer one in both places.",
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
        inputs: &[("rules", "action-two-commits error")],
    },
};

fn check(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    let mut first = HashMap::new();
    for used in facts.used() {
        let Some((remote, commit)) = used.pin() else {
            continue;
        };
        let (known, place) = *first
            .entry(remote.repository)
            .or_insert((commit, used.text.at));
        if !known.eq_ignore_ascii_case(commit) {
            findings
                .add(
                    used.text.at,
                    format!(
                        "`{}` is used at another commit elsewhere",
                        remote.repository
                    ),
                )
                .see(place, "the first place")
                .help("use the same commit in both places");
        }
    }
}
