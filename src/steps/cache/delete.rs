//! `delete`: takes away what is saved under one key.

use crate::error::{Error, Result};
use crate::model::report::Report;
use crate::model::size;
use crate::steps::cache::list::{Listed, Listing, table};
use crate::steps::cache::report::report;
use crate::steps::cache::run::Run;

/// Deletes what is saved under the key, in every scope and version.
pub async fn delete(run: &Run<'_>) -> Result<Report> {
    let Some(key) = run.settings.key.as_deref() else {
        return Err(
            Error::usage("`delete` needs a key: none is deleted by guess")
                .hint("lockgate cache list, then lockgate cache delete --key <key>"),
        );
    };
    let listing = Listing::open(run)?;
    let mut entries = listing.entries(key).await?;
    // The listing goes by the beginning of keys.
    entries.retain(|entry| entry.key() == key);
    if !run.settings.dry_run {
        for entry in &entries {
            listing.delete(entry).await?;
        }
    }
    let bytes: u64 = entries.iter().map(Listed::bytes).sum();
    let verb = if run.settings.dry_run {
        "would delete"
    } else {
        "deleted"
    };
    let (headline, outcome) = match entries.len() {
        0 => (format!("nothing is saved under `{key}`"), "miss"),
        1 => (format!("{verb} 1 entry, {}", size::show(bytes)), "deleted"),
        many => (
            format!("{verb} {many} entries, {}", size::show(bytes)),
            "deleted",
        ),
    };
    let mut report = report(headline);
    report.outputs = [("outcome".to_owned(), outcome.to_owned())].into();
    if !entries.is_empty() {
        report.tables = vec![table("entries", &entries)];
    }
    Ok(report)
}
