//! Hashes that are none.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::pins::algorithm::{self, Wrong};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "hash-malformed",
    summary: "A hash is not an algorithm and its digits",
    why: "What cannot be read as a hash verifies nothing, and some tools pass over it: an algorithm that none of them knows, \
          no algorithm, or digits that are none.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha265:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
    repair: "Write the lock anew.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let help = format!("write the lock anew: `{}`", facts.lock.format.relock());
    algorithm::tell(facts, findings, &help, |hash, _| {
        if hash.algorithm.is_empty() {
            let message = "this hash does not say of which algorithm it is".to_owned();
            return Some(Wrong::new(hash.at, message));
        }
        if algorithm::known(&hash.algorithm).is_none() {
            let Some(meant) = algorithm::meant(&hash.algorithm) else {
                let message = format!("no tool knows the hash algorithm `{}`", hash.algorithm);
                return Some(Wrong::new(hash.at, message));
            };
            let message = format!("`{}` is spelt `{}`", hash.algorithm, meant.name);
            let edit = algorithm::name_at(hash, facts).map(|at| (at, meant.name));
            return Some(Wrong {
                edit,
                ..Wrong::new(hash.at, message)
            });
        }
        let is_hex = algorithm::is_hex(&hash.digest);
        (hash.digest.is_empty() || !is_hex).then(|| {
            let message = format!("these are no digits of a {}", hash.algorithm);
            Wrong::new(algorithm::digest_at(hash, facts), message)
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfiles::policy::Policy;
    use crate::lockfiles::rules::judge;
    use crate::lockfiles::{Format, read};
    use crate::model::sources::Sources;

    #[test]
    fn the_edit_mends_the_spelling_and_nothing_else() {
        let repaired = RULE.repaired.files[0].1;
        for (spelling, is_mended) in [("SHA-256", true), ("sha_256", true), ("crc32", false)] {
            let text = repaired.replace("sha256", spelling);
            let mut sources = Sources::default();
            let file = sources.add("uv.lock", text.clone().into_bytes()).unwrap();
            let reading = read(Format::Uv, file, &sources);
            let policy = Policy::default();
            let facts = Facts::of_lock(&sources, reading.lockfile.as_ref().unwrap(), &policy);
            let found = judge(&reading, Some(&facts), &policy);
            let finding = found.iter().find(|one| one.rule.id == RULE.id).unwrap();
            let edited = finding.edits.first().map(|edit| {
                let (start, end) = (edit.at.start as usize, edit.at.end as usize);
                format!("{}{}{}", &text[..start], edit.text, &text[end..])
            });
            assert_eq!(
                edited.as_deref(),
                is_mended.then_some(repaired),
                "{spelling}"
            );
        }
    }
}
