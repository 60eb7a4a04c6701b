//! Trusted publishing: the index gives a short-lived token for the identity of the job
//! (<https://github.com/pypi/warehouse/blob/main/docs/user/trusted-publishers/internals.md>).
//!
//! An identity token is taken once: each try at the index's door has a fresh one.

use std::time::{Duration, Instant, SystemTime};

use chrono::DateTime;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::github::identity::{Claims, identity_token};
use crate::lockfiles::public_index;
use crate::model::untrusted;
use crate::stores::fault::excerpt;
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Reply, Trouble, is_temporary};
use crate::system::http::retry::Policy;
use crate::system::masking::Secret;
use crate::targets::Access;

/// With less left, a new token is asked for before the next file.
const SHORTEST: Duration = Duration::from_mins(2);

/// How long a token lives where its end cannot be told: the public index gives it so long.
const USUAL: Duration = Duration::from_mins(15);

/// No answer of these doors is longer, bytes.
const LIMIT: u64 = 64 << 10;

/// A token of the index.
pub(super) struct Minted {
    pub token: Secret,
    made: Instant,
    lives: Duration,
}

impl Minted {
    /// Whether it lives long enough for another file.
    pub fn is_fresh(&self) -> bool {
        self.made.elapsed() + SHORTEST < self.lives
    }
}

#[derive(Deserialize)]
struct Audience {
    audience: String,
}

#[derive(Deserialize)]
struct Token {
    token: String,
    expires: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    errors: Vec<Reason>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    code: String,
    description: String,
}

/// A token for uploads to this address.
pub(super) async fn mint(
    upload: &str,
    http: &Http,
    policy: Policy,
    access: &Access<'_>,
) -> Result<Minted> {
    let door = |path: &str| {
        let url = Url::parse(upload).and_then(|url| url.join(path));
        url.map_err(|_| Error::usage("the address for uploads is no URL"))
    };
    let (audience, mint) = (door("/_/oidc/audience")?, door("/_/oidc/mint-token")?);
    let audience = ask_audience(audience, upload, http, policy).await?;
    let mut attempts = policy.start();
    loop {
        let identity = identity_token(
            access.environment,
            http,
            policy,
            Some(&audience),
            |secret| access.progress.conceal(secret),
        )
        .await?;
        agree(&identity.claims)?;
        let body = json!({"token": identity.token.reveal()}).to_string();
        let mut call = Call::new(Method::POST, mint.clone());
        call.limit = LIMIT;
        call.body = vec![body.into_bytes().into()];
        let json = HeaderValue::from_static("application/json");
        call.headers.insert(ACCEPT, json.clone());
        call.headers.insert(CONTENT_TYPE, json);
        let (why, named) = match http.send(&call).await {
            Ok(reply) if (200..300).contains(&reply.status) => return minted(&reply, access),
            Ok(reply) if is_temporary(reply.status) => {
                (format!("it answers {}", reply.status), reply.retry_after())
            }
            Ok(reply) => return Err(refused(&reply, upload, &identity.claims)),
            Err(Trouble::Stopped(signal)) => return Err(Error::interrupted(signal)),
            Err(Trouble::Refused(why)) => return Err(no_token(why)),
            Err(Trouble::Unreached(why) | Trouble::Lost(why)) => (why, None),
        };
        let Some(pause) = attempts.pause(named) else {
            return Err(no_token(format!("{why}, in {} attempts", attempts.made())));
        };
        access
            .progress
            .retried("the token of the package index", &why);
        http.rest(pause).await.map_err(stopped)?;
    }
}

pub(super) fn stopped(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Stopped(signal) => Error::interrupted(signal),
        Trouble::Refused(why) | Trouble::Unreached(why) | Trouble::Lost(why) => {
            Error::no_verdict("the package index gave no answer").cause(why)
        }
    }
}

fn no_token(why: String) -> Error {
    Error::no_verdict("the package index gave no token for the identity of this job").cause(why)
}

