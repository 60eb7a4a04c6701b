//! A cache in a bucket: keys and versions as the cache service knows them, kept by conditional writes.
//!
//! `entries/<version>/<key>` is a record of JSON: reserved first, complete at the end. `data/<version>/<number>` is an archive.
//! An entry is what its record says: without one that is complete, nobody reads an archive. The newest complete entry wins,
//! by the store's own clock.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::stores::bucket::{Bucket, Condition, Mark, Object, name};
use crate::stores::fault::{Fault, excerpt};
use crate::stores::keys;
use crate::stores::transfer::Options;
use crate::system::files;

/// Records are smaller.
const RECORD: u64 = 16 << 10;

/// So many records are read at once.
const SIDE_BY_SIDE: usize = 16;

/// A reservation that nobody completed for so long belongs to nobody.
const ABANDONED: Duration = Duration::from_hours(1);

/// A longer key is shortened in the name of its record, which holds it whole.
const SHORT: usize = 120;

/// A cache in a bucket.
#[derive(Clone, Debug)]
pub struct BucketCache {
    bucket: Bucket,
}

/// A complete entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// What its paths and its compression make.
    pub version: String,
    /// Its bytes.
    pub size: u64,
    /// When it was completed.
    pub created: SystemTime,
    /// Its archive.
    data: String,
}

/// A key that is ours until the entry is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    record: String,
    content: Record,
    mark: Mark,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    schema: u32,
    key: String,
    version: String,
    data: String,
    /// None while it is reserved.
    size: Option<u64>,
}

impl BucketCache {
    /// A cache in this bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    /// The entry for the first key, or for those that follow: first the one with this very key, then the newest whose key
    /// starts with it.
    pub async fn look_up<K: AsRef<str>>(
        &self,
        wanted: &[K],
        version: &str,
    ) -> Result<Option<Entry>, Fault> {
        keys::check_all(wanted)?;
        let mut records = self.bucket.list(&folder("entries", version)?).await?;
        records.sort_by_key(|record| std::cmp::Reverse(record.modified));
        for key in wanted.iter().map(AsRef::as_ref) {
            let own = record_name(key, version)?;
            let exact = records.iter().filter(|record| record.name == own);
            let prefixed = records
                .iter()
                .filter(|record| record.name != own && may_start_with(&record.name, key));
            for record in exact.chain(prefixed) {
                let entry = self.entry(record).await?;
                if let Some(entry) = entry.filter(|entry| entry.key.starts_with(key)) {
                    return Ok(Some(entry));
                }
            }
        }
        Ok(None)
    }

    /// Reserves a key.
    pub async fn reserve(&self, key: &str, version: &str) -> Result<Reserved, Fault> {
        keys::check(key)?;
        let record = record_name(key, version)?;
        let mut number = [0; 16];
        getrandom::fill(&mut number).map_err(|error| Fault::Disk {
            path: "the system's random numbers".to_owned(),
            cause: error.to_string(),
        })?;
        let content = Record {
            schema: 1,
            key: key.to_owned(),
            version: version.to_owned(),
            data: format!("{}/{}", folder("data", version)?, files::hex(&number)),
            size: None,
        };
        let exists = || Fault::Exists {
            key: excerpt(key),
            may_be_own: false,
        };
        let found = self.bucket.read(&record, RECORD).await?;
        let (condition, before) = match found {
            None => (Condition::IfAbsent, None),
            Some((bytes, object)) => {
                let before: Option<Record> = serde_json::from_slice(&bytes).ok();
                let is_complete = before.as_ref().is_some_and(|before| before.size.is_some());
                let age = object.modified.elapsed().unwrap_or_default();
                if is_complete || age < ABANDONED {
                    return Err(exists());
                }
                (Condition::IfUnchanged(object.mark), before)
            }
        };
        let bytes = encoded(&content)?;
        let mark = match self.bucket.put(&record, bytes, condition).await {
            Err(Fault::Conflict { .. }) => return Err(exists()),
            other => other?,
        };
        if let Some(before) = before.filter(|before| name::check(&before.data).is_ok()) {
            // What somebody left behind is not read by anybody.
            let _ = self.bucket.delete(&before.data).await;
        }
        Ok(Reserved {
            record,
            content,
            mark,
        })
    }

    /// Puts the archive of a reserved key.
    pub async fn upload(
        &self,
        reserved: &Reserved,
        pieces: Receiver<Bytes>,
        options: Options,
    ) -> Result<u64, Fault> {
        self.bucket
            .upload(&reserved.content.data, pieces, options)
            .await
    }

    /// Completes an entry of `size` bytes.
    pub async fn finalise(&self, reserved: &Reserved, size: u64) -> Result<(), Fault> {
        let data = &reserved.content.data;
        let found = self.bucket.head(data).await?.map(|object| object.size);
        if found != Some(size) {
            let found = found.unwrap_or(0);
            return Err(Fault::Changed {
                what: format!("the archive has {found} bytes, and {size} were sent"),
            });
        }
        let content = Record {
            size: Some(size),
            ..reserved.content.clone()
        };
        let condition = Condition::IfUnchanged(reserved.mark.clone());
        self.bucket
            .put(&reserved.record, encoded(&content)?, condition)
            .await?;
        Ok(())
    }

