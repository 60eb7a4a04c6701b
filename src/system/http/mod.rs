//! The one HTTP client: who may be asked, how long, how often, and who gets a credential.
//!
//! TLS is required but for the own machine. A request is repeated where that is safe and may help, with a growing, random
//! pause and within a budget. A credential goes to its own origin; a request that carries one follows nobody elsewhere.

mod cache;
mod clients;
pub mod exchange;
mod origin;
pub mod repository;
pub mod retry;

use std::time::Duration;

use reqwest::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH, LOCATION,
};
use reqwest::{Response, StatusCode, Url};

use crate::error::{Error, Result};
use crate::model::web::{is_loopback, is_safe};
use crate::system::environment::Environment;
pub use crate::system::http::cache::Cache;
use crate::system::http::clients::Clients;
use crate::system::http::exchange::retry_after;
pub use crate::system::http::origin::Login;
use crate::system::http::origin::Origin;
use crate::system::http::retry::{Policy, SILENCE};
use crate::system::stop::Stop;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_mins(2);

/// So often a server may send us elsewhere.
const REDIRECTS: usize = 5;

/// Longer answers are refused.
const LIMIT: usize = 256 << 20;

/// What is asked for; always by GET.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The address. A user in it is left out.
    pub url: &'a str,
    /// The types of content that are understood.
    pub accept: &'static str,
    /// What is known already, by its mark.
    pub etag: Option<&'a str>,
}

/// An answer: found, not found, elsewhere, or what is known already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, 304, 404 or 410; that of a redirect which is not followed.
    pub status: u16,
    /// The type of the content.
    pub content_type: Option<String>,
    /// The mark by which the server knows it again.
    pub etag: Option<String>,
    /// The content.
    pub body: Vec<u8>,
    /// Whether it was given to a credential, so that nobody else may have it.
    pub is_private: bool,
}

/// The client.
#[derive(Clone, Debug)]
pub struct Http {
    clients: Clients,
    logins: Vec<Login>,
    stop: Stop,
}

/// Why an attempt gave no answer.
enum Failure {
    /// Another attempt may help, after a pause that the server may have named.
    Again(String, Option<Duration>),
    /// None will.
    Final(Error),
}

impl Http {
    /// A client with the proxies that the environment names. Certificates are those of the machine, or of `SSL_CERT_FILE`.
    pub fn new(environment: &Environment, logins: Vec<Login>, stop: Stop) -> Result<Self> {
        Ok(Self {
            clients: Clients::new(environment)?,
            logins,
            stop,
        })
    }

    /// Asks until there is an answer, or no hope of one.
    pub async fn get(&self, request: Request<'_>) -> Result<Answer> {
        self.get_by(request, false).await
    }

    /// The same, past every cache on the way, and of nobody else: whoever sends us to another origin is not followed, and
    /// that is the answer, without content.
    pub async fn get_fresh(&self, request: Request<'_>) -> Result<Answer> {
        self.get_by(request, true).await
    }

