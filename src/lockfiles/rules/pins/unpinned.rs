//! Requirements that leave the version open.

use crate::error::count;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::{Format, Package, Source};
use crate::model::sources::FileId;

/// The rule.
pub const RULE: Rule = Rule {
    id: "unpinned",
    summary: "A requirement is not pinned to one version",
    why: "What is not pinned with `==` is whatever the index has that day. pip installs `flask>=3 --hash=…` without a word: \
          a hash does not make it demand a version.\n\n\
          One finding a file. A version that a constraints file pins counts. A list that nothing marks as a lock, neither a \
          hash nor the header of a tool, is one of wishes: it is judged only where `paths` names it.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "requirements.txt",
        "six>=1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
",
    )]),
    repair: "Write what you ask for into `requirements.in`, and compile the list: \
             `uv pip compile --generate-hashes requirements.in -o requirements.txt`.",
    repaired: Example::of(&[(
        "requirements.txt",
        "six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
",
    )]),
};

/// So many names are told.
const FEW: usize = 5;

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    // Other formats have no way to write it, or none that their tool would.
    if !matches!(facts.lock.format, Format::Requirements | Format::Pipfile) {
        return;
    }
    let mut files: Vec<(FileId, Vec<&Package<'_>>)> = Vec::new();
    for package in facts
        .lock
        .packages
        .iter()
        .filter(|package| is_open(package))
    {
        let file = package.at.file;
        match files.iter_mut().find(|(known, _)| *known == file) {
            Some((_, open)) => open.push(package),
            None => files.push((file, vec![package])),
        }
    }
    for (_, open) in files {
        let Some(first) = open.first() else {
            continue;
        };
        let named: Vec<String> = open
            .iter()
            .take(FEW)
            .map(|package| format!("`{}`", package.name.written))
            .collect();
        let more = match open.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = match open.len() {
            1 => format!("{} is not pinned with `==`", named.join(", ")),
            many => format!(
                "{} are not pinned with `==`: {}{more}",
                count(many as u64, "requirement"),
                named.join(", ")
            ),
        };
        let finding = findings.add(first.at, message);
        finding.help(format!(
            "pin each with `==` and its hashes: `{}`",
            facts.lock.format.relock()
        ));
        if let [only] = open.as_slice() {
            finding.about(&only.name.normal);
        }
    }
}

/// Whether an index chooses the version.
fn is_open(package: &Package<'_>) -> bool {
    let is_of_index = matches!(package.source.value, Source::Unstated | Source::Registry(_));
    is_of_index && package.version.is_none()
}
