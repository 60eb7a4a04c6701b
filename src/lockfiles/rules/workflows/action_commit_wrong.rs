//! A commit that is another version's.

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::{Verdict, WorkflowFacts};
use crate::model::untrusted;

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-commit-wrong",
    summary: "The commit of an action is not that of the version in its comment, or not its repository's",
    why: "People and update tools read the comment, and the runner takes the commit. Where the action's own repository has the \
          commit under another tag, or at the tip of a branch, one of both halves is wrong. A host that keeps forks together \
          serves a commit of any fork under the name of the original, so that one to which no tag and no branch leads is \
          wrong whatever its comment says. It needs the network: `action-check`.",
    level: Level::Error,
    check: Check::Workflows(check),
    failing: Example {
        files: &[
            (
                ".github/workflows/ci.yml",
                r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v6.0.0
",
            ),
            (
                "https://github.com/actions/checkout",
                "3d3c42e5aac5ba805825da76410c181273ba90b1\trefs/tags/v7.0.1\n5fda3b95a4ea91299a34e894583c3862153e4b97\trefs/tags/v6.0.0\n",
            ),
        ],
        base: &[],
        inputs: &[("action-check", "true")],
    },
    repair: "Write the commit of the tag, or the tag of the commit.",
    repaired: Example {
        files: &[
            (
                ".github/workflows/ci.yml",
                r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
",
            ),
            (
                "https://github.com/actions/checkout",
                "3d3c42e5aac5ba805825da76410c181273ba90b1\trefs/tags/v7.0.1\n5fda3b95a4ea91299a34e894583c3862153e4b97\trefs/tags/v6.0.0\n",
            ),
        ],
        base: &[],
        inputs: &[("action-check", "true")],
    },
};

fn check(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    let Some(remotes) = facts.remotes else { return };
    for used in facts.used() {
        let Some((remote, commit)) = used.pin() else {
            continue;
        };
        let verdict = remotes.verdict(remote.repository, commit, used.version());
        if let Some(Verdict::Wrong(what)) = verdict {
            let what = untrusted::line(&what);
            findings
                .add(
                    used.text.at,
                    format!(
                        "the commit of `{}` is not what its comment says: {what}",
                        remote.repository
                    ),
                )
                .help("look up which one is meant, and write its commit and its version");
        }
    }
}
