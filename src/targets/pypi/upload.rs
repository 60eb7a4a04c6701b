//! One file to the index: sent until it is there, or cannot be.
//!
//! Whether a try whose answer was lost arrived is asked of the index by digest, before the file is sent again.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::digest::{Sha, hex};
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Reply, Trouble, is_temporary};
use crate::system::masking::Secret;
use crate::targets::Access;
use crate::targets::pypi::distribution::Distribution;
use crate::targets::pypi::form::Form;
use crate::targets::pypi::index::{Found, find, page};
use crate::targets::pypi::mint::{Minted, mint, stopped};
use crate::targets::pypi::{Credential, Pypi, TOKEN_USER, answer};

/// As uv asks: the public index then answers in JSON, with a reason that can be read.
const ACCEPTED: &str = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7";

/// The file is read in pieces of this size, bytes.
const PIECE: usize = 256 << 10;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(200);

/// How a file came to be on the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It was taken from us.
    Taken,
    /// Somebody had sent the same bytes.
    WasThere,
}

/// Sends files, one after the other.
pub(super) struct Uploader<'a> {
    settings: &'a Pypi,
    simple: &'a str,
    http: &'a Http,
    access: &'a Access<'a>,
    minted: Option<Minted>,
}

/// What a try came to.
enum Try {
    Done(Sent),
    /// Another one may help, after a pause that the index may have named.
    Again {
        why: String,
        named: Option<Duration>,
        /// Whether the file may have arrived.
        is_lost: bool,
    },
}

impl<'a> Uploader<'a> {
    pub fn new(
        settings: &'a Pypi,
        simple: &'a str,
        http: &'a Http,
        access: &'a Access<'a>,
    ) -> Self {
        Self {
            settings,
            simple,
            http,
            access,
            minted: None,
        }
    }

    /// Sends a file until the index has it. An error says why it has not, or that nobody knows.
    pub async fn upload(&mut self, distribution: &Distribution) -> Result<Sent> {
        let mut attempts = self.settings.policy.start();
        let mut may_be_renewed = true;
        let mut was_lost = false;
        loop {
            let (why, named, is_lost) = match self
                .attempt(distribution, &mut may_be_renewed, was_lost)
                .await?
            {
                Try::Done(sent) => return Ok(sent),
                Try::Again {
                    why,
                    named,
                    is_lost,
                } => (why, named, is_lost),
            };
            was_lost |= is_lost;
            let pause = attempts.pause(named);
            if is_lost && self.is_there(distribution).await.unwrap_or(false) {
                return Ok(Sent::Taken);
            }
            let Some(pause) = pause else {
                let file = &distribution.package.file;
                let error = Error::no_verdict(format!(
                    "`{file}` could not be uploaded in {}",
                    crate::error::count(u64::from(attempts.made()), "attempt")
                ))
                .cause(why);
                return Err(if was_lost {
                    error.cause(
                        "whether the index has it is not known: its simple API may be behind",
                    )
                } else {
                    error
                }
                .hint("run it again: what is on the index is kept"));
            };
            self.access
                .progress
                .retried(&distribution.package.file, &why);
            self.http.rest(pause).await.map_err(stopped)?;
        }
    }

