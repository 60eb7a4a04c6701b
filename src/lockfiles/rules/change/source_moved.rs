//! The same bytes from elsewhere.

use crate::error::count;
use crate::lockfiles::difference::moved;
use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::change::before;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "source-moved",
    summary: "Packages come from elsewhere, with the same hashes",
    why: "The lock was written with another index or mirror configured. The hashes are the same, so the bytes are too; but \
          the next one who locks may move everything back.",
    level: Level::Note,
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
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://mirror.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
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
    repair: "Declare the index in `pyproject.toml`, so that everybody locks with the same.",
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
    for one in moved(before, facts.lock) {
        let packages = match one.packages {
            1 => format!("`{}` comes", one.package.title()),
            more => format!("{} come", count(more as u64, "package")),
        };
        let message = format!(
            "{packages} from {} instead of {}, with the same hashes",
            one.to.describe(),
            one.from.describe()
        );
        findings
            .add(one.at, message)
            .help("declare the index in the project, so that everybody locks with the same one");
    }
}