    async fn get_by(&self, request: Request<'_>, is_fresh: bool) -> Result<Answer> {
        let mut attempts = Policy::default().start();
        loop {
            let mut stop = self.stop.clone();
            let outcome = tokio::select! {
                outcome = self.attempt(request, is_fresh) => outcome,
                signal = stop.requested() => return Err(Error::interrupted(signal)),
            };
            let (why, named) = match outcome {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again(why, named)) => (why, named),
            };
            let pause = attempts.pause(named);
            let attempt = attempts.made();
            let Some(pause) = pause else {
                return Err(Error::no_verdict(format!(
                    "`{}` gave no answer in {attempt} attempts",
                    shown(request.url)
                ))
                .cause(why));
            };
            tracing::debug!(url = %shown(request.url), attempt, %why, ?pause, "asking again");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                signal = stop.requested() => return Err(Error::interrupted(signal)),
            }
        }
    }

    async fn attempt(
        &self,
        request: Request<'_>,
        is_fresh: bool,
    ) -> std::result::Result<Answer, Failure> {
        let refused = |message: String| Failure::Final(Error::no_verdict(message));
        let mut url = Url::parse(request.url)
            .map_err(|_| refused(format!("`{}` is no URL", shown(request.url))))?;
        let login = self.login(&url);
        let origin = Origin::of(&url);
        for _ in 0..=REDIRECTS {
            if !is_safe(&url) {
                return Err(refused(format!(
                    "`{}` is not asked: it is no `https` address",
                    shown(url.as_str())
                )));
            }
            // What stands in an address is no credential that anybody configured.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_fragment(None);
            let client = self.clients.of(&url).map_err(Failure::Final)?;
            let mut call = client
                .get(url.clone())
                .timeout(ATTEMPT)
                .header(ACCEPT, request.accept);
            if let Some(etag) = request.etag {
                call = call.header(IF_NONE_MATCH, etag);
            }
            if is_fresh {
                call = call.header(CACHE_CONTROL, "no-cache");
            }
            if let Some(login) = login {
                call = call.basic_auth(&login.user, Some(login.password.reveal()));
            }
            let response = unless_silent(call.send()).await?;
            let Some(target) = redirect(&response) else {
                return answer(response, &url, login.is_some()).await;
            };
            let target = url.join(&target).map_err(|_| {
                refused(format!(
                    "`{}` sends us to what is no URL",
                    shown(url.as_str())
                ))
            })?;
            let is_elsewhere = Origin::of(&target) != origin;
            if is_fresh && is_elsewhere {
                return Ok(Answer {
                    status: response.status().as_u16(),
                    content_type: None,
                    etag: None,
                    body: Vec::new(),
                    is_private: login.is_some(),
                });
            }
            if login.is_some() && is_elsewhere {
                return Err(refused(format!(
                    "`{}` sends us to `{}`, which is somebody else's: the credentials are not for it",
                    shown(url.as_str()),
                    shown(target.as_str())
                )));
            }
            url = target;
        }
        Err(refused(format!(
            "`{}` sends us around in a circle",
            shown(request.url)
        )))
    }

    fn login(&self, url: &Url) -> Option<&Login> {
        let origin = Origin::of(url);
        self.logins.iter().find(|login| login.origin == origin)
    }
}

/// Whether an address may be asked: TLS, or the own machine.
pub fn is_safe_address(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_safe(&url))
}

/// Whether an address is one of the own machine.
pub fn is_loopback_address(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

/// Where the server sends us, if it does.
fn redirect(response: &Response) -> Option<String> {
    let is_moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    text(response.headers(), &LOCATION).filter(|_| is_moved)
}

async fn answer(
    mut response: Response,
    url: &Url,
    is_private: bool,
) -> std::result::Result<Answer, Failure> {
    let status = response.status();
    let url = shown(url.as_str());
    match status {
        StatusCode::OK | StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND | StatusCode::GONE => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let hint = if is_private {
                "the credentials that are given for it may not see this"
            } else {
                "it wants credentials"
            };
            let error = Error::no_verdict(format!("`{url}` answers {status}"));
            return Err(Failure::Final(error.cause(hint)));
        }
        _ if status == StatusCode::REQUEST_TIMEOUT
            || status == StatusCode::TOO_MANY_REQUESTS
            || status.is_server_error() =>
        {
            let pause = retry_after(response.headers());
            return Err(Failure::Again(format!("it answers {status}"), pause));
        }
        _ => {
            return Err(Failure::Final(Error::no_verdict(format!(
                "`{url}` answers {status}"
            ))));
        }
    }
    let mut answer = Answer {
        status: status.as_u16(),
        content_type: text(response.headers(), &CONTENT_TYPE),
        etag: text(response.headers(), &ETAG),
        body: Vec::new(),
        is_private,
    };
    while let Some(chunk) = unless_silent(response.chunk()).await? {
        if answer.body.len() + chunk.len() > LIMIT {
            return Err(Failure::Final(Error::no_verdict(format!(
                "the answer of `{url}` has more than {LIMIT} bytes"
            ))));
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// What a server says within the time that it has.
async fn unless_silent<T>(
    answer: impl Future<Output = reqwest::Result<T>>,
) -> std::result::Result<T, Failure> {
    let silent = |_| {
        let why = format!("nothing came for {} seconds", SILENCE.as_secs());
        Failure::Again(why, None)
    };
    let answer = tokio::time::timeout(SILENCE, answer).await;
    answer.map_err(silent)?.map_err(again)
}

/// What the network did wrong, without the address, which may hold a secret.
fn again(error: reqwest::Error) -> Failure {
    Failure::Again(chain(&error.without_url()), None)
}

/// An error with what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        inner = error.source();
    }
    text
}

/// An address as it may be shown: without a user and without what stands behind `?`.
fn shown(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        return "an address that is no URL".to_owned();
    };
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.set_query(None);
    parsed.set_fragment(None);
    parsed.to_string()
}

#[cfg(test)]
mod tests;
