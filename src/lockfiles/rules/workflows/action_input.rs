//! Inputs that an action does not take.

use crate::error::did_you_mean;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::lockfiles::workflow::{Used, WorkflowFacts};
use crate::model::diagnostic::Severity;

/// The repository of our own actions.
const OWN: &str = "lockgate/lockgate";

/// The rule.
pub const RULE: Rule = Rule {
    id: "action-input",
    summary: "An action of ours, or an action or workflow of the repository itself, gets an input that it does not take",
    why: "GitHub warns of an unknown key of `with` and goes on without it: a gate with `fail-om: warning` fails on errors only. \
          Looked at are Lockgate's own actions, as this release knows them, and, where another rule about workflows is on, \
          those of the repository itself (`./`, `$/`), and workflows of it that others call, of which GitHub refuses to start \
          the whole run. A key that is like none of theirs is a warning: it may be of another \
          release.",
    level: Level::Error,
    check: Check::Workflows(check),
    failing: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - uses: lockgate/lockgate/actions/lint-gate@3d3c42e5aac5ba805825da76410c181273ba90b1
        with:
          fail-om: warning
",
        )],
        base: &[],
        inputs: &[],
    },
    repair: "Write the name of the input: `fail-on`.",
    repaired: Example {
        files: &[(
            ".github/workflows/ci.yml",
            r"on: push
jobs:
  lint:
    runs-on: ubuntu-24.04
    steps:
      - uses: lockgate/lockgate/actions/lint-gate@3d3c42e5aac5ba805825da76410c181273ba90b1
        with:
          fail-on: warning
",
        )],
        base: &[],
        inputs: &[],
    },
};

/// What actions that run in a container take besides.
const BESIDES: [&str; 2] = ["args", "entrypoint"];

fn check(facts: &WorkflowFacts<'_>, findings: &mut Findings<'_>) {
    for used in facts.used().filter(|used| !used.with.is_empty()) {
        let Some(known) = inputs(used, facts) else {
            continue;
        };
        for key in &used.with {
            let is_known = |name: &&str| name.eq_ignore_ascii_case(&key.value);
            let besides = if used.is_workflow() {
                &[][..]
            } else {
                &BESIDES
            };
            if known.iter().chain(besides).any(is_known) {
                continue;
            }
            let action = used.text.value.split('@').next().unwrap_or_default();
            let message = format!("`{action}` takes no input `{}`", key.value);
            let finding = findings.add(key.at, message);
            let written = key.value.to_lowercase();
            match did_you_mean(&written, known.iter().copied()) {
                Some(close) => finding.help(format!("write `{close}`")),
                None => finding
                    .at_most(Severity::Warning)
                    .help("remove it, or look for its name in the `action.yml` of the release that is used"),
            };
        }
    }
}

/// The inputs of an action that is known.
fn inputs<'a>(used: &'a Used, facts: &WorkflowFacts<'a>) -> Option<Vec<&'a str>> {
    if let Some(folder) = used.local() {
        let is_own = |path: &str| {
            let (own, name) = path.rsplit_once('/').unwrap_or(("", path));
            path == folder || (own == folder && matches!(name, "action.yml" | "action.yaml"))
        };
        let mut actions = facts.workflows.iter();
        let action = actions.find(|action| is_own(facts.sources.path(action.file)))?;
        let inputs = action.inputs.as_ref()?.iter();
        return Some(inputs.map(String::as_str).collect());
    }
    let remote = used.remote()?;
    let is_own = remote.repository.eq_ignore_ascii_case(OWN);
    let mut actions = facts.own.iter().filter(|_| is_own);
    let action = actions.find(|action| action.folder == remote.path)?;
    Some(action.inputs.iter().map(String::as_str).collect())
}

#[cfg(test)]
mod tests {
    use crate::lockfiles::rules::tests::found_in;

    /// What is said of a job of a repository with a workflow that takes `level`.
    fn found(job: &str) -> Vec<String> {
        let callable =
            "on:\n  workflow_call:\n    inputs:\n      level: {type: string}\njobs: {}\n";
        let caller = format!("on: push\njobs:\n  lint:\n{job}");
        let files = [
            (".github/workflows/called.yml", callable),
            (".github/workflows/ci.yml", &caller),
        ];
        let all = found_in(&files, &[], &[("rules", "sync-unverifiable off")]).into_iter();
        all.filter(|finding| finding.rule.id == "action-input")
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn the_action_at_our_root_and_workflows_that_are_called_take_what_they_say() {
        let sha = "3d3c42e5aac5ba805825da76410c181273ba90b1";
        let root = |with: &str| {
            format!("    steps:\n      - uses: lockgate/lockgate@{sha}\n        with: {{{with}}}\n")
        };
        let called = |with: &str| {
            format!("    uses: ./.github/workflows/called.yml\n    with: {{{with}}}\n")
        };
        for (job, expected) in [
            (root("step: lint-gate"), None),
            (
                root("stepp: lint-gate"),
                Some("`lockgate/lockgate` takes no input `stepp`"),
            ),
            (called("level: strict"), None),
            (
                called("levle: strict"),
                Some("`./.github/workflows/called.yml` takes no input `levle`"),
            ),
            (
                called("args: strict"),
                Some("`./.github/workflows/called.yml` takes no input `args`"),
            ),
        ] {
            let found = found(&job);
            assert_eq!(
                found,
                expected.map(str::to_owned).into_iter().collect::<Vec<_>>(),
                "{job}"
            );
        }
    }
}
