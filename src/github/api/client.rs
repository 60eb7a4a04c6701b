//! The client of GitHub's REST API: octocrab over our own HTTP layer. No other file knows octocrab.
//!
//! Octocrab builds the requests and knows the types; time-outs, repetition, origins and the token are ours.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use octocrab::{AuthState, Octocrab, OctocrabBuilder, models};
use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::github::api::fault::{self, Fault};
use crate::github::api::wire::{Undelivered, Wire, address};
use crate::github::deployments::Deployment;
use crate::system::environment::Environment;
use crate::system::http::Http;
use crate::system::http::exchange::{Call, Trouble};
use crate::system::http::repository::{self, Repository};
use crate::system::http::retry::Policy;
use crate::system::masking::{Masker, Secret};

/// As many as a page has at most.
pub const PAGE: u8 = 100;

/// The API for one repository, with one token.
#[derive(Clone, Debug)]
pub struct Client {
    repository: Repository,
    wire: Wire,
}

/// Which deployments are listed; what is none stands for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The environment's name.
    pub environment: Option<String>,
    /// The commit.
    pub sha: Option<String>,
    /// What it was made for: `deploy`, `rollback`.
    pub task: Option<String>,
}

impl Client {
    /// The API at `GITHUB_API_URL` for `GITHUB_REPOSITORY`. The token goes to its origin only.
    pub fn new(
        environment: &Environment,
        token: &Secret,
        http: Http,
        masker: &Masker,
    ) -> Result<Self, Fault> {
        masker.register(token);
        let usage = |error| Fault::Usage(Box::new(error));
        let repository = Repository::read(environment).map_err(usage)?;
        let headers = repository::headers(token).map_err(usage)?;
        Ok(Self {
            repository,
            wire: Wire::new(http, headers),
        })
    }

    /// The same with another policy of repetition.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.wire.policy = policy;
        self
    }

    /// The same with another time that the API may say nothing.
    #[must_use]
    pub fn with_patience(mut self, patience: std::time::Duration) -> Self {
        self.wire.patience = patience;
        self
    }

    /// How often and how long what fails is repeated.
    pub fn policy(&self) -> Policy {
        self.wire.policy
    }

    /// The repository that is asked.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// How many requests the rate limit leaves, as the last answer said.
    pub fn remaining(&self) -> Option<u64> {
        self.wire.remaining()
    }

    /// Remembers that a request may still be carried out that nobody waits for any more.
    pub(crate) fn doubt(&self) {
        self.wire.doubt();
    }

    /// Whether there is such a request.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.wire.is_in_doubt()
    }

    /// Waits, unless we are told to stop.
    pub async fn rest(&self, pause: std::time::Duration) -> Result<(), Fault> {
        let rested = self.wire.http.rest(pause).await;
        rested.map_err(|trouble| Fault::of_trouble(trouble, 1))
    }

    /// A page of deployments, newest first; pages count from 1.
    ///
    /// <https://docs.github.com/en/rest/deployments/deployments#list-deployments>
    pub async fn deployments(&self, filter: &Filter, page: u32) -> Result<Vec<Deployment>, Fault> {
        let (size, page) = (PAGE.to_string(), page.to_string());
        let mut query = vec![("per_page", size.as_str()), ("page", page.as_str())];
        let named = [
            ("environment", &filter.environment),
            ("sha", &filter.sha),
            ("task", &filter.task),
        ];
        query.extend(
            named
                .iter()
                .filter_map(|(name, value)| Some((*name, value.as_deref()?))),
        );
        let found: Vec<Value> = self.get(&["deployments"], &query).await?;
        found.into_iter().map(read).collect()
    }

    /// A deployment by its number.
    ///
    /// <https://docs.github.com/en/rest/deployments/deployments#get-a-deployment>
    pub async fn deployment(&self, id: u64) -> Result<Deployment, Fault> {
        read(self.get(&["deployments", &id.to_string()], &[]).await?)
    }

    /// Reads something of the repository, which octocrab has no type for or one that breaks where GitHub adds a value.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Fault> {
        let url = self.repository.path(path);
        let crab = self.octocrab();
        crab.get(url.as_str(), Some(query)).await.map_err(fault)
    }

    /// Sends something to the repository, once. The status of a success and what came with it.
    pub async fn post(&self, path: &[&str], body: &impl Serialize) -> Result<(u16, Bytes), Fault> {
        let url = self.repository.path(path);
        let crab = self.octocrab();
        let answer = crab._post(url.as_str(), Some(body)).await.map_err(fault)?;
        let answer = octocrab::map_github_error(answer).await.map_err(fault)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(fault)?;
        Ok((status, body.to_bytes()))
    }

    /// Octocrab's handle over our HTTP layer. It knows no token and repeats nothing.
    fn octocrab(&self) -> Octocrab {
        let (wire, api) = (self.wire.clone(), self.repository.api.clone());
        let service = tower::service_fn(move |request: http::Request<octocrab::OctoBody>| {
            let (wire, api) = (wire.clone(), api.clone());
            async move { deliver(wire, api, request).await }
        });
        let builder = OctocrabBuilder::new_empty().with_service(service);
        let Ok(crab) = builder.with_auth(AuthState::None).build();
        crab
    }
}

