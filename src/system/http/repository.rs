//! Where the REST API of GitHub is for one repository, and with which headers it is asked.
//!
//! <https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api>

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};

use crate::error::{Error, Result};
use crate::system::environment::Environment;
use crate::system::http::is_safe_address;
use crate::system::masking::Secret;

/// The version of the API that is spoken.
const VERSION: &str = "2022-11-28";

/// A repository on github.com or on an enterprise server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The root of the REST API.
    pub api: Url,
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: String,
}

impl Repository {
    /// That of `GITHUB_REPOSITORY` at `GITHUB_API_URL`, which is `https` or the own machine.
    pub fn read(environment: &Environment) -> Result<Self> {
        let api = environment
            .get("GITHUB_API_URL")
            .unwrap_or("https://api.github.com");
        let url = Url::parse(api).ok().filter(|_| is_safe_address(api));
        let mut url = url.ok_or_else(|| {
            Error::usage("`GITHUB_API_URL` is no `https` address")
                .hint("leave it out for github.com")
        })?;
        // What stands in an address is no credential that anybody configured.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        let repository = environment.get("GITHUB_REPOSITORY").unwrap_or_default();
        let parts = repository.split_once('/');
        let (owner, name) = parts
            .filter(|(owner, name)| is_plain(owner) && is_plain(name))
            .ok_or_else(|| {
                Error::usage("`GITHUB_REPOSITORY` names no repository")
                    .hint("export GITHUB_REPOSITORY=<owner>/<name>")
            })?;
        Ok(Self {
            api: url,
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The address of something in it, by the parts of its path.
    pub fn path(&self, parts: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["repos", &self.owner, &self.name])
                .extend(parts);
        }
        url
    }
}

/// The headers of each request: what is understood, and the token, marked as a secret.
pub fn headers(token: &Secret) -> Result<HeaderMap> {
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| {
            Error::usage("the token holds characters that no header takes")
                .hint("is there a line break at its end?")
        })?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/vnd.github+json"),
    );
    headers.insert("x-github-api-version", HeaderValue::from_static(VERSION));
    Ok(headers)
}

/// Whether it can be a part of a path as it is.
fn is_plain(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && !matches!(name, "." | "..") && name.bytes().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(api: &str, repository: &str) -> Result<Repository> {
        let pairs = [("GITHUB_API_URL", api), ("GITHUB_REPOSITORY", repository)];
        Repository::read(&pairs.into_iter().collect())
    }

    #[test]
    fn a_repository_is_a_place_below_the_api() {
        let found = read("https://ghe.example/api/v3/", "acme/app.py").unwrap();
        assert_eq!(
            found.path(&["deployments", "7"]).as_str(),
            "https://ghe.example/api/v3/repos/acme/app.py/deployments/7"
        );
        let found = read("", "acme/app").unwrap();
        assert_eq!(
            found.path(&["commits", "a b/..", "status"]).as_str(),
            "https://api.github.com/repos/acme/app/commits/a%20b%2F../status"
        );
    }

    #[test]
    fn what_is_no_repository_or_no_safe_address_is_refused() {
        for repository in [
            "",
            "acme",
            "acme/",
            "/app",
            "acme/..",
            "acme/app/x",
            "a b/c",
        ] {
            let error = read("", repository).unwrap_err();
            assert!(error.message.contains("`GITHUB_REPOSITORY`"), "{error}");
        }
        for api in ["http://ghe.example", "ftp://127.0.0.1", "ghe"] {
            let error = read(api, "acme/app").unwrap_err();
            assert!(error.message.contains("`GITHUB_API_URL`"), "{error}");
        }
    }

    #[test]
    fn the_token_is_marked_and_never_shown() {
        let headers = headers(&Secret::new("ghs_not-real")).unwrap();
        assert!(!format!("{headers:?}").contains("not-real"));
        let error = super::headers(&Secret::new("ghs_not-real\n")).unwrap_err();
        assert!(!format!("{error:?}").contains("not-real"));
    }
}
