//! A bucket of S3, Google or Azure, or a folder: files under names that are their content, and one small object that says which
//! release an environment has.
//!
//! A file goes to `sha256/<digest>/<name>` and is never replaced. `env/<environment>/current.json` is written only over what was
//! read before: of two that deploy at once, exactly one wins, and the other is told who. `env/<environment>/lock.json` says who
//! has the environment, and is written in the same way.

mod lock;
mod record;
mod role;
mod send;

use std::path::PathBuf;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::model::deploy::{Applied, Change, ChangeKind, Known, Release, Standing};
use crate::model::digest::hex;
use crate::model::{size, untrusted};
use crate::stores::bucket::name::encode;
use crate::stores::bucket::{Bucket, Condition, Mark, Opening, Renewable};
use crate::stores::fault::Fault;
use crate::system::http::Http;
use crate::system::http::retry::{Policy, SILENCE};
use crate::system::stop::Stop;
use crate::targets::Access;
use crate::targets::object_store::record::{Pointer, Record};
use crate::targets::object_store::role::{Role, Taken};

/// A bucket, and the environment in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectStore {
    /// A path, `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`. Credentials and endpoints
    /// come from the variables that the clouds' own tools read.
    pub address: String,
    /// Where a relative path starts, absolute.
    pub directory: PathBuf,
    /// The name of the environment, for `env/<environment>/current.json`.
    pub environment: String,
    /// An AWS role that is taken with the identity of the job, in place of static credentials: `arn:aws:iam::…:role/…`.
    pub role: Option<String>,
    /// How often a request is repeated.
    pub policy: Policy,
}

/// What an environment has, and by which mark the store knows it again.
struct Current {
    pointer: Option<Pointer>,
    condition: Condition,
}

/// A bucket that is worked with, and the role with which.
struct Opened<'a> {
    bucket: Bucket,
    role: Option<(Role<'a>, Taken, Renewable)>,
}

impl Opened<'_> {
    /// Works with it for however long: a role is renewed meanwhile.
    async fn during<T>(
        &self,
        work: impl Future<Output = Result<T>>,
        access: &Access<'_>,
    ) -> Result<T> {
        let Some((role, taken, renewable)) = &self.role else {
            return work.await;
        };
        tokio::select! {
            outcome = work => outcome,
            () = role.keep(taken, renewable, access) => {
                Err(Error::bug("a role was no longer renewed"))
            }
        }
    }
}

impl ObjectStore {
    /// What would be sent, what is there, and what the environment would point to.
    pub async fn plan(&self, release: &Release, access: &Access<'_>) -> Result<Vec<Change>> {
        let bucket = self.open(access).await?;
        let record = Record::of(release)?;
        let current = self.look(&bucket, access).await?;
        let mut changes = Vec::new();
        for file in &record.files {
            let known = until_stopped(access, bucket.known(&file.key)).await?;
            changes.push(file.change(known.as_ref()));
        }
        changes.push(self.pointing(&record, current.pointer.as_ref()));
        Ok(changes)
    }

    /// What the environment has.
    pub async fn current(&self, access: &Access<'_>) -> Result<Option<Standing>> {
        let bucket = self.open(access).await?;
        let current = self.look(&bucket, access).await?;
        Ok(current.pointer.as_ref().map(Pointer::standing))
    }

    /// What the environment had before.
    pub async fn known(&self, access: &Access<'_>) -> Result<Known> {
        let bucket = self.open(access).await?;
        let current = self.look(&bucket, access).await?;
        Ok(Known {
            stood: current.pointer.map(|now| now.stood()).unwrap_or_default(),
            kept: Vec::new(),
        })
    }

    /// Sends what is not there, then lets the environment have it; refused where somebody else deployed in between.
    pub async fn apply(&self, release: &Release, access: &Access<'_>) -> Result<Applied> {
        let opened = self.unlock(access).await?;
        let applying = self.apply_to(&opened.bucket, release, access);
        opened.during(applying, access).await
    }

    async fn apply_to(
        &self,
        bucket: &Bucket,
        release: &Release,
        access: &Access<'_>,
    ) -> Result<Applied> {
        let record = Record::of(release)?;
        let current = self.look(bucket, access).await?;
        let mut applied = Applied::default();
        for (file, source) in record.files.iter().zip(&release.files) {
            let known = until_stopped(access, bucket.known(&file.key)).await?;
            let change = file.change(known.as_ref());
            if change.kind != ChangeKind::Keep {
                applied.sent += send::send(bucket, source, file, access).await?;
            }
            access.progress.done(&change);
            applied.changes.push(change);
        }
        let written = bucket.put(record.key(), record.bytes(), Condition::Always);
        until_stopped(access, written).await?;
        let to = (&record, false);
        self.point(bucket, to, current, applied, access).await
    }

