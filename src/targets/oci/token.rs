//! Who asks a registry: a user and a password, or a token that is given for them
//! (<https://distribution.github.io/distribution/spec/auth/token/>).
//!
//! The registry says where tokens are given. That place gets the password, so it must be the registry's own, or listed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::model::untrusted;
use crate::system::http::exchange::Call;
use crate::system::http::{Http, is_loopback_address, is_safe_address};
use crate::system::masking::Secret;
use crate::targets::Access;
use crate::targets::oci::Oci;
use crate::targets::oci::registry::unanswered;

/// How a registry wants to know who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A user and a password with each request.
    Basic,
    /// A token, which is given there.
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Challenge {
    /// The one that is understood; a token before a password.
    pub fn choose<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Self> {
        let mut basic = None;
        for text in texts {
            let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            }
            if scheme.eq_ignore_ascii_case("bearer") {
                let realm = parameter(rest, "realm")?;
                let service = parameter(rest, "service");
                return Some(Self::Bearer { realm, service });
            }
        }
        basic
    }
}

/// A parameter of a challenge: `name="value"`, values without escapes, as addresses have none.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (own, behind) = rest.split_once('=')?;
        let own = own.trim_start_matches([',', ' ']).trim();
        let (value, after) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => behind.split_once(',').unwrap_or((behind, "")),
        };
        if own.eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = after;
    }
}

/// Who asks, as a header.
pub(super) async fn authorization(
    challenge: &Challenge,
    settings: &Oci,
    actions: &str,
    http: &Http,
    access: &Access<'_>,
) -> Result<HeaderValue> {
    let login = login(settings, access)?;
    let Challenge::Bearer { realm, service } = challenge else {
        return login.ok_or_else(|| {
            Error::usage("the registry wants a user and a password").hint(format!(
                "pass them to this step: `env: {}: …` and `{}: ${{{{ secrets.… }}}}`",
                settings.user_variable, settings.password_variable
            ))
        });
    };
    let mut url = door(realm, settings)?;
    {
        let mut pairs = url.query_pairs_mut();
        if let Some(service) = service {
            pairs.append_pair("service", service);
        }
        let scope = format!("repository:{}:{actions}", settings.repository);
        pairs.append_pair("scope", &scope);
    }
    let mut call = Call::new(Method::GET, url);
    call.limit = 1 << 20;
    if let Some(login) = login {
        call.headers.insert(AUTHORIZATION, login);
    }
    let outcome = http.exchange(&call, settings.policy).await;
    let reply = outcome.last.map_err(unanswered)?;
    match reply.status {
        200 => {}
        401 | 403 => {
            return Err(
                Error::refused("the registry gives no token for these credentials")
                    .cause(format!("it answers {}", reply.status))
                    .hint(format!(
                        "look at `{}` and `{}`",
                        settings.user_variable, settings.password_variable
                    )),
            );
        }
        status => {
            return Err(Error::no_verdict("the registry gave no token")
                .cause(format!("it answers {status}")));
        }
    }
    // Whatever came may be the token in another shape, so nothing of it is shown.
    let answer: Option<Answer> = serde_json::from_slice(&reply.body).ok();
    let token = answer.and_then(|answer| answer.token.or(answer.access_token));
    let token = Secret::new(token.ok_or_else(|| {
        Error::no_verdict("the registry gave no token").cause("its answer holds none")
    })?);
    access.progress.conceal(&token);
    header("Bearer", &token)
}

/// Where tokens are given, if it may be asked.
fn door(realm: &str, settings: &Oci) -> Result<Url> {
    let shown = untrusted::excerpt(realm.split('?').next().unwrap_or_default(), 200);
    let url = Url::parse(realm)
        .ok()
        .filter(|url| is_safe_address(realm) && url.username().is_empty())
        .ok_or_else(|| {
            Error::refused(format!(
                "the registry names `{shown}` for tokens, which is no `https` address"
            ))
        })?;
    let host = url.host_str().unwrap_or_default();
    let own = Url::parse(&settings.registry).ok();
    let own = own.as_ref().and_then(Url::host_str);
    let is_listed = settings
        .token_hosts
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(host));
    let is_here = is_loopback_address(realm) && is_loopback_address(&settings.registry);
    if own == Some(host) || is_listed || is_here {
        return Ok(url);
    }
    Err(Error::refused(format!(
        "the registry names `{shown}` for tokens, which is another host: it would get the credentials"
    ))
    .hint(format!(
        "if it belongs to the registry, list `{}` among the hosts that give tokens",
        untrusted::line(host)
    )))
}

/// The user and the password of the environment, where both are set.
fn login(settings: &Oci, access: &Access<'_>) -> Result<Option<HeaderValue>> {
    let value = |name: &str| access.environment.get(name);
    let (user, password) = (
        value(&settings.user_variable),
        value(&settings.password_variable),
    );
    let (Some(user), Some(password)) = (user, password) else {
        return Ok(None);
    };
    access.progress.conceal(&Secret::new(password));
    let pair = Secret::new(STANDARD.encode(format!("{user}:{password}")));
    access.progress.conceal(&pair);
    header("Basic", &pair).map(Some)
}

fn header(scheme: &str, value: &Secret) -> Result<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("{scheme} {}", value.reveal()))
        .map_err(|_| Error::no_verdict("what the registry gave can be in no header"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_in_any_order() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.to_owned(),
                service: service.map(str::to_owned),
            })
        };
        for (texts, expected) in [
            (vec!["Basic realm=\"x\""], Some(Challenge::Basic)),
            (
                vec![
                    "Basic",
                    "bearer service=\"s, t\",realm=\"https://r.example/a?b=c\", scope=\"x\"",
                ],
                bearer("https://r.example/a?b=c", Some("s, t")),
            ),
            (
                vec!["Bearer realm=https://r.example"],
                bearer("https://r.example", None),
            ),
            (vec!["Bearer realm=\"open"], None),
            (vec!["Bearer", "Digest realm=\"x\""], None),
            (vec![""], None),
        ] {
            assert_eq!(
                Challenge::choose(texts.iter().copied()),
                expected,
                "{texts:?}"
            );
        }
    }
}
