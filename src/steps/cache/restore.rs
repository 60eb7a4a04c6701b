//! Restores: looks up, streams, unpacks.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::archive::{Confinement, Progress, Unpacked, Verified, note};
use crate::error::{Error, Result, count};
use crate::model::cache_key::{Document, explain};
use crate::model::diagnostic::{Finding, Severity};
use crate::model::report::{Report, Table, Verdict};
use crate::model::{duration, size};
use crate::steps::cache::report::{notice, outputs, report};
use crate::steps::cache::run::{Run, Wanted};
use crate::steps::cache::state::{COMPONENTS, State};
use crate::steps::cache::version::{Compression, version};
use crate::steps::cache::watch::watched;
use crate::steps::cache::{backend, paths, policy};
use crate::steps::transport::{Received, Route, Trouble, receive};
use crate::stores::cache::{Cache, Found};
use crate::stores::fault::{Access, Fault};
use crate::stores::transfer::{Beginning, Options};

/// How many lines say why the key is another one than that of what is restored.
const LINES: usize = 10;

/// What came of it.
enum Came {
    /// Nothing is there.
    Miss,
    /// Something is there, and nobody asked for its bytes; with the archive's note, where somebody wants it.
    Seen(Found, Option<String>),
    /// It is restored.
    Restored(Found, Unpacked),
    /// Something went wrong.
    Failed(Trouble),
}

/// Restores what the inputs name.
pub async fn restore(run: &Run<'_>) -> Result<Report> {
    let started = Instant::now();
    let wanted = run.wanted().await?;
    let mut scopes = Vec::new();
    let came = match backend::open(run, run.stop.clone())? {
        Ok(cache) => {
            let permissions = cache.permissions();
            scopes.extend(permissions.read_scopes().map(str::to_owned));
            match attempt(run, &wanted, &cache, started).await? {
                Ok(came) => came,
                Err(Trouble::Store(Fault::TooSlow { bytes, .. })) => {
                    let limit = run.settings.restore_timeout;
                    Came::Failed(Fault::TooSlow { limit, bytes }.into())
                }
                Err(trouble) => Came::Failed(trouble),
            }
        }
        Err(fault) => Came::Failed(Trouble::Store(fault)),
    };
    if let Came::Failed(Trouble::Store(Fault::Stopped(signal))) = &came {
        return Err(Error::interrupted(*signal));
    }
    if let Came::Failed(trouble) = &came
        && let Some(mistake) = trouble.mistake()
    {
        return Err(mistake);
    }
    if let Some(signal) = run.stop.signal() {
        return Err(Error::interrupted(signal));
    }
    let matched = match &came {
        Came::Seen(found, _) | Came::Restored(found, _) => Some(found.matched_key.clone()),
        Came::Miss | Came::Failed(_) => None,
    };
    if let Some(file) = &run.world.context.state_file {
        // A fault is no miss: whether the key has something is then asked again before anything is saved.
        State {
            key: wanted.key.clone(),
            paths: wanted.paths.clone(),
            matched: matched.clone(),
            store: run.settings.store.clone(),
            components: wanted.document().map(|all| all.within(COMPONENTS)),
        }
        .write(file)?;
    }
    let matched = matched.as_deref();
    Ok(judge(run, &wanted, &came, matched, &scopes, started))
}

