//! One file to the store: read once, digested on the way, and kept back where it is not what was to be sent.

use std::fs::File;
use std::io::Read;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::model::deploy::ReleaseFile;
use crate::model::digest::{Sha, hex};
use crate::model::untrusted;
use crate::stores::bucket::{Bucket, Content};
use crate::stores::fault::Fault;
use crate::targets::Access;
use crate::targets::object_store::{record, told};

/// The file is read in pieces of this size, bytes.
const PIECE: usize = 1 << 20;

/// The size of a part, bytes: with [`IN_FLIGHT`] at once and one that is being read, memory stays below 40 MiB.
const PART: u64 = 8 << 20;

/// How many parts are on their way at once.
const IN_FLIGHT: usize = 2;

/// As many parts as S3 takes, less a margin.
const PARTS: u64 = 9_900;

/// How reading ended that did not end well.
enum Broken {
    Disk(std::io::Error),
    Changed(Sha),
}

/// Sends a file; how many bytes it were. Nothing appears where it cannot be read, was changed, or the run is to end.
pub(super) async fn send(
    bucket: &Bucket,
    source: &ReleaseFile,
    file: &record::File,
    access: &Access<'_>,
) -> Result<u64> {
    let (pieces, mut read) = mpsc::channel::<Bytes>(2);
    let (breaks, broken) = oneshot::channel::<Broken>();
    let (path, size, digest) = (source.path.clone(), source.size, source.digest);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let outcome = File::open(path)
            .map_err(Broken::Disk)
            .and_then(|file| feed(file, size, &digest, &pieces));
        // Told before `pieces` is gone, which would mean that all was read.
        if let Err(why) = outcome {
            let _ = breaks.send(why);
            // Held open until nobody listens any longer.
            runtime.block_on(pieces.closed());
        }
    });
    // Counted where they pass.
    let (passed, taken) = mpsc::channel::<Bytes>(1);
    let name = untrusted::line(&source.name).into_owned();
    let passing = async {
        let mut sent = 0;
        while let Some(piece) = read.recv().await {
            sent += piece.len() as u64;
            if passed.send(piece).await.is_err() {
                break;
            }
            access.progress.sent(&name, sent, source.size);
        }
        drop(passed);
        // It ends with the upload.
        std::future::pending::<Fault>().await
    };
    let mut reason = None;
    let ended = async {
        let mut stop = access.stop.clone();
        tokio::select! {
            fault = passing => fault,
            signal = stop.requested() => Fault::Stopped(signal),
            why = async {
                match broken.await {
                    Ok(why) => why,
                    // All was read.
                    Err(_) => std::future::pending().await,
                }
            } => {
                reason = Some(why);
                Fault::Hung
            }
        }
    };
    let part = PART.max(source.size.div_ceil(PARTS).next_multiple_of(1 << 20));
    let content = Content {
        name: &file.key,
        digest: &file.sha256,
        part: usize::try_from(part).unwrap_or(usize::MAX),
        in_flight: IN_FLIGHT,
    };
    let outcome = bucket.upload_known(content, taken, ended).await;
    match (outcome, reason) {
        (_, Some(Broken::Disk(error))) => {
            Err(Error::no_verdict(format!("`{name}` cannot be read")).cause(error))
        }
        (_, Some(Broken::Changed(found))) => Err(Error::refused(format!(
            "`{name}` is not what was to be deployed: its sha256 is {}, and was {}",
            hex(&found),
            file.sha256
        ))
        .hint("nothing may change a file between its test and here")),
        (Ok(size), None) => Ok(size),
        (Err(fault), None) => Err(told(fault)),
    }
}

/// Hands on the file, its last piece only where the whole is what it was to be.
fn feed(
    mut file: File,
    size: u64,
    digest: &Sha,
    pieces: &mpsc::Sender<Bytes>,
) -> std::result::Result<(), Broken> {
    let mut hasher = Sha256::new();
    let mut kept: Option<Bytes> = None;
    let mut came = 0;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = Read::by_ref(&mut file)
            .take(PIECE as u64)
            .read_to_end(&mut piece)
            .map_err(Broken::Disk)?;
        if read == 0 {
            break;
        }
        hasher.update(&piece);
        came += read as u64;
        if let Some(kept) = kept.replace(piece.into())
            && pieces.blocking_send(kept).is_err()
        {
            return Ok(());
        }
        // A file that grows for ever is not read for ever.
        if came > size {
            break;
        }
    }
    let found: Sha = hasher.finalize().into();
    if found != *digest {
        return Err(Broken::Changed(found));
    }
    if let Some(kept) = kept {
        let _ = pieces.blocking_send(kept);
    }
    Ok(())
}
