//! Indexes that nobody declares.

use crate::error::{count, list};
use crate::lockfiles::address::conceal;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sources::{indexes, uses};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;
use crate::model::lockfile::{Format, Source};

/// The rule.
pub const RULE: Rule = Rule {
    id: "index-not-allowed",
    summary: "Packages come from an index that is not allowed",
    why: "The index decides which bytes a name means. `uv lock --check` accepts another index at a package of a project \
          that configures none.\n\n\
          With `allowed-indexes` every other index is an error. Without it, an index that the project does not declare is \
          a warning: it may be the mirror of the machine that wrote the lock. What pdm and pipenv call an index \
          by its name is only judged with `allowed-indexes`.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://lndex.example/simple" }
wheels = [
    { url = "https://lndex.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[("allowed-indexes", "https://index.example/simple")],
    },
    repair: "Declare the index under `[[tool.uv.index]]`, or name it in `allowed-indexes`; if nobody knows it, find out who \
             brought it in before anything is installed, and write the lock anew.",
    repaired: Example {
        files: &[(
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://index.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[],
        inputs: &[("allowed-indexes", "https://index.example/simple")],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let allowed = &facts.policy.indexes;
    uses::each(facts, |used| {
        if used.purpose != uses::Purpose::Index
            || indexes::is_allowed(used.text, facts) != Some(false)
        {
            return;
        }
        let shown = conceal(used.text);
        let also = facts
            .lock
            .packages
            .iter()
            .filter(|package| matches!(&package.source.value, Source::Registry(index) if index == used.text))
            .count();
        let whose = match (used.package, also) {
            (Some(package), 0 | 1) => format!("`{}` comes", package.title()),
            (Some(package), also) => format!(
                "`{}` and {} come",
                package.title(),
                count(also as u64 - 1, "other package")
            ),
            (None, _) => "packages may come".to_owned(),
        };
        let (message, help, most) = if allowed.is_empty() {
            (
                format!("{whose} from `{shown}`, which the project does not declare"),
                format!(
                    "declare it under `{}`, or name it in `allowed-indexes`",
                    match facts.lock.format {
                        Format::Poetry => "[[tool.poetry.source]]",
                        _ => "[[tool.uv.index]]",
                    }
                ),
                Severity::Warning,
            )
        } else {
            let allowed: Vec<_> = allowed.iter().map(|index| format!("`{index}`")).collect();
            (
                format!("{whose} from `{shown}`, which is not allowed"),
                format!(
                    "use {}, or add it to `allowed-indexes`",
                    list(&allowed, "or")
                ),
                Severity::Error,
            )
        };
        let finding = findings.add(used.at, message);
        finding.help(help).at_most(most);
        if let Some(package) = used.package {
            finding.about(&package.name.normal);
        }
    });
}
