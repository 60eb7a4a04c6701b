//! What is declared for the requirements of one package only: overrides and exclusions.

use crate::lockfiles::requirement::Version;
use crate::lockfiles::rules::Findings;
use crate::lockfiles::rules::sync::uv::recorded::{start, top};
use crate::lockfiles::rules::sync::uv::view::View;
use crate::model::lockfile::Scoped;

/// Tells what only one side has. What is declared of a package that is not locked changes nothing.
pub fn tell<T>(
    view: &View<'_>,
    what: &str,
    declared: &[Scoped<'_, T>],
    recorded: &[Scoped<'_, T>],
    is_same: impl Fn(&[T], &[T]) -> bool,
    findings: &mut Findings<'_>,
) {
    let relock = format!("write the lock anew: `{}`", view.facts.lock.format.relock());
    let agree = |one: &Scoped<'_, T>, other: &Scoped<'_, T>| {
        one.package.normal == other.package.normal
            && version(one) == version(other)
            && is_same(&one.dependencies, &other.dependencies)
    };
    for one in declared {
        let is_known = recorded.iter().any(|other| agree(one, other));
        if !is_known && view.has_locked(&one.package.normal) {
            let name = &one.package.written;
            let message =
                format!("the lock was not made with this {what} for what `{name}` requires");
            findings
                .add(one.package.at, message)
                .about(&one.package.normal)
                .see(start(view), "the lock")
                .help(&relock);
        }
    }
    for other in recorded {
        if !declared.iter().any(|one| agree(one, other)) {
            let name = &other.package.written;
            let message = format!(
                "the lock was made with an {what} for what `{name}` requires that is not declared"
            );
            findings
                .add(other.package.at, message)
                .about(&other.package.normal)
                .see(top(view), "the settings")
                .help(&relock);
        }
    }
}

/// The version as one, or else its text.
fn version<T>(scoped: &Scoped<'_, T>) -> Option<Result<Version, String>> {
    let text = &scoped.version.as_ref()?.value;
    Some(Version::parse(text).ok_or_else(|| text.clone().into_owned()))
}
