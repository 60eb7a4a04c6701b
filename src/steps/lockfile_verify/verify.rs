//! Reads and judges every lock, on all processors.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::lockfiles::declared::workspace;
use crate::lockfiles::facts::{Before, Facts};
use crate::lockfiles::published::{self, Kind, Published};
use crate::lockfiles::rules::{self, Finding};
use crate::lockfiles::{Format, Reading, declared, read};
use crate::model::declared::Declarations;
use crate::model::sources::{FileId, Sources};
use crate::steps::lockfile_verify::compare::{Compared, mark};
use crate::steps::lockfile_verify::gather::{Gathered, Lock};
use crate::steps::lockfile_verify::settings::Settings;

/// What one lock gave.
#[derive(Debug, Default)]
pub struct Verified {
    /// What the rules found, and whether the base has it not; `None` where there is no base.
    pub findings: Vec<(Finding, Option<bool>)>,
    /// Why what is new in it could not be compared with its indexes; `None` where it was, or nobody asked for it.
    pub unseen: Option<String>,
    /// How many packages of others it pins.
    pub packages: u64,
    /// The version of its format.
    pub version: Option<String>,
    /// Whether it could be read.
    pub is_read: bool,
    /// Whether it differs from the base; `None` where there is no base.
    pub is_changed: Option<bool>,
    /// What the change does to it; `None` where that cannot be compared.
    pub compared: Option<Compared>,
    /// How long it took.
    pub duration: Duration,
}

/// Verifies all locks; the results are in the order of the locks.
pub fn verify(
    gathered: &Gathered,
    settings: &Settings,
    published: Option<&Published>,
) -> Vec<Verified> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(gathered.locks.len()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(lock) = gathered.locks.get(index) else {
                return;
            };
            let verified = verify_one(lock, gathered, settings, published);
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((index, verified));
        }
    };
    let others = gathered.locks.len().saturating_sub(1);
    // To ask how many processors there are is to read several files.
    let helpers = others.min(match others {
        0 => 0,
        _ => std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1,
    });
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(work);
        }
        work();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    let mut results: Vec<Verified> = results.into_iter().map(|(_, verified)| verified).collect();
    tell_once(&gathered.locks, &mut results);
    results
}

/// A file that requirements include may be a lock of its own, or included by several: what is wrong in it is told once,
/// with its own lock if there is one.
fn tell_once(locks: &[Lock], results: &mut [Verified]) {
    type Told = (Finding, Option<bool>);
    let key = |(finding, _): &Told| (finding.at, finding.rule.id, finding.message.clone());
    let is_own = |lock: &Lock, (finding, _): &Told| lock.file.as_ref() == Ok(&finding.at.file);
    let mut told: HashSet<_> = locks
        .iter()
        .zip(&*results)
        .flat_map(|(lock, one)| {
            let own = one.findings.iter().filter(|finding| is_own(lock, finding));
            own.map(key)
        })
        .collect();
    for (lock, one) in locks.iter().zip(results) {
        if lock.found.format == Format::Requirements {
            one.findings
                .retain(|finding| is_own(lock, finding) || told.insert(key(finding)));
        }
    }
}

/// What a project or a script declares.
fn read_declared(format: Format, file: FileId, sources: &Sources) -> Option<Declarations<'_>> {
    match format {
        Format::UvScript => declared::read_script(file, sources).declarations,
        _ => declared::read(file, sources).declarations,
    }
}

/// One lock and what belongs to it, read.
struct Parts<'g> {
    reading: Reading<'g>,
    declarations: Option<Declarations<'g>>,
    members: Vec<Declarations<'g>>,
    configuration: Option<Declarations<'g>>,
    workspace: Option<FileId>,
    file_before: Option<FileId>,
    reading_before: Option<Reading<'g>>,
    declared_before: Option<Declarations<'g>>,
}

impl<'g> Parts<'g> {
    /// Reads them; `None` where the lock itself is not there to be read.
    fn read(lock: &Lock, gathered: &'g Gathered) -> Option<Self> {
        let file = *lock.file.as_ref().ok()?;
        let (sources, format) = (&gathered.sources, lock.found.format);
        let before = gathered.before.as_ref();
        let file_before =
            before.and_then(|before| before.find(&lock.path_before(&lock.found.path)));
        Some(Self {
            reading: read(format, file, sources),
            // What is wrong in a pyproject.toml is for its own tools to say; here nothing is compared with it then.
            declarations: lock
                .declared
                .and_then(|file| read_declared(format, file, sources)),
            members: lock
                .members
                .iter()
                .filter_map(|file| read_declared(format, *file, sources))
                .collect(),
            configuration: lock
                .configuration
                .and_then(|file| declared::configuration::read(file, sources)),
            workspace: lock.workspace,
            file_before,
            reading_before: before
                .zip(file_before)
                .map(|(sources, file)| read(format, file, sources)),
            declared_before: before.and_then(|before| {
                let path = lock.path_before(sources.path(lock.declared?));
                read_declared(format, before.find(&path)?, before)
            }),
        })
    }

