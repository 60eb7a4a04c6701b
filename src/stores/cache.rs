//! The caches that a step can use, as one: GitHub's service, or a bucket.

use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::error::Result as Answer;
use crate::stores::bucket::{Bucket, Opening};
use crate::stores::bucket_cache::{BucketCache, Entry, Reserved};
use crate::stores::fault::Fault;
use crate::stores::permissions::Permissions;
use crate::stores::service::CacheService;
use crate::stores::transfer::{self, Beginning, Downloaded, Options};
use crate::system::masking::{Masker, Secret};

/// The name of GitHub's cache service among the stores.
pub const GITHUB: &str = "github";

/// A cache.
#[derive(Clone, Debug)]
pub enum Cache {
    /// GitHub's cache service.
    Service(Box<CacheService>),
    /// A folder or a bucket.
    Bucket(BucketCache),
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its key: one of those asked for, or one that starts with it.
    pub matched_key: String,
    /// Its bytes, where the cache says so before they are read.
    pub size: Option<u64>,
    /// When it was saved, where the cache says so.
    pub created: Option<SystemTime>,
    archive: Archive,
}

/// A key that is ours until its entry is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The key.
    pub key: String,
    /// The version.
    pub version: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Archive {
    Signed(Secret),
    Entry(Entry),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Signed(Secret),
    Record(Reserved),
}

impl Cache {
    /// Opens the cache of this name: `github`, a folder, or the address of a bucket. An error is the user's own mistake; a
    /// fault, why there is no such cache here. Secrets that the service hands out are registered with the masker.
    pub fn open(name: &str, opening: &Opening<'_>, masker: &Masker) -> Answer<Result<Self, Fault>> {
        if name != GITHUB {
            let bucket = Bucket::open(name, opening)?;
            return Ok(Ok(Self::Bucket(BucketCache::new(bucket))));
        }
        let (http, masker) = (opening.http.clone(), masker.clone());
        let service = CacheService::new(opening.environment, http, masker);
        Ok(service.map(|service| {
            let service = service.with_silence(opening.silence);
            Self::Service(Box::new(service))
        }))
    }

    /// What may be done, as far as it is known before.
    pub fn permissions(&self) -> Permissions {
        match self {
            Self::Service(service) => service.permissions().clone(),
            Self::Bucket(_) => Permissions::all(),
        }
    }

    /// The entry for the first key, or for those that follow: with this very key, or the newest whose key starts with it.
    /// None is a miss. [`Fault::Denied`] is one too, with a notice.
    pub async fn look_up<K: AsRef<str>>(
        &self,
        keys: &[K],
        version: &str,
    ) -> Result<Option<Found>, Fault> {
        let found = match self {
            Self::Service(service) => service.look_up(keys, version).await?.map(|hit| Found {
                matched_key: hit.matched_key,
                size: None,
                created: None,
                archive: Archive::Signed(hit.url),
            }),
            Self::Bucket(bucket) => bucket.look_up(keys, version).await?.map(|entry| Found {
                matched_key: entry.key.clone(),
                size: Some(entry.size),
                created: Some(entry.created),
                archive: Archive::Entry(entry),
            }),
        };
        Ok(found)
    }

    /// Reserves a key: late, since the cache service gives one that nobody completes to nobody else for a day.
    pub async fn reserve(&self, key: &str, version: &str) -> Result<Reservation, Fault> {
        let place = match self {
            Self::Service(service) => Place::Signed(service.reserve(key, version).await?),
            Self::Bucket(bucket) => Place::Record(bucket.reserve(key, version).await?),
        };
        Ok(Reservation {
            key: key.to_owned(),
            version: version.to_owned(),
            place,
        })
    }

    /// Sends the archive of a reserved key, as it comes, until the sender is gone; how many bytes it were.
    pub async fn upload(
        &self,
        reservation: &Reservation,
        pieces: Receiver<Bytes>,
        options: Options,
    ) -> Result<u64, Fault> {
        match (self, &reservation.place) {
            (Self::Service(service), Place::Signed(url)) => {
                transfer::upload(service.http(), url, pieces, options).await
            }
            (Self::Bucket(bucket), Place::Record(reserved)) => {
                bucket.upload(reserved, pieces, options).await
            }
            _ => Err(foreign()),
        }
    }

    /// Completes the entry: from then on everybody finds it. Its number, where the cache gives one.
    pub async fn finalise(
        &self,
        reservation: &Reservation,
        size: u64,
    ) -> Result<Option<u64>, Fault> {
        match (self, &reservation.place) {
            (Self::Service(service), Place::Signed(_)) => {
                let (key, version) = (&reservation.key, &reservation.version);
                service.finalise(key, version, size).await
            }
            (Self::Bucket(bucket), Place::Record(reserved)) => {
                bucket.finalise(reserved, size).await.map(|()| None)
            }
            _ => Err(foreign()),
        }
    }

    /// Gives a key back whose archive could not be sent, where the cache can do that.
    pub async fn abandon(&self, reservation: &Reservation) -> Result<(), Fault> {
        match (self, &reservation.place) {
            (Self::Bucket(bucket), Place::Record(reserved)) => bucket.abandon(reserved).await,
            // The service frees it by itself.
            _ => Ok(()),
        }
    }

    /// Hands on the archive of an entry, in order. Nothing of it is to be believed before this ends
    /// well.
    pub async fn download(
        &self,
        found: &Found,
        out: Sender<Bytes>,
        options: Options,
    ) -> Result<Downloaded, Fault> {
        match (self, &found.archive) {
            (Self::Service(service), Archive::Signed(url)) => {
                transfer::download(service.http(), url, out, options).await
            }
            (Self::Bucket(bucket), Archive::Entry(entry)) => {
                let size = bucket.download(entry, out, options).await?;
                Ok(Downloaded {
                    size,
                    modified: Some(entry.created),
                })
            }
            _ => Err(foreign()),
        }
    }

    /// The first bytes of the archive of an entry, at most so many.
    pub async fn beginning(
        &self,
        found: &Found,
        most: usize,
        options: Options,
    ) -> Result<Beginning, Fault> {
        match (self, &found.archive) {
            (Self::Service(service), Archive::Signed(url)) => {
                transfer::beginning(service.http(), url, most, options).await
            }
            (Self::Bucket(bucket), Archive::Entry(entry)) => {
                let bytes = bucket.beginning(entry, most as u64).await?;
                Ok(Beginning {
                    bytes,
                    size: Some(entry.size),
                    modified: Some(entry.created),
                })
            }
            _ => Err(foreign()),
        }
    }
}

fn foreign() -> Fault {
    Fault::InvalidAnswer {
        what: "it is another cache's".to_owned(),
    }
}
