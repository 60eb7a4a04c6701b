//! A bucket: objects by name, in a folder, in S3, in Google's or in Azure's store, with the same meaning everywhere.
//!
//! An object appears whole or not at all. Writing may depend on what is there: only if nothing is, or only over what was read.

mod address;
mod connector;
mod directory;
mod faults;
pub mod name;
mod objects;
mod renewable;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender};

pub use crate::stores::bucket::address::Opening;
pub use crate::stores::bucket::directory::Directory;
pub use crate::stores::bucket::objects::Objects;
pub use crate::stores::bucket::renewable::Renewable;
use crate::stores::fault::Fault;
use crate::stores::transfer::Options;

/// A place for objects.
#[derive(Clone, Debug)]
pub enum Bucket {
    /// A folder of this machine.
    Directory(Directory),
    /// A bucket or container of a cloud.
    Objects(Objects),
}

/// How a store knows an object's content again. It says nothing by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    etag: Option<String>,
    version: Option<String>,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub modified: SystemTime,
    /// Its mark; lists of a folder have none.
    pub mark: Mark,
}

/// A content that is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The name of the object.
    pub name: &'a str,
    /// Its SHA-256 in lower-case hexadecimal, which is kept with it.
    pub digest: &'a str,
    /// The size of a part, bytes; at least 5 MiB for S3.
    pub part: usize,
    /// How many parts are on their way at once.
    pub in_flight: usize,
}

/// What must be there for an object to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Anything.
    Always,
    /// Nothing.
    IfAbsent,
    /// What was read under this mark.
    IfUnchanged(Mark),
}

impl Bucket {
    /// Writes a small object. [`Fault::Conflict`] where the condition does not hold. Two writers of the very same bytes may both
    /// be told that they wrote: who must know that it was the only one puts something of its own in.
    pub async fn put(
        &self,
        name: &str,
        content: Bytes,
        condition: Condition,
    ) -> Result<Mark, Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.put(name, content, condition).await,
            Self::Objects(objects) => objects.put(name, content, condition).await,
        }
    }

    /// Writes what comes, in order, until the sender is gone; how many bytes it were. Nothing appears where the future is
    /// dropped before, as it must be when the sender failed.
    pub async fn upload(
        &self,
        name: &str,
        pieces: Receiver<Bytes>,
        options: Options,
    ) -> Result<u64, Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.upload(name, pieces).await,
            Self::Objects(objects) => objects.upload(name, pieces, options).await,
        }
    }

    /// Writes a content whose digest is known; how many bytes it were. Where `ended` says first that it must not be, nothing
    /// appears, and no part that was sent stays (Azure removes its own after a week).
    pub async fn upload_known(
        &self,
        content: Content<'_>,
        pieces: Receiver<Bytes>,
        ended: impl Future<Output = Fault>,
    ) -> Result<u64, Fault> {
        name::check(content.name)?;
        match self {
            Self::Directory(directory) => {
                let upload = directory.upload(content.name, pieces);
                tokio::select! {
                    biased;
                    fault = ended => Err(fault),
                    outcome = upload => outcome,
                }
            }
            Self::Objects(objects) => objects.upload_known(content, pieces, ended).await,
        }
    }

    /// The bytes of an object and its SHA-256 in lower-case hexadecimal: in a folder the one that it has, in a cloud the one that
    /// was written with it, if one was. None where there is no object.
    pub async fn known(&self, name: &str) -> Result<Option<(u64, Option<String>)>, Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.known(name).await,
            Self::Objects(objects) => objects.known(name).await,
        }
    }

    /// Hands on all bytes of an object, in order; how many it were.
    pub async fn download(
        &self,
        name: &str,
        out: Sender<Bytes>,
        options: Options,
    ) -> Result<u64, Fault> {
        name::check(name)?;
        let came = AtomicU64::new(0);
        let work = async {
            match self {
                Self::Directory(directory) => directory.download(name, out).await,
                Self::Objects(objects) => objects.download(name, out, options, &came).await,
            }
        };
        let outcome = tokio::time::timeout(options.total, work).await;
        outcome.unwrap_or(Err(Fault::TooSlow {
            limit: options.total,
            bytes: came.load(Ordering::Relaxed),
        }))
    }

    /// A small object of at most `limit` bytes with what is known of it; none where there is none.
    pub async fn read(&self, name: &str, limit: u64) -> Result<Option<(Bytes, Object)>, Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.read(name, limit).await,
            Self::Objects(objects) => objects.read(name, limit).await,
        }
    }

    /// As [`Bucket::read`], of an object that a list has told of: it is not asked for its size first.
    pub async fn read_listed(
        &self,
        listed: &Object,
        limit: u64,
    ) -> Result<Option<(Bytes, Object)>, Fault> {
        name::check(&listed.name)?;
        match self {
            Self::Directory(directory) => directory.read(&listed.name, limit).await,
            Self::Objects(objects) => objects.read_known(listed, limit).await,
        }
    }

    /// Some bytes of an object, from `start` to before `end`.
    pub async fn range(&self, name: &str, range: std::ops::Range<u64>) -> Result<Bytes, Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.range(name, range).await,
            Self::Objects(objects) => objects.range(name, range, Mark::default()).await,
        }
    }

    /// What is known of an object; none where there is none.
    pub async fn head(&self, name: &str) -> Result<Option<Object>, Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.head(name).await,
            Self::Objects(objects) => objects.head(name).await,
        }
    }

    /// All objects below a folder (`a/b` is not above `a/bc`), or all, by name.
    pub async fn list(&self, folder: &str) -> Result<Vec<Object>, Fault> {
        if !folder.is_empty() {
            name::check(folder)?;
        }
        let mut found = match self {
            Self::Directory(directory) => directory.list(folder).await?,
            Self::Objects(objects) => objects.list(folder).await?,
        };
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    /// Deletes an object. There being none is fine.
    pub async fn delete(&self, name: &str) -> Result<(), Fault> {
        name::check(name)?;
        match self {
            Self::Directory(directory) => directory.delete(name).await,
            Self::Objects(objects) => objects.delete(name).await,
        }
    }
}
