//! The cache service and the transfers, through the fake service and a real blob store: the official client on the other side,
//! and every fault that a service, a store and a network can show.

use bytes::Bytes;
use lockgate::stores::cache::Cache;
use lockgate::stores::fault::{Access, Fault};
use lockgate::stores::service::CacheService;
use lockgate::stores::service::api::CacheApi;
use lockgate::stores::transfer::Options;
use lockgate::system::environment::Environment;
use lockgate::system::files::sha256;
use lockgate::system::http::Http;
use lockgate::system::http::retry::Policy;
use lockgate::system::masking::{Masker, Secret};
use lockgate::system::stop::Stop;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::git_server::base64;
use crate::support::log::Log;
use crate::support::peers::{self, cache_service, official_client};

const TOKEN: &str = "not-a-real-token";

fn policy() -> Policy {
    Policy {
        attempts: 12,
        budget: Duration::from_mins(2),
        pause: Duration::from_millis(4),
    }
}

/// Small blocks, so that little is much.
fn options() -> Options {
    Options {
        block: 64 << 10,
        in_flight: 3,
        stall: Duration::from_secs(2),
        total: Duration::from_mins(3),
        policy: policy(),
    }
}

struct Client {
    cache: Cache,
    masker: Masker,
    options: Options,
}

fn client_with(peer: &peers::CacheService, token: &str, policy: Policy) -> Client {
    let environment: Environment = peer.environment(token).into_iter().collect();
    let http = Http::new(&environment, Vec::new(), Stop::never()).unwrap();
    let masker = Masker::default();
    let service = CacheService::new(&environment, http, masker.clone()).unwrap();
    let cache = Cache::Service(Box::new(service.with_policy(policy)));
    let options = Options {
        policy,
        ..options()
    };
    Client {
        cache,
        masker,
        options,
    }
}

fn client(peer: &peers::CacheService) -> Client {
    client_with(peer, TOKEN, policy())
}

impl Client {
    async fn save(&self, key: &str, content: &[u8]) -> Result<Option<u64>, Fault> {
        let reservation = self.cache.reserve(key, "v").await?;
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        let send = async {
            for piece in content.chunks(50_000) {
                if sender.send(Bytes::copy_from_slice(piece)).await.is_err() {
                    break;
                }
            }
            drop(sender);
        };
        let upload = self.cache.upload(&reservation, receiver, self.options);
        let (size, ()) = tokio::join!(upload, send);
        let size = size?;
        assert_eq!(size, content.len() as u64);
        self.cache.finalise(&reservation, size).await
    }

    async fn load(&self, keys: &[&str], version: &str) -> Result<Option<Vec<u8>>, Fault> {
        let Some(found) = self.cache.look_up(keys, version).await? else {
            return Ok(None);
        };
        let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(2);
        let take = async {
            let mut all = Vec::new();
            while let Some(piece) = receiver.recv().await {
                all.extend_from_slice(&piece);
            }
            all
        };
        let (size, all) = tokio::join!(self.cache.download(&found, sender, self.options), take);
        assert_eq!(size?.size, all.len() as u64);
        Ok(Some(all))
    }
}

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self, size: usize) -> Vec<u8> {
        (0..size).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

#[tokio::test]
async fn the_official_client_reads_what_we_save_and_we_what_it_saves() {
    let peer = cache_service();
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().join("w");
    std::fs::create_dir_all(workspace.join("d/e")).unwrap();
    let content = Random(7).bytes(300_000);
    std::fs::write(workspace.join("d/e/f.bin"), &content).unwrap();
    let environment = peer.environment(TOKEN);
    let (id, log) = official_client("save", "linux-1", &workspace, &environment, &["d"]);
    assert_eq!(id, 1, "{log}");
    let (again, log) = official_client("save", "linux-1", &workspace, &environment, &["d"]);
    assert_eq!(again, -1, "{log}");
    let version = peer_version(&peer);
    let client = client(&peer);
    let archive = client
        .load(&["other", "linux-"], &version)
        .await
        .unwrap()
        .expect("a hit");
    assert!(archive.len() > content.len(), "{}", archive.len());
    // The same archive, saved by us.
    let reservation = client.cache.reserve("ours", &version).await.unwrap();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let send = async move { sender.send(archive.into()).await.unwrap() };
    let upload = client.cache.upload(&reservation, receiver, options());
    let (size, ()) = tokio::join!(upload, send);
    client
        .cache
        .finalise(&reservation, size.unwrap())
        .await
        .unwrap();
    std::fs::remove_dir_all(workspace.join("d")).unwrap();
    let (key, log) = official_client("restore", "our,x", &workspace, &environment, &["d"]);
    assert_eq!(key, "ours", "{log}");
    assert_eq!(std::fs::read(workspace.join("d/e/f.bin")).unwrap(), content);
}

/// The version under which the official client saved, of which only the list tells.
fn peer_version(peer: &peers::CacheService) -> String {
    let environment: Environment = [
        ("GITHUB_API_URL", peer.url()),
        ("GITHUB_REPOSITORY", "acme/app".to_owned()),
    ]
    .into_iter()
    .collect();
    let http = Http::new(&environment, Vec::new(), Stop::never()).unwrap();
    let token = Secret::new("not-a-real-pat");
    let api = CacheApi::new(&environment, &token, http, &Masker::default()).unwrap();
    let listed = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(api.list("linux-", None)).unwrap()
    });
    let listed = listed.join().unwrap();
    listed.first().unwrap().version.clone()
}

