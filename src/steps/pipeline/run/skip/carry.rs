//! Archives on their way to and from the shared store. What goes wrong is told in words: nobody can do anything but go on
//! without.

use std::path::{Path, PathBuf};

use crate::model::digest::Sha;
use crate::steps::pipeline::run::skip::Remote;

/// What came of it, or what went wrong.
type Carried<T> = std::result::Result<T, String>;

#[cfg(unix)]
impl Remote {
    /// Unpacks what is saved under a digest into these folders; names in it are relative to `workspace`. Whether there is
    /// anything that this run believes.
    pub(super) async fn take(
        &self,
        digest: &Sha,
        workspace: &Path,
        folders: Vec<PathBuf>,
    ) -> Carried<bool> {
        use std::sync::Arc;
        use std::time::Instant;

        use crate::archive::{Confinement, Limits, Progress};
        use crate::steps::pipeline::run::skip::remote::LARGEST;
        use crate::steps::transport::{Route, receive};
        use crate::stores::fault::Fault;
        use crate::stores::transfer::Options;

        let started = Instant::now();
        let (names, version) = (
            self.trust.readable(digest),
            crate::model::digest::hex(digest),
        );
        let looking = self.cache.look_up(&names, &version);
        let found = match tokio::time::timeout(self.limit, looking).await {
            Ok(Ok(found)) => found,
            Ok(Err(Fault::Denied { .. })) => None,
            Ok(Err(fault)) => return Err(fault.to_string()),
            Err(_) => return Err("it does not answer in time".to_owned()),
        };
        // The service also finds what only begins so.
        let Some(found) = found.filter(|found| names.contains(&found.matched_key)) else {
            return Ok(false);
        };
        let confinement = Confinement::new(workspace, folders).limited(Limits {
            bytes: 2 * LARGEST,
            ..Limits::default()
        });
        let route = Route {
            cache: &self.cache,
            stop: self.stop.clone(),
            options: Options {
                total: self.limit.saturating_sub(started.elapsed()),
                ..self.options()
            },
        };
        let progress = Arc::new(Progress::new(self.stop.clone()));
        let received = receive(&route, &found, confinement, &progress).await;
        received.map_err(|trouble| trouble.to_string())?;
        Ok(true)
    }

    /// Saves files and folders under a digest, with names relative to `workspace`; how many bytes it were, or nothing where
    /// there is something already, or nothing may be saved.
    pub(super) async fn give(
        &self,
        digest: &Sha,
        workspace: &Path,
        paths: Vec<PathBuf>,
    ) -> Carried<Option<u64>> {
        use std::io::Write as _;
        use std::sync::Arc;

        use crate::archive::{self, PackOptions, Progress, Sources, pack};
        use crate::steps::transport::{PieceWriter, Route, Trouble, WAITING, send};
        use crate::stores::fault::Fault;

        let (out, pieces) = tokio::sync::mpsc::channel(WAITING);
        let progress = Arc::new(Progress::new(self.stop.clone()));
        let (theirs, folder) = (Arc::clone(&progress), workspace.to_owned());
        let packing = tokio::task::spawn_blocking(move || {
            let mut out = PieceWriter::new(out);
            let sources = Sources {
                workspace: &folder,
                paths: &paths,
                excluded: &[],
                confinement: None,
            };
            let packed = pack(&sources, &mut out, &PackOptions::default(), &theirs)?;
            out.flush().map_err(archive::Fault::Output)?;
            Ok(packed)
        });
        let route = Route {
            cache: &self.cache,
            stop: self.stop.clone(),
            options: self.options(),
        };
        let (name, version) = (self.trust.own(digest), crate::model::digest::hex(digest));
        let sent = send(&route, (&name, &version), pieces, packing).await;
        if sent.is_err() {
            progress.cancel();
        }
        match sent {
            Ok((_, size)) => Ok(Some(size)),
            Err(Trouble::Store(Fault::Exists { .. } | Fault::Denied { .. })) => Ok(None),
            Err(trouble) => Err(trouble.to_string()),
        }
    }
}

#[cfg(not(unix))]
#[expect(clippy::unused_async, reason = "elsewhere it waits")]
impl Remote {
    /// Archives are not read on this system.
    pub(super) async fn take(&self, _: &Sha, _: &Path, _: Vec<PathBuf>) -> Carried<bool> {
        Ok(false)
    }

    /// Nor written.
    pub(super) async fn give(&self, _: &Sha, _: &Path, _: Vec<PathBuf>) -> Carried<Option<u64>> {
        Ok(None)
    }
}
