//! GitHub on the loopback address, as `tests/peers/github/server.mjs` plays it, and GitHub's own description in front of it: each
//! request and each answer that goes through is held against that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate::github::api::Client;
use lockgate::github::deployments::{Payload, Wanted};
use lockgate::system::environment::Environment;
use lockgate::system::http::Http;
use lockgate::system::http::retry::Policy;
use lockgate::system::masking::{Masker, Secret};
use lockgate::system::stop::Stop;
use serde_json::Value;

use crate::support::http_server::HttpServer;
use crate::support::peers::{self, Peer, ask, folder, node};

/// What the tests ask with; no log and no message may show it.
pub(crate) const TOKEN: &str = "ghs_not-a-real-token";

/// The commit that is deployed.
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// GitHub, with a repository `acme/app`.
pub(crate) struct GitHub {
    peer: Peer,
    judge: Option<Peer>,
    watch: Option<(HttpServer, Violations)>,
}

/// What contradicted GitHub's description: what was asked, and what the judge said.
type Violations = Arc<Mutex<Vec<String>>>;

impl Drop for GitHub {
    fn drop(&mut self) {
        if let Some((_, violations)) = &self.watch
            && !std::thread::panicking()
        {
            let violations = violations.lock().expect("a list");
            assert!(violations.is_empty(), "{violations:#?}");
        }
    }
}

impl GitHub {
    /// Starts one of its own.
    pub(crate) fn start() -> Self {
        Self {
            peer: Peer::start(&mut node("github/server.mjs")),
            judge: None,
            watch: None,
        }
    }

    /// The same, with Prism in front: whatever contradicts GitHub's description is an error, 422 where we ask and 500 where the
    /// server answers.
    pub(crate) fn judged() -> Self {
        let mut github = Self::start();
        github.judge = Some(prism(&["proxy", "--errors"], &[&github.peer.url()]));
        github
    }

    /// The same, and whatever was wrong is on record: when this is dropped, there must have been nothing.
    pub(crate) fn watched() -> Self {
        let mut github = Self::judged();
        let behind = github.url();
        let violations = Violations::default();
        let wrong = Arc::clone(&violations);
        let front = HttpServer::start(move |asked| {
            let told = peers::pass_on(&behind, asked);
            // What went past the judge and what it refused are told apart by its own words.
            let text = String::from_utf8_lossy(told.body()).into_owned();
            if text.contains("stoplight.io/prism/errors") {
                let line = format!("{} {}: {text}", asked.method, asked.path);
                wrong.lock().expect("a list").push(line);
            }
            told
        });
        github.watch = Some((front, violations));
        github
    }

    /// What contradicted the description so far; it is forgotten.
    pub(crate) fn violations(&self) -> Vec<String> {
        let watch = self.watch.as_ref().expect("a watched one");
        std::mem::take(&mut *watch.1.lock().expect("a list"))
    }

    /// One that gives any answer that fits GitHub's description: each time another one, the same ones in each run.
    pub(crate) fn invented() -> Self {
        Self {
            peer: prism(
                &["mock", "--dynamic", "--seed", "deployments", "--errors"],
                &[],
            ),
            judge: None,
            watch: None,
        }
    }

    /// Its address; that of the judge where there is one.
    pub(crate) fn url(&self) -> String {
        match &self.watch {
            Some((front, _)) => front.url(),
            None => self.judge.as_ref().unwrap_or(&self.peer).url(),
        }
    }

    /// What a workflow's job has of it.
    pub(crate) fn environment(&self) -> Environment {
        [
            ("GITHUB_API_URL", self.url()),
            ("GITHUB_REPOSITORY", "acme/app".to_owned()),
        ]
        .into_iter()
        .collect()
    }

    /// A client that is quick to try again, and often.
    pub(crate) fn client(&self) -> Client {
        let policy = Policy {
            attempts: 12,
            budget: Duration::from_mins(2),
            pause: Duration::from_millis(4),
        };
        self.client_with(policy, &Masker::default())
    }

    pub(crate) fn client_with(&self, policy: Policy, masker: &Masker) -> Client {
        let environment = self.environment();
        let http = Http::new(&environment, Vec::new(), Stop::never()).expect("a client");
        Client::new(&environment, &Secret::new(TOKEN), http, masker)
            .expect("a repository")
            .with_policy(policy)
    }

