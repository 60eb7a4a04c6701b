//! The same version from elsewhere, unproved.

use crate::error::count;
use crate::lockfiles::difference::source_changes;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::{FEW, before, is_declared_otherwise};
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::diagnostic::Severity;

/// The rule.
pub const RULE: Rule = Rule {
    id: "source-changed",
    summary: "The same version comes from elsewhere, and nothing shows that it is the same",
    why: "A package that keeps its version but now comes from another index, repository or address may be anything. Where a \
          hash or a commit shows that the bytes are the same, it is only told as a note (`source-moved`); where the project \
          declares another source for it in the same change, it is a warning.",
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
source = { git = "https://git.example/six?rev=main#0123456789abcdef0123456789abcdef01234567" }
"#,
        )],
        base: &[(
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
        )],
        inputs: &[],
    },
    repair: "Declare the source, or take the package from where it came from.",
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
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]
"#,
        )],
        base: &[(
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
        )],
        inputs: &[],
    },
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(before) = before(facts) else { return };
    let changes = source_changes(before, facts.lock);
    let rest = changes.len().saturating_sub(FEW);
    for (index, change) in changes.iter().take(FEW).enumerate() {
        let (old, new) = (&change.before.source.value, &change.after.source.value);
        let more = match rest {
            more if more > 0 && index + 1 == FEW => {
                format!("; so do {}", count(more as u64, "package"))
            }
            _ => String::new(),
        };
        let message = format!(
            "`{}` comes from another {} than on the base, at the same version, and nothing shows that it is the same{more}",
            change.after.title(),
            if old.kind() == new.kind() {
                new.kind().to_owned()
            } else {
                format!("place ({}, there {})", new.kind(), old.kind())
            },
        );
        let finding = findings.add(change.after.source.at, message);
        finding
            .about(&change.after.name.normal)
            .help("declare the source in `pyproject.toml` if it is meant, or take the package from where it came from");
        if is_declared_otherwise(facts, &change.after.name.normal) {
            finding.at_most(Severity::Warning);
        }
    }
}