#[tokio::test]
async fn sizes_around_a_block_come_back_as_they_were() {
    let peer = cache_service();
    let client = client(&peer);
    let block = options().block;
    for size in [0, 1, block - 1, block, block + 1, 3 * block, 5 * block + 17] {
        let content = Random(size as u64 + 1).bytes(size);
        let key = format!("size-{size}-");
        client.save(&key, &content).await.unwrap();
        let found = client.load(&[&key], "v").await.unwrap().expect("a hit");
        assert_eq!(
            sha256(&*found).unwrap(),
            sha256(&*content).unwrap(),
            "{size}"
        );
    }
    let (seen, _) = peer.seen();
    let of = |method: &str, part: &str| {
        let is_one = |request: &&Value| {
            request["method"] == method && request["query"].as_str().unwrap().contains(part)
        };
        seen.iter().filter(is_one).count()
    };
    assert_eq!(
        (of("PUT", "comp=block&"), of("PUT", "comp=blocklist")),
        (11, 3)
    );
    // The store sees its signature, and no token of the service.
    let blobs: Vec<&Value> = seen
        .iter()
        .filter(|request| {
            request["path"]
                .as_str()
                .unwrap()
                .contains("devstoreaccount1")
        })
        .collect();
    assert!(blobs.len() > 20);
    assert!(
        blobs
            .iter()
            .all(|request| request["authorization"].is_null())
    );
}

