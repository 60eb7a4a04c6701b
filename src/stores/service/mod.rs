//! GitHub's cache service, version 2: Twirp calls in JSON, and signed addresses for the bytes.
//!
//! As the official client does it (npm `@actions/cache` 6.3.0, `cacheTwirpClient`), less its habit of taking every refusal
//! for an entry that exists. The service does not exist on enterprise servers.

pub mod api;
mod messages;
mod words;

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::stores::fault::{Absence, Access, Fault, excerpt};
use crate::stores::keys;
use crate::stores::permissions::{CacheMode, Permissions};
use crate::stores::service::messages::{
    Created, Finalised, Found, Reserve, Seal, Seek, TwirpError,
};
use crate::stores::service::words::{is_enterprise, of_message, starts_with};
use crate::system::environment::Environment;
use crate::system::http::exchange::{Call, Outcome};
use crate::system::http::retry::{Policy, SILENCE};
use crate::system::http::{Http, is_safe_address};
use crate::system::masking::{Masker, Secret};

/// Where the calls are, below the origin of `ACTIONS_RESULTS_URL`.
const ROOT: &str = "/twirp/github.actions.results.api.v1.CacheService/";

/// The cache service of the runner that runs us.
#[derive(Clone, Debug)]
pub struct CacheService {
    http: Http,
    base: Url,
    headers: HeaderMap,
    masker: Masker,
    policy: Policy,
    silence: Duration,
    permissions: Permissions,
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its key: one of those asked for, or one that starts with it.
    pub matched_key: String,
    /// Where its archive is.
    pub url: Secret,
}

