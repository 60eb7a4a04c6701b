//! Saves: asks first whether there is anything to do, then packs and streams, reserves late and completes in any case.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use crate::archive::{
    self, Confinement, Level, PackOptions, Packed, Progress, Sources, note, pack,
};
use crate::error::{Error, Result, count};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Report, Verdict};
use crate::model::size;
use crate::steps::cache::policy::{Refusal, refusal_after_job, refusal_by_event, refusal_by_store};
use crate::steps::cache::report::{notice, outputs, report};
use crate::steps::cache::run::{Run, Wanted};
use crate::steps::cache::settings::Settings;
use crate::steps::cache::state::{COMPONENTS, State};
use crate::steps::cache::version::{Compression, version};
use crate::steps::cache::watch::watched;
use crate::steps::cache::{backend, paths, pruning};
use crate::steps::transport::{PieceWriter, Trouble, WAITING, send};
use crate::stores::cache::Cache;
use crate::stores::fault::{Access, Fault};
use crate::system::stop::Stop;

/// Set by the action for the end of a job: what the runner says of the job so far.
const JOB_STATUS: &str = "LOCKGATE_JOB_STATUS";

/// What came of it.
enum Came {
    /// The key has something already.
    Exists,
    /// Nothing is saved, for this reason.
    Skipped(Refusal),
    /// None of the paths is there.
    Empty,
    /// It is saved: what, so many bytes, and in which scope, where there are any.
    Saved(Packed, u64, Option<String>),
    /// Something went wrong.
    Failed(Trouble),
}

/// Saves what the inputs, or the restore before, name.
pub async fn save(run: &Run<'_>) -> Result<Report> {
    let started = Instant::now();
    let Some(state) = State::read(run.environment)? else {
        let wanted = run.wanted().await?;
        return save_it(run, &wanted, None, started).await;
    };
    let wanted = Wanted {
        key: state.key,
        restore_keys: Vec::new(),
        paths: state.paths,
        components: state.components.map(|document| document.components),
    };
    let settings = Settings {
        store: state.store,
        ..run.settings.clone()
    };
    let run = Run {
        settings: &settings,
        world: run.world,
        environment: run.environment,
        stop: run.stop.clone(),
    };
    save_it(&run, &wanted, state.matched.as_deref(), started).await
}

async fn save_it(
    run: &Run<'_>,
    wanted: &Wanted,
    matched: Option<&str>,
    started: Instant,
) -> Result<Report> {
    let mut findings = Vec::new();
    let came = decide(run, wanted, matched, &mut findings).await?;
    if let Came::Failed(trouble) = &came
        && let Some(mistake) = trouble.mistake()
    {
        return Err(mistake);
    }
    if let Some(signal) = run.stop.signal()
        && !matches!(came, Came::Saved(..))
    {
        return Err(Error::interrupted(signal));
    }
    Ok(judge(run, wanted, &came, findings, started))
}

