//! Images that somebody else can exchange.

use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::WorkflowFacts;

/// The rule.
pub const RULE: Rule = Rule {
    id: "image-unpinned",
    summary: "An image is not pinned to a digest",
    why: "The tag of an image moves. Containers and services of jobs and `docker://` steps are looked at. An image that an \
          expression names (`${{ matrix.image }}`) is left out: it stands elsewhere.",
    level: Level::Off,
    check: Check::Workflows(check),
    failing: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    container: node:24
    steps:
      - run: make
",
        )],
        base: &[],
        inputs: &[("rules", "image-unpinned error")],
    },
    repair: "Write the digest behind the name: `node:24@sha256:…`.",
    repaired: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    container: node:24@sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
    steps:
      - run: make
",
        )],
        base: &[],
        inputs: &[("rules", "image-unpinned error")],
    },
};

fn check(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    for used in facts.used() {
        let Some(image) = used.image().filter(|image| !image.contains("${{")) else {
            continue;
        };
        let digest = image
            .rsplit_once("@sha256:")
            .map_or("", |(_, digest)| digest);
        let is_pinned = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_pinned {
            findings
                .add(used.text.at, format!("the image `{image}` has no digest"))
                .help("write its digest behind the name, `docker buildx imagetools inspect <image>` shows it");
        }
    }
}
