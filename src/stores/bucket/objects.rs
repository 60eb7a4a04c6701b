//! S3, Google's and Azure's stores, by `object_store` over our own HTTP client.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attribute, AttributeValue, Attributes, GetOptions, GetRange, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    UpdateVersion,
};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::stores::bucket::faults::{fault, missing, too_large};
use crate::stores::bucket::{Condition, Content, Mark, Object};
use crate::stores::fault::{Access, Fault, excerpt};
use crate::stores::transfer::blocks::{Blocks, size_of};
use crate::stores::transfer::{Options, ordered};

/// S3 takes no smaller parts but the last, and R2 only parts of one size.
const PART: usize = 16 << 20;

/// As many parts as S3 takes.
const PARTS: usize = 10_000;

/// How long a store has to take parts back.
const PATIENCE: Duration = Duration::from_secs(5);

/// Under which name a digest is kept with its object.
const DIGEST: Attribute = Attribute::Metadata(Cow::Borrowed("sha256"));

/// A bucket or container of a cloud, from a prefix on.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Objects {
    /// A store from a prefix on, which may be empty.
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { store, prefix }
    }

    /// As it is: joining parts would write some letters in another way.
    fn path(&self, name: &str) -> Result<Path, Fault> {
        let whole = match self.prefix.as_ref() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        Path::parse(whole).map_err(|error| Fault::InvalidAnswer {
            what: excerpt(&error.to_string()),
        })
    }

    pub(super) async fn put(
        &self,
        name: &str,
        content: Bytes,
        condition: Condition,
    ) -> Result<Mark, Fault> {
        let mode = match condition {
            Condition::Always => PutMode::Overwrite,
            Condition::IfAbsent => PutMode::Create,
            Condition::IfUnchanged(mark) => PutMode::Update(UpdateVersion {
                e_tag: mark.etag,
                version: mark.version,
            }),
        };
        let is_conditional = mode != PutMode::Overwrite;
        let path = self.path(name)?;
        let mut was_lost = false;
        loop {
            let options = PutOptions::from(mode.clone());
            let payload = PutPayload::from(content.clone());
            let error = match self.store.put_opts(&path, payload, options).await {
                Ok(result) => {
                    return Ok(Mark {
                        etag: result.e_tag,
                        version: result.version,
                    });
                }
                Err(error) => fault(error, name, Access::Write),
            };
            match error {
                // What was sent under a condition is not sent again below: its own success would make it fail.
                Fault::Network { .. } | Fault::Server { .. } if is_conditional && !was_lost => {
                    was_lost = true;
                }
                Fault::Conflict { .. } if was_lost => {
                    let found = self.read(name, content.len() as u64).await;
                    return match found {
                        Ok(Some((found, object))) if found == content => Ok(object.mark),
                        _ => Err(error),
                    };
                }
                other => return Err(other),
            }
        }
    }

    pub(super) async fn upload(
        &self,
        name: &str,
        pieces: Receiver<Bytes>,
        options: Options,
    ) -> Result<u64, Fault> {
        let sending = Sending {
            part: PART,
            in_flight: options.in_flight,
            attributes: Attributes::new(),
        };
        let never = std::future::pending();
        self.send(name, pieces, sending, never).await
    }

    pub(super) async fn upload_known(
        &self,
        content: Content<'_>,
        pieces: Receiver<Bytes>,
        ended: impl Future<Output = Fault>,
    ) -> Result<u64, Fault> {
        let digest = (DIGEST, AttributeValue::from(content.digest.to_owned()));
        let sending = Sending {
            part: content.part,
            in_flight: content.in_flight,
            attributes: Attributes::from_iter([digest]),
        };
        self.send(content.name, pieces, sending, ended).await
    }

    async fn send(
        &self,
        name: &str,
        pieces: Receiver<Bytes>,
        sending: Sending,
        ended: impl Future<Output = Fault>,
    ) -> Result<u64, Fault> {
        let mut ended = std::pin::pin!(ended);
        let path = self.path(name)?;
        let told = |error| fault(error, name, Access::Write);
        let mut blocks = Blocks::new(pieces);
        let first = tokio::select! {
            biased;
            fault = &mut ended => return Err(fault),
            first = blocks.next(sending.part) => first.unwrap_or_default(),
        };
        let second = tokio::select! {
            biased;
            fault = &mut ended => return Err(fault),
            second = blocks.next(sending.part) => second,
        };
        let Some(second) = second else {
            let size = size_of(&first);
            let options = PutOptions::from(sending.attributes);
            let put = self.store.put_opts(&path, payload(first), options);
            return tokio::select! {
                biased;
                fault = &mut ended => Err(fault),
                outcome = put => outcome.map(|_| size).map_err(told),
            };
        };
        // Not interrupted: who does not know its name cannot take an upload back.
        let options = PutMultipartOptions::from(sending.attributes);
        let upload = self.store.put_multipart_opts(&path, options).await;
        let mut upload = upload.map_err(told)?;
        let waiting = vec![second, first];
        let sent = tokio::select! {
            biased;
            fault = &mut ended => Err(PartFault::Fault(fault)),
            sent = send_parts(&mut *upload, waiting, blocks, sending.part, sending.in_flight) => sent,
        };
        let size = match sent {
            Ok(size) => size,
            Err(error) => {
                take_back(&mut *upload).await;
                return Err(error.unwrap_or_else(told));
            }
        };
        if let Err(error) = upload.complete().await {
            let error = told(error);
            // An attempt whose answer was lost may have completed it.
            let found = self.head(name).await;
            if !found.is_ok_and(|found| found.is_some_and(|found| found.size == size)) {
                take_back(&mut *upload).await;
                return Err(error);
            }
        }
        Ok(size)
    }

    pub(super) async fn known(&self, name: &str) -> Result<Option<(u64, Option<String>)>, Fault> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match self.store.get_opts(&self.path(name)?, options).await {
            Ok(found) => {
                let digest = found.attributes.get(&DIGEST);
                let digest = digest.map(|digest| digest.as_ref().to_owned());
                Ok(Some((found.meta.size, digest)))
            }
            Err(error) => match fault(error, name, Access::Read) {
                Fault::Missing { .. } => Ok(None),
                other => Err(other),
            },
        }
    }

    pub(super) async fn download(
        &self,
        name: &str,
        out: Sender<Bytes>,
        options: Options,
        came: &AtomicU64,
    ) -> Result<u64, Fault> {
        let object = self.head(name).await?.ok_or_else(|| missing(name))?;
        let size = object.size;
        let fetch = |range: std::ops::Range<u64>| {
            let (objects, name, mark) = (self.clone(), name.to_owned(), object.mark.clone());
            async move {
                let wanted = range.end - range.start;
                let bytes = objects.range(&name, range, mark).await?;
                if bytes.len() as u64 == wanted {
                    return Ok(bytes);
                }
                Err(Fault::Changed {
                    what: format!("{} of {wanted} bytes came", bytes.len()),
                })
            }
        };
        ordered::hand_on(0..size, options, &out, came, fetch).await?;
        Ok(size)
    }

    pub(super) async fn read(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<Option<(Bytes, Object)>, Fault> {
        let Some(known) = self.head(name).await? else {
            return Ok(None);
        };
        self.read_known(&known, limit).await
    }

    pub(super) async fn read_known(
        &self,
        known: &Object,
        limit: u64,
    ) -> Result<Option<(Bytes, Object)>, Fault> {
        let name = known.name.as_str();
        if known.size > limit {
            return Err(too_large(name, limit));
        }
        // Content and mark come from one answer: in between, somebody may have written another one.
        let told = |error| fault(error, name, Access::Read);
        let result = match self.store.get(&self.path(name)?).await.map_err(told) {
            Err(Fault::Missing { .. }) => return Ok(None),
            other => other?,
        };
        if result.meta.size > limit {
            return Err(too_large(name, limit));
        }
        let object = self.object(&result.meta)?;
        let bytes = result.bytes().await.map_err(told)?;
        Ok(Some((bytes, object)))
    }

    pub(super) async fn range(
        &self,
        name: &str,
        range: std::ops::Range<u64>,
        mark: Mark,
    ) -> Result<Bytes, Fault> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: mark.etag,
            ..GetOptions::default()
        };
        let told = |error| match fault(error, name, Access::Read) {
            Fault::Conflict { .. } => Fault::Changed {
                what: "its mark is another one than before".to_owned(),
            },
            other => other,
        };
        let result = self.store.get_opts(&self.path(name)?, options).await;
        result.map_err(told)?.bytes().await.map_err(told)
    }

    pub(super) async fn head(&self, name: &str) -> Result<Option<Object>, Fault> {
        match self.store.head(&self.path(name)?).await {
            Ok(meta) => Ok(Some(self.object(&meta)?)),
            Err(error) => match fault(error, name, Access::Read) {
                Fault::Missing { .. } => Ok(None),
                other => Err(other),
            },
        }
    }

    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Object>, Fault> {
        let prefix = match folder {
            "" => self.prefix.clone(),
            _ => self.path(folder)?,
        };
        let listed: Vec<ObjectMeta> = self
            .store
            .list(Some(&prefix))
            .try_collect()
            .await
            .map_err(|error| fault(error, folder, Access::Read))?;
        let known = listed.iter().filter_map(|meta| self.object(meta).ok());
        Ok(known.collect())
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Fault> {
        match self.store.delete(&self.path(name)?).await {
            Ok(()) => Ok(()),
            Err(error) => match fault(error, name, Access::Write) {
                Fault::Missing { .. } => Ok(()),
                other => Err(other),
            },
        }
    }

    fn object(&self, meta: &ObjectMeta) -> Result<Object, Fault> {
        let inside = meta
            .location
            .prefix_match(&self.prefix)
            .map(|parts| {
                parts
                    .map(|part| part.as_ref().to_owned())
                    .collect::<Vec<_>>()
            })
            .ok_or_else(|| Fault::InvalidAnswer {
                what: "an object outside of the prefix".to_owned(),
            })?;
        Ok(Object {
            name: inside.join("/"),
            size: meta.size,
            modified: meta.last_modified.into(),
            mark: Mark {
                etag: meta.e_tag.clone(),
                version: meta.version.clone(),
            },
        })
    }
}