/// A fault at a place, the calls that run into it, and the fault that comes of it.
#[tokio::test]
async fn every_refusal_is_told_as_what_it_is_and_asked_for_as_often_as_may_help() {
    let peer = cache_service();
    let few = Policy {
        attempts: 3,
        ..policy()
    };
    let client = client_with(&peer, TOKEN, few);
    client.save("there", b"x").await.unwrap();
    let status = |status: u16, more: Value| {
        let mut fault = json!({"kind": "status", "status": status, "times": 99});
        fault
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fault
    };
    let nothing = || json!({});
    // The fault, what a save gives, what a look-up gives, and how often each asks.
    let cases: Vec<(Value, &str, &str, usize)> = vec![
        (
            status(409, json!({"code": "already_exists"})),
            "exists",
            "invalid-answer",
            1,
        ),
        (
            status(
                403,
                json!({"code": "permission_denied", "msg": "cache read denied: no"}),
            ),
            "denied",
            "denied",
            1,
        ),
        (status(401, nothing()), "denied", "denied", 1),
        (
            status(429, json!({"retryAfter": 0})),
            "rate-limited",
            "rate-limited",
            3,
        ),
        (
            status(429, json!({"retryAfter": 3600})),
            "rate-limited",
            "rate-limited",
            1,
        ),
        (
            status(
                429,
                json!({"code": "resource_exhausted", "msg": "insufficient usage to cache"}),
            ),
            "quota",
            "quota",
            3,
        ),
        (
            status(400, json!({"code": "invalid_argument"})),
            "server",
            "server",
            1,
        ),
        (status(500, nothing()), "server", "server", 3),
        (
            status(502, json!({"body": "<html>bad gateway</html>"})),
            "server",
            "server",
            3,
        ),
        (status(503, nothing()), "server", "server", 3),
        (status(504, nothing()), "server", "server", 3),
        (
            status(
                302,
                json!({"headers": {"location": "https://elsewhere.example/"}}),
            ),
            "invalid-answer",
            "invalid-answer",
            1,
        ),
        (
            status(200, json!({"body": "<html>"})),
            "invalid-answer",
            "invalid-answer",
            1,
        ),
        (
            status(200, json!({"body": "[]"})),
            "invalid-answer",
            "invalid-answer",
            1,
        ),
        (
            status(200, json!({"body": {"ok": true}})),
            "invalid-answer",
            "invalid-answer",
            1,
        ),
        (
            json!({"kind": "reset", "times": 99}),
            "network",
            "network",
            3,
        ),
    ];
    for (fault, of_save, of_look_up, attempts) in cases {
        for (at, expected) in [
            ("CreateCacheEntry", of_save),
            ("GetCacheEntryDownloadURL", of_look_up),
        ] {
            let mut placed = fault.clone();
            placed["at"] = at.into();
            peer.fail(&json!([placed]));
            peer.seen();
            let found = match at {
                "CreateCacheEntry" => client.cache.reserve("new", "v").await.err(),
                _ => client.cache.look_up(&["there"], "v").await.err(),
            };
            let found = found.unwrap_or_else(|| panic!("{placed} is no fault"));
            assert_eq!(found.name(), expected, "{placed}: {found}");
            assert_eq!(peer.seen().0.len(), attempts, "{placed}: {found}");
            quiet(&client, &found);
        }
    }
}

/// Neither the token nor a signed address is in a fault or in what is shown of it.
fn quiet(client: &Client, fault: &Fault) {
    let shown = format!("{fault:?} {fault} {}", fault.clone().error().render());
    assert!(!shown.contains(TOKEN) && !shown.contains("sig="), "{shown}");
    assert_eq!(client.masker.mask(&shown), shown);
}

#[tokio::test]
async fn an_answer_of_the_service_that_is_a_trap_is_not_followed() {
    let peer = cache_service();
    let client = client(&peer);
    let url = "https://a.example/b?sig=abcdefgh";
    for body in [
        json!({"ok": true, "signed_download_url": url, "matched_key": "other"}),
        json!({"ok": true, "signed_download_url": url, "matched_key": ""}),
        json!({"ok": true, "signed_download_url": "http://a.example/?sig=abcdefgh", "matched_key": "k"}),
        json!({"ok": true, "signed_download_url": "file:///etc/passwd", "matched_key": "k"}),
        json!({"ok": true, "signed_download_url": "", "matched_key": "k"}),
        json!({"ok": "yes"}),
    ] {
        peer.fail(&json!([{"at": "GetCacheEntryDownloadURL", "kind": "answer", "body": body}]));
        let fault = client.cache.look_up(&["k"], "v").await.unwrap_err();
        assert_eq!(fault.name(), "invalid-answer", "{body}");
        assert!(!format!("{fault:?}{fault}").contains("abcdefgh"), "{fault}");
    }
    for (body, expected) in [
        (
            json!({"ok": false, "message": "cache write denied: read-only token"}),
            "denied",
        ),
        (
            json!({"ok": false, "message": "insufficient usage"}),
            "quota",
        ),
        (json!({"ok": false, "message": ""}), "exists"),
    ] {
        peer.fail(&json!([{"at": "CreateCacheEntry", "kind": "answer", "body": body}]));
        let fault = client.cache.reserve("k", "v").await.unwrap_err();
        assert_eq!(fault.name(), expected, "{body}: {fault}");
    }
    client.save("k", b"x").await.unwrap();
    let reservation = client.cache.reserve("k2", "v").await.unwrap();
    peer.fail(&json!([{"at": "FinalizeCacheEntryUpload", "kind": "answer", "body": {"ok": false, "message": "no such blob"}}]));
    let fault = client.cache.finalise(&reservation, 3).await.unwrap_err();
    assert!(fault.to_string().contains("no such blob"), "{fault}");
}

