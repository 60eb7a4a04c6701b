//! A save on its way: the key is reserved when enough of the archive is made, the archive is sent while the rest of it is
//! packed, and the entry is completed, or its key given back.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender};

use crate::archive::{self, Packed};
use crate::steps::transport::{Route, Trouble, WAITING};
use crate::stores::cache::{Cache, Reservation};
use crate::stores::fault::Fault;
use crate::system::stop::Stop;

/// So much of the archive is made before the key is reserved, bytes: an archive that cannot be made blocks no key.
const BEFORE_RESERVING: usize = 16 << 20;

/// How long what is under way may go on when we are told to stop: the runner kills after seconds, and an entry that is
/// complete is better than a key that nobody gets.
const GRACE: Duration = Duration::from_secs(4);

/// The thread that packs.
pub type Packing = tokio::task::JoinHandle<std::result::Result<Packed, archive::Fault>>;

/// Reserves when enough is made, sends, and completes; gives the key back where the archive fails.
pub async fn send(
    route: &Route<'_>,
    (key, version): (&str, &str),
    mut pieces: Receiver<Bytes>,
    packing: Packing,
) -> std::result::Result<(Packed, u64), Trouble> {
    let mut waiting = Vec::new();
    let mut bytes = 0;
    let mut is_all = false;
    while bytes < BEFORE_RESERVING {
        let Some(piece) = pieces.recv().await else {
            is_all = true;
            break;
        };
        bytes += piece.len();
        waiting.push(piece);
    }
    let mut packing = Some(packing);
    let mut packed = None;
    if is_all && let Some(packing) = packing.take() {
        packed = Some(ended(packing).await?);
    }
    let cache = route.cache;
    if let Some(signal) = route.stop.signal() {
        return Err(Fault::Stopped(signal).into());
    }
    let reservation = cache.reserve(key, version).await?;
    let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
    let completing = async {
        let forwarding = forward(waiting, pieces, sender, packing, packed);
        let uploading = cache.upload(&reservation, receiver, route.options);
        let (packed, size) = both(forwarding, uploading).await?;
        cache.finalise(&reservation, size).await?;
        Ok((packed, size))
    };
    let saved = tokio::select! {
        saved = completing => saved,
        signal = told_and_waited(route.stop.clone()) => Err(Fault::Stopped(signal).into()),
    };
    if saved.is_err() {
        give_back(cache, &reservation).await;
    }
    saved
}

/// The signal that tells us to stop, some time after it came.
async fn told_and_waited(mut stop: Stop) -> u8 {
    let signal = stop.requested().await;
    tokio::time::sleep(GRACE).await;
    signal
}

/// Hands all pieces on; the sender goes only after the archive is known to be whole.
async fn forward(
    waiting: Vec<Bytes>,
    mut pieces: Receiver<Bytes>,
    out: Sender<Bytes>,
    packing: Option<Packing>,
    packed: Option<Packed>,
) -> std::result::Result<Packed, Trouble> {
    let gone = || Trouble::Store(Fault::Hung);
    for piece in waiting {
        out.send(piece).await.map_err(|_| gone())?;
    }
    while let Some(piece) = pieces.recv().await {
        out.send(piece).await.map_err(|_| gone())?;
    }
    match (packing, packed) {
        (Some(packing), _) => ended(packing).await,
        (None, Some(packed)) => Ok(packed),
        (None, None) => Err(gone()),
    }
}

async fn ended(packing: Packing) -> std::result::Result<Packed, Trouble> {
    packing
        .await
        .map_err(|_| Fault::Hung)?
        .map_err(Trouble::Archive)
}

/// Runs both; where the archive fails, the upload is dropped before it can come to its end.
async fn both(
    forwarding: impl Future<Output = std::result::Result<Packed, Trouble>>,
    uploading: impl Future<Output = std::result::Result<u64, Fault>>,
) -> std::result::Result<(Packed, u64), Trouble> {
    tokio::pin!(forwarding, uploading);
    let packed = tokio::select! {
        packed = &mut forwarding => match packed {
            // Nobody took the bytes any more: why, the upload knows.
            Err(Trouble::Store(Fault::Hung)) => {
                return Err(uploading.await.err().unwrap_or(Fault::Hung).into());
            }
            packed => packed?,
        },
        // It ends first only where it failed: the sender is still there.
        sent = &mut uploading => return Err(sent.err().unwrap_or(Fault::Hung).into()),
    };
    Ok((packed, uploading.await?))
}

async fn give_back(cache: &Cache, reservation: &Reservation) {
    if let Err(fault) = cache.abandon(reservation).await {
        tracing::debug!(%fault, "the key is not given back");
    }
}
