//! A commit that no tag and no branch has.

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::{Verdict, WorkflowFacts};
use crate::model::untrusted;

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-commit-unknown",
    summary: "Nothing shows that the commit of an action is the version in its comment",
    why: "The comment names a tag that is not there, or the repository gives its tags and branches and not its history, which \
          would show whether the commit is one of its own or of a fork. It needs the network: `action-check`.",
    level: Level::Warning,
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
      - uses: actions/checkout@4721f391ed90541fddacab5acf947aa0d3dc7d27 # v7.0.1
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
    repair: "Pin the commit of a release.",
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
        if let Some(Verdict::Unknown(what)) = verdict {
            let what = untrusted::line(&what);
            findings
                .add(
                    used.text.at,
                    format!(
                        "nothing shows that this commit is one of `{}`: {what}",
                        remote.repository
                    ),
                )
                .help("pin the commit of a release, with its version as a comment");
        }
    }
}
