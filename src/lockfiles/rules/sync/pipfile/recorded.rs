//! What a lock of pipenv says of the `Pipfile` is not what stands there.

use crate::lockfiles::address::conceal;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::pipfile::beside;
use crate::lockfiles::rules::sync::pipfile::hash::is_fresh;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "pipfile-meta",
    summary: "`Pipfile.lock` names a source or a Python that the `Pipfile` does not",
    why: "pipenv installs from the sources that the lock names, and compares nothing but the hash of the `Pipfile`: \
          whoever changes a URL in the lock decides where packages come from, and `pipenv verify` says that the lock is \
          up-to-date.\n\n\
          Where the hash is another one the lock is stale as a whole, and only that is told. A `Pipfile` without \
          sources leaves them to the machine.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
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
                "url": "https://lndex.example/simple",
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
    repair: "Take the lock of the base, or write it anew; first find out who changed it.",
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
    let (Some(pipfile), Some(lock)) = (beside(facts), facts.lock.pipfile()) else {
        return;
    };
    let recorded = facts.lock.content_hash.as_ref();
    if recorded.and_then(|recorded| is_fresh(&pipfile, recorded)) != Some(true) {
        return;
    }
    let help = format!(
        "take the lock of the base, or write it anew: `{}`",
        facts.lock.format.relock()
    );
    if let Some(declared) = pipfile.sources.first() {
        for source in &lock.sources {
            let mut urls = pipfile.sources.iter();
            if !urls.any(|url| url.value == source.url.value) {
                let message = format!(
                    "the `Pipfile` names no source `{}`",
                    conceal(&source.url.value)
                );
                findings
                    .add(source.url.at, message)
                    .see(declared.at, "the sources begin here")
                    .help(&help);
            }
        }
    }
    for (key, value) in &lock.requires {
        let declared = pipfile.requires.iter().find(|(own, _)| own == key);
        if declared.is_none_or(|(_, own)| own.value != value.value) {
            let message = format!(
                "the `Pipfile` does not ask for `{key} = \"{}\"`",
                value.value
            );
            let finding = findings.add(value.at, message);
            finding.help(&help);
            if let Some((_, own)) = declared {
                finding.see(own.at, "declared here");
            }
        }
    }
}
