//! The caches of a repository as GitHub's REST API shows them: to list and to delete entries, with a token of the user's.
//!
//! <https://docs.github.com/en/rest/actions/cache>. The runner's own token has no right to this.

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde::Deserialize;

use crate::stores::fault::{Access, Fault};
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::http::exchange::Call;
use crate::system::http::repository::{self, Repository};
use crate::system::http::retry::Policy;
use crate::system::masking::{Masker, Secret};

/// As many as a page has at most.
const PAGE: usize = 100;

/// More pages are not asked for.
const PAGES: usize = 1000;

/// The API for the caches of one repository.
#[derive(Clone, Debug)]
pub struct CacheApi {
    http: Http,
    caches: Url,
    headers: HeaderMap,
    policy: Policy,
}

/// An entry as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ListedCache {
    /// Its number.
    pub id: u64,
    /// The scope.
    #[serde(rename = "ref", default)]
    pub scope: String,
    /// The key.
    pub key: String,
    /// What its paths and its compression make.
    #[serde(default)]
    pub version: String,
    /// When it was last restored, as ISO 8601.
    #[serde(default)]
    pub last_accessed_at: String,
    /// When it was saved, as ISO 8601.
    #[serde(default)]
    pub created_at: String,
    /// Its bytes.
    #[serde(default)]
    pub size_in_bytes: u64,
}

#[derive(Deserialize)]
struct Page {
    actions_caches: Vec<ListedCache>,
}

impl CacheApi {
    /// The API at `GITHUB_API_URL` for `GITHUB_REPOSITORY`. The token goes to its origin only.
    pub fn new(
        environment: &Environment,
        token: &Secret,
        http: Http,
        masker: &Masker,
    ) -> Result<Self, Fault> {
        let usage = |error| Fault::Usage(Box::new(error));
        masker.register(token);
        let repository = Repository::read(environment).map_err(usage)?;
        let caches = repository.path(&["actions", "caches"]);
        let headers = repository::headers(token).map_err(usage)?;
        Ok(Self {
            http,
            caches,
            headers,
            policy: Policy::default(),
        })
    }

    /// The same with another policy of repetition.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// All entries whose key starts so, of one scope or of all, newest first.
    pub async fn list(&self, key: &str, scope: Option<&str>) -> Result<Vec<ListedCache>, Fault> {
        let mut all = Vec::new();
        for number in 1..=PAGES {
            let mut url = self.caches.clone();
            {
                let mut query = url.query_pairs_mut();
                query
                    .append_pair("per_page", &PAGE.to_string())
                    .append_pair("page", &number.to_string())
                    .append_pair("sort", "created_at")
                    .append_pair("direction", "desc");
                if !key.is_empty() {
                    query.append_pair("key", key);
                }
                if let Some(scope) = scope {
                    query.append_pair("ref", scope);
                }
            }
            let reply = self.ask(Method::GET, url, Access::Read).await?;
            let page: Page = serde_json::from_slice(&reply).map_err(|_| Fault::InvalidAnswer {
                what: "it is no list of caches".to_owned(),
            })?;
            let is_last = page.actions_caches.len() < PAGE;
            all.extend(page.actions_caches);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// Deletes an entry. One that is gone already is [`Fault::Missing`].
    pub async fn delete(&self, id: u64) -> Result<(), Fault> {
        let mut url = self.caches.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(&id.to_string());
        }
        self.ask(Method::DELETE, url, Access::Write).await?;
        Ok(())
    }

    async fn ask(&self, method: Method, url: Url, access: Access) -> Result<bytes::Bytes, Fault> {
        let is_deletion = method == Method::DELETE;
        let mut call = Call::new(method, url);
        call.headers = self.headers.clone();
        let outcome = self.http.exchange(&call, self.policy).await;
        let (reply, attempts, was_lost) = Fault::answered(outcome)?;
        let is_limited = reply.header("x-ratelimit-remaining") == Some("0");
        match reply.status {
            200 | 204 => Ok(reply.body),
            // The attempt whose answer was lost did it.
            404 if is_deletion && was_lost => Ok(reply.body),
            403 if is_limited => Err(Fault::RateLimited {
                after: reply.retry_after(),
                attempts,
            }),
            _ => Err(Fault::of_reply(&reply, access, attempts)),
        }
    }
}