/// For whom the identity is to be.
async fn ask_audience(url: Url, upload: &str, http: &Http, policy: Policy) -> Result<String> {
    let mut call = Call::new(Method::GET, url);
    call.limit = LIMIT;
    let outcome = http.exchange(&call, policy).await;
    let reply = outcome.last.map_err(stopped)?;
    let host = untrusted::line(public_index::host(upload).unwrap_or("the index")).into_owned();
    match reply.status {
        200 => {}
        404 | 410 => {
            return Err(Error::usage(format!("`{host}` has no trusted publishing"))
                .hint("configure a token for this index instead"));
        }
        403 => {
            return Err(
                Error::refused(format!("`{host}` has switched trusted publishing off"))
                    .hint("look at the status page of the index, or use a token"),
            );
        }
        301..=399 => {
            return Err(no_token(format!(
                "`{host}` sends us elsewhere ({}), where no identity is shown",
                reply.status
            ))
            .hint("name the address for uploads as the index documents it"));
        }
        status => {
            return Err(no_token(format!(
                "`{host}` answers {status} to the question for whom the identity is to be"
            )));
        }
    }
    let audience: Audience = serde_json::from_slice(&reply.body).map_err(|_| {
        no_token(format!(
            "what `{host}` answers to the question for whom the identity is to be is not what an index answers"
        ))
    })?;
    Ok(audience.audience)
}

fn minted(reply: &Reply, access: &Access<'_>) -> Result<Minted> {
    // Whatever came may hold the token, so nothing of it is shown.
    let token: Token = serde_json::from_slice(&reply.body)
        .map_err(|_| no_token("its answer holds no token".to_owned()))?;
    let secret = Secret::new(token.token);
    access.progress.conceal(&secret);
    let sent = reply
        .header("date")
        .and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    // By the clock of the index, where it tells it: ours may be wrong.
    let now = sent.map(|date| date.timestamp()).or_else(|| {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()?;
        i64::try_from(now.as_secs()).ok()
    });
    let lives = token.expires.zip(now).and_then(|(end, now)| {
        let seconds = u64::try_from(end.checked_sub(now)?).ok()?;
        (1..=86_400)
            .contains(&seconds)
            .then(|| Duration::from_secs(seconds))
    });
    Ok(Minted {
        token: secret,
        made: Instant::now(),
        lives: lives.unwrap_or(USUAL),
    })
}

/// Refused where the index would not know this job, as far as that can be told before it is asked.
fn agree(claims: &Claims) -> Result<()> {
    let shown = |text: &str| untrusted::line(text).into_owned();
    let (own, callers) = (claims.text("job_workflow_ref"), claims.text("workflow_ref"));
    if let (Some(own), Some(callers)) = (own, callers)
        && own != callers
    {
        return Err(Error::refused(
            "the package index would not take the identity of this job: it runs in a reusable workflow",
        )
        .cause(format!("the job is defined in `{}`", shown(own)))
        .cause(format!("the workflow that runs is `{}`", shown(callers)))
        .hint("publish from a job of the workflow itself, the one that the trusted publisher names; that job may need the reusable one and take its artifacts"));
    }
    if claims.text("event_name") == Some("pull_request_target") {
        return Err(Error::refused(
            "the package index takes no identity from `pull_request_target`, where code of strangers may run",
        )
        .hint("publish on `push` of a tag, on `release`, or by `workflow_dispatch`"));
    }
    Ok(())
}

fn refused(reply: &Reply, upload: &str, claims: &Claims) -> Error {
    let refusal: Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
    let host = untrusted::line(public_index::host(upload).unwrap_or("the index")).into_owned();
    let error = Error::refused(format!(
        "`{host}` gives no token for the identity of this job (it answers {})",
        reply.status
    ));
    let mut hint = None;
    let mut error = refusal.errors.iter().take(5).fold(error, |error, reason| {
        hint = hint.or(match reason.code.as_str() {
            "not-enabled" => Some("trusted publishing is switched off on the index for now: try later, or use a token"),
            "invalid-publisher" => Some("register this job as a trusted publisher of the project: owner, repository, file name of the workflow and environment must be those above"),
            "invalid-pending-publisher" => Some("the pending publisher on the index is not as the job: owner, repository, file name of the workflow and environment must be those above"),
            "invalid-reuse-token" => Some("the index saw this identity before; run it again"),
            "invalid-token" => Some("the index does not know who signed the identity: is the clock of this machine right, and does the index trust this GitHub server?"),
            _ => None,
        });
        error.cause(format!(
            "{}: {}",
            excerpt(&reason.code),
            excerpt(&reason.description)
        ))
    });
    let claims = claims.to_string();
    if !claims.is_empty() {
        error = error.cause(format!("the identity says\n{claims}"));
    }
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