/// A deployment in the answer to its creation.
pub(crate) fn created(body: &[u8]) -> Result<Deployment, Fault> {
    read(serde_json::from_slice(body).map_err(unreadable)?)
}

/// A deployment as octocrab types it, but for who made it: octocrab asks for more of them than GitHub's description promises,
/// and one in a list would spoil all.
fn read(mut deployment: Value) -> Result<Deployment, Fault> {
    if let Some(parts) = deployment.as_object_mut() {
        parts.remove("creator");
        parts.remove("performed_via_github_app");
    }
    let deployment: models::Deployment = serde_json::from_value(deployment).map_err(unreadable)?;
    Ok(Deployment {
        id: deployment.id.into_inner(),
        sha: deployment.sha,
        git_ref: deployment.ref_field,
        task: deployment.task,
        environment: deployment.environment,
        description: deployment.description.unwrap_or_default(),
        payload: deployment.payload.into(),
        created_at: deployment.created_at,
        is_transient: deployment.transient_environment.unwrap_or_default(),
        is_production: deployment.production_environment.unwrap_or_default(),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn unreadable(error: serde_json::Error) -> Fault {
    Fault::Unreadable {
        what: fault::excerpt(&error.to_string()),
    }
}

async fn deliver(
    wire: Wire,
    api: reqwest::Url,
    request: http::Request<octocrab::OctoBody>,
) -> Result<http::Response<Full<Bytes>>, tower::BoxError> {
    let (parts, body) = request.into_parts();
    let undelivered = |trouble, attempts| Undelivered { trouble, attempts };
    let url = address(&api, &parts.uri).map_err(|trouble| undelivered(trouble, 0))?;
    let mut call = Call::new(parts.method, url);
    if let Some(kind) = parts.headers.get(CONTENT_TYPE) {
        call.headers.insert(CONTENT_TYPE, kind.clone());
    }
    let body = body.collect().await?.to_bytes();
    if !body.is_empty() {
        call.body.push(body);
    }
    let outcome = wire.carry(call).await;
    let reply = outcome
        .last
        .map_err(|trouble| undelivered(trouble, outcome.attempts))?;
    let mut response = http::Response::new(Full::new(reply.body));
    *response.status_mut() = http::StatusCode::from_u16(reply.status)?;
    *response.headers_mut() = reply.headers;
    Ok(response)
}

/// Our fault behind an error of octocrab's.
fn fault(error: octocrab::Error) -> Fault {
    match error {
        octocrab::Error::GitHub { source, .. } => {
            let headers = source.headers.unwrap_or_default();
            let errors = Value::Array(source.errors.unwrap_or_default());
            Fault::of_answer(
                source.status_code.as_u16(),
                &source.message,
                &errors,
                &headers,
            )
        }
        octocrab::Error::Service { source, .. } => match source.downcast::<Undelivered>() {
            Ok(undelivered) => Fault::of_trouble(undelivered.trouble, undelivered.attempts),
            Err(other) => Fault::of_trouble(Trouble::Refused(other.to_string()), 1),
        },
        other => Fault::Unreadable {
            what: fault::excerpt(&other.to_string()),
        },
    }
}