    /// The facts; `None` where the lock cannot be read.
    fn facts<'a>(
        &'a self,
        gathered: &'a Gathered,
        settings: &'a Settings,
        published: Option<&'a Published>,
    ) -> Option<Facts<'a>> {
        let lockfile = self.reading.lockfile.as_ref()?;
        let lock_before = self.reading_before.as_ref();
        Some(Facts {
            declared: self.declarations.as_ref(),
            members: &self.members,
            configuration: self.configuration.as_ref(),
            workspace: self.workspace,
            base: gathered.before.as_ref().map(|sources| Before {
                sources,
                lock: lock_before.and_then(|reading| reading.lockfile.as_ref()),
                declared: self.declared_before.as_ref(),
            }),
            now: gathered.now,
            published,
            ..Facts::of_lock(&gathered.sources, lockfile, &settings.policy)
        })
    }
}

/// The pages of indexes that say whether what is new in a lock is published.
pub fn wanted_pages(lock: &Lock, gathered: &Gathered, settings: &Settings) -> BTreeSet<String> {
    let parts = Parts::read(lock, gathered);
    let facts = parts
        .as_ref()
        .and_then(|parts| parts.facts(gathered, settings, None));
    facts.map_or_else(BTreeSet::new, |facts| published::pages(&facts))
}

/// Why what is new in a lock could not be compared with its indexes; the first reason.
fn unseen(facts: &Facts<'_>) -> Option<String> {
    let outcomes = published::compare(facts);
    outcomes.into_iter().find_map(|outcome| match outcome.kind {
        Kind::Unseen(why) => Some(format!("`{}`: {why}", outcome.package.title())),
        _ => None,
    })
}

fn verify_one(
    lock: &Lock,
    gathered: &Gathered,
    settings: &Settings,
    published: Option<&Published>,
) -> Verified {
    let started = Instant::now();
    let (Ok(file), Some(parts)) = (lock.file.as_ref(), Parts::read(lock, gathered)) else {
        return Verified::default();
    };
    let file = *file;
    let (sources, format) = (&gathered.sources, lock.found.format);
    let before = gathered.before.as_ref();
    let facts = parts.facts(gathered, settings, published);
    let Parts {
        reading,
        reading_before,
        declared_before,
        file_before,
        ..
    } = &parts;
    let file_before = *file_before;
    let is_changed = before.map(|before| {
        file_before.is_none_or(|file_before| before.bytes(file_before) != sources.bytes(file))
    });
    let lockfile = reading.lockfile.as_ref();
    let found = rules::judge(reading, facts.as_ref(), &settings.policy);
    let lock_before = reading_before
        .as_ref()
        .and_then(|reading| reading.lockfile.as_ref());
    let is_declared_as_before = before.is_some_and(|before| {
        let inputs = lock.declared.iter().chain(&lock.members);
        let inputs = inputs.chain(&lock.configuration).chain(&lock.workspace);
        let inputs = inputs.chain(&lock.inputs);
        inputs.copied().all(|input| {
            let file = before.find(&lock.path_before(sources.path(input)));
            file.is_some_and(|file| before.bytes(file) == sources.bytes(input))
        })
    });
    let findings = match before {
        None => found.into_iter().map(|finding| (finding, None)).collect(),
        // The same files give the same findings.
        Some(_) if is_changed == Some(false) && is_declared_as_before => found
            .into_iter()
            .map(|finding| (finding, Some(false)))
            .collect(),
        Some(before) => {
            let members: Vec<Declarations<'_>> = lock
                .members
                .iter()
                .filter_map(|file| before.find(&lock.path_before(sources.path(*file))))
                .filter_map(|file| read_declared(format, file, before))
                .collect();
            let configuration = lock
                .configuration
                .and_then(|file| before.find(&lock.path_before(sources.path(file))))
                .and_then(|file| declared::configuration::read(file, before));
            let facts = lock_before.map(|lock| Facts {
                declared: declared_before.as_ref(),
                members: &members,
                configuration: configuration.as_ref(),
                workspace: declared_before
                    .as_ref()
                    .filter(|_| format == Format::Uv)
                    .and_then(|own| workspace::enclosing(own.file, before)),
                now: gathered.now,
                ..Facts::of_lock(before, lock, &settings.policy)
            });
            let judge = |reading| rules::judge(reading, facts.as_ref(), &settings.policy);
            let of_base = reading_before.as_ref().map(judge);
            mark(found, &of_base.unwrap_or_default())
        }
    };
    let compared = before.and_then(|_| match (file_before, lock_before, lockfile) {
        _ if is_changed == Some(false) => Some(Compared::unchanged()),
        (None, _, Some(now)) => Some(Compared::of_new(now)),
        (Some(_), Some(before), Some(now)) => Some(Compared::between(before, now)),
        _ => None,
    });
    Verified {
        findings,
        unseen: facts.as_ref().and_then(unseen),
        compared,
        packages: lockfile.map_or(0, |lock| lock.third_party().count() as u64),
        version: lockfile
            .and_then(|lock| lock.version.as_ref())
            .map(|version| version.value.clone().into_owned()),
        is_read: lockfile.is_some(),
        is_changed,
        duration: started.elapsed(),
    }
}
