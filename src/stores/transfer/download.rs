//! From a signed address: ranges side by side, handed on in order.
//!
//! The first range tells size and mark (`ETag`); all others must agree with both. A range that stalls, is cut off or comes with
//! an error is asked for again, alone. A server without ranges gives one stream.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use chrono::DateTime;
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_MATCH, LAST_MODIFIED, RANGE,
};
use reqwest::{Method, Url};
use tokio::sync::mpsc::Sender;

use crate::stores::fault::{Access, Fault};
use crate::stores::transfer::{Options, ordered, refused};
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Incoming, Trouble, is_temporary, retry_after};
use crate::system::http::retry::Attempts;
use crate::system::masking::Secret;

/// What was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Bytes.
    pub size: u64,
    /// When it was written, where the server says so.
    pub modified: Option<SystemTime>,
}

/// The first bytes of something, and what came to be known of the whole with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The first bytes.
    pub bytes: Bytes,
    /// The bytes of the whole, where the server says so.
    pub size: Option<u64>,
    /// When it was written, where the server says so.
    pub modified: Option<SystemTime>,
}

/// Hands on all bytes of the address, in order. Where it fails, some may have been handed on: whoever takes
/// them must look at the outcome before anything is believed.
pub async fn download(
    http: &Http,
    url: &Secret,
    out: Sender<Bytes>,
    options: Options,
) -> Result<Downloaded, Fault> {
    let url = Url::parse(url.reveal()).map_err(|_| invalid("the signed address is no URL"))?;
    let came = Arc::new(AtomicU64::new(0));
    let work = Work {
        http: http.clone(),
        url,
        options,
        came: Arc::clone(&came),
        modified: Arc::default(),
    };
    match tokio::time::timeout(options.total, work.all(&out)).await {
        Ok(outcome) => outcome.map(|size| Downloaded {
            size,
            modified: work.modified.get().copied(),
        }),
        Err(_) => Err(Fault::TooSlow {
            limit: options.total,
            bytes: came.load(Ordering::Relaxed),
        }),
    }
}

/// The first bytes of the address, at most so many, by one range.
pub async fn beginning(
    http: &Http,
    url: &Secret,
    most: usize,
    options: Options,
) -> Result<Beginning, Fault> {
    let work = Work {
        http: http.clone(),
        url: Url::parse(url.reveal()).map_err(|_| invalid("the signed address is no URL"))?,
        options: Options {
            block: most,
            ..options
        },
        came: Arc::default(),
        modified: Arc::default(),
    };
    let modified = Arc::clone(&work.modified);
    // A server without ranges sends all, of which no more is taken.
    let (sender, mut pieces) = tokio::sync::mpsc::channel::<Bytes>(1);
    let asking = async move { work.first(&sender).await };
    let taking = async move {
        let mut taken = BytesMut::new();
        while taken.len() < most
            && let Some(piece) = pieces.recv().await
        {
            taken.extend_from_slice(&piece);
        }
        taken.truncate(most);
        taken.freeze()
    };
    let (size, bytes) = match tokio::join!(asking, taking) {
        (Ok(First::Range(whole, bytes)), _) => (Some(whole.size), bytes),
        (Ok(First::Stream) | Err(Fault::Hung), taken) => (None, taken),
        (Err(fault), _) => return Err(fault),
    };
    Ok(Beginning {
        bytes,
        size,
        modified: modified.get().copied(),
    })
}

#[derive(Clone)]
struct Work {
    http: Http,
    url: Url,
    options: Options,
    /// Bytes handed on so far.
    came: Arc<AtomicU64>,
    /// When it was written, once a server has said so.
    modified: Arc<OnceLock<SystemTime>>,
}

/// What the first answer says of the whole.
struct Whole {
    size: u64,
    etag: Option<HeaderValue>,
}

/// How the first request ended.
enum First {
    /// The server knows ranges: the first bytes.
    Range(Whole, Bytes),
    /// It does not, or there is nothing to cut: it was all one stream.
    Stream,
}

impl Work {
    async fn all(&self, out: &Sender<Bytes>) -> Result<u64, Fault> {
        let (whole, bytes) = match self.first(out).await? {
            First::Stream => return Ok(self.came.load(Ordering::Relaxed)),
            First::Range(whole, bytes) => (whole, bytes),
        };
        let start = bytes.len() as u64;
        // The first range waits for its turn while others come.
        let fetch = |range| self.clone().range(range, whole.size, whole.etag.clone());
        self.hand_on(out, bytes).await?;
        ordered::hand_on(start..whole.size, self.options, out, &self.came, fetch).await?;
        Ok(whole.size)
    }