#[tokio::test]
async fn a_reservation_whose_answer_was_lost_is_told_as_perhaps_our_own() {
    let peer = cache_service();
    let client = client(&peer);
    peer.fail(&json!([{"at": "CreateCacheEntry", "kind": "lost"}]));
    let fault = client.cache.reserve("k", "v").await.unwrap_err();
    assert_eq!(
        fault,
        Fault::Exists {
            key: "k".into(),
            may_be_own: true
        },
    );
    // What was completed without our hearing of it is complete.
    peer.fail(&json!([{"at": "FinalizeCacheEntryUpload", "kind": "lost"}]));
    assert_eq!(client.save("k2", b"x").await.unwrap(), None);
    assert_eq!(client.load(&["k2"], "v").await.unwrap().unwrap(), b"x");
}

#[tokio::test]
async fn what_a_token_may_do_decides_before_anything_is_asked() {
    let peer = cache_service();
    let token = |scopes: Value| {
        let claims = json!({"ac": scopes.to_string()}).to_string();
        let payload = base64(claims.as_bytes())
            .replace('+', "-")
            .replace('/', "_");
        format!("e30.{}.c2ln", payload.trim_end_matches('='))
    };
    let main = json!({"Scope": "refs/heads/main", "Permission": 3});
    let writer = client_with(&peer, &token(json!([main])), policy());
    writer.save("shared", b"of main").await.unwrap();
    let pull = json!({"Scope": "refs/pull/1/merge", "Permission": 3});
    let only = json!({"Scope": "refs/heads/main", "Permission": 1});
    let proposer = client_with(&peer, &token(json!([pull, only])), policy());
    assert_eq!(
        proposer.load(&["sha"], "v").await.unwrap().unwrap(),
        b"of main"
    );
    proposer
        .save("shared", b"of the pull request")
        .await
        .unwrap();
    let own = proposer.load(&["shared"], "v").await.unwrap().unwrap();
    assert_eq!(own, b"of the pull request");
    assert_eq!(
        writer.load(&["shared"], "v").await.unwrap().unwrap(),
        b"of main"
    );
    peer.seen();
    let reader = client_with(&peer, &token(json!([only])), policy());
    let fault = reader.save("new", b"x").await.unwrap_err();
    assert!(
        matches!(
            fault,
            Fault::Denied {
                access: Access::Write,
                ..
            }
        ),
        "{fault}"
    );
    assert!(peer.seen().0.is_empty());
}

