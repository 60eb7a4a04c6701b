//! An AWS role for the identity of the job: `AssumeRoleWithWebIdentity` of the Security Token Service
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>), a request that nobody signs.
//!
//! What comes is kept in memory, hidden before it is used, and renewed before it ends for as long as the work takes.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};

use crate::error::{Error, Result};
use crate::github::identity::identity_token;
use crate::stores::bucket::Renewable;
use crate::stores::fault::excerpt;
use crate::system::clock;
use crate::system::environment::Environment;
use crate::system::http::exchange::{Call, Trouble};
use crate::system::http::retry::Policy;
use crate::system::http::{Http, is_safe_address};
use crate::system::masking::Secret;
use crate::targets::Access;

/// For whom the identity is.
const AUDIENCE: &str = "sts.amazonaws.com";

/// The version of the service's interface.
const VERSION: &str = "2011-06-15";

/// How long the credentials live: the most that every role allows.
const LIVES: Duration = Duration::from_hours(1);

/// How long nobody tries again that could not renew them.
const PAUSE: Duration = Duration::from_secs(30);

/// A role that is taken again and again.
pub(super) struct Role<'a> {
    /// Its name.
    pub name: &'a str,
    /// The client.
    pub http: Http,
    /// How often a request is repeated.
    pub policy: Policy,
}

/// The credentials of a role.
pub(super) struct Taken {
    id: Secret,
    secret: Secret,
    token: Secret,
    lives: Duration,
}

impl Taken {
    /// For a store that signs with them.
    pub fn renewable(&self) -> Renewable {
        Renewable::new(&self.id, &self.secret, &self.token)
    }
}

impl Role<'_> {
    /// Takes it.
    pub async fn take(&self, access: &Access<'_>) -> Result<Taken> {
        take(self.name, &self.http, self.policy, access).await
    }

    /// Takes it again each time that three quarters of its time have passed; never ends.
    pub async fn keep(&self, taken: &Taken, renewable: &Renewable, access: &Access<'_>) {
        let mut lives = taken.lives;
        loop {
            tokio::time::sleep(lives / 4 * 3).await;
            match self.take(access).await {
                Ok(taken) => {
                    renewable.renew(&taken.id, &taken.secret, &taken.token);
                    lives = taken.lives;
                }
                // There is a quarter left; after that the store says itself what is wrong.
                Err(error) => {
                    access.progress.retried("the role", &error.message);
                    lives = PAUSE;
                }
            }
        }
    }
}

async fn take(role: &str, http: &Http, policy: Policy, access: &Access<'_>) -> Result<Taken> {
    let environment = access.environment;
    let url = endpoint(environment)?;
    let identity = identity_token(access.environment, http, policy, Some(AUDIENCE), |secret| {
        access.progress.conceal(secret);
    })
    .await?;
    let run = environment.get("GITHUB_RUN_ID").unwrap_or("0");
    let session: String = format!("lockgate-{run}")
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(64)
        .collect();
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", VERSION)
        .append_pair("RoleArn", role)
        .append_pair("RoleSessionName", &session)
        .append_pair("DurationSeconds", &LIVES.as_secs().to_string())
        .append_pair("WebIdentityToken", identity.token.reveal())
        .finish();
    let mut call = Call::new(Method::POST, url);
    call.limit = 1 << 20;
    call.is_repeatable = true;
    call.body = vec![form.into_bytes().into()];
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    call.headers.insert(CONTENT_TYPE, kind);
    let mut stop = access.stop.clone();
    let outcome = tokio::select! {
        outcome = http.exchange(&call, policy) => outcome,
        signal = stop.requested() => return Err(Error::interrupted(signal)),
    };
    let failed = |why: String| {
        Error::no_verdict("AWS gave no credentials for the identity of this job").cause(why)
    };
    let reply = match outcome.last {
        Ok(reply) => reply,
        Err(Trouble::Stopped(signal)) => return Err(Error::interrupted(signal)),
        Err(Trouble::Refused(why) | Trouble::Unreached(why) | Trouble::Lost(why)) => {
            return Err(failed(why));
        }
    };
    // Whatever came may hold credentials: what is shown of it is the code and message of a refusal alone.
    let text = String::from_utf8_lossy(&reply.body);
    if reply.status != 200 {
        let code = excerpt(element(&text, "Code").unwrap_or_default());
        let message = excerpt(element(&text, "Message").unwrap_or_default());
        let why = format!("it answers {}: {code}: {message}", reply.status);
        if reply.status >= 500 || code == "IDPCommunicationError" {
            return Err(
                failed(why).hint("AWS cannot ask GitHub for its keys for now: run it again")
            );
        }
        return Err(Error::refused("AWS does not give this role to the identity of this job")
            .cause(why)
            .cause(format!("the identity says\n{}", identity.claims))
            .hint(format!("the trust policy of the role must allow `sts:AssumeRoleWithWebIdentity` for this `sub`, with the audience `{AUDIENCE}`")));
    }
    let part = |name: &str| {
        let value = element(&text, name).map(str::trim);
        let value = value.filter(|value| !value.is_empty()).map(Secret::new);
        let secret = value.ok_or_else(|| failed(format!("its answer has no `{name}`")))?;
        access.progress.conceal(&secret);
        Ok(secret)
    };
    Ok(Taken {
        id: part("AccessKeyId")?,
        secret: part("SecretAccessKey")?,
        token: part("SessionToken")?,
        lives: left(element(&text, "Expiration").unwrap_or_default()),
    })
}

/// How long credentials live that end at this moment; where our clock says that they have ended already, it is the clock that is
/// wrong.
fn left(end: &str) -> Duration {
    let end = chrono::DateTime::parse_from_rfc3339(end.trim());
    let end = end
        .ok()
        .and_then(|end| u64::try_from(end.timestamp_millis()).ok());
    let left = end.and_then(|end| end.checked_sub(clock::milliseconds()));
    left.filter(|left| *left > 0)
        .map_or(LIVES, |left| Duration::from_millis(left).min(LIVES))
}

/// Where roles are given.
fn endpoint(environment: &Environment) -> Result<Url> {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    let region = region.iter().find_map(|name| environment.get(name));
    let own = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];
    let own = own.iter().find_map(|name| environment.get(name));
    let address = own.map_or_else(
        || {
            format!(
                "https://sts.{}.amazonaws.com/",
                region.unwrap_or("us-east-1")
            )
        },
        str::to_owned,
    );
    Url::parse(&address)
        .ok()
        .filter(|_| is_safe_address(&address))
        .ok_or_else(|| {
            Error::usage("the address of the AWS Security Token Service is no `https` address")
                .hint("look at `AWS_REGION` and `AWS_ENDPOINT_URL_STS`")
        })
}

/// The text of the first element of this name.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>"))
        .map(|(value, _)| value)
}
