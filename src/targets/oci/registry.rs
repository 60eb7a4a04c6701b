//! What is asked of a registry: manifests by digest or tag, and to keep one under a tag.

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE,
};
use reqwest::{Method, Url};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::model::digest::hex;
use crate::model::untrusted;
use crate::stores::fault::excerpt;
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Reply, Trouble};
use crate::targets::Access;
use crate::targets::oci::token::{self, Challenge};
use crate::targets::oci::{Oci, TYPES, digest};

/// Registries take no larger manifests, bytes.
const LIMIT: u64 = 4 << 20;

/// Says what a manifest is, by its bytes.
const DIGEST: &str = "docker-content-digest";

/// A registry, with who asks.
pub(super) struct Registry<'a> {
    settings: &'a Oci,
    access: &'a Access<'a>,
    http: Http,
    /// What the registry is to allow: `pull` or `pull,push`.
    actions: &'static str,
    authorization: Option<HeaderValue>,
}

impl<'a> Registry<'a> {
    /// Nothing is asked yet.
    pub fn open(settings: &'a Oci, actions: &'static str, access: &'a Access<'a>) -> Result<Self> {
        let http = Http::new(access.environment, Vec::new(), access.stop.clone())?;
        Ok(Self {
            settings,
            access,
            http,
            actions,
            authorization: None,
        })
    }

    /// A manifest and what the registry calls its type; none where it has none.
    pub async fn get(&mut self, reference: &str) -> Result<Option<(String, Bytes)>> {
        let reply = self
            .ask(Method::GET, reference, &types(), Bytes::new())
            .await?;
        match reply.status {
            200 => {
                let kind = reply.header("content-type").unwrap_or_default().to_owned();
                Ok(Some((kind, reply.body)))
            }
            404 => Ok(None),
            _ => Err(self.refused(&reply, "read")),
        }
    }

    /// The digest that a tag stands for.
    pub async fn resolve(&mut self, tag: &str) -> Result<Option<String>> {
        let reply = self.ask(Method::HEAD, tag, &types(), Bytes::new()).await?;
        match reply.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.refused(&reply, "read")),
        }
        if let Some(told) = reply.header(DIGEST).and_then(digest) {
            return Ok(Some(told.to_owned()));
        }
        // A registry that does not say it: its bytes do.
        let manifest = self.get(tag).await?;
        Ok(manifest.map(|(_, bytes)| format!("sha256:{}", hex(&Sha256::digest(&bytes)))))
    }

    /// Keeps a manifest under a tag; the digest that the registry says it has then, if it says so.
    pub async fn put(&mut self, tag: &str, kind: &str, bytes: &Bytes) -> Result<Option<String>> {
        let mut headers = HeaderMap::new();
        if let Ok(kind) = HeaderValue::from_str(kind) {
            headers.insert(CONTENT_TYPE, kind);
        }
        let reply = self.ask(Method::PUT, tag, &headers, bytes.clone()).await?;
        match reply.status {
            200..=204 => Ok(reply.header(DIGEST).and_then(digest).map(str::to_owned)),
            _ => Err(self.refused(&reply, "write to")),
        }
    }

    /// Asks, as somebody where the registry wants to know who asks.
    async fn ask(
        &mut self,
        method: Method,
        reference: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Reply> {
        let path = format!("/v2/{}/manifests/{reference}", self.settings.repository);
        let url = Url::parse(&self.settings.registry).and_then(|url| url.join(&path));
        let url = url.map_err(|_| Error::usage("the address of the registry is no URL"))?;
        let mut call = Call::new(method, url);
        call.limit = LIMIT;
        call.headers = headers.clone();
        if !body.is_empty() {
            call.body = vec![body];
        }
        let mut is_second = false;
        loop {
            if let Some(who) = &self.authorization {
                call.headers.insert(AUTHORIZATION, who.clone());
            }
            let outcome = self.http.exchange(&call, self.settings.policy).await;
            let reply = outcome.last.map_err(unanswered)?;
            if reply.status != 401 || is_second {
                return Ok(reply);
            }
            is_second = true;
            let challenges = reply.headers.get_all(WWW_AUTHENTICATE).iter();
            let texts = challenges.filter_map(|value| value.to_str().ok());
            let challenge = Challenge::choose(texts).ok_or_else(|| self.refused(&reply, "read"))?;
            let who = token::authorization(
                &challenge,
                self.settings,
                self.actions,
                &self.http,
                self.access,
            );
            self.authorization = Some(who.await?);
        }
    }

    fn refused(&self, reply: &Reply, what: &str) -> Error {
        let repository = untrusted::line(&self.settings.repository);
        let said = excerpt(&String::from_utf8_lossy(&reply.body));
        let why = format!("it answers {}: {said}", reply.status);
        match reply.status {
            401 | 403 => Error::refused(format!("the registry lets us not {what} `{repository}`"))
                .cause(why)
                .hint(format!(
                    "`{}` and `{}` must be set for this step, and allowed to pull from and push to this repository",
                    self.settings.user_variable, self.settings.password_variable
                )),
            300..=399 => Error::no_verdict("the registry sends us elsewhere")
                .cause(why)
                .hint("name the registry by the address that answers"),
            400..=499 if reply.status != 429 => {
                Error::refused(format!("the registry does not take the tag of `{repository}`"))
                    .cause(why)
            }
            _ => Error::no_verdict("the registry does not answer as it should").cause(why),
        }
    }
}

pub(super) fn unanswered(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Stopped(signal) => Error::interrupted(signal),
        Trouble::Refused(why) | Trouble::Unreached(why) | Trouble::Lost(why) => {
            Error::no_verdict("the registry gave no answer")
                .cause(why)
                .hint("run it again: setting a tag twice is setting it once")
        }
    }
}

/// Manifests and indexes, of both families.
fn types() -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(types) = HeaderValue::from_str(&TYPES.join(", ")) {
        headers.insert(ACCEPT, types);
    }
    headers
}
