//! Actions that somebody else can exchange.

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::{WorkflowFacts, is_commit};

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-unpinned",
    summary: "An action or reusable workflow is not pinned to a full-length commit",
    why: "A tag and a branch are what their owner, or whoever took the account over, says today. Only a commit of 40 (or 64) \
          hexadecimal digits names bytes; a shorter one can be made to mean another. Actions of the repository itself \
          (`./`, `$/`) are part of the commit anyway. Every spelling of YAML is read: flow, quotes, folded texts, anchors.",
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
      - uses: actions/checkout@v7
",
        )],
        base: &[],
        inputs: &[("rules", "action-unpinned error")],
    },
    repair: "Write the commit of the tag, with the tag in a comment behind it.",
    repaired: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
",
        )],
        base: &[],
        inputs: &[("rules", "action-unpinned error")],
    },
};

fn check(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    for used in facts.used() {
        let Some(remote) = used.remote() else {
            continue;
        };
        let message = match remote.reference {
            Some(reference) if is_commit(reference) => continue,
            Some(reference) => format!(
                "`{}` is used at `{reference}`, which is no full-length commit",
                remote.repository
            ),
            None => format!("`{}` is used without a commit", remote.repository),
        };
        findings.add(used.text.at, message).help(format!(
            "write the commit, `git ls-remote https://github.com/{} <tag>` shows it, and the tag as a comment behind it",
            remote.repository
        ));
    }
}