async fn attempt(
    run: &Run<'_>,
    wanted: &Wanted,
    cache: &Cache,
    started: Instant,
) -> Result<std::result::Result<Came, Trouble>> {
    let limit = run.settings.restore_timeout;
    let left = || limit.saturating_sub(started.elapsed());
    let permissions = cache.permissions();
    if !permissions.may_read {
        return Ok(Err(Trouble::Store(Fault::Denied {
            access: Access::Read,
            message: "the token of this job, or `cache-mode`, allows no reading".to_owned(),
        })));
    }
    let keys: Vec<&str> = std::iter::once(&wanted.key)
        .chain(&wanted.restore_keys)
        .map(String::as_str)
        .collect();
    let mut found = None;
    for compression in Compression::ALL {
        let version = version(&wanted.paths, compression);
        let looked = tokio::time::timeout(left(), cache.look_up(&keys, &version)).await;
        match looked.unwrap_or(Err(Fault::TooSlow { limit, bytes: 0 })) {
            Ok(None) => {}
            Ok(Some(entry)) => {
                found = Some(entry);
                break;
            }
            Err(fault) => return Ok(Err(fault.into())),
        }
    }
    let Some(mut found) = found else {
        return Ok(Ok(Came::Miss));
    };
    if run.settings.lookup_only {
        let is_other = found.matched_key != wanted.key;
        let note = if is_other && wanted.components.is_some() {
            let beginning = beginning(run, cache, &mut found, note::LONGEST, left()).await;
            beginning.and_then(|bytes| note::in_beginning(&bytes))
        } else {
            if found.size.is_none() {
                // One byte, for size and age. That it exists is known already, so that it is not waited for.
                let patience = left().min(run.settings.stall);
                beginning(run, cache, &mut found, 1, patience).await;
            }
            None
        };
        return Ok(Ok(Came::Seen(found, note)));
    }
    let (workspace, home) = (run.workspace(), run.home());
    let declared = paths::declared(&wanted.paths, &workspace, home)?;
    let confinement = Confinement::new(&workspace, declared);
    let outcome = stream(run, cache, &found, confinement, left()).await;
    Ok(outcome.map(|received| {
        found.created = found.created.or(received.created);
        Came::Restored(found, received.unpacked)
    }))
}

/// The first bytes of an archive of which nothing else is wanted; what its store says of the whole goes to `found`. What cannot
/// be had is not missed.
async fn beginning(
    run: &Run<'_>,
    cache: &Cache,
    found: &mut Found,
    most: usize,
    limit: Duration,
) -> Option<Bytes> {
    let beginning = cache.beginning(found, most, run.options());
    let beginning = tokio::time::timeout(limit, beginning).await.ok()?;
    let Beginning {
        bytes,
        size,
        modified,
    } = beginning.ok()?;
    found.size = found.size.or(size);
    found.created = found.created.or(modified);
    Some(bytes)
}

/// Restores an entry, and shows how far it is.
async fn stream(
    run: &Run<'_>,
    cache: &Cache,
    found: &Found,
    confinement: Confinement,
    limit: Duration,
) -> std::result::Result<Received, Trouble> {
    let route = Route {
        options: Options {
            total: limit,
            ..run.options()
        },
        ..run.route(cache)
    };
    let progress = Arc::new(Progress::new(run.stop.clone()));
    let receiving = receive(&route, found, confinement, &progress);
    watched(&run.world.console, &progress, receiving).await
}

fn judge(
    run: &Run<'_>,
    wanted: &Wanted,
    came: &Came,
    matched: Option<&str>,
    scopes: &[String],
    started: Instant,
) -> Report {
    let strictness = run.settings.strictness;
    let is_exact = matched == Some(wanted.key.as_str());
    let kind = if is_exact { "hit" } else { "partial" };
    let (outcome, headline) = match came {
        Came::Miss => ("miss", nothing(wanted, scopes)),
        Came::Seen(found, _) => {
            let known = [found.size.map(size::show), saved(found)];
            let known: Vec<String> = known.into_iter().flatten().collect();
            let about = if known.is_empty() { "" } else { ": " };
            let key = &found.matched_key;
            (kind, format!("there is `{key}`{about}{}", known.join(", ")))
        }
        Came::Restored(found, unpacked) => (
            kind,
            format!(
                "restored `{}`: {}, {}{}",
                found.matched_key,
                count(unpacked.files, "file"),
                size::show(unpacked.archive_bytes),
                saved(found).map_or_else(String::new, |saved| format!(", {saved}"))
            ),
        ),
        Came::Failed(trouble) => (trouble.outcome(), "nothing is restored".to_owned()),
    };
    let mut report = report(headline);
    report.outputs = outputs(wanted, outcome, matched);
    report.facts = facts(run, wanted, came, scopes, started);
    report.tables.extend(why_another(wanted, came));
    report.findings.extend(advice(run, matched));
    if let Came::Failed(trouble) = came {
        report.findings.push(trouble.notice(strictness.required));
        if (strictness.required && !trouble.is_off()) || strictness.fail_on_miss {
            report.verdict = Verdict::NoVerdict;
        }
    }
    if matches!(came, Came::Miss) && strictness.fail_on_miss {
        report.findings.push(notice(
            "miss",
            Severity::Error,
            nothing(wanted, scopes),
            Some("save it first, or leave out `fail-on-cache-miss`".to_owned()),
        ));
        report.verdict = Verdict::Fail;
    }
    report
}

