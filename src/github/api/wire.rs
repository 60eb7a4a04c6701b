//! Requests to the API over our own HTTP layer: one origin, one policy of repetition, and what the rate limit leaves.
//!
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::system::http::Http;
use crate::system::http::exchange::{Call, Outcome, Reply, Trouble, retry_after};
use crate::system::http::retry::{Policy, SILENCE};

/// Nothing is known of the rate limit yet.
const UNKNOWN: u64 = u64::MAX;

/// Whom to ask, as whom, and how often.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub http: Http,
    pub headers: HeaderMap,
    pub policy: Policy,
    /// How long the API may say nothing.
    pub patience: Duration,
    remaining: Arc<AtomicU64>,
    doubt: Arc<AtomicBool>,
}

impl Wire {
    pub fn new(http: Http, headers: HeaderMap) -> Self {
        Self {
            http,
            headers,
            policy: Policy::default(),
            patience: SILENCE,
            remaining: Arc::new(AtomicU64::new(UNKNOWN)),
            doubt: Arc::default(),
        }
    }

    /// Remembers that a request may still be carried out that nobody waits for any more.
    pub fn doubt(&self) {
        self.doubt.store(true, Ordering::Relaxed);
    }

    /// Whether there is such a request.
    pub fn is_in_doubt(&self) -> bool {
        self.doubt.load(Ordering::Relaxed)
    }

    /// How many requests the rate limit leaves, as the last answer said.
    pub fn remaining(&self) -> Option<u64> {
        let remaining = self.remaining.load(Ordering::Relaxed);
        (remaining != UNKNOWN).then_some(remaining)
    }

    /// Asks. What only reads is repeated, also after a rate limit that ends within the budget; all else is sent once.
    pub async fn carry(&self, mut call: Call) -> Outcome {
        call.headers.extend(self.headers.clone());
        call.silence = self.patience;
        let mut attempts = self.policy.start();
        loop {
            let outcome = if call.is_repeatable {
                self.http.exchange(&call, self.policy).await
            } else {
                Outcome {
                    last: self.http.send(&call).await,
                    attempts: 1,
                    lost_before: false,
                }
            };
            if let Ok(reply) = &outcome.last {
                self.note(reply);
            }
            let wait = outcome.last.as_ref().ok().and_then(limited_for);
            let pause = wait
                .filter(|_| call.is_repeatable)
                .and_then(|wait| attempts.pause(Some(wait.max(self.policy.pause))));
            let Some(pause) = pause else { return outcome };
            tracing::debug!(?pause, "waiting for the rate limit of the API");
            if let Err(trouble) = self.http.rest(pause).await {
                return Outcome {
                    last: Err(trouble),
                    ..outcome
                };
            }
        }
    }

    fn note(&self, reply: &Reply) {
        if let Some(remaining) = number(&reply.headers, "x-ratelimit-remaining") {
            self.remaining.store(remaining, Ordering::Relaxed);
        }
    }
}

/// Sent nowhere, or without an answer.
#[derive(Debug)]
pub(super) struct Undelivered {
    pub trouble: Trouble,
    pub attempts: u32,
}

impl std::fmt::Display for Undelivered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("no answer")
    }
}

impl std::error::Error for Undelivered {}

/// The address of a request, which names a path below the API's root or a whole address of the same origin.
pub(super) fn address(api: &Url, wanted: &http::Uri) -> Result<Url, Trouble> {
    let mut url = api.clone();
    if wanted.authority().is_some() {
        url = Url::parse(&wanted.to_string())
            .ok()
            .filter(|url| url.origin() == api.origin())
            .ok_or_else(|| {
                let why = "the address is somebody else's: the token is not for it";
                Trouble::Refused(why.to_owned())
            })?;
    } else {
        let root = api.path().trim_end_matches('/');
        url.set_path(&format!("{root}{}", wanted.path()));
        url.set_query(wanted.query());
    }
    Ok(url)
}

/// How long a rate limit lasts, where it is why the request was refused and the HTTP layer does not know it as such.
fn limited_for(reply: &Reply) -> Option<Duration> {
    match reply.status {
        403 => limit(&reply.headers),
        429 if reply.retry_after().is_none() => limit(&reply.headers),
        _ => None,
    }
}

/// How long these headers ask to wait: for a named time, or until the rate limit starts anew where nothing is left of it.
pub(super) fn limit(headers: &HeaderMap) -> Option<Duration> {
    retry_after(headers).or_else(|| {
        if number(headers, "x-ratelimit-remaining") != Some(0) {
            return None;
        }
        let reset = Duration::from_secs(number(headers, "x-ratelimit-reset")?);
        let reset = UNIX_EPOCH.checked_add(reset)?;
        Some(reset.duration_since(SystemTime::now()).unwrap_or_default())
    })
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_api_is_asked() {
        let api = Url::parse("https://ghe.example/api/v3").unwrap();
        let at = |wanted: &str| address(&api, &wanted.parse().unwrap());
        assert_eq!(
            at("/repos/acme/app?x=1").unwrap().as_str(),
            "https://ghe.example/api/v3/repos/acme/app?x=1"
        );
        let whole = "https://ghe.example/api/v3/repos/acme/app/a%2Fb?x=1";
        assert_eq!(at(whole).unwrap().as_str(), whole);
        for other in [
            "https://ghe.example.evil.example/repos",
            "http://ghe.example/repos",
            "https://ghe.example:8443/repos",
        ] {
            assert!(matches!(at(other), Err(Trouble::Refused(_))), "{other}");
        }
    }

    #[test]
    fn a_rate_limit_tells_how_long_it_lasts() {
        let reply = |status: u16, headers: &[(&'static str, &str)]| Reply {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| {
                    (
                        reqwest::header::HeaderName::from_static(name),
                        value.parse().unwrap(),
                    )
                })
                .collect(),
            body: bytes::Bytes::new(),
        };
        let seconds = |status, headers: &[(&'static str, &str)]| {
            limited_for(&reply(status, headers)).map(|wait| wait.as_secs())
        };
        assert_eq!(seconds(403, &[("retry-after", "7")]), Some(7));
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")];
        assert_eq!(seconds(403, &spent), Some(0));
        assert_eq!(seconds(429, &spent), Some(0));
        assert_eq!(seconds(403, &[]), None);
        assert_eq!(seconds(403, &[("x-ratelimit-remaining", "0")]), None);
        assert_eq!(seconds(500, &[("retry-after", "7")]), None);
        let far = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "18446744073709551615"),
        ];
        assert_eq!(seconds(403, &far), None);
    }
}
