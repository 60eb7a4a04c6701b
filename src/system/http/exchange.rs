//! One request and its answer, with any method and content: sent once, or until no repetition helps.
//!
//! Nobody is followed elsewhere: a redirect is an answer like another. Addresses may be secrets, so no message shows one.

use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chrono::DateTime;
use futures_util::Stream;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Body, Method, Response, Url};

use super::{Http, chain, is_safe, text};
use crate::system::http::retry::{Policy, SILENCE};

/// A longer content is sent in pieces of this size.
const PIECE: usize = 64 << 10;

/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 64 << 10;

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    /// What to do.
    pub method: Method,
    /// To whom. It is shown in no message.
    pub url: Url,
    /// Headers; those that hold a secret are marked sensitive.
    pub headers: HeaderMap,
    /// The content, in pieces.
    pub body: Vec<Bytes>,
    /// An answer with more bytes is refused.
    pub limit: u64,
    /// How long the server may say nothing.
    pub silence: Duration,
    /// Whether sending it twice does the same as sending it once.
    pub is_repeatable: bool,
}

impl Call {
    /// A request without content, whose answer has at most 16 MiB. Only a `POST` is not repeatable.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            is_repeatable: method != Method::POST,
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            limit: 16 << 20,
            silence: SILENCE,
        }
    }

    /// The bytes of the content.
    pub fn size(&self) -> u64 {
        self.body.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The content, whole.
    pub body: Bytes,
}

impl Reply {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the server asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers)
    }
}

/// An answer whose content is still to come.
#[derive(Debug)]
pub struct Incoming {
    response: Response,
    silence: Duration,
    stop: crate::system::stop::Stop,
}

