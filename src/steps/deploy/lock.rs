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

/// The content of a lock that nobody has.
const NOBODY: &[u8] = b"{}\n";

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
                Ok(seen.content.as_deref().and_then(read))
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
        let other = seen.content.as_deref().and_then(read);
        if let Some(other) = &other
            && !may_break
        {
            return Ok(Taken::Held(other.clone()));
        }
        let content = written(own)?;
        Ok(if store.write_lock(content, seen, access).await? {
            other.map_or(Taken::Free, Taken::From)
        } else {
            Taken::Lost
        })
    }
}

/// A lock that is ours. In a file it is given back when this is dropped, in a bucket by [`Held::give_back`].
#[derive(Debug)]
pub struct Held {
    place: Place,
    holder: Holder,
}

impl Held {
    /// Fails where it is no longer ours: somebody took it, or got it after its end.
    pub async fn check(&self, access: &Access<'_>) -> Result<()> {
        let content = match &self.place {
            Place::File(path) => content(path).map_err(|error| unusable(path, error))?,
            Place::Store(store) => {
                let seen = store.read_lock(access).await?;
                seen.content.map(Vec::from).unwrap_or_default()
            }
        };
        let now: Option<Holder> = serde_json::from_slice(&content).ok();
        if now.as_ref() == Some(&self.holder) {
            return Ok(());
        }
        let error = Error::refused("somebody else has taken the environment in the meantime");
        let error = match now {
            Some(other) => error.cause(format!("it is {}", other.shown())),
            None => error.cause("they have given it back by now"),
        };
        Err(error.hint(
            "look at what they deployed; let `lock = { limit = \"…\" }` be longer than a deployment takes",
        ))
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
            let theirs = seen
                .content
                .as_deref()
                .and_then(|bytes| serde_json::from_slice(bytes).ok());
            if theirs.as_ref() == Some(&self.holder) {
                store.write_lock(NOBODY.to_vec(), seen, &access).await?;
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

/// Who has it, by the content of the lock; nobody where that is past.
fn read(bytes: &[u8]) -> Option<Holder> {
    // Who did not write to the end never had it.
    let holder: Holder = serde_json::from_slice(bytes).ok()?;
    (!holder.is_gone()).then_some(holder)
}

fn written(holder: &Holder) -> Result<Vec<u8>> {
    serde_json::to_vec(holder).map_err(|error| Error::bug("a lock was not written").cause(error))
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
            Taken::Free => return Ok((Held { place, holder }, None)),
            Taken::From(other) => return Ok((Held { place, holder }, Some(other))),
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
    read(&bytes)
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
    Free,
    /// It was somebody's.
    From(Holder),
    Held(Holder),
    /// Somebody wrote it between a look and a write.
    Lost,
}

fn try_take(path: &Path, own: &Holder, may_break: bool) -> io::Result<Taken> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path)?;
    file.lock()?;
    let mut bytes = Vec::new();
    (&file).take(LIMIT).read_to_end(&mut bytes)?;
    let other = read(&bytes);
    if let Some(other) = &other
        && !may_break
    {
        return Ok(Taken::Held(other.clone()));
    }
    let content = serde_json::to_vec(own).map_err(io::Error::other)?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    // Where the machine loses it, it has lost its owner too.
    file.write_all(&content)?;
    Ok(other.map_or(Taken::Free, Taken::From))
}

fn release(path: &Path, own: &Holder) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    file.lock()?;
    let mut bytes = Vec::new();
    (&mut file).take(LIMIT).read_to_end(&mut bytes)?;
    let other: Option<Holder> = serde_json::from_slice(&bytes).ok();
    if other.as_ref() == Some(own) {
        file.set_len(0)?;
    }
    Ok(())
}