    /// Lets the environment have an earlier release again, by the name of its record; its files must be there as they were.
    pub async fn back(&self, to: &Standing, access: &Access<'_>) -> Result<Applied> {
        let opened = self.unlock(access).await?;
        let going = self.back_in(&opened.bucket, to, access);
        opened.during(going, access).await
    }

    async fn back_in(
        &self,
        bucket: &Bucket,
        to: &Standing,
        access: &Access<'_>,
    ) -> Result<Applied> {
        let shown = untrusted::line(&to.reference).into_owned();
        let gone = |why: String| {
            Error::refused(format!(
                "`{}` cannot go back to `{shown}`: {why}",
                untrusted::line(&self.environment)
            ))
        };
        let digest = Record::digest_in(&to.reference)
            .ok_or_else(|| gone("it is no record of a release".to_owned()))?;
        let current = self.look(bucket, access).await?;
        let read = until_stopped(access, bucket.read(&to.reference, record::LONGEST)).await?;
        let (bytes, _) = read.ok_or_else(|| gone("the record is not in the store".to_owned()))?;
        let record = Record::read(&bytes, &digest).map_err(gone)?;
        for file in &record.files {
            let known = until_stopped(access, bucket.known(&file.key)).await?;
            if file.change(known.as_ref()).kind != ChangeKind::Keep {
                return Err(gone(format!("`{}` is not there as it was", file.key)));
            }
        }
        let applied = Applied::default();
        let to = (&record, true);
        self.point(bucket, to, current, applied, access).await
    }

    /// In a few words.
    pub fn describe(&self) -> String {
        // What stands before an `@`, or behind a `?`, may be a secret.
        let shown = self.address.split('?').next().unwrap_or_default();
        let shown = shown.rsplit('@').next().unwrap_or_default();
        format!(
            "`{}` in {}",
            untrusted::line(&self.environment),
            untrusted::line(shown)
        )
    }

    /// Where it says what the environment has.
    fn pointer(&self) -> String {
        format!("env/{}/current.json", encode(&self.environment))
    }

    async fn open(&self, access: &Access<'_>) -> Result<Bucket> {
        Ok(self.unlock(access).await?.bucket)
    }