async fn decide(
    run: &Run<'_>,
    wanted: &Wanted,
    matched: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<Came> {
    let is_after_job = run.environment.os("LOCKGATE_RUNTIME").is_some();
    let status = run.environment.get(JOB_STATUS);
    let after_job = is_after_job.then(|| refusal_after_job(run.settings.save, status));
    if let Some(refusal) = after_job.flatten() {
        return Ok(Came::Skipped(refusal));
    }
    let context = &run.world.context;
    let refusal =
        refusal_by_event(context).or_else(|| refusal_by_store(context, backend::has_scopes(run)));
    if let Some(refusal) = refusal {
        return Ok(Came::Skipped(refusal));
    }
    if matched == Some(wanted.key.as_str()) {
        return Ok(Came::Exists);
    }
    // What is done is completed, also when we are told to stop: the archive stops, the service is told.
    let cache = match backend::open(run, Stop::never())? {
        Ok(cache) => cache,
        Err(fault) => return Ok(Came::Failed(fault.into())),
    };
    let outcome = attempt(run, wanted, &cache, findings).await?;
    Ok(match outcome {
        Ok(came) => came,
        // The look-up found nothing: it is reserved, by somebody or by an attempt of ours whose answer was lost.
        Err(trouble @ Trouble::Store(Fault::Exists { .. })) => {
            findings.push(trouble.notice(false));
            Came::Exists
        }
        Err(trouble) => Came::Failed(trouble),
    })
}

async fn attempt(
    run: &Run<'_>,
    wanted: &Wanted,
    cache: &Cache,
    findings: &mut Vec<Finding>,
) -> Result<std::result::Result<Came, Trouble>> {
    let permissions = cache.permissions();
    if !permissions.may_write {
        return Ok(Err(Trouble::Store(Fault::Denied {
            access: Access::Write,
            message: "the token of this job, or `cache-mode`, allows no writing".to_owned(),
        })));
    }
    let version = version(&wanted.paths, Compression::Zstd);
    let keys = [&wanted.key];
    let looking = cache.look_up(&keys, &version);
    match run.unless_stopped(looking).await {
        Ok(Some(found)) if found.matched_key == wanted.key => return Ok(Ok(Came::Exists)),
        // One that only begins so is another one.
        Ok(_) | Err(Fault::Denied { .. }) => {}
        Err(fault) => return Ok(Err(fault.into())),
    }
    if run.settings.max_size.is_some() {
        pruning::before_save(run, wanted, findings).await;
    }
    let workspace = run.workspace();
    let resolved = paths::resolve(&wanted.paths, &workspace, run.home())?;
    findings.extend(resolved.unreadable.iter().map(|folder| {
        let text = format!(
            "`{}` is not looked through: it cannot be read",
            folder.display()
        );
        notice("left-out", Severity::Warning, text, None)
    }));
    if resolved.present.is_empty() {
        return Ok(Ok(Came::Empty));
    }
    let (sender, pieces) = tokio::sync::mpsc::channel(WAITING);
    let progress = Arc::new(Progress::new(run.stop.clone()));
    let theirs = Arc::clone(&progress);
    let options = PackOptions {
        level: run
            .settings
            .level
            .map_or(Level::Adaptive, |level| Level::Fixed(i32::from(level))),
        ..PackOptions::default()
    };
    let declared = paths::declared(&wanted.paths, &workspace, run.home())?;
    let confinement = Confinement::new(&workspace, declared);
    let note = note(run, wanted);
    let packing = tokio::task::spawn_blocking(move || {
        let mut out = PieceWriter::new(sender);
        if let Some(note) = note {
            out.write_all(&note).map_err(archive::Fault::Output)?;
        }
        let sources = Sources {
            workspace: &workspace,
            paths: &resolved.present,
            excluded: &resolved.excluded,
            confinement: Some(&confinement),
        };
        let packed = pack(&sources, &mut out, &options, &theirs)?;
        out.flush().map_err(archive::Fault::Output)?;
        Ok(packed)
    });
    let route = run.route(cache);
    let sending = send(&route, (&wanted.key, &version), pieces, packing);
    let outcome = watched(&run.world.console, &progress, sending).await;
    let outcome = outcome.map(|(packed, size)| {
        let scope = permissions.write_scope().map(str::to_owned);
        Came::Saved(packed, size, scope)
    });
    if outcome.is_err() {
        progress.cancel();
    }
    Ok(outcome)
}

/// What the key is made from, as the beginning of the archive.
fn note(run: &Run<'_>, wanted: &Wanted) -> Option<Vec<u8>> {
    let document = wanted.document()?;
    let masker = run.world.console.masker();
    let frame = |text: &str| note::to_frame(&masker.mask(text));
    frame(&document.render()).or_else(|| frame(&document.render_within(COMPONENTS)))
}

fn judge(
    run: &Run<'_>,
    wanted: &Wanted,
    came: &Came,
    findings: Vec<Finding>,
    started: Instant,
) -> Report {
    let key = &wanted.key;
    let (outcome, headline) = match came {
        Came::Exists => (
            "exists",
            format!("`{key}` has something already: nothing to save"),
        ),
        Came::Skipped(refusal) => ("skipped", format!("nothing is saved: {}", refusal.why())),
        Came::Empty => (
            "empty",
            "none of the paths is there: nothing to save".to_owned(),
        ),
        Came::Saved(packed, size, _) => (
            "saved",
            format!(
                "saved `{key}`: {}, {}",
                count(packed.files, "file"),
                size::show(*size)
            ),
        ),
        Came::Failed(trouble) => (trouble.outcome(), "nothing is saved".to_owned()),
    };
    let mut report = report(headline);
    report.outputs = outputs(wanted, outcome, None);
    report.findings = findings;
    report.facts = vec![
        ("key".to_owned(), key.clone()),
        ("store".to_owned(), backend::name(run)),
    ];
    match came {
        Came::Saved(packed, size, scope) => {
            let scope = scope
                .iter()
                .map(|scope| ("scope".to_owned(), scope.clone()));
            report.facts.extend(scope);
            report.facts.extend(figures(packed, *size, started));
            report.findings.extend(left_out(packed));
        }
        Came::Skipped(Refusal::Unsafe(why)) => {
            report
                .findings
                .push(notice("untrusted", Severity::Note, why.clone(), None));
        }
        Came::Failed(trouble) => {
            report
                .findings
                .push(trouble.notice(run.settings.strictness.required));
            if run.settings.strictness.required && !trouble.is_off() {
                report.verdict = Verdict::NoVerdict;
            }
        }
        Came::Exists | Came::Skipped(Refusal::Asked(_)) | Came::Empty => {}
    }
    report
}

fn figures(packed: &Packed, size: u64, started: Instant) -> Vec<(String, String)> {
    let ratio = size.saturating_mul(100) / packed.content_bytes.max(1);
    let mut facts = vec![(
        "archive".to_owned(),
        format!(
            "{} of {} ({ratio} %) in {:.1} s",
            size::show(size),
            size::show(packed.content_bytes),
            started.elapsed().as_secs_f64()
        ),
    )];
    if let Some((least, most)) = packed.levels {
        let levels = if least == most {
            least.to_string()
        } else {
            format!("{least} to {most}")
        };
        facts.push(("zstd level".to_owned(), levels));
    }
    facts
}

/// What is not in the archive, or not as it is.
fn left_out(packed: &Packed) -> Option<Finding> {
    const SHOWN: usize = 10;
    if packed.left_out_count == 0 {
        return None;
    }
    let lines: Vec<String> = packed
        .left_out
        .iter()
        .take(SHOWN)
        .map(|one| format!("`{}` {}", one.path.display(), one.reason.text()))
        .collect();
    let rest = packed.left_out_count.saturating_sub(lines.len() as u64);
    let more = if rest > 0 {
        format!("\nand {rest} more")
    } else {
        String::new()
    };
    let text = format!(
        "{} as on disk:\n{}{more}",
        match packed.left_out_count {
            1 => "1 file is not saved".to_owned(),
            many => format!("{many} files are not saved"),
        },
        lines.join("\n")
    );
    Some(notice("left-out", Severity::Warning, text, None))
}
