//! What pipenv locked is no longer what is declared.

use crate::lockfiles::declared::pipfile::Pipfile;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::pipfile::{beside, wants};
use crate::lockfiles::rules::sync::wanted::Answer;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Hash;

/// The rule.
pub const RULE: Rule = Rule {
    id: "pipfile-hash",
    summary: "`Pipfile.lock` was not made from what the `Pipfile` declares now",
    why: "`pipenv verify` and `pipenv install --deploy` refuse such a lock. It keeps one hash of the packages of every \
          category, the sources and `[requires]`, with the spelling of each value, so that a blank more makes a lock \
          stale though no version has to move; the finding says which it is.\n\n\
          Newer releases of pipenv hash the names of packages as PEP 503 normalises them, older ones as they are \
          written: either counts.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "Pipfile.lock",
            r#"{
    "_meta": {
        "hash": {
            "sha256": "32b30e9981ef5322cc140e8f84f27f601dd1d9b2e7440a892781554ab080bcc8"
        },
        "pipfile-spec": 6,
        "requires": {},
        "sources": [
            {
                "name": "main",
                "url": "https://index.example/simple",
                "verify_ssl": true
            }
        ]
    },
    "default": {
        "six": {
            "hashes": [
                "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
            ],
            "version": "==1.17.0"
        }
    },
    "develop": {}
}
"#,
        ),
        (
            "Pipfile",
            r#"[[source]]
url = "https://index.example/simple"
verify_ssl = true
name = "main"

[packages]
six = ">=1.17"
"#,
        ),
    ]),
    repair: "Write the lock anew: `pipenv lock`.",
    repaired: Example::of(&[
        (
            "Pipfile.lock",
            r#"{
    "_meta": {
        "hash": {
            "sha256": "218e3ce1bc867dbd5ee2fe53d1819a52dd2a1a4a2b61c5494f27f0fe65e16de1"
        },
        "pipfile-spec": 6,
        "requires": {},
        "sources": [
            {
                "name": "main",
                "url": "https://index.example/simple",
                "verify_ssl": true
            }
        ]
    },
    "default": {
        "six": {
            "hashes": [
                "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
            ],
            "version": "==1.17.0"
        }
    },
    "develop": {}
}
"#,
        ),
        (
            "Pipfile",
            r#"[[source]]
url = "https://index.example/simple"
verify_ssl = true
name = "main"

[packages]
six = ">=1.17"
"#,
        ),
    ]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let (Some(pipfile), Some(recorded)) = (beside(facts), &facts.lock.content_hash) else {
        return;
    };
    if is_fresh(&pipfile, recorded) != Some(false) {
        return;
    }
    let message = "the `Pipfile` declares something else than this lock was made from";
    findings
        .add(recorded.at, message)
        .see(pipfile.at, "declared here")
        .help(help(facts));
}

/// Whether a recorded hash is that of the `Pipfile`; `None` where pipenv itself computes none.
pub fn is_fresh(pipfile: &Pipfile<'_>, recorded: &Hash<'_>) -> Option<bool> {
    let hashes = pipfile.hashes.as_ref()?;
    Some(hashes.iter().any(|hash| *hash == recorded.digest))
}

/// What to do, and whether a version must move.
fn help(facts: &Facts<'_>) -> String {
    let relock = facts.lock.format.relock();
    let mut names: Vec<String> = Vec::new();
    if let Some(wants) = wants(facts) {
        let unsatisfied = wants
            .all
            .iter()
            .filter(|wanted| !matches!(wants.answer(wanted, facts), Answer::Fine));
        names = unsatisfied
            .map(|wanted| format!("`{}`", wanted.requirement.name.written))
            .collect();
        names.dedup();
    }
    if names.is_empty() {
        return format!(
            "what is locked satisfies every requirement, so that no version must move: `{relock}`"
        );
    }
    let shown = crate::error::list(&names, "and");
    format!("write the lock anew: `{relock}`; it does not satisfy what is asked for of {shown}")
}
