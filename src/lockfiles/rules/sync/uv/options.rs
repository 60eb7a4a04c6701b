//! Single options, and lists of environments.

use crate::lockfiles::marker::{Agreement, Marker, agree};
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::model::lockfile::Text;
use crate::model::sources::Located;

/// Tells if an option of `[tool.uv]` is not the one that the lock was made with.
pub fn tell(
    view: &View<'_>,
    key: &str,
    default: &str,
    recorded: Option<&Located<Text<'_>>>,
    findings: &mut Findings<'_>,
) {
    let declared = view.settings().and_then(|uv| uv.option(key));
    let value = |text: Option<&Located<Text<'_>>>| {
        text.map_or(default.to_owned(), |text| text.value.clone().into_owned())
    };
    let (now, then) = (value(declared), value(recorded));
    if now != then {
        findings
            .add(
                declared.map_or(top(view), |declared| declared.at),
                format!("`{key}` is `{now}`; the lock was made with `{then}`"),
            )
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

/// Tells the environments that only one side has.
pub fn environments(
    view: &View<'_>,
    declared: &[Located<Text<'_>>],
    recorded: &[Located<Text<'_>>],
    findings: &mut Findings<'_>,
) {
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
            let is_known = others.iter().any(|other| {
                let markers = (Marker::parse(&one.value), Marker::parse(&other.value));
                match markers {
                    (Some(one), Some(other)) => {
                        agree(&one, &other, &view.pythons) != Agreement::Different
                    }
                    _ => one.value == other.value,
                }
            });
            if !is_known {
                findings
                    .add(one.at, format!("{what} `{}`", one.value))
                    .see(see, "the other side")
                    .help(format!(
                        "write the lock anew: `{}`; versions may move",
                        view.facts.lock.format.relock()
                    ));
            }
        }
    }
}
