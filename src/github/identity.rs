//! The identity token of a job: who it is, signed by GitHub, for services that trust GitHub.
//!
//! <https://docs.github.com/en/actions/concepts/security/openid-connect>

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::untrusted;
use crate::system::environment::Environment;
use crate::system::http::exchange::{Call, Trouble};
use crate::system::http::retry::Policy;
use crate::system::http::{Http, is_safe_address};
use crate::system::masking::Secret;

/// Where tokens are asked for. The address is a secret of the job.
const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";

/// What to ask with.
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The line that is missing where there is no token to be had.
const HINT: &str = "add `id-token: write` to the job's `permissions`; runs for forks and of Dependabot cannot have it";

/// No claim is shown longer.
const EXCERPT: usize = 200;

/// The claims that services usually look at, in the order in which they are explained.
const EXPLAINED: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "repository",
    "repository_owner",
    "ref",
    "sha",
    "environment",
    "workflow_ref",
    "job_workflow_ref",
    "event_name",
    "actor",
    "runner_environment",
];

/// A token with what it says.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The token.
    pub token: Secret,
    /// What it says, unverified: for explanations only.
    pub claims: Claims,
}

/// The claims of a token that nobody verified.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(serde_json::Map<String, Value>);

#[derive(Deserialize)]
struct Answer {
    value: String,
}

/// Asks for a token for an audience; GitHub takes the address of the repository's owner where none is named. `hide` gets the
/// token, and what it is asked for with, before anybody else: [`hide`](crate::github::console::Console::hide) of the console.
pub async fn identity_token(
    environment: &Environment,
    http: &Http,
    policy: Policy,
    audience: Option<&str>,
    hide: impl Fn(&Secret),
) -> Result<Identity> {
    let missing = |name: &str| {
        Error::usage(format!(
            "the job has no identity token: `{name}` is not set"
        ))
        .hint(HINT)
    };
    let address = environment.get(URL).ok_or_else(|| missing(URL))?;
    let bearer = Secret::new(environment.get(TOKEN).ok_or_else(|| missing(TOKEN))?);
    hide(&bearer);
    let mut url = Url::parse(address)
        .ok()
        .filter(|_| is_safe_address(address))
        .ok_or_else(|| Error::usage(format!("`{URL}` is no `https` address")))?;
    if let Some(audience) = audience {
        url.query_pairs_mut().append_pair("audience", audience);
    }
    let mut call = Call::new(Method::GET, url);
    let mut header = HeaderValue::from_str(&format!("Bearer {}", bearer.reveal()))
        .map_err(|_| Error::usage(format!("`{TOKEN}` holds characters that no header takes")))?;
    header.set_sensitive(true);
    call.headers.insert(AUTHORIZATION, header);
    call.headers
        .insert(ACCEPT, HeaderValue::from_static("application/json"));
    let outcome = http.exchange(&call, policy).await;
    let failed = |why: String| Error::no_verdict("GitHub gave no identity token").cause(why);
    let reply = match outcome.last {
        Ok(reply) => reply,
        Err(Trouble::Stopped(signal)) => return Err(Error::interrupted(signal)),
        Err(Trouble::Refused(why) | Trouble::Unreached(why) | Trouble::Lost(why)) => {
            return Err(failed(why));
        }
    };
    match reply.status {
        200 => {}
        401 | 403 => return Err(failed(format!("it answers {}", reply.status)).hint(HINT)),
        status => return Err(failed(format!("it answers {status}"))),
    }
    // What stands in it may be the token in another shape, so nothing of it is shown.
    let answer: Answer = serde_json::from_slice(&reply.body)
        .map_err(|_| failed("its answer holds no `value`".to_owned()))?;
    let token = Secret::new(answer.value);
    hide(&token);
    let claims = Claims::of(&token).ok_or_else(|| failed("its answer is no JWT".to_owned()))?;
    Ok(Identity { token, claims })
}

impl Claims {
    /// What a token says. Its signature is not looked at.
    pub fn of(token: &Secret) -> Option<Self> {
        let mut parts = token.reveal().split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&payload).ok().map(Self)
    }

    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// What a service was told, a line for each claim that services look at: for the message where it says no.
impl fmt::Display for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |name: &&str| {
            let value = self.0.get(*name)?;
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{name}: {}", untrusted::excerpt(&text, EXCERPT)))
        };
        let lines: Vec<String> = EXPLAINED.iter().filter_map(line).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> Secret {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Secret::new(format!("e30.{payload}.c2lnbmF0dXJl"))
    }

    #[test]
    fn claims_are_shown_as_text_that_is_harmless() {
        let claims = Claims::of(&token(&json!({
            "sub": "repo:acme/app:environment:prod",
            "aud": ["a", "b"],
            "environment": "x\n::error::y",
            "secret": "not shown",
        })))
        .unwrap();
        assert_eq!(
            claims.to_string(),
            "aud: [\"a\",\"b\"]\nsub: repo:acme/app:environment:prod\nenvironment: x␊::error::y"
        );
        assert_eq!(claims.text("aud"), None);
        assert_eq!(claims.text("sub"), Some("repo:acme/app:environment:prod"));
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "a.b", "a.b.c", "e30.W10.x", "e30.e30", "..", "a.é.c"] {
            assert_eq!(Claims::of(&Secret::new(text)), None, "{text}");
        }
        assert_eq!(
            Claims::of(&Secret::new("e30.e30=.x")),
            Some(Claims::default())
        );
    }
}
