//! What a script requires is what its lock was made from.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::compare::{compare, tell};
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-script",
    summary: "The lock of a script was made from other requirements",
    why: "The requirements of a script stand in its head (PEP 723). uv refuses a lock beside it that was made from others.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "tool.py",
            r#"# /// script
# requires-python = ">=3.11"
# dependencies = ["six>=1.16"]
# ///
import six
"#,
        ),
        (
            "tool.py.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
requirements = [{ name = "six", specifier = ">=1.15" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
    repair: "Run `uv lock --script` for the script and commit the lock with the change.",
    repaired: Example::of(&[
        (
            "tool.py",
            r#"# /// script
# requires-python = ">=3.11"
# dependencies = ["six>=1.16"]
# ///
import six
"#,
        ),
        (
            "tool.py.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[manifest]
requirements = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(view) = View::new(facts) else {
        return;
    };
    let Some(project) = view.root.project.as_ref().filter(|_| view.is_script()) else {
        return;
    };
    let manifest = view.uv.manifest.as_ref();
    let recorded = manifest.map_or(&[][..], |manifest| &manifest.value.requirements);
    let compared = compare(&view, view.listed(&project.dependencies), recorded);
    tell(&view, compared, top(&view), start(&view), findings);
}
