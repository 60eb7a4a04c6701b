//! The forks of a resolution cover everything that the lock is for.

use crate::lockfiles::facts::Facts;
use crate::lockfiles::marker::{Agreement, Marker, Pythons, agree};
use crate::lockfiles::policy::Level;
use crate::lockfiles::rules::{Check, Example, Findings, Rule};
use crate::model::lockfile::Text;
use crate::model::sources::Located;

/// The rule.
pub const RULE: Rule = Rule {
    id: "sync-forks",
    summary: "The forks of the lock leave out Pythons or platforms that it is for",
    why: "uv resolves each of `resolution-markers` by itself. What none of them covers, of `requires-python` and the `environments`, has no resolution; uv refuses such a lock. It comes from merging two locks by hand.",
    level: Level::Error,
    check: Check::Lock(check),
    failing: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = [
    "python_full_version >= '3.13'",
    "python_full_version < '3.12'",
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
    )]),
    repair: "Run `uv lock` and commit the lock.",
    repaired: Example::of(&[(
        "uv.lock",
        r#"version = 1
revision = 3
requires-python = ">=3.11"
resolution-markers = [
    "python_full_version >= '3.13'",
    "python_full_version < '3.13'",
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
"#,
    )]),
};

fn check(facts: &Facts<'_>, findings: &mut Findings<'_>) {
    let Some(uv) = facts.lock.uv() else {
        return;
    };
    let Some(first) = facts.lock.resolution_markers.first() else {
        return;
    };
    let pythons = facts.lock.requires_python.as_ref();
    let pythons = pythons.map_or_else(
        || Some(Pythons::default()),
        |pythons| Pythons::parse(&pythons.value),
    );
    let forks = any(&facts.lock.resolution_markers);
    let (Some(pythons), Some(forks), Some(mut environments)) =
        (pythons, forks, any(&uv.supported_markers))
    else {
        return;
    };
    if uv.supported_markers.is_empty() {
        environments = Marker::TRUE;
    }
    let left_out = environments.and(forks.negated());
    if agree(&left_out, &Marker::FALSE, &pythons) != Agreement::Different {
        return;
    }
    let what = match &facts.lock.requires_python {
        Some(pythons) => format!("for `{}`", pythons.value),
        None => "for any Python".to_owned(),
    };
    findings
        .add(
            first.at,
            format!("the lock is {what}, and these markers leave out a part of that"),
        )
        .help(format!(
            "write the lock anew: `{}`; versions may move",
            facts.lock.format.relock()
        ));
}

/// One of these; `None` where one cannot be read, or asks for extras: those divide the resolution in another way.
fn any(markers: &[Located<Text<'_>>]) -> Option<Marker> {
    let parsed = markers.iter().map(|marker| {
        let is_plain = !marker.value.contains("extra");
        Marker::parse(&marker.value).filter(|_| is_plain)
    });
    Some(Marker::Any(parsed.collect::<Option<_>>()?))
}