    async fn attempt(
        &mut self,
        distribution: &Distribution,
        may_be_renewed: &mut bool,
        was_lost: bool,
    ) -> Result<Try> {
        let url = Url::parse(&self.settings.upload)
            .map_err(|_| Error::usage("the address for uploads is no URL"))?;
        let form = Form::new(distribution);
        let mut call = Call::new(Method::POST, url);
        call.limit = 1 << 20;
        call.headers
            .insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        if let Ok(kind) = HeaderValue::from_str(&form.content_type()) {
            call.headers.insert(CONTENT_TYPE, kind);
        }
        if let Some(header) = self.authorization().await? {
            call.headers.insert(AUTHORIZATION, header);
        }
        let known = Arc::new(Known::default());
        let sent = self.send(&call, &form, distribution, &known).await;
        if known.is_other.load(Ordering::Acquire) {
            return Err(changed(distribution, was_lost));
        }
        let reply = match sent {
            Ok(reply) => reply,
            Err(Trouble::Stopped(signal)) => return Err(Error::interrupted(signal)),
            Err(Trouble::Refused(why)) => {
                return Err(Error::no_verdict("the package index cannot be asked").cause(why));
            }
            Err(Trouble::Unreached(why)) => {
                return Ok(Try::Again {
                    why,
                    named: None,
                    is_lost: false,
                });
            }
            Err(Trouble::Lost(why)) => {
                return Ok(Try::Again {
                    why,
                    named: None,
                    is_lost: true,
                });
            }
        };
        match reply.status {
            // A page for people is not what an index says to a program: a proxy or a door for signing in may have answered.
            200..=299 if answer::is_html(&reply) && !self.is_there(distribution).await? => {
                Err(Error::no_verdict(format!(
                    "the answer to the upload of `{}` is an HTML page, and the index has not got the file",
                    distribution.package.file
                ))
                .hint("is it the address for uploads of an index?"))
            }
            200..=299 => Ok(Try::Done(Sent::Taken)),
            300..=399 => Err(Error::no_verdict(format!(
                "the address for uploads sends us elsewhere ({}); the file and the credentials are for it alone",
                reply.status
            ))
            .hint("name the address as the index documents it, with its last `/`")),
            status if is_temporary(status) => Ok(Try::Again {
                why: format!("it answers {status}: {}", answer::said(&reply)),
                named: reply.retry_after(),
                is_lost: !matches!(status, 429 | 503),
            }),
            // A minted token may end sooner than was said.
            401 | 403 if self.minted.is_some() && *may_be_renewed => {
                *may_be_renewed = false;
                self.minted = None;
                Ok(Try::Again {
                    why: format!("it answers {}: the token may have ended", reply.status),
                    named: Some(Duration::ZERO),
                    is_lost: false,
                })
            }
            _ => self.settle(distribution, &reply, was_lost).await,
        }
    }

    /// What a refusal means: the index may have the very file, or another one of its name.
    async fn settle(
        &self,
        distribution: &Distribution,
        reply: &Reply,
        was_lost: bool,
    ) -> Result<Try> {
        let file = &distribution.package.file;
        let digest = hex(&distribution.sha256);
        let said = answer::said(reply);
        // What went wrong when looking must not hide what the index said.
        let found = match page(self.http, self.simple, &distribution.package.normal_name()).await {
            Ok(page) => find(&page, file, &digest),
            Err(error) if matches!(error.kind, crate::error::Kind::Interrupted(_)) => {
                return Err(error);
            }
            Err(_) => Found::Unknown,
        };
        let refused = || {
            Error::refused(format!("the package index does not take `{file}`"))
                .cause(format!("it answers {}: {said}", reply.status))
        };
        match found {
            Found::Same if was_lost => Ok(Try::Done(Sent::Taken)),
            Found::Same => Ok(Try::Done(Sent::WasThere)),
            Found::Other(theirs) => Err(refused()
                .cause(format!("the index has other bytes of this name: sha256 {theirs}, and this file is {digest}"))
                .hint("a file that is published never changes: make a new version")),
            // Where an answer was lost, the index may know the file and not show it yet.
            Found::Nothing | Found::Unknown if was_lost && matches!(reply.status, 400 | 409) => {
                Ok(Try::Again {
                    why: format!("it answers {}: {said}", reply.status),
                    named: None,
                    is_lost: true,
                })
            }
            Found::Nothing | Found::Unknown => {
                let error = refused();
                let rights = "the token must be for this index and project; look at who may upload there";
                Err(match (answer::hint(&said), reply.status) {
                    (Some(hint), _) => error.hint(hint),
                    (None, 401 | 403) => error.hint(rights),
                    (None, _) => error,
                })
            }
        }
    }

    /// Whether the index shows this very file.
    async fn is_there(&self, distribution: &Distribution) -> Result<bool> {
        let name = distribution.package.normal_name();
        let page = page(self.http, self.simple, &name).await?;
        let digest = hex(&distribution.sha256);
        Ok(find(&page, &distribution.package.file, &digest) == Found::Same)
    }

