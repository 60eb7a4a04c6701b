//! Where requests may go, and who gets which credential.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::error::{Error, Result};
use crate::model::web::is_safe;
use crate::system::masking::Secret;

/// Scheme, host and port: who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(url::Origin);

impl Origin {
    /// That of a URL.
    pub fn of(url: &Url) -> Self {
        Self(url.origin())
    }
}

/// A user and a password, for one origin only.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who gets it.
    pub origin: Origin,
    /// The user.
    pub user: String,
    /// The password or token.
    pub password: Secret,
}

impl Login {
    /// A user and a password for the origin of a URL; none where it is no URL, or anybody may listen.
    pub fn at(url: &str, user: impl Into<String>, password: Secret) -> Option<Self> {
        let url = Url::parse(url).ok().filter(is_safe)?;
        Some(Self {
            origin: Origin::of(&url),
            user: user.into(),
            password,
        })
    }

    /// Reads `https://user:password@host`; `input` is the name of the input, which alone is told where it is wrong.
    pub fn parse(line: &str, input: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::usage(format!("`{input}`: a line {what}"))
                .hint("write one `https://user:password@index.example` a line")
        };
        let url = Url::parse(line.trim()).map_err(|_| wrong("is no URL"))?;
        let password = url.password().unwrap_or_default();
        if url.username().is_empty() && password.is_empty() {
            return Err(wrong("names no user"));
        }
        if !is_safe(&url) {
            return Err(wrong("is no `https` URL"));
        }
        Ok(Self {
            origin: Origin::of(&url),
            user: decoded(url.username()),
            password: Secret::new(decoded(password)),
        })
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_for_one_origin_and_its_errors_show_nothing() {
        let login = Login::parse(" https://me%40x:p%2Fw@Index.example:443/a ", "x").unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.reveal()),
            ("me@x", "p/w")
        );
        let origin = |url| Origin::of(&Url::parse(url).unwrap());
        assert_eq!(login.origin, origin("https://index.example/simple/six/"));
        for other in [
            "http://index.example/",
            "https://index.example:8443/",
            "https://index.example.evil.example/",
        ] {
            assert_ne!(login.origin, origin(other));
        }
        for line in [
            "me:not-real",
            "https://index.example",
            "http://me:not-real@index.example",
            "",
        ] {
            let error = Login::parse(line, "index-credentials").unwrap_err();
            assert!(!format!("{error:?}").contains("not-real"), "{error:?}");
            assert!(error.message.contains("`index-credentials`"));
        }
    }
}