    /// The bucket. Its client does not stop by itself: what was begun must be taken back first.
    async fn unlock(&self, access: &Access<'_>) -> Result<Opened<'_>> {
        if self.environment.is_empty() {
            return Err(Error::usage(
                "the environment in the object store has no name",
            ));
        }
        let http = Http::new(access.environment, Vec::new(), Stop::never())?;
        let role = match &self.role {
            None => None,
            Some(name) => {
                let (http, policy) = (http.clone(), self.policy);
                let role = Role { name, http, policy };
                let taken = role.take(access).await?;
                let renewable = taken.renewable();
                Some((role, taken, renewable))
            }
        };
        let renewable = role.as_ref().map(|(_, _, renewable)| renewable.clone());
        let opening = Opening {
            input: "address",
            directory: &self.directory,
            environment: access.environment,
            renewable,
            http,
            conceal: &|secret| access.progress.conceal(secret),
            policy: self.policy,
            silence: SILENCE,
            stall: SILENCE,
        };
        let bucket = Bucket::open(&self.address, &opening)?;
        Ok(Opened { bucket, role })
    }

    async fn look(&self, bucket: &Bucket, access: &Access<'_>) -> Result<Current> {
        let name = self.pointer();
        let read = bucket.read(&name, record::LONGEST);
        let Some((bytes, object)) = until_stopped(access, read).await? else {
            return Ok(Current {
                pointer: None,
                condition: Condition::IfAbsent,
            });
        };
        let mark: Mark = object.mark;
        let pointer = Pointer::read(&bytes).map_err(|why| {
            Error::no_verdict(format!("what the environment has cannot be told: {why}"))
                .cause(format!("it stands in `{}`", self.pointer()))
                .hint("repair or delete that object: it was not written by this program, or by a later version of it")
        })?;
        Ok(Current {
            pointer: Some(pointer),
            condition: Condition::IfUnchanged(mark),
        })
    }

    fn pointing(&self, record: &Record, pointer: Option<&Pointer>) -> Change {
        let (kind, detail) = match pointer {
            None => (ChangeKind::Create, record.told()),
            Some(pointer) if pointer.release == record.key() => (ChangeKind::Keep, record.told()),
            Some(pointer) => (
                ChangeKind::Replace,
                format!("{}, in place of {}", record.told(), pointer.told()),
            ),
        };
        Change {
            what: self.pointer(),
            kind,
            detail,
        }
    }

    /// Writes what the environment has, and whether that goes back, over nothing but what was read before.
    async fn point(
        &self,
        bucket: &Bucket,
        (record, is_back): (&Record, bool),
        current: Current,
        mut applied: Applied,
        access: &Access<'_>,
    ) -> Result<Applied> {
        if let Some(signal) = access.stop.signal() {
            return Err(Error::interrupted(signal));
        }
        let change = self.pointing(record, current.pointer.as_ref());
        let previous = current.pointer.as_ref();
        let pointer = Pointer::to(record, previous, is_back, access.environment);
        if change.kind != ChangeKind::Keep {
            let bytes = Bytes::from(pointer.bytes());
            let put = bucket.put(&self.pointer(), bytes, current.condition).await;
            match put {
                Ok(_) => {}
                Err(Fault::Conflict { .. } | Fault::Missing { .. }) => {
                    return Err(self.lost(bucket).await);
                }
                Err(fault) => return Err(told(fault)),
            }
        }
        access.progress.done(&change);
        applied.changes.push(change);
        applied.previous = current.pointer.as_ref().map(Pointer::standing);
        applied.now = pointer.standing();
        Ok(applied)
    }

    /// Somebody else was faster: who.
    async fn lost(&self, bucket: &Bucket) -> Error {
        let error = Error::refused(format!(
            "somebody else deployed to `{}` in the meantime; nothing of theirs was replaced",
            untrusted::line(&self.environment)
        ));
        let read = bucket.read(&self.pointer(), record::LONGEST).await;
        let theirs = match read {
            Ok(Some((bytes, _))) => Pointer::read(&bytes).ok(),
            _ => None,
        };
        let error = match theirs {
            Some(theirs) => error.cause(format!("it has {} now", theirs.told())),
            None => error.cause("what it has now cannot be told"),
        };
        error.hint("look at what they deployed, and run it again if yours is to replace it; `concurrency` in the workflow keeps runs apart")
    }
}

impl record::File {
    /// What a deployment does with it.
    fn change(&self, known: Option<&(u64, Option<String>)>) -> Change {
        let bytes = size::show(self.size);
        let (kind, detail) = match known {
            None => (ChangeKind::Create, bytes),
            Some((size, Some(digest))) if *size == self.size && *digest == self.sha256 => {
                (ChangeKind::Keep, format!("{bytes}, the same bytes"))
            }
            Some(_) => (
                ChangeKind::Replace,
                format!("{bytes}, in place of what is not the content of its name"),
            ),
        };
        Change {
            what: self.key.clone(),
            kind,
            detail,
        }
    }
}

/// What comes of work with the store, unless the run is to end before.
async fn until_stopped<T>(
    access: &Access<'_>,
    work: impl Future<Output = std::result::Result<T, Fault>>,
) -> Result<T> {
    let mut stop = access.stop.clone();
    tokio::select! {
        outcome = work => outcome.map_err(told),
        signal = stop.requested() => Err(Error::interrupted(signal)),
    }
}

/// The error that shows a fault of the store, with a hint for deployments.
fn told(fault: Fault) -> Error {
    let hint = match &fault {
        Fault::Denied { .. }
        | Fault::Server {
            status: 401 | 403, ..
        } => Some(
            "the credentials must be allowed to read and to write below the prefix, and to end uploads in parts",
        ),
        Fault::Server { .. } | Fault::Network { .. } | Fault::TooSlow { .. } => {
            Some("run it again: what is in the store is kept")
        }
        Fault::Missing { .. } => {
            Some("does the bucket exist, and is it the one of this account and region?")
        }
        Fault::Quota { .. } | Fault::RateLimited { .. } => Some("look at the limits of the store"),
        _ => None,
    };
    let mut error = fault.error();
    if let Some(hint) = hint {
        error.hint = Some(hint.to_owned());
    }
    error
}

/// The digest of a release, for people.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The digest of a release in hexadecimal.
fn digest_of(release: &Release) -> String {
    hex(&release.digest())
}