    /// Gives a reserved key back, with what was sent. An entry that is complete after all stays.
    pub async fn abandon(&self, reserved: &Reserved) -> Result<(), Fault> {
        let data = &reserved.content.data;
        let found = self.bucket.read(&reserved.record, RECORD).await?;
        match found {
            // First the record, so that nobody finds one without an archive.
            Some((_, object)) if object.mark == reserved.mark => {
                self.bucket.delete(&reserved.record).await?;
            }
            Some((bytes, _)) => {
                let record: Option<Record> = serde_json::from_slice(&bytes).ok();
                if record.is_some_and(|record| record.data == *data) {
                    return Ok(());
                }
            }
            None => {}
        }
        self.bucket.delete(data).await
    }

    /// The first bytes of an entry's archive, at most so many.
    pub async fn beginning(&self, entry: &Entry, most: u64) -> Result<Bytes, Fault> {
        self.bucket
            .range(&entry.data, 0..entry.size.min(most))
            .await
    }

    /// Hands on the archive of an entry.
    pub async fn download(
        &self,
        entry: &Entry,
        out: Sender<Bytes>,
        options: Options,
    ) -> Result<u64, Fault> {
        let size = self.bucket.download(&entry.data, out, options).await?;
        if size == entry.size {
            return Ok(size);
        }
        Err(Fault::Changed {
            what: format!("the archive has {size} bytes, and had {}", entry.size),
        })
    }

    /// All complete entries whose key starts so, newest first.
    pub async fn list(&self, key: &str) -> Result<Vec<Entry>, Fault> {
        let mut records = self.bucket.list("entries").await?;
        records.sort_by_key(|record| std::cmp::Reverse(record.modified));
        let candidates = records
            .iter()
            .filter(|record| may_start_with(&record.name, key));
        let reading = stream::iter(candidates).map(|record| self.entry(record));
        let entries: Vec<Option<Entry>> = reading.buffered(SIDE_BY_SIDE).try_collect().await?;
        let complete = entries.into_iter().flatten();
        Ok(complete
            .filter(|entry| entry.key.starts_with(key))
            .collect())
    }

    /// Deletes an entry: first its record, so that nobody finds one without an archive.
    pub async fn delete(&self, entry: &Entry) -> Result<(), Fault> {
        let record = record_name(&entry.key, &entry.version)?;
        self.bucket.delete(&record).await?;
        self.bucket.delete(&entry.data).await
    }

    /// The entry of a record; none where it is reserved only, gone, or not what we write.
    async fn entry(&self, object: &Object) -> Result<Option<Entry>, Fault> {
        let found = match self.bucket.read_listed(object, RECORD).await {
            // Larger than any record.
            Err(Fault::InvalidAnswer { .. }) => None,
            other => other?,
        };
        let Some((bytes, object)) = found else {
            return Ok(None);
        };
        let Ok(record) = serde_json::from_slice::<Record>(&bytes) else {
            return Ok(None);
        };
        // A record says what its name says, and nothing leads out of the archives of its version.
        let is_own = record.schema == 1
            && record_name(&record.key, &record.version).is_ok_and(|name| name == object.name)
            && folder("data", &record.version)
                .is_ok_and(|folder| record.data.starts_with(&format!("{folder}/")))
            && name::check(&record.data).is_ok();
        Ok(record.size.filter(|_| is_own).map(|size| Entry {
            key: record.key,
            version: record.version,
            size,
            created: object.modified,
            data: record.data,
        }))
    }
}

fn encoded(record: &Record) -> Result<Bytes, Fault> {
    let bytes = serde_json::to_vec(record).map_err(|error| Fault::InvalidAnswer {
        what: error.to_string(),
    })?;
    Ok(bytes.into())
}

/// The folder of a version: versions are digests, but any text will do.
fn folder(room: &str, version: &str) -> Result<String, Fault> {
    let folder = format!("{room}/{}", name::encode(version));
    name::check(&folder)?;
    Ok(folder)
}

/// The name of a key's record.
fn record_name(key: &str, version: &str) -> Result<String, Fault> {
    let part = name::encode(key);
    let part = match part.get(..SHORT) {
        Some(start) if part.len() > SHORT => {
            let digest = files::sha256(key.as_bytes()).map_err(|error| Fault::InvalidAnswer {
                what: error.to_string(),
            })?;
            // No part of a text holds it.
            format!("{start}={digest}")
        }
        _ => part,
    };
    Ok(format!("{}/{part}", folder("entries", version)?))
}

/// Whether a record of this name may be of a key that starts so; a shortened one tells only when it is read.
fn may_start_with(record: &str, key: &str) -> bool {
    let part = record.rsplit('/').next().unwrap_or_default();
    let key = name::encode(key);
    match part.split_once('=') {
        Some((start, _)) => start.starts_with(&key) || key.starts_with(start),
        None => part.starts_with(&key),
    }
}

#[cfg(test)]
mod tests;