    /// Lets these faults happen, in place of those that did not yet. `server.mjs` says which there are.
    pub(crate) fn fail(&self, faults: &Value) {
        self.control("PUT", "/_faults", &faults.to_string());
    }

    /// Says what else there is.
    pub(crate) fn set(&self, world: &Value) {
        self.control("PUT", "/_world", &world.to_string());
    }

    /// Adds deployments, oldest first: the bodies of requests for them, and the `states` that were told. Their numbers.
    pub(crate) fn fill(&self, deployments: &Value) -> Vec<u64> {
        let answer = self.control("PUT", "/_fill", &deployments.to_string());
        serde_json::from_str(&answer).expect("numbers")
    }

    /// What was asked since the last look, as `POST /repos/acme/app/deployments`, without faults that hold requests back.
    pub(crate) fn seen(&self) -> Vec<String> {
        let line = |one: &Value| {
            let text = |name: &str| one[name].as_str().expect("text").to_owned();
            let path = text("path").replace("/repos/acme/app/", "");
            format!("{} {path}{}", text("method"), text("query"))
        };
        let answer: Value = serde_json::from_str(&self.control("GET", "/_seen", "")).expect("JSON");
        answer["seen"]
            .as_array()
            .expect("a list")
            .iter()
            .map(line)
            .collect()
    }

    /// The faults that did not happen yet. What was asked so far is forgotten.
    pub(crate) fn faults(&self) -> Vec<Value> {
        let answer: Value = serde_json::from_str(&self.control("GET", "/_seen", "")).expect("JSON");
        answer["faults"].as_array().expect("a list").clone()
    }

    /// The deployments of an environment, oldest first, once all is done that was to be done late.
    pub(crate) fn deployments(&self, environment: &str) -> Vec<Recorded> {
        let path = format!("/_world?environment={environment}");
        let answer: Value = serde_json::from_str(&self.control("GET", &path, "")).expect("JSON");
        let all = answer["deployments"].as_array().expect("a list");
        all.iter().map(Recorded::of).collect()
    }

    fn control(&self, method: &str, path: &str, body: &str) -> String {
        ask(method, &format!("{}{path}", self.peer.url()), body)
    }
}

/// Prism with GitHub's description.
fn prism(options: &[&str], server: &[&str]) -> Peer {
    let mut command = node("until-closed.mjs");
    command
        .arg("node")
        .arg(folder().join("node_modules/@stoplight/prism-cli/dist/index.js"))
        .args(options)
        .args(["-h", "127.0.0.1", "-p", "0"])
        .arg(folder().join("github/description.json"))
        .args(server);
    Peer::start(&mut command)
}

/// A deployment as the server has it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) id: u64,
    /// What was told of it, newest first.
    pub(crate) states: Vec<String>,
    pub(crate) deployment: Value,
    pub(crate) statuses: Value,
    /// When each state was told, milliseconds since 1970.
    pub(crate) times: Vec<u64>,
}

impl Recorded {
    fn of(record: &Value) -> Self {
        let statuses = record["statuses"].as_array().expect("a list");
        let state = |status: &Value| status["state"].as_str().expect("text").to_owned();
        Self {
            id: record["deployment"]["id"].as_u64().expect("a number"),
            states: statuses.iter().map(state).collect(),
            deployment: record["deployment"].clone(),
            statuses: record["statuses"].clone(),
            times: record["times"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|time| time.as_u64().expect("a moment"))
                .collect(),
        }
    }

    /// What was told last.
    pub(crate) fn state(&self) -> &str {
        self.states.first().map_or("", String::as_str)
    }
}

/// A deployment that is to be, by the first attempt at the job `deploy` of this run.
pub(crate) fn wanted(environment: &str, run_id: u64) -> Wanted {
    Wanted {
        sha: SHA.to_owned(),
        environment: environment.to_owned(),
        task: "deploy".to_owned(),
        description: "a test".to_owned(),
        is_transient: false,
        is_production: None,
        payload: Payload {
            run_id,
            run_attempt: 1,
            job: "deploy".to_owned(),
            artifacts: [("app.whl".to_owned(), format!("sha256:{run_id:064x}"))].into(),
            previous: None,
            release: None,
            started: "2026-08-06T12:00:00Z".to_owned(),
        },
    }
}