/// How a content is sent.
struct Sending {
    part: usize,
    in_flight: usize,
    attributes: Attributes,
}

/// What went wrong with a part, or with their number.
enum PartFault {
    Store(object_store::Error),
    Fault(Fault),
}

impl PartFault {
    fn unwrap_or_else(self, told: impl FnOnce(object_store::Error) -> Fault) -> Fault {
        match self {
            Self::Store(error) => told(error),
            Self::Fault(fault) => fault,
        }
    }
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    mut waiting: Vec<Vec<Bytes>>,
    mut blocks: Blocks,
    part: usize,
    most: usize,
) -> Result<u64, PartFault> {
    let mut in_flight = FuturesUnordered::new();
    let (mut size, mut count) = (0, 0);
    loop {
        let block = match waiting.pop() {
            Some(block) => Some(block),
            None if in_flight.is_empty() => blocks.next(part).await,
            None if in_flight.len() >= most.max(1) => {
                if let Some(done) = in_flight.next().await {
                    let done: object_store::Result<()> = done;
                    done.map_err(PartFault::Store)?;
                }
                continue;
            }
            None => tokio::select! {
                biased;
                next = blocks.next(part) => next,
                Some(done) = in_flight.next() => {
                    done.map_err(PartFault::Store)?;
                    continue;
                }
            },
        };
        let Some(block) = block else { break };
        if count == PARTS {
            let message = format!("the object has more than {PARTS} parts");
            return Err(PartFault::Fault(Fault::Quota { message }));
        }
        count += 1;
        size += size_of(&block);
        in_flight.push(upload.put_part(payload(block)));
    }
    while let Some(done) = in_flight.next().await {
        done.map_err(PartFault::Store)?;
    }
    Ok(size)
}

/// Parts that nobody completes cost money. A store that does not answer to this either is not waited for.
async fn take_back(upload: &mut dyn MultipartUpload) {
    let _ = tokio::time::timeout(PATIENCE, upload.abort()).await;
}

fn payload(block: Vec<Bytes>) -> PutPayload {
    block.into_iter().collect()
}
