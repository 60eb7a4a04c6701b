//! Where somebody switched off the only caches that would be kept: there is nothing to do, and nothing is wrong.

use crate::error::Result;
use crate::model::diagnostic::Severity;
use crate::model::report::{Report, Verdict};
use crate::steps::cache::report::{notice, outputs, report};
use crate::steps::cache::run::{Run, Wanted};
use crate::steps::cache::state::State;
use crate::steps::cache::{Operation, backend};
use crate::steps::key;

/// The report of a restore or a save that has nothing to do; none where there is something.
pub async fn off(run: &Run<'_>, operation: Operation) -> Result<Option<Report>> {
    let settings = run.settings;
    // What was restored is saved again, whatever a later step switched off.
    let may_be = settings.paths.is_empty()
        && run.world.environment.switches_on(key::UV_NO_CACHE)
        && State::read(run.environment)?.is_none();
    if !may_be {
        return Ok(None);
    }
    let computed = key::compute(&settings.computed, run.world, run.stop.clone()).await?;
    let is_off = computed.paths.is_empty() && computed.components.caches.contains_key("uv");
    if !is_off {
        return Ok(None);
    }
    let is_restore = operation == Operation::Restore;
    let mut report = report(if is_restore {
        "nothing is restored"
    } else {
        "nothing is saved"
    });
    let wanted = Wanted {
        key: settings.key.clone().unwrap_or(computed.key),
        restore_keys: Vec::new(),
        paths: Vec::new(),
        components: None,
    };
    report.outputs = outputs(&wanted, "off", None);
    report.facts = vec![
        ("key".to_owned(), wanted.key),
        ("store".to_owned(), backend::name(run)),
    ];
    report.findings.push(notice(
        "unavailable",
        Severity::Note,
        format!("`{}` switches the cache of uv off", key::UV_NO_CACHE),
        Some("leave the variable out, or name what to keep with `paths`".to_owned()),
    ));
    if is_restore && settings.strictness.fail_on_miss {
        report.verdict = Verdict::NoVerdict;
    }
    Ok(Some(report))
}
