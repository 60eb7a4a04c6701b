//! Single options, and lists of environments.

use crate::lockfiles::marker::{Agreement, Marker, agree};
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::model::lockfile::Text;
use crate::model::sources::Located;

/// A mode in the words of today.
pub fn mode(text: &str) -> &str {
    match text {
        // What was the default under this name is the default under the other one.
        "if-necessary-or-explicit" => "if-necessary",
        other => other,
    }
}

/// Tells if an option of `[tool.uv]` is not the one that the lock was made with.
pub fn tell(
    view: &View<'_>,
    key: &str,
    default: &str,
    recorded: Option<&Located<Text<'_>>>,
    findings: &mut Findings<'_>,
) {
    let declared = view.option(key);
    let value = |text: Option<&Located<Text<'_>>>| {
        text.map_or(default.to_owned(), |text| mode(&text.value).to_owned())
    };
    let (now, then) = (value(declared), value(recorded));
    if now != then {
        findings
            .add(
                declared.map_or(top(view), |declared| declared.at),
                format!("`{key}` is `{now}`; the lock was made with `{then}`"),
            )
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
}

/// Tells the environments that only one side has, and another order: uv resolves them one after the other.
pub fn environments(
    view: &View<'_>,
    declared: &[Located<Text<'_>>],
    recorded: &[Located<Text<'_>>],
    findings: &mut Findings<'_>,
) {
    // uv takes none from a script.
    if view.is_script() {
        return;
    }
    let relock = format!(
        "write the lock anew: `{}`; versions may move",
        view.facts.lock.format.relock()
    );
    let mut is_told = false;
    for (own, others, what, see) in [
        (
            declared,
            recorded,
            "the lock was not made for the environment",
            start(view),
        ),
        (
            recorded,
            declared,
            "the lock was made for an environment that is not declared,",
            top(view),
        ),
    ] {
        for one in own {
            if !others.iter().any(|other| is_same(one, other, view)) {
                is_told = true;
                findings
                    .add(one.at, format!("{what} `{}`", one.value))
                    .see(see, "the other side")
                    .help(&relock);
            }
        }
    }
    let mut pairs = declared.iter().zip(recorded);
    if let Some((moved, was)) = pairs.find(|(one, other)| !is_same(one, other, view))
        && !is_told
    {
        let message = format!(
            "`{}` stands where the lock has `{}`: the order counts",
            moved.value, was.value
        );
        findings
            .add(moved.at, message)
            .see(was.at, "the order of the lock")
            .help(relock);
    }
}

fn is_same(one: &Located<Text<'_>>, other: &Located<Text<'_>>, view: &View<'_>) -> bool {
    match (Marker::parse(&one.value), Marker::parse(&other.value)) {
        (Some(one), Some(other)) => agree(&one, &other, &view.pythons) != Agreement::Different,
        _ => one.value == other.value,
    }
}