    /// Who uploads, as a header.
    async fn authorization(&mut self) -> Result<Option<HeaderValue>> {
        let (user, password) = match &self.settings.credential {
            Credential::Nobody => return Ok(None),
            Credential::Token { .. } => {
                let Some((user, token)) = self.settings.token(self.access)? else {
                    return Ok(None);
                };
                (user.to_owned(), token)
            }
            Credential::TrustedPublishing => {
                let minted = match self.minted.take().filter(Minted::is_fresh) {
                    Some(minted) => minted,
                    None => {
                        mint(
                            &self.settings.upload,
                            self.http,
                            self.settings.policy,
                            self.access,
                        )
                        .await?
                    }
                };
                let token = minted.token.clone();
                self.minted = Some(minted);
                (TOKEN_USER.to_owned(), token)
            }
        };
        let pair = Secret::new(STANDARD.encode(format!("{user}:{}", password.reveal())));
        self.access.progress.conceal(&pair);
        let mut header = HeaderValue::from_str(&format!("Basic {}", pair.reveal()))
            .map_err(|_| Error::usage("the token holds characters that no header takes"))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// Sends the form, and tells how far it is.
    async fn send(
        &self,
        call: &Call,
        form: &Form,
        distribution: &Distribution,
        known: &Arc<Known>,
    ) -> std::result::Result<Reply, Trouble> {
        let pieces = form.pieces(pieces_of(distribution, Arc::clone(known)));
        let sending = self.http.send_stream(call, form.size(), pieces);
        let mut sending = std::pin::pin!(sending);
        let mut told = 0;
        loop {
            let outcome = tokio::select! {
                outcome = &mut sending => Some(outcome),
                () = tokio::time::sleep(TICK) => None,
            };
            let so_far = known.read.load(Ordering::Relaxed);
            if so_far != told {
                told = so_far;
                let file = &distribution.package.file;
                self.access.progress.sent(file, so_far, distribution.size);
            }
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }
}

/// What is known of a file that is being sent.
#[derive(Debug, Default)]
struct Known {
    /// Bytes that were read.
    read: AtomicU64,
    /// It is another one than that which was tested.
    is_other: AtomicBool,
}

/// A file in pieces, read where it keeps nobody waiting; counts what was read. The last piece comes only where all of it are
/// the bytes that were digested: of another file nobody ever gets the whole.
fn pieces_of(
    distribution: &Distribution,
    known: Arc<Known>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    let (path, digest, size) = (
        distribution.path.clone(),
        distribution.sha256,
        distribution.size,
    );
    tokio::task::spawn_blocking(move || {
        let outcome = std::fs::File::open(&path).and_then(|mut file| {
            let (mut hasher, mut total, mut held) = (Sha256::new(), 0, None);
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                let count = Read::by_ref(&mut file)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)?;
                hasher.update(&piece);
                total += count as u64;
                let is_end = count == 0;
                let is_other = is_end && Sha::from(hasher.finalize_reset()) != digest;
                if is_other || total > size {
                    known.is_other.store(true, Ordering::Release);
                    return Err(io::Error::other("the file is another one by now"));
                }
                let next = if is_end {
                    held.take()
                } else {
                    held.replace(Bytes::from(piece))
                };
                if let Some(piece) = next {
                    known.read.fetch_add(piece.len() as u64, Ordering::Relaxed);
                    // Nobody wants the rest where the try has ended.
                    if sender.blocking_send(Ok(piece)).is_err() {
                        return Ok(());
                    }
                }
                if is_end {
                    return Ok(());
                }
            }
        });
        if let Err(error) = outcome {
            let _ = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    })
}

/// The error for a file that changed between two tries.
fn changed(distribution: &Distribution, was_lost: bool) -> Error {
    let error = Error::refused(format!(
        "`{}` was changed since it was tested: its sha256 was {}; no upload of it was ended",
        distribution.package.file,
        hex(&distribution.sha256)
    ));
    let error = if was_lost {
        error.cause("whether the index got the file that was tested, in a try before, is not known")
    } else {
        error
    };
    error.hint("nothing may change a file between its test and here")
}
