//! The lock of an environment: one deployment at a time, with its owner and an end.
//!
//! It is a file with who has it. It is nobody's when it is past its end, or when its owner was a process of this machine that
//! has gone.

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

/// How often it is looked whether a lock is free.
const POLL: Duration = Duration::from_millis(200);

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

/// A lock that is ours. It is given back when this is dropped.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    holder: Holder,
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that stays is nobody's as soon as we have gone.
        let _ = release(&self.path, &self.holder);
    }
}

/// Takes the lock at `path`. Refused where somebody has it, after waiting for as long as the lock says; `may_break` takes it
/// from whoever has it.
pub async fn take(
    path: &Path,
    holder: Holder,
    lock: &Lock,
    may_break: bool,
    stop: &Stop,
) -> Result<(Held, Option<Holder>)> {
    let started = Instant::now();
    let mut stop = stop.clone();
    loop {
        let taken = try_take(path, &holder, may_break).map_err(|error| {
            Error::no_verdict(format!("the lock `{}` cannot be used", path.display())).cause(error)
        })?;
        let other = match taken {
            Taken::Free => {
                let path = path.to_owned();
                return Ok((Held { path, holder }, None));
            }
            Taken::From(other) => {
                let path = path.to_owned();
                return Ok((Held { path, holder }, Some(other)));
            }
            Taken::Held(other) => other,
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
    let holder: Holder = serde_json::from_slice(&bytes).ok()?;
    (!holder.is_gone()).then_some(holder)
}

enum Taken {
    Free,
    /// It was somebody's.
    From(Holder),
    Held(Holder),
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
    // Who did not write to the end never had it.
    let other: Option<Holder> = serde_json::from_slice(&bytes).ok();
    let other = other.filter(|other| !other.is_gone());
    if let Some(other) = &other
        && !may_break
    {
        return Ok(Taken::Held(other.clone()));
    }
    let content = serde_json::to_vec(own).map_err(io::Error::other)?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&content)?;
    file.sync_all()?;
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