impl Incoming {
    /// The status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece; none at the end. A content that is shorter than it was to be is an error.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Trouble> {
        tokio::select! {
            chunk = tokio::time::timeout(self.silence, self.response.chunk()) => match chunk {
                Ok(chunk) => chunk.map_err(|error| Trouble::Lost(chain(&error.without_url()))),
                Err(_) => Err(silent(self.silence)),
            },
            signal = self.stop.requested() => Err(Trouble::Stopped(signal)),
        }
    }

    /// The answer with its whole content, of at most `limit` bytes.
    async fn whole(&mut self, limit: u64) -> Result<Reply, Trouble> {
        let promised = self.response.content_length().unwrap_or(0);
        let mut body = Vec::with_capacity(usize::try_from(promised.min(limit)).unwrap_or(0));
        while let Some(chunk) = self.chunk().await? {
            if (body.len() + chunk.len()) as u64 > limit {
                let why = format!("the answer has more than {limit} bytes");
                return Err(Trouble::Refused(why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status: self.status(),
            headers: self.headers().clone(),
            body: body.into(),
        })
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It was not sent, or the answer is not taken: nothing that a repetition changes.
    Refused(String),
    /// There is no connection: the server does not know of it.
    Unreached(String),
    /// It may have arrived; the answer did not.
    Lost(String),
    /// We were told to stop by this signal.
    Stopped(u8),
}

/// What came of a request that was repeated.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The last answer, or why there is none.
    pub last: Result<Reply, Trouble>,
    /// How often it was sent.
    pub attempts: u32,
    /// Whether an attempt before the last may have been carried out without our knowing.
    pub lost_before: bool,
}

impl Http {
    /// Sends a request once and waits for the head of its answer.
    pub fn open(&self, call: &Call) -> impl Future<Output = Result<Incoming, Trouble>> {
        let size = call.size();
        let body = (size > 0).then(|| content(&call.body));
        self.open_with(call, size, body)
    }

    async fn open_with(
        &self,
        call: &Call,
        size: u64,
        body: Option<Body>,
    ) -> Result<Incoming, Trouble> {
        if !is_safe(&call.url) {
            let why = "the address is no `https` address".to_owned();
            return Err(Trouble::Refused(why));
        }
        let client = self
            .clients
            .of(&call.url)
            .map_err(|error| Trouble::Refused(error.message))?;
        let mut request = client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone());
        if let Some(body) = body {
            request = request
                .header(reqwest::header::CONTENT_LENGTH, size)
                .body(body);
        } else if matches!(call.method, Method::POST | Method::PUT) {
            request = request.header(reqwest::header::CONTENT_LENGTH, 0);
        }
        let patience = call
            .silence
            .saturating_add(Duration::from_secs(size / SLOWEST));
        let mut stop = self.stop.clone();
        let response = tokio::select! {
            response = tokio::time::timeout(patience, request.send()) => match response {
                Err(_) => return Err(silent(patience)),
                Ok(Ok(response)) => response,
                Ok(Err(error)) if error.is_connect() => {
                    return Err(Trouble::Unreached(chain(&error.without_url())));
                }
                Ok(Err(error)) => return Err(Trouble::Lost(chain(&error.without_url()))),
            },
            signal = stop.requested() => return Err(Trouble::Stopped(signal)),
        };
        Ok(Incoming {
            response,
            silence: call.silence,
            stop,
        })
    }

    /// Sends a request once.
    pub async fn send(&self, call: &Call) -> Result<Reply, Trouble> {
        let mut incoming = self.open(call).await?;
        incoming.whole(call.limit).await
    }

    /// Sends a request once whose content, of `size` bytes, is made while it is sent; that of the call is left out.
    pub async fn send_stream(
        &self,
        call: &Call,
        size: u64,
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<Reply, Trouble> {
        let body = Some(Body::wrap_stream(pieces));
        let mut incoming = self.open_with(call, size, body).await?;
        incoming.whole(call.limit).await
    }

    /// Sends a request until there is an answer, or no hope of one. One that is not repeatable is repeated only where the
    /// server did not see it or says that it did nothing (429, 503).
    pub async fn exchange(&self, call: &Call, policy: Policy) -> Outcome {
        let mut attempts = policy.start();
        let mut lost_before = false;
        loop {
            let last = self.send(call).await;
            let (helps, is_lost, named) = match &last {
                Ok(reply) => {
                    let is_undone = matches!(reply.status, 429 | 503);
                    let is_temporary = is_temporary(reply.status);
                    (
                        is_temporary,
                        is_temporary && !is_undone,
                        reply.retry_after(),
                    )
                }
                Err(Trouble::Unreached(_)) => (true, false, None),
                Err(Trouble::Lost(_)) => (true, true, None),
                Err(Trouble::Refused(_) | Trouble::Stopped(_)) => (false, false, None),
            };
            let pause = attempts
                .pause(named)
                .filter(|_| helps && (call.is_repeatable || !is_lost));
            let Some(pause) = pause else {
                return Outcome {
                    last,
                    attempts: attempts.made(),
                    lost_before,
                };
            };
            lost_before |= is_lost;
            tracing::debug!(attempt = attempts.made(), ?pause, "asking again");
            if let Err(trouble) = self.rest(pause).await {
                return Outcome {
                    last: Err(trouble),
                    attempts: attempts.made(),
                    lost_before,
                };
            }
        }
    }

    /// Waits, unless we are told to stop.
    pub async fn rest(&self, pause: Duration) -> Result<(), Trouble> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            signal = stop.requested() => Err(Trouble::Stopped(signal)),
        }
    }
}

/// Whether the same request may have another answer later.
pub fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long these headers ask to wait.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let named = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = named.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = DateTime::parse_from_rfc2822(named.trim()).ok()?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    let moment = Duration::from_secs(u64::try_from(moment.timestamp()).ok()?);
    Some(moment.saturating_sub(now))
}

fn silent(patience: Duration) -> Trouble {
    Trouble::Lost(format!(
        "nothing came for {} seconds",
        patience.as_secs_f32()
    ))
}

/// The content piece by piece, without a copy.
fn content(pieces: &[Bytes]) -> Body {
    let mut small = Vec::new();
    for piece in pieces {
        let mut rest = piece.clone();
        while rest.len() > PIECE {
            small.push(rest.split_to(PIECE));
        }
        small.push(rest);
    }
    let pieces = small.into_iter().map(Ok::<_, std::convert::Infallible>);
    Body::wrap_stream(futures_util::stream::iter(pieces))
}