impl CacheService {
    /// The service that the runner's variables name, or why there is none. The token is registered with the masker.
    pub fn new(environment: &Environment, http: Http, masker: Masker) -> Result<Self, Fault> {
        let required = |name| {
            let absent = || Fault::Unavailable(Absence::NoVariable(name));
            environment.get(name).ok_or_else(absent)
        };
        let server = environment.get("GITHUB_SERVER_URL");
        if let Some(server) = server.filter(|server| is_enterprise(server)) {
            let url = excerpt(server);
            return Err(Fault::Unavailable(Absence::EnterpriseServer(url)));
        }
        let token = Secret::new(required("ACTIONS_RUNTIME_TOKEN")?);
        masker.register(&token);
        let address = required("ACTIONS_RESULTS_URL")?;
        let base = Url::parse(address)
            .ok()
            .filter(|_| is_safe_address(address))
            .ok_or_else(|| Fault::Unavailable(Absence::BadAddress(excerpt(address))))?;
        let permissions = Permissions::read(environment, &token);
        if permissions.mode == Some(CacheMode::None) {
            return Err(Fault::Unavailable(Absence::Off));
        }
        let mut headers = HeaderMap::new();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| Fault::Unavailable(Absence::BadToken))?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self {
            http,
            base,
            headers,
            masker,
            policy: Policy::default(),
            silence: SILENCE,
            permissions,
        })
    }

    /// The same with another policy of repetition.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The same with another time that it may say nothing.
    #[must_use]
    pub fn with_silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// What the job may do, as far as its token and mode say.
    pub fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// How often a request is repeated.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The client for the archive's bytes.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The newest entry for the first key, or for those that follow: whose key is one of them, or starts with it. None is
    /// a miss.
    pub async fn look_up<K: AsRef<str>>(
        &self,
        keys: &[K],
        version: &str,
    ) -> Result<Option<Hit>, Fault> {
        keys::check_all(keys)?;
        self.may(Access::Read)?;
        let mut names = keys.iter().map(AsRef::as_ref);
        let request = Seek {
            key: names.next().unwrap_or_default(),
            restore_keys: names.collect(),
            version,
        };
        let outcome = self.call("GetCacheEntryDownloadURL", &request).await;
        let found: Found = match self.answer(outcome, Access::Read)? {
            Answered::Yes(found, _) => found,
            Answered::Absent => return Ok(None),
            Answered::Exists { .. } => return Err(unexpected("`already_exists` to a look-up")),
        };
        if !found.ok {
            return Ok(None);
        }
        let is_asked_for = |key: &K| starts_with(&found.matched_key, key.as_ref());
        if !keys.iter().any(is_asked_for) {
            let key = excerpt(&found.matched_key);
            return Err(unexpected(&format!(
                "it found `{key}`, which nobody asked for"
            )));
        }
        let url = self.signed(&found.signed_download_url)?;
        Ok(Some(Hit {
            matched_key: found.matched_key,
            url,
        }))
    }

    /// Reserves a key: the address where its archive is to be put. To be done late, and completed in any case: a key that
    /// is reserved and not completed is lost for a day.
    pub async fn reserve(&self, key: &str, version: &str) -> Result<Secret, Fault> {
        keys::check(key)?;
        self.may(Access::Write)?;
        let outcome = self
            .call("CreateCacheEntry", &Reserve { key, version })
            .await;
        let exists = |may_be_own| Fault::Exists {
            key: excerpt(key),
            may_be_own,
        };
        let (created, was_lost): (Created, bool) = match self.answer(outcome, Access::Write)? {
            Answered::Yes(created, was_lost) => (created, was_lost),
            Answered::Exists { was_lost } => return Err(exists(was_lost)),
            Answered::Absent => return Err(unexpected("404 to a reservation")),
        };
        if created.ok {
            return self.signed(&created.signed_upload_url);
        }
        match of_message(&created.message, Access::Write) {
            Some(fault) => Err(fault),
            None => Err(exists(was_lost)),
        }
    }

    /// Completes an entry of `size` bytes. Its number in the service's count, where the answer came.
    pub async fn finalise(
        &self,
        key: &str,
        version: &str,
        size: u64,
    ) -> Result<Option<u64>, Fault> {
        let request = Seal {
            key,
            size_bytes: size.to_string(),
            version,
        };
        let outcome = self.call("FinalizeCacheEntryUpload", &request).await;
        let was_lost = outcome.lost_before;
        let refused = match self.answer(outcome, Access::Write) {
            Ok(Answered::Yes(
                Finalised {
                    ok: true, entry_id, ..
                },
                _,
            )) => {
                return Ok(entry_id.number());
            }
            Ok(Answered::Yes(answer, _)) => of_message(&answer.message, Access::Write)
                .unwrap_or_else(|| {
                    let message = excerpt(&answer.message);
                    unexpected(&format!("it does not complete the entry: {message}"))
                }),
            Ok(Answered::Absent) => Fault::Missing {
                what: "the reservation".to_owned(),
            },
            Ok(Answered::Exists { .. }) => Fault::Exists {
                key: excerpt(key),
                may_be_own: true,
            },
            Err(fault) => fault,
        };
        // An attempt whose answer was lost may have completed it: only we have the reservation, so what is there is ours.
        if was_lost && !refused.is_stop() {
            let seen = self.look_up(&[key], version).await;
            if seen.is_ok_and(|hit| hit.is_some_and(|hit| hit.matched_key == key)) {
                return Ok(None);
            }
        }
        Err(refused)
    }

    fn may(&self, access: Access) -> Result<(), Fault> {
        let (is_allowed, word) = match access {
            Access::Read => (self.permissions.may_read, "read"),
            Access::Write => (self.permissions.may_write, "write"),
        };
        if is_allowed {
            return Ok(());
        }
        let why = match self.permissions.mode {
            Some(CacheMode::Read) if access == Access::Write => "`cache-mode: read`".to_owned(),
            Some(CacheMode::WriteOnly) if access == Access::Read => {
                "`cache-mode: write-only`".to_owned()
            }
            _ => format!("no scope of the runner's token has the right to {word}"),
        };
        Err(Fault::Denied {
            access,
            message: why,
        })
    }

    async fn call(&self, method: &str, request: &impl Serialize) -> Outcome {
        let mut url = self.base.clone();
        url.set_path(&format!("{ROOT}{method}"));
        url.set_query(None);
        let mut call = Call::new(Method::POST, url);
        call.headers = self.headers.clone();
        // No map with keys that are no text is among the requests, so that this cannot fail.
        call.body = vec![serde_json::to_vec(request).unwrap_or_default().into()];
        call.limit = 1 << 20;
        // A call that did arrive shows itself when it is sent again.
        call.is_repeatable = true;
        call.silence = self.silence;
        tracing::debug!(method, "asking the cache service");
        self.http.exchange(&call, self.policy).await
    }

    fn answer<A: DeserializeOwned>(
        &self,
        outcome: Outcome,
        access: Access,
    ) -> Result<Answered<A>, Fault> {
        let (reply, attempts, was_lost) = Fault::answered(outcome)?;
        if reply.status == 200 {
            let unreadable = |_| unexpected("it is no JSON of such a service");
            // A list would be read as a message whose fields have no names.
            let fields: Map<String, Value> =
                serde_json::from_slice(&reply.body).map_err(unreadable)?;
            let answer = serde_json::from_value(Value::Object(fields)).map_err(unreadable)?;
            return Ok(Answered::Yes(answer, was_lost));
        }
        let error: TwirpError = serde_json::from_slice(&reply.body).unwrap_or_default();
        let message = excerpt(&self.masker.mask(&error.msg));
        match (reply.status, error.code.as_str()) {
            (409, _) | (_, "already_exists") => return Ok(Answered::Exists { was_lost }),
            (404, "not_found") => return Ok(Answered::Absent),
            _ => {}
        }
        if let Some(fault) = of_message(&message, access) {
            return Err(fault);
        }
        let after = reply.retry_after();
        Err(Fault::of_status(
            reply.status,
            message,
            access,
            attempts,
            after,
        ))
    }

    /// An address of the answer, which nobody may see.
    fn signed(&self, url: &str) -> Result<Secret, Fault> {
        let secret = Secret::new(url);
        self.masker.register(&secret);
        let parsed = Url::parse(url).map_err(|_| unexpected("its signed address is no URL"))?;
        for (name, value) in parsed.query_pairs() {
            if name == "sig" {
                self.masker.register(&Secret::new(value));
            }
        }
        for pair in parsed.query().unwrap_or_default().split('&') {
            if let Some(raw) = pair.strip_prefix("sig=") {
                self.masker.register(&Secret::new(raw));
            }
        }
        if !is_safe_address(url) {
            return Err(unexpected("its signed address is no `https` address"));
        }
        Ok(secret)
    }
}

/// An answer of the service that is none of its errors.
enum Answered<A> {
    /// The message, and whether an earlier attempt may have been carried out.
    Yes(A, bool),
    /// Nothing is there.
    Absent,
    /// It exists; perhaps by an earlier attempt.
    Exists { was_lost: bool },
}

fn unexpected(what: &str) -> Fault {
    Fault::InvalidAnswer {
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