    fn step(&self) -> u64 {
        u64::try_from(self.options.block.max(1)).unwrap_or(u64::MAX)
    }

    async fn hand_on(&self, out: &Sender<Bytes>, bytes: Bytes) -> Result<(), Fault> {
        let size = bytes.len() as u64;
        if size > 0 {
            out.send(bytes).await.map_err(|_| Fault::Hung)?;
            self.came.fetch_add(size, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The first range, or everything where the server knows no ranges.
    async fn first(&self, out: &Sender<Bytes>) -> Result<First, Fault> {
        let mut attempts = self.options.policy.start();
        let mut stream = Stream::default();
        loop {
            let why = match self.try_first(out, &mut stream).await {
                Ok(first) => return Ok(first),
                Err(why) => why,
            };
            self.again(&mut attempts, why).await?;
        }
    }

    async fn try_first(&self, out: &Sender<Bytes>, stream: &mut Stream) -> Result<First, Why> {
        let mut call = self.call();
        if !stream.is_empty_blob {
            let range = format!("bytes=0-{}", self.step() - 1);
            call.headers.insert(RANGE, header(&range)?);
        }
        let mut incoming = self.http.open(&call).await?;
        if matches!(incoming.status(), 200 | 206)
            && let Some(moment) = modified(incoming.headers())
        {
            let _ = self.modified.set(moment);
        }
        match incoming.status() {
            206 => {
                let (start, end, size) = content_range(incoming.headers())?;
                if start != 0 || end + 1 != size.min(self.step()) {
                    return Err(Why::Final(invalid("it sends another range than asked for")));
                }
                let etag = incoming.headers().get(ETAG).cloned();
                let bytes = body(&mut incoming, end + 1).await?;
                Ok(First::Range(Whole { size, etag }, bytes))
            }
            200 => self.one_stream(incoming, out, stream).await,
            // A range of nothing is none.
            416 if !stream.is_empty_blob => {
                stream.is_empty_blob = true;
                Err(Why::AtOnce)
            }
            _ => Err(status(&incoming)),
        }
    }

    /// Everything in one answer. What was handed on by an earlier attempt is passed over, if it is surely the same.
    async fn one_stream(
        &self,
        mut incoming: Incoming,
        out: &Sender<Bytes>,
        stream: &mut Stream,
    ) -> Result<First, Why> {
        let headers = incoming.headers();
        if !headers.contains_key("content-length") && !headers.contains_key("transfer-encoding") {
            return Err(Why::Final(invalid("it does not say how long it is")));
        }
        let etag = headers.get(ETAG).cloned();
        let mut skip = self.came.load(Ordering::Relaxed);
        if skip > 0 && (etag.is_none() || etag != stream.etag) {
            return Err(Why::Final(changed("its mark is another one than before")));
        }
        stream.etag = etag;
        while let Some(mut chunk) = incoming.chunk().await? {
            let known = usize::try_from(skip).map_or(chunk.len(), |skip| skip.min(chunk.len()));
            let fresh = chunk.split_off(known);
            skip -= chunk.len() as u64;
            self.hand_on(out, fresh).await?;
        }
        if skip > 0 {
            return Err(Why::Final(changed("it is shorter than before")));
        }
        Ok(First::Stream)
    }

    /// One range, until it is there whole.
    async fn range(
        self,
        range: std::ops::Range<u64>,
        size: u64,
        etag: Option<HeaderValue>,
    ) -> Result<Bytes, Fault> {
        let mut attempts = self.options.policy.start();
        loop {
            match self.try_range(&range, size, etag.as_ref()).await {
                Ok(bytes) => return Ok(bytes),
                Err(why) => self.again(&mut attempts, why).await?,
            }
        }
    }

    async fn try_range(
        &self,
        range: &std::ops::Range<u64>,
        size: u64,
        etag: Option<&HeaderValue>,
    ) -> Result<Bytes, Why> {
        let mut call = self.call();
        let wanted = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
        call.headers.insert(RANGE, header(&wanted)?);
        if let Some(etag) = etag {
            call.headers.insert(IF_MATCH, etag.clone());
        }
        let mut incoming = self.http.open(&call).await?;
        match incoming.status() {
            206 => {}
            412 => return Err(Why::Final(changed("its mark is another one than before"))),
            200 => {
                let what = "the server no longer sends ranges";
                return Err(Why::Final(invalid(what)));
            }
            _ => return Err(status(&incoming)),
        }
        if etag.is_some() && incoming.headers().get(ETAG) != etag {
            return Err(Why::Final(changed("its mark is another one than before")));
        }
        let (start, end, whole) = content_range(incoming.headers())?;
        if whole != size {
            let what = format!("it has {whole} bytes, and had {size} before");
            return Err(Why::Final(changed(&what)));
        }
        if start != range.start || end + 1 != range.end {
            return Err(Why::Final(invalid("it sends another range than asked for")));
        }
        body(&mut incoming, range.end - range.start).await
    }

    fn call(&self) -> Call {
        let mut call = Call::new(Method::GET, self.url.clone());
        call.silence = self.options.stall;
        call
    }

    /// Waits for the next attempt, or says why there is none.
    async fn again(&self, attempts: &mut Attempts, why: Why) -> Result<(), Fault> {
        let (fault, named) = match why {
            Why::AtOnce => return Ok(()),
            Why::Final(fault) => return Err(fault),
            Why::Again(fault, named) => (fault, named),
        };
        let Some(pause) = attempts.pause(named) else {
            return Err(fault.after(attempts.made()));
        };
        tracing::debug!(attempt = attempts.made(), %fault, ?pause, "asking for a range again");
        let rested = self.http.rest(pause).await;
        rested.map_err(|trouble| Fault::of_trouble(trouble, attempts.made()))
    }
}

/// What is known of a stream that was cut off.
#[derive(Default)]
struct Stream {
    etag: Option<HeaderValue>,
    is_empty_blob: bool,
}

/// Why an attempt gave nothing.
enum Why {
    /// Asked in another way, it may.
    AtOnce,
    /// Another attempt may help, after a pause that the server may have named.
    Again(Fault, Option<std::time::Duration>),
    /// None will.
    Final(Fault),
}

impl From<Trouble> for Why {
    fn from(trouble: Trouble) -> Self {
        let fault = Fault::of_trouble(trouble, 1);
        match fault {
            Fault::Network { .. } => Self::Again(fault, None),
            _ => Self::Final(fault),
        }
    }
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self::Final(fault)
    }
}

fn status(incoming: &Incoming) -> Why {
    let fault = refused(incoming.status(), incoming.headers(), Access::Read, 1);
    if is_temporary(incoming.status()) {
        return Why::Again(fault, retry_after(incoming.headers()));
    }
    Why::Final(fault)
}

/// Exactly so many bytes.
async fn body(incoming: &mut Incoming, size: u64) -> Result<Bytes, Why> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    while let Some(chunk) = incoming.chunk().await? {
        if (bytes.len() + chunk.len()) as u64 > size {
            return Err(Why::Final(invalid("it sends more bytes than asked for")));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() as u64 == size {
        return Ok(bytes.into());
    }
    let cause = format!("{} of {size} bytes came", bytes.len());
    Err(Why::Again(Fault::Network { cause, attempts: 1 }, None))
}

/// First byte, last byte and size of the whole: `bytes 0-99/1000`.
fn content_range(headers: &HeaderMap) -> Result<(u64, u64, u64), Why> {
    let parse = || {
        let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (start, end) = range.split_once('-')?;
        let numbers: (u64, u64, u64) = (
            start.trim().parse().ok()?,
            end.trim().parse().ok()?,
            size.trim().parse().ok()?,
        );
        (numbers.0 <= numbers.1 && numbers.1 < numbers.2).then_some(numbers)
    };
    parse().ok_or_else(|| Why::Final(invalid("it does not say which range it sends")))
}

/// When it was written: an `HTTP-date`.
fn modified(headers: &HeaderMap) -> Option<SystemTime> {
    let text = headers.get(LAST_MODIFIED)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text.trim())
        .ok()
        .map(SystemTime::from)
}

fn header(text: &str) -> Result<HeaderValue, Why> {
    HeaderValue::from_str(text).map_err(|_| Why::Final(invalid("the range is none")))
}

fn invalid(what: &str) -> Fault {
    Fault::InvalidAnswer {
        what: what.to_owned(),
    }
}

fn changed(what: &str) -> Fault {
    Fault::Changed {
        what: what.to_owned(),
    }
}