/// How long ago it was saved, where that is known.
fn age(found: &Found) -> Option<String> {
    let age = SystemTime::now().duration_since(found.created?).ok()?;
    Some(format!("{} ago", duration::show(age)))
}

/// [`age`] within a sentence.
fn saved(found: &Found) -> Option<String> {
    age(found).map(|age| format!("saved {age}"))
}

/// That nothing is there, and where it was looked for: what other branches save is kept apart.
fn nothing(wanted: &Wanted, scopes: &[String]) -> String {
    let places: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    match places.as_slice() {
        [] => format!("nothing is saved under `{}`", wanted.key),
        _ => format!(
            "nothing is saved under `{}` in {}",
            wanted.key,
            places.join(" or ")
        ),
    }
}

/// Why the key is another one than that of what was found, where both say what they are made from.
fn why_another(wanted: &Wanted, came: &Came) -> Option<Table> {
    let (found, note) = match came {
        Came::Seen(found, note) => (found, note.as_deref()),
        Came::Restored(found, unpacked) => (found, unpacked.note.as_deref()),
        Came::Miss | Came::Failed(_) => return None,
    };
    let before = Document::parse(note?.as_bytes()).ok()?;
    let after = wanted.document()?;
    if found.matched_key == wanted.key || before.key != found.matched_key {
        return None;
    }
    let lines = explain(&before.components, &after.components, LINES);
    Some(Table {
        title: "why the key is another one than that of what is restored".to_owned(),
        header: vec!["difference"],
        rows: lines.into_iter().map(|line| vec![line]).collect(),
    })
}

/// What a run should know that gives away what it makes.
fn advice(run: &Run<'_>, matched: Option<&str>) -> Option<Finding> {
    matched?;
    let why = policy::advice(&run.world.context)?;
    let hint = "leave the cache out of jobs that release: `cache-mode: none`".to_owned();
    Some(notice("trust", Severity::Warning, why, Some(hint)))
}

/// Where it comes from and what it cost.
fn facts(
    run: &Run<'_>,
    wanted: &Wanted,
    came: &Came,
    scopes: &[String],
    started: Instant,
) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = vec![
        ("key".to_owned(), wanted.key.clone()),
        ("store".to_owned(), backend::name(run)),
    ];
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if !scopes.is_empty() && !matches!(came, Came::Failed(_)) {
        // The service does not say in which of them it found something.
        fact("scopes searched", scopes.join(", "));
    }
    let (Came::Seen(found, _) | Came::Restored(found, _)) = came else {
        return facts;
    };
    if found.matched_key != wanted.key {
        fact("restored from", found.matched_key.clone());
    }
    if let Some(age) = age(found) {
        fact("saved", age);
    }
    if let (Came::Seen(..), Some(bytes)) = (came, found.size) {
        fact("archive", size::show(bytes));
    }
    if let Came::Restored(_, unpacked) = came {
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people"
        )]
        let rate = (unpacked.archive_bytes as f64 / seconds) as u64;
        fact(
            "archive",
            format!(
                "{} for {} ({}/s)",
                size::show(unpacked.archive_bytes),
                size::show(unpacked.content_bytes),
                size::show(rate)
            ),
        );
        let verified = match unpacked.verified {
            Verified::Inventory => "each file against its digest",
            Verified::Stream => "the checksum of the stream only: the archive is not of Lockgate",
        };
        fact("verified", verified.to_owned());
        if unpacked.stripped > 0 {
            fact(
                "lost setuid, setgid or sticky bits",
                unpacked.stripped.to_string(),
            );
        }
    }
    facts
}
