//! An entry on its way here: it is unpacked while it is downloaded, and is believed only when both have ended well.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::archive::{Confinement, Progress, Unpacked, unpack};
use crate::steps::transport::pieces::{PieceReader, WAITING};
use crate::steps::transport::{Route, Trouble};
use crate::stores::cache::Found;
use crate::stores::fault::Fault;

/// An entry that is here.
#[derive(Debug)]
pub struct Received {
    /// What was unpacked.
    pub unpacked: Unpacked,
    /// When it was saved, where the cache says so.
    pub created: Option<SystemTime>,
}

/// Unpacks an entry into the folders of `confinement`.
pub async fn receive(
    route: &Route<'_>,
    found: &Found,
    confinement: Confinement,
    progress: &Arc<Progress>,
) -> Result<Received, Trouble> {
    let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
    let is_whole = Arc::new(AtomicBool::new(false));
    let (theirs, whole) = (Arc::clone(progress), Arc::clone(&is_whole));
    let unpacking = tokio::task::spawn_blocking(move || {
        let end = || {
            if whole.load(Ordering::Acquire) {
                return Ok(());
            }
            Err(io::Error::from(io::ErrorKind::ConnectionAborted))
        };
        unpack(PieceReader::new(receiver, end), &confinement, &theirs)
    });
    let download = async {
        let hold = sender.clone();
        let downloaded = route.cache.download(found, sender, route.options).await;
        if downloaded.is_ok() {
            // Before the last sender goes.
            is_whole.store(true, Ordering::Release);
        } else {
            progress.cancel();
        }
        drop(hold);
        downloaded
    };
    let (downloaded, unpacked) = tokio::join!(download, unpacking);
    let unpacked = unpacked.map_err(|_| Fault::Hung)?;
    match (downloaded, unpacked) {
        // Where the archive is at fault, the download ended since nobody took its bytes.
        (Ok(_) | Err(Fault::Hung), Err(fault)) => Err(Trouble::Archive(fault)),
        (Err(fault), _) => Err(fault.into()),
        (Ok(downloaded), Ok(unpacked)) => Ok(Received {
            unpacked,
            created: downloaded.modified,
        }),
    }
}
