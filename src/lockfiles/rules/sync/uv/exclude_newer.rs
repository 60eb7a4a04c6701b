//! The limit of age is that of the lock.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::sync::uv::moment;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Text;
use crate::model::sources::Located;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-exclude-newer",
    summary: "The lock was made with another limit of age",
    why: "`exclude-newer` is a moment, or a span such as `2 weeks`. Of a span only the length counts: that time goes by makes no lock stale.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[tool.uv]
exclude-newer = "2 weeks"
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
        ),
    ]),
    repair: "Run `uv lock` and commit the lock with the change.",
    repaired: Example::of(&[
        (
            "pyproject.toml",
            r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six>=1.16"]

[tool.uv]
exclude-newer = "2 weeks"
"#,
        ),
        (
            "uv.lock",
            r#"version = 1
revision = 3
requires-python = ">=3.11"

[options]
exclude-newer = "0001-01-01T00:00:00Z"
exclude-newer-span = "P2W"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six", specifier = ">=1.16" }]

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
    let options = &view.uv.options;
    let declared = view.option("exclude-newer");
    let recorded = options
        .exclude_newer_span
        .as_ref()
        .or(options.exclude_newer.as_ref());
    one(&view, "exclude-newer", declared, recorded, findings);
    let configuration = view.configuration();
    let packages: Vec<_> = configuration
        .flat_map(|(_, uv)| &uv.exclude_newer_package)
        .collect();
    for (name, declared) in &packages {
        let mut known = options.exclude_newer_package.iter();
        let recorded = known.find(|(known, _)| known.normal == name.normal);
        if recorded.is_none() && !view.has_locked(&name.normal) {
            continue;
        }
        let what = format!("exclude-newer-package for {}", name.normal);
        one(
            &view,
            &what,
            Some(declared),
            recorded.map(|(_, moment)| moment),
            findings,
        );
    }
    for (known, recorded) in &options.exclude_newer_package {
        if !packages.iter().any(|(name, _)| name.normal == known.normal) {
            let what = format!("exclude-newer-package for {}", known.normal);
            one(&view, &what, None, Some(recorded), findings);
        }
    }
}

fn one(
    view: &View<'_>,
    what: &str,
    declared: Option<&Located<Text<'_>>>,
    recorded: Option<&Located<Text<'_>>>,
    findings: &mut Findings<'_>,
) {
    let is_same = match (declared, recorded) {
        (None, None) => true,
        // No limit is what there is without it.
        (Some(declared), None) => declared.value == "false",
        (Some(declared), Some(recorded)) => moment::is_same(&declared.value, &recorded.value),
        _ => false,
    };
    if is_same {
        return;
    }
    let say = |text: Option<&Located<Text<'_>>>| {
        text.map_or("nothing".to_owned(), |text| format!("`{}`", text.value))
    };
    let message = format!(
        "`{what}` is {}; the lock was made with {}",
        say(declared),
        say(recorded)
    );
    findings
        .add(declared.map_or(top(view), |declared| declared.at), message)
        .at_most(view.worst())
        .see(
            recorded.map_or(start(view), |recorded| recorded.at),
            "the lock",
        )
        .help(format!(
            "write the lock anew: `{}`; versions may move",
            view.facts.lock.format.relock()
        ));
}
