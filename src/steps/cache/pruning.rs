//! The `prune` operation, and pruning before a save.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result, count};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Report, Table};
use crate::model::size;
use crate::steps::cache::paths;
use crate::steps::cache::prune::{Manager, Pruning, Used, decide};
use crate::steps::cache::report::{notice, report};
use crate::steps::cache::run::{Run, Wanted};
use crate::steps::key::{self, Key};

/// Makes the caches of package managers smaller.
pub async fn prune(run: &Run<'_>) -> Result<Report> {
    let computed = key::compute(&run.settings.computed, run.world, run.stop.clone()).await?;
    let prunings = decide_all(run, &computed, &computed.paths)?;
    let mut gone = 0;
    let mut kept = 0;
    let mut tables = Vec::new();
    for pruning in &prunings {
        if !run.settings.dry_run {
            pruning.carry_out()?;
        }
        let (going, staying) = pruning.plan.bytes();
        gone += going;
        kept += staying;
        tables.push(table(pruning));
    }
    let verb = if run.settings.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let mut report = report(match prunings.len() {
        0 => "no cache of uv, pip or Poetry is there".to_owned(),
        _ => format!("{verb} {}, {} stay", size::show(gone), size::show(kept)),
    });
    report.tables = tables;
    report.outputs = [("outcome".to_owned(), "pruned".to_owned())].into();
    Ok(report)
}

/// Takes out of the caches that are to be saved what is over the budget. A cache that is in use, or that nobody knows what is
/// needed of, is saved as it is.
pub async fn before_save(run: &Run<'_>, wanted: &Wanted, findings: &mut Vec<Finding>) {
    let pruned = async {
        let computed = key::compute(&run.settings.computed, run.world, run.stop.clone()).await?;
        let prunings = decide_all(run, &computed, &wanted.paths)?;
        prunings.iter().try_for_each(Pruning::carry_out)
    };
    if let Err(error) = pruned.await {
        findings.push(notice(
            "prune",
            Severity::Warning,
            error.message,
            error.hint,
        ));
    }
}

/// What the locks pin. Where they do not say all of it, nobody knows what is no longer needed.
fn needed(computed: &Key) -> Result<Used> {
    if let Some(lock) = computed.unread.first() {
        return Err(Error::usage(format!(
            "`{lock}` cannot be read as a lockfile, so that nobody knows what of the caches is needed: nothing is removed"
        ))
        .hint("mend it, or name others with `lockfiles`"));
    }
    let locks = &computed.components.locks;
    if locks.is_empty() {
        return Err(
            Error::usage("no lock says what of the caches is needed: nothing is removed")
                .hint("name it with `lockfiles`"),
        );
    }
    let pinned = locks.iter().flat_map(|lock| &lock.packages);
    Ok(pinned
        .map(|pinned| (pinned.name.as_str(), pinned.version.as_str()))
        .collect())
}

fn decide_all(run: &Run<'_>, computed: &Key, paths: &[String]) -> Result<Vec<Pruning>> {
    let resolved = paths::resolve(paths, &run.workspace(), run.home())?;
    let mut caches: Vec<(Manager, PathBuf)> = Vec::new();
    for folder in resolved.present {
        // Of Poetry's cache two folders are kept, and not the environments beside them.
        let whose = |folder: &Path| {
            Some((
                Manager::of_folder(folder, run.environment)?,
                folder.to_owned(),
            ))
        };
        let around = folder.parent().and_then(whose);
        let around = around.filter(|(manager, _)| *manager == Manager::Poetry);
        let known = whose(&folder).or(around);
        caches.extend(known.filter(|known| !caches.contains(known)));
    }
    if caches.is_empty() {
        return Ok(Vec::new());
    }
    let used = needed(computed)?;
    caches
        .into_iter()
        .map(|(manager, folder)| decide(manager, &folder, &used, run.settings.max_size))
        .collect()
}

fn table(pruning: &Pruning) -> Table {
    let (going, staying) = pruning.plan.bytes();
    let mut rows: Vec<Vec<String>> = pruning
        .plan
        .going_by_worth()
        .into_iter()
        .map(|(worth, (parts, bytes))| {
            vec![
                worth.name().to_owned(),
                count(parts, "part"),
                size::show(bytes),
            ]
        })
        .collect();
    rows.push(vec![
        "stays".to_owned(),
        count(pruning.plan.staying.len() as u64, "part"),
        size::show(staying),
    ]);
    Table {
        title: format!(
            "{} in `{}`: {} go",
            pruning.manager.name(),
            pruning.root.display(),
            size::show(going)
        ),
        header: vec!["what", "parts", "size"],
        rows,
    }
}
