//! The lock of an environment: one deployment at a time, with its owner and an end.
//!
//! It is a file with who has it, or an object where the target is a bucket. It is nobody's when it is past its end, or when its
//! owner was a process of this machine that has gone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::deployment::definition::Lock;
use crate::model::deployment::{Owner, Run};
use crate::system::clock;
use crate::system::processes::identity;
use crate::system::stop::Stop;
use crate::targets::Access;
use crate::targets::object_store::ObjectStore;

/// How often it is looked whether a lock is free.
const POLL: Duration = Duration::from_millis(200);

/// So often another writer may be faster in a row.
const MOST_LOST: usize = 20;

/// How long giving a lock in a bucket back may take.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// A day in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Longer contents are none of ours, bytes.
const LIMIT: u64 = 64 << 10;

/// Who has an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Holder {
    /// The deployment.
    pub deployment: String,
    /// Its process.
    pub owner: Owner,
    /// Its run.
    pub run: Run,
    /// Since when, milliseconds since 1970.
    pub since: u64,
    /// Until when.
    pub until: u64,
}

impl Holder {
    /// Who will have it from now on.
    pub fn new(deployment: &str, run: Run, limit: Duration) -> Self {
        let since = clock::milliseconds();
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        Self {
            deployment: deployment.to_owned(),
            owner: identity::own(),
            run,
            since,
            until: since.saturating_add(limit),
        }
    }

    fn is_gone(&self) -> bool {
        let is_dead = identity::is_of_here(&self.owner)
            && self.owner.pid != std::process::id()
            && !identity::lives(&self.owner);
        clock::milliseconds() >= self.until || is_dead
    }

    /// Who that is, for people.
    pub fn shown(&self) -> String {
        let run = &self.run;
        let who = if run.actor.is_empty() {
            format!("process {}", self.owner.pid)
        } else {
            format!("`{}` in run {} ({})", run.actor, run.id, run.job)
        };
        format!(
            "{who}, deployment {}, since {}, until {} at the latest",
            self.deployment,
            clock::rfc3339(self.since),
            clock::rfc3339(self.until)
        )
    }
}

/// What stands in a lock.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Content {
    #[serde(flatten)]
    holder: Option<Holder>,
    /// When the environment was rolled back by itself in the last day, milliseconds since 1970: whoever has it next knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rolled_back: Vec<u64>,
}

impl Content {
    fn read(bytes: &[u8]) -> Self {
        // Who did not write to the end never had it.
        let mut content: Self = serde_json::from_slice(bytes).unwrap_or_default();
        let now = clock::milliseconds();
        content
            .rolled_back
            .retain(|time| now.saturating_sub(*time) < DAY);
        content
    }

    /// Who has it; nobody where that is past.
    fn other(&self) -> Option<Holder> {
        self.holder.clone().filter(|holder| !holder.is_gone())
    }

    fn written(&self) -> Result<Vec<u8>> {
        let failed = |error| Error::bug("a lock was not written").cause(error);
        let mut bytes = serde_json::to_vec(self).map_err(failed)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Where a lock is kept.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In the bucket that is deployed to.
    Store(Box<ObjectStore>),
}

impl Place {
    /// Who has it now.
    pub async fn holder(&self, access: &Access<'_>) -> Result<Option<Holder>> {
        match self {
            Self::File(path) => Ok(holder(path)),
            Self::Store(store) => {
                let seen = store.read_lock(access).await?;
                Ok(seen
                    .content
                    .as_deref()
                    .and_then(|it| Content::read(it).other()))
            }
        }
    }

    async fn try_take(&self, own: &Holder, may_break: bool, access: &Access<'_>) -> Result<Taken> {
        let store = match self {
            Self::File(path) => {
                return try_take(path, own, may_break).map_err(|error| unusable(path, error));
            }
            Self::Store(store) => store,
        };
        let seen = store.read_lock(access).await?;
        let before = Content::read(seen.content.as_deref().unwrap_or_default());
        let other = before.other();
        if let Some(other) = &other
            && !may_break
        {
            return Ok(Taken::Held(other.clone()));
        }
        let content = Content {
            holder: Some(own.clone()),
            ..before
        };
        Ok(
            if store.write_lock(content.written()?, seen, access).await? {
                Taken::Ours(other, content.rolled_back)
            } else {
                Taken::Lost
            },
        )
    }
}

/// A lock that is ours. In a file it is given back when this is dropped, in a bucket by [`Held::give_back`].
#[derive(Debug)]
pub struct Held {
    place: Place,
    holder: Holder,
    rolled_back: Vec<u64>,
}

impl Held {
    /// How often the environment was rolled back by itself in the last day, as far as the place of the lock knows.
    pub fn rolled_back(&self) -> usize {
        self.rolled_back.len()
    }

    /// Fails where it is no longer ours: somebody took it, or got it after its end.
    pub async fn check(&self, access: &Access<'_>) -> Result<()> {
        let bytes = match &self.place {
            Place::File(path) => content(path).map_err(|error| unusable(path, error))?,
            Place::Store(store) => {
                let seen = store.read_lock(access).await?;
                seen.content.map(Vec::from).unwrap_or_default()
            }
        };
        let now = Content::read(&bytes).holder;
        if now.as_ref() == Some(&self.holder) {
            return Ok(());
        }
        Err(taken_away(now.as_ref()))
    }