#[tokio::test]
async fn a_server_that_is_down_is_told_after_a_few_attempts() {
    let address = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", socket.local_addr().unwrap())
    };
    let environment: Environment = [
        ("ACTIONS_RESULTS_URL", address.as_str()),
        ("ACTIONS_RUNTIME_TOKEN", TOKEN),
    ]
    .into_iter()
    .collect();
    let http = Http::new(&environment, Vec::new(), Stop::never()).unwrap();
    let service = CacheService::new(&environment, http, Masker::default()).unwrap();
    let service = service.with_policy(Policy {
        attempts: 3,
        ..policy()
    });
    for fault in [
        service.look_up(&["k"], "v").await.unwrap_err(),
        service.reserve("k", "v").await.unwrap_err(),
    ] {
        assert!(
            matches!(fault, Fault::Network { attempts: 3, .. }),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn transfers_that_cannot_go_on_end_with_what_is_wrong() {
    let peer = cache_service();
    let few = Policy {
        attempts: 3,
        ..policy()
    };
    let client = client_with(&peer, TOKEN, few);
    let content = Random(3).bytes(400_000);
    client.save("k", &content).await.unwrap();
    for (fault, expected) in [
        (
            json!({"kind": "status", "status": 403, "headers": {"x-ms-error-code": "AuthenticationFailed"}}),
            "server",
        ),
        (json!({"kind": "status", "status": 404}), "missing"),
        (
            json!({"kind": "status", "status": 500, "times": 99}),
            "server",
        ),
        (
            json!({"kind": "status", "status": 429, "retryAfter": 999}),
            "rate-limited",
        ),
        (json!({"kind": "reset", "times": 99}), "network"),
        (json!({"kind": "short", "times": 99}), "network"),
        (json!({"kind": "long", "times": 99}), "network"),
        (json!({"kind": "cut", "times": 99, "after": 2}), "network"),
        (json!({"kind": "whole", "after": 1}), "invalid-answer"),
        (
            json!({"kind": "pass", "after": 2, "headers": {"etag": "\"other\""}}),
            "changed",
        ),
        (
            json!({"kind": "pass", "after": 2, "headers": {"content-range": "bytes 1-9/10"}}),
            "changed",
        ),
        (
            json!({"kind": "pass", "after": 2, "headers": {"content-range": "bytes 7-9/400000"}}),
            "invalid-answer",
        ),
        (
            json!({"kind": "pass", "headers": {"content-range": "bytes"}}),
            "invalid-answer",
        ),
    ] {
        let mut placed = fault.clone();
        placed["at"] = "GET".into();
        peer.fail(&json!([placed]));
        let found = client.load(&["k"], "v").await.unwrap_err();
        assert_eq!(found.name(), expected, "{fault}: {found}");
        quiet(&client, &found);
    }
    for (fault, expected) in [
        (json!({"kind": "status", "status": 403}), "server"),
        (json!({"kind": "status", "status": 404}), "missing"),
        (
            json!({"kind": "status", "status": 500, "times": 99}),
            "server",
        ),
        (
            json!({"kind": "status", "status": 413, "after": 3}),
            "server",
        ),
        (json!({"kind": "reset", "times": 99, "after": 2}), "network"),
    ] {
        let mut placed = fault.clone();
        placed["at"] = "PUT".into();
        peer.fail(&json!([placed]));
        let found = client
            .save(&format!("new {fault}").replace(',', ";"), &content)
            .await;
        let found = found.unwrap_err();
        assert_eq!(found.name(), expected, "{fault}: {found}");
        quiet(&client, &found);
    }
}

#[tokio::test]
async fn a_store_without_ranges_gives_one_stream_and_a_slow_one_has_a_limit() {
    let peer = cache_service();
    let client = client(&peer);
    let content = Random(5).bytes(400_000);
    client.save("k", &content).await.unwrap();
    peer.fail(&json!([
        {"at": "GET", "kind": "whole", "headers": {"content-length": "400000"}},
    ]));
    assert_eq!(client.load(&["k"], "v").await.unwrap().unwrap(), content);
    let found = client.cache.look_up(&["k"], "v").await.unwrap().unwrap();
    let mut slow = options();
    slow.total = Duration::from_secs(3);
    slow.stall = Duration::from_mins(5);
    peer.fail(&json!([{"at": "GET", "kind": "stall-within", "times": 99}]));
    let (sender, _receiver) = tokio::sync::mpsc::channel(9);
    let fault = client
        .cache
        .download(&found, sender, slow)
        .await
        .unwrap_err();
    assert_eq!(fault.name(), "too-slow", "{fault}");
}

#[tokio::test]
async fn entries_are_listed_over_all_pages_and_deleted() {
    let peer = cache_service();
    let entries: Vec<Value> = (0..250)
        .map(|number| json!({"key": format!("k-{number}"), "version": "v"}))
        .chain([json!({"key": "other", "version": "v", "scope": "refs/heads/x"})])
        .collect();
    peer.fill(&Value::from(entries));
    let environment: Environment = [
        ("GITHUB_API_URL", format!("{}/", peer.url())),
        ("GITHUB_REPOSITORY", "acme/app".to_owned()),
    ]
    .into_iter()
    .collect();
    let http = Http::new(&environment, Vec::new(), Stop::never()).unwrap();
    let masker = Masker::default();
    let token = Secret::new("not-a-real-pat");
    let api = CacheApi::new(&environment, &token, http, &masker)
        .unwrap()
        .with_policy(policy());
    peer.fail(
        &json!([{"at": "rest", "status": 503}, {"at": "rest", "status": 429, "retryAfter": 0}]),
    );
    let listed = api.list("k-", None).await.unwrap();
    assert_eq!(listed.len(), 250);
    assert_eq!(listed.first().unwrap().key, "k-249");
    let elsewhere = api.list("", Some("refs/heads/x")).await.unwrap();
    let [one] = elsewhere.as_slice() else {
        panic!("{elsewhere:?}")
    };
    api.delete(one.id).await.unwrap();
    assert_eq!(api.delete(one.id).await.unwrap_err().name(), "missing");
    peer.fail(&json!([{"at": "rest", "status": 403, "headers": {"x-ratelimit-remaining": "0"}}]));
    assert_eq!(api.list("", None).await.unwrap_err().name(), "rate-limited");
    peer.fail(&json!([{"at": "rest", "status": 403}]));
    assert_eq!(api.delete(1).await.unwrap_err().name(), "denied");
    let (seen, _) = peer.seen();
    assert_eq!(seen.len(), 2 + 3 + 1 + 2 + 2, "{seen:?}");
}

#[tokio::test]
async fn no_log_of_ours_shows_a_token_or_a_signature() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("lockgate=trace")
        .with_writer(move || writer.clone())
        .finish();
    let peer = cache_service();
    let guard = tracing::subscriber::set_default(subscriber);
    let few = Policy {
        attempts: 3,
        ..policy()
    };
    let client = client_with(&peer, TOKEN, few);
    client.save("k", &Random(1).bytes(200_000)).await.unwrap();
    for at in ["GET", "PUT", "CreateCacheEntry", "GetCacheEntryDownloadURL"] {
        for kind in ["reset", "cut", "status"] {
            peer.fail(&json!([{"at": at, "kind": kind, "status": 500, "times": 9}]));
            let saved = client.save(&format!("{at}-{kind}"), b"x").await;
            let loaded = client.load(&["k"], "v").await;
            // `cut` is for answers with content.
            assert!(
                saved.is_err() || loaded.is_err() || kind == "cut",
                "{at} {kind}"
            );
        }
    }
    drop(guard);
    let text = log.text();
    assert!(
        text.contains("asking again") && text.contains("asking for a range again"),
        "{text}"
    );
    assert!(!text.contains(TOKEN) && !text.contains("sig="), "{text}");
}

/// Faults from which everything recovers, at every place, in any order.
#[tokio::test]
async fn whatever_recovers_gives_the_very_bytes_both_ways() {
    let cases = std::env::var("LOCKGATE_CAMPAIGN")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(25_u64);
    let peer = cache_service();
    let client = client(&peer);
    let mut random = Random(0x5eed_cafe);
    for case in 0..cases {
        let size = usize::try_from(random.below(600_000)).unwrap();
        let content = random.bytes(size);
        let mut faults = Vec::new();
        for _ in 0..random.below(9) {
            let at = [
                "CreateCacheEntry",
                "FinalizeCacheEntryUpload",
                "GetCacheEntryDownloadURL",
                "PUT",
                "GET",
            ][usize::try_from(random.below(5)).unwrap()];
            let kinds: &[&str] = match at {
                "CreateCacheEntry" => &["429", "503"],
                "GET" => &[
                    "429", "500", "502", "503", "504", "408", "reset", "cut", "short", "long",
                ],
                _ => &["429", "500", "502", "503", "504", "408", "reset", "lost"],
            };
            // A stall costs its whole time.
            let kind = match random.below(60) {
                0 if at == "GET" => "stall-within",
                1 if at == "PUT" || at == "GET" => "stall",
                _ => kinds[usize::try_from(random.below(kinds.len() as u64)).unwrap()],
            };
            let after = random.below(6);
            let mut fault = match kind.parse::<u16>() {
                Ok(status) => json!({"kind": "status", "status": status, "retryAfter": 0}),
                Err(_) => json!({"kind": kind}),
            };
            fault["at"] = at.into();
            if matches!(at, "PUT" | "GET") {
                fault["after"] = after.into();
            }
            faults.push(fault);
        }
        peer.fail(&Value::from(faults.clone()));
        let key = format!("case-{case}-");
        let told = format!("case {case}, {size} bytes: {}", Value::from(faults));
        let saved = client.save(&key, &content).await;
        assert!(saved.is_ok(), "{told}: {saved:?}");
        let loaded = client.load(&[&key], "v").await;
        let loaded = loaded.unwrap_or_else(|fault| panic!("{told}: {fault}"));
        let loaded = loaded.unwrap_or_else(|| panic!("{told}: a miss"));
        assert_eq!(
            sha256(&*loaded).unwrap(),
            sha256(&*content).unwrap(),
            "{told}"
        );
    }
}