    /// Writes into it that the environment is rolled back by itself now. Fails as [`Held::check`] does.
    pub async fn note_rollback(&mut self, access: &Access<'_>) -> Result<()> {
        let now = clock::milliseconds();
        match &self.place {
            Place::File(path) => {
                let written = rewrite(path, |content| {
                    let is_ours = content.holder.as_ref() == Some(&self.holder);
                    if is_ours {
                        content.rolled_back.push(now);
                    }
                    is_ours
                });
                if !written.map_err(|error| unusable(path, error))? {
                    return Err(taken_away(None));
                }
            }
            Place::Store(store) => {
                let seen = store.read_lock(access).await?;
                let mut content = Content::read(seen.content.as_deref().unwrap_or_default());
                let is_ours = content.holder.as_ref() == Some(&self.holder);
                content.rolled_back.push(now);
                if !is_ours || !store.write_lock(content.written()?, seen, access).await? {
                    return Err(taken_away(content.holder.filter(|_| !is_ours).as_ref()));
                }
            }
        }
        self.rolled_back.push(now);
        Ok(())
    }

    /// Gives a lock in a bucket back, where it is still ours. What is wrong with that fails nothing: it ends by itself.
    pub async fn give_back(self, access: &Access<'_>) {
        let Place::Store(store) = &self.place else {
            return;
        };
        // Also where the run is to end.
        let never = Stop::never();
        let access = Access {
            stop: &never,
            ..*access
        };
        let giving = async {
            let seen = store.read_lock(&access).await?;
            let mut content = Content::read(seen.content.as_deref().unwrap_or_default());
            if content.holder.as_ref() == Some(&self.holder) {
                content.holder = None;
                store.write_lock(content.written()?, seen, &access).await?;
            }
            Ok::<_, Error>(())
        };
        match tokio::time::timeout(GIVING_BACK, giving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the lock of the environment could not be given back");
            }
            Err(_) => tracing::warn!("the lock of the environment could not be given back in time"),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Place::File(path) = &self.place {
            // One that stays is nobody's as soon as we have gone.
            let _ = release(path, &self.holder);
        }
    }
}

/// That somebody else has it.
fn taken_away(now: Option<&Holder>) -> Error {
    let error = Error::refused("somebody else has taken the environment in the meantime");
    let error = match now {
        Some(other) => error.cause(format!("it is {}", other.shown())),
        None => error.cause("they have given it back by now"),
    };
    error.hint(
        "look at what they deployed; let `lock = { limit = \"…\" }` be longer than a deployment takes",
    )
}

/// Takes the lock at `place`. Refused where somebody has it, after waiting for as long as the lock says; `may_break` takes it
/// from whoever has it.
pub async fn take(
    place: Place,
    holder: Holder,
    lock: &Lock,
    may_break: bool,
    access: &Access<'_>,
) -> Result<(Held, Option<Holder>)> {
    let started = Instant::now();
    let mut stop = access.stop.clone();
    let mut lost = 0;
    loop {
        let other = match place.try_take(&holder, may_break, access).await? {
            Taken::Ours(other, rolled_back) => {
                let held = Held {
                    place,
                    holder,
                    rolled_back,
                };
                return Ok((held, other));
            }
            Taken::Held(other) => other,
            // Somebody else was faster: who that is, the next look shows.
            Taken::Lost if lost < MOST_LOST => {
                lost += 1;
                continue;
            }
            Taken::Lost => {
                return Err(Error::no_verdict(
                    "the lock of the environment is written by others again and again",
                ));
            }
        };
        if started.elapsed() >= lock.wait {
            return Err(Error::refused("somebody else deploys to the environment")
                .cause(format!("it is {}", other.shown()))
                .hint(
                    "wait for it with `lock = { wait = \"10m\" }`, or take it with `--break-lock`",
                ));
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            signal = stop.requested() => return Err(Error::interrupted(signal)),
        }
    }
}

/// Who has it now.
pub fn holder(path: &Path) -> Option<Holder> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .ok()?;
    Content::read(&bytes).other()
}

/// What a file says; nothing where there is none. Not while somebody writes it.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => {
            file.lock_shared()?;
            file.take(LIMIT).read_to_end(&mut bytes)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(bytes)
}

fn unusable(path: &Path, error: io::Error) -> Error {
    let path = path.display();
    Error::no_verdict(format!("the lock `{path}` cannot be used")).cause(error)
}

enum Taken {
    /// It is ours now; who had it, and when the environment was rolled back.
    Ours(Option<Holder>, Vec<u64>),
    Held(Holder),
    /// Somebody wrote it between a look and a write.
    Lost,
}

fn try_take(path: &Path, own: &Holder, may_break: bool) -> io::Result<Taken> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut taken = Taken::Lost;
    rewrite(path, |content| {
        let other = content.other();
        if let Some(other) = &other
            && !may_break
        {
            taken = Taken::Held(other.clone());
            return false;
        }
        content.holder = Some(own.clone());
        taken = Taken::Ours(other, content.rolled_back.clone());
        true
    })?;
    Ok(taken)
}

fn release(path: &Path, own: &Holder) -> io::Result<()> {
    let is_ours = |content: &mut Content| {
        let is_ours = content.holder.as_ref() == Some(own);
        content.holder = content.holder.take().filter(|_| !is_ours);
        is_ours
    };
    rewrite(path, is_ours).map(|_| ())
}

/// Writes a file anew where `change` says that it changed something; whether it did. Nobody writes it in between.
fn rewrite(path: &Path, change: impl FnOnce(&mut Content) -> bool) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path)?;
    file.lock()?;
    let mut bytes = Vec::new();
    (&file).take(LIMIT).read_to_end(&mut bytes)?;
    let mut content = Content::read(&bytes);
    if !change(&mut content) {
        return Ok(false);
    }
    let bytes = content
        .written()
        .map_err(|error| io::Error::other(error.message))?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    // Where the machine loses it, it has lost its owner too.
    file.write_all(&bytes)?;
    Ok(true)
}
