//! Images promoted by digest: in Debian's registry, and in front of it a strict place that gives tokens, or answers wrongly.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lockgate::error::{Error, Kind};
use lockgate::model::deploy::{ChangeKind, Release, Standing};
use lockgate::model::digest::hex;
use lockgate::system::http::retry::Policy;
use lockgate::targets::oci::{Oci, PASSWORD_VARIABLE, USER_VARIABLE};
use serde_json::json;

use crate::support::deployed::{Somewhere, digest};
use crate::support::http_server::{Asked, HttpServer, Told};
use crate::support::peers::ask_as;
use crate::support::registry::{PASSWORD, RegistryServer, USER};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn settings(registry: &str, image: &str) -> Oci {
    Oci {
        registry: registry.to_owned(),
        repository: "acme/app".to_owned(),
        tags: vec!["production".to_owned()],
        image: image.to_owned(),
        token_hosts: Vec::new(),
        user_variable: USER_VARIABLE.to_owned(),
        password_variable: PASSWORD_VARIABLE.to_owned(),
        policy: Policy {
            attempts: 4,
            budget: Duration::from_mins(2),
            pause: Duration::from_millis(4),
        },
    }
}

fn nobody() -> Somewhere {
    Somewhere::with(&[])
}

fn deployer() -> Somewhere {
    Somewhere::with(&[(USER_VARIABLE, USER), (PASSWORD_VARIABLE, PASSWORD)])
}

fn named(content: &[u8]) -> String {
    format!("sha256:{}", hex(&digest(content)))
}

/// Pushes an image of one small blob; its digest. What is odd about the bytes must stay as it is.
pub(crate) fn push(registry: &str, kind: &str, content: &str) -> String {
    let who = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let put = |path: &str, kind: &str, body: &[u8]| {
        let headers = [("Authorization", who.as_str()), ("Content-Type", kind)];
        ask_as("PUT", &format!("{registry}{path}"), &headers, body)
    };
    let blob = content.as_bytes();
    let headers = [("Authorization", who.as_str())];
    let begun = ask_as(
        "POST",
        &format!("{registry}/v2/acme/app/blobs/uploads/"),
        &headers,
        b"",
    );
    let place = begun
        .1
        .split("\r\n")
        .find_map(|line| line.strip_prefix("Location: "));
    let place = place.expect("a place for the blob").to_owned();
    let path = place.strip_prefix(registry).unwrap_or(&place);
    let (status, text) = put(
        &format!("{path}&digest={}", named(blob)),
        "application/octet-stream",
        blob,
    );
    assert_eq!(status, 201, "{text}");
    let config = if kind == DOCKER {
        "application/vnd.docker.container.image.v1+json"
    } else {
        "application/vnd.oci.image.config.v1+json"
    };
    let manifest = format!(
        "{{\n   \"schemaVersion\": 2,\n \"mediaType\": \"{kind}\",\"config\": {{\"mediaType\":\"{config}\", \"digest\":\"{0}\",\"size\": {1}}},\n\"layers\": []   }}\n",
        named(blob),
        blob.len()
    );
    let own = named(manifest.as_bytes());
    let (status, text) = put(
        &format!("/v2/acme/app/manifests/{own}"),
        kind,
        manifest.as_bytes(),
    );
    assert_eq!(status, 201, "{text}");
    own
}

/// Pushes an index of one image; its digest.
fn push_index(registry: &str, image: &str, size: usize) -> String {
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [{"mediaType": OCI, "digest": image, "size": size, "platform": {"architecture": "amd64", "os": "linux"}}]});
    let index = serde_json::to_vec_pretty(&index).unwrap();
    let own = named(&index);
    let url = format!("{registry}/v2/acme/app/manifests/{own}");
    let (status, text) = ask_as("PUT", &url, &[("Content-Type", OCI_INDEX)], &index);
    assert_eq!(status, 201, "{text}");
    own
}

fn release() -> Release {
    Release {
        version: Some("1.2.0".to_owned()),
        files: Vec::new(),
    }
}

async fn fails(settings: &Oci, at: &Somewhere) -> Error {
    let error = settings.apply(&release(), &at.access()).await.unwrap_err();
    let text = format!("{error:?}");
    for secret in at.heard.secrets() {
        assert!(!text.contains(&secret), "a secret is shown: {text}");
    }
    error
}

fn says(error: &Error, kind: Kind, message: &str) {
    let text = error.render();
    assert_eq!(error.kind, kind, "{text}");
    assert!(text.contains(message), "`{message}`: {text}");
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what was not tried is told")]
async fn an_image_is_promoted_by_its_digest_and_back() {
    let Some(server) = RegistryServer::start(false) else {
        eprintln!("left out: Debian's registry cannot be had here");
        return;
    };
    let (url, at) = (server.url(), nobody());
    let one = push(&url, OCI, "{\"one\": 1}");
    let two = push(&url, DOCKER, "{\"two\": 2}");
    let size = ask_as(
        "GET",
        &format!("{url}/v2/acme/app/manifests/{one}"),
        &[("Accept", OCI)],
        b"",
    );
    let size = size.1.split_once("\r\n\r\n").unwrap().1.len();
    let index = push_index(&url, &one, size);
    assert_eq!(
        settings(&url, &one).current(&at.access()).await.unwrap(),
        None
    );
    let mut before: Option<String> = None;
    let host = url.strip_prefix("http://").unwrap();
    for (image, own) in [
        (one.clone(), &one),
        (format!("acme/app@{two}"), &two),
        (format!("{host}/acme/app:1.2@{index}"), &index),
    ] {
        let settings = settings(&url, &image);
        let planned = settings.plan(&release(), &at.access()).await.unwrap();
        let expected = if before.is_some() {
            ChangeKind::Replace
        } else {
            ChangeKind::Create
        };
        assert_eq!(planned[0].kind, expected);
        let applied = settings.apply(&release(), &at.access()).await.unwrap();
        assert_eq!(&applied.now.reference, own);
        assert_eq!(applied.previous.map(|previous| previous.reference), before);
        let now = settings.current(&at.access()).await.unwrap().unwrap();
        assert_eq!(&now.reference, own);
        let applied = settings.apply(&release(), &at.access()).await.unwrap();
        assert_eq!(
            (applied.changes[0].kind, applied.sent),
            (ChangeKind::Keep, 0)
        );
        before = Some(own.clone());
    }
    let settings = settings(&url, &index);
    let to = Standing {
        reference: two.clone(),
        ..Standing::default()
    };
    let applied = settings.back(&to, &at.access()).await.unwrap();
    assert_eq!(applied.now.reference, two);
    assert_eq!(applied.previous.unwrap().reference, index);
    // What is not there, and what is no digest.
    for (reference, message) in [
        (named(b"none"), "has no image"),
        ("production".to_owned(), "no digest"),
    ] {
        let to = Standing {
            reference,
            ..Standing::default()
        };
        let error = settings.back(&to, &at.access()).await.unwrap_err();
        says(&error, Kind::Refused, message);
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "what was not tried is told")]
async fn a_registry_that_wants_a_password_gets_it() {
    let Some(server) = RegistryServer::start(true) else {
        eprintln!("left out: Debian's registry cannot be had here");
        return;
    };
    let url = server.url();
    let image = push(&url, OCI, "{}");
    let at = deployer();
    let applied = settings(&url, &image)
        .apply(&release(), &at.access())
        .await
        .unwrap();
    assert_eq!(applied.now.reference, image);
    assert!(at.heard.secrets().contains(&PASSWORD.to_owned()));
    let error = fails(&settings(&url, &image), &nobody()).await;
    says(&error, Kind::Usage, PASSWORD_VARIABLE);
    let wrong = Somewhere::with(&[(USER_VARIABLE, USER), (PASSWORD_VARIABLE, "wrong-password")]);
    let error = fails(&settings(&url, &image), &wrong).await;
    says(&error, Kind::Refused, "it answers 401");
}

/// A registry of one image that wants tokens, which another place gives.
struct Strict {
    server: HttpServer,
    tokens: HttpServer,
    seen: Arc<Mutex<Vec<String>>>,
    image: String,
}

/// `realm` takes the place of the address where tokens are given; `wrong` answers first.
fn strict(
    realm: Option<&str>,
    wrong: impl Fn(&Asked) -> Option<Told> + Send + Sync + 'static,
) -> Strict {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let manifest = format!("{{\"schemaVersion\":2,\"mediaType\":\"{OCI}\",\"layers\":[]}}");
    let image = named(manifest.as_bytes());
    let own = Arc::clone(&seen);
    let tokens = HttpServer::start(move |asked| {
        own.lock()
            .unwrap()
            .push(format!("{} {}", asked.method, asked.path));
        let who = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        if asked.header("authorization") != Some(who.as_str()) {
            return Told::new(401, "");
        }
        Told::new(
            200,
            r#"{"access_token": "not-real-token", "expires_in": 300}"#,
        )
    });
    let realm = realm.map_or_else(|| format!("{}/token", tokens.url()), str::to_owned);
    let (own, reference) = (Arc::clone(&seen), image.clone());
    let tag = Mutex::new(None::<String>);
    let server = HttpServer::start(move |asked| {
        own.lock()
            .unwrap()
            .push(format!("{} {}", asked.method, asked.path));
        if asked.header("authorization") != Some("Bearer not-real-token") {
            let challenge = format!("Bearer realm=\"{realm}\",service=\"registry, of tests\"");
            return Told::new(401, "").with("WWW-Authenticate", challenge);
        }
        if let Some(told) = wrong(asked) {
            return told;
        }
        let mut tag = tag.lock().unwrap();
        match (
            asked.method.as_str(),
            asked.path.rsplit('/').next().unwrap(),
        ) {
            ("GET", wanted) if wanted == reference => {
                Told::new(200, manifest.clone()).with("Content-Type", OCI)
            }
            ("PUT", "production") => {
                *tag = Some(named(&asked.body));
                // Says nothing of what it has now.
                Told::new(201, "")
            }
            ("HEAD", "production") => match &*tag {
                Some(own) => Told::new(200, "").with("Docker-Content-Digest", own),
                None => Told::new(404, ""),
            },
            _ => Told::new(404, ""),
        }
    });
    Strict {
        server,
        tokens,
        seen,
        image,
    }
}

#[tokio::test]
async fn a_token_is_asked_for_where_the_registry_says_and_for_this_repository() {
    let busy = Mutex::new(2);
    let strict = strict(None, move |asked| {
        let mut left = busy.lock().unwrap();
        let is_busy = asked.method == "PUT" && *left > 0;
        if is_busy {
            *left -= 1;
        }
        is_busy.then(|| {
            if *left == 1 {
                Told::nothing()
            } else {
                Told::new(503, "").with("Retry-After", "0")
            }
        })
    });
    let at = deployer();
    let settings = settings(&strict.server.url(), &strict.image);
    let applied = settings.apply(&release(), &at.access()).await.unwrap();
    assert_eq!(applied.now.reference, strict.image);
    assert!(at.heard.secrets().contains(&"not-real-token".to_owned()));
    let seen = strict.seen.lock().unwrap().clone();
    let asked =
        "GET /token?service=registry%2C+of+tests&scope=repository%3Aacme%2Fapp%3Apull%2Cpush";
    assert_eq!(
        seen.iter()
            .filter(|line| line.starts_with("GET /token"))
            .collect::<Vec<_>>(),
        [asked]
    );
    assert_eq!(
        seen.iter().filter(|line| line.starts_with("PUT")).count(),
        3,
        "{seen:?}"
    );
    let error = fails(&settings, &nobody()).await;
    says(&error, Kind::Refused, "no token for these credentials");
    assert!(strict.tokens.url().starts_with("http://127.0.0.1"));
}

#[tokio::test]
async fn credentials_go_to_the_registry_and_to_nobody_that_it_names() {
    for (realm, message) in [
        ("https://tokens.evil.example/token", "which is another host"),
        ("http://tokens.example/token", "no `https` address"),
        ("https://user:pass@127.0.0.1/token", "no `https` address"),
        ("file:///etc/passwd", "no `https` address"),
        ("?", "no `https` address"),
    ] {
        let strict = strict(Some(realm), |_| None);
        let error = fails(&settings(&strict.server.url(), &strict.image), &deployer()).await;
        says(&error, Kind::Refused, message);
        assert_eq!(strict.seen.lock().unwrap().len(), 1, "{realm}");
    }
}

#[tokio::test]
async fn a_registry_that_answers_wrongly_is_found_out() {
    type Wrong = fn(&Asked) -> Option<Told>;
    fn get(asked: &Asked, told: Told) -> Option<Told> {
        (asked.method == "GET").then_some(told)
    }
    let cases: [(Wrong, Kind, &str); 7] = [
        (
            |asked| get(asked, Told::new(200, "{\"schemaVersion\":2}")),
            Kind::Refused,
            "other bytes",
        ),
        (
            |asked| get(asked, Told::new(404, "")),
            Kind::Refused,
            "has no image",
        ),
        (
            |asked| get(asked, Told::new(200, "<html>")),
            Kind::Refused,
            "other bytes",
        ),
        (
            |asked| get(asked, Told::new(200, vec![b' '; 5 << 20])),
            Kind::NoVerdict,
            "more than 4194304 bytes",
        ),
        (
            |asked| {
                get(
                    asked,
                    Told::new(307, "").with("Location", "https://evil.example/"),
                )
            },
            Kind::NoVerdict,
            "sends us elsewhere",
        ),
        (
            |asked| {
                let other = format!("sha256:{}", "0".repeat(64));
                (asked.method == "PUT")
                    .then(|| Told::new(201, "").with("Docker-Content-Digest", other))
            },
            Kind::NoVerdict,
            "the registry has `sha256:0000",
        ),
        (
            |asked| (asked.method == "PUT").then(|| Told::new(403, "denied")),
            Kind::Refused,
            "lets us not write to",
        ),
    ];
    for (wrong, kind, message) in cases {
        let strict = strict(None, wrong);
        let error = fails(&settings(&strict.server.url(), &strict.image), &deployer()).await;
        says(&error, kind, message);
    }
}

#[tokio::test]
async fn an_image_is_named_by_its_digest_alone() {
    let registry = HttpServer::start(|_| panic!("nobody is asked"));
    let own = format!("sha256:{}", "a".repeat(64));
    for (image, message) in [
        ("acme/app:1.2.0", "not named by its digest"),
        ("production", "not named by its digest"),
        ("", "not named by its digest"),
        ("acme/app@sha256:abc", "not named by its digest"),
        ("sha512:aa", "not named by its digest"),
        (&own.to_uppercase(), "not named by its digest"),
        (&format!("other/app@{own}"), "not in the repository"),
        (
            &format!("evil.example/acme/app@{own}"),
            "not in the repository",
        ),
    ] {
        let error = fails(&settings(&registry.url(), image), &nobody()).await;
        says(&error, Kind::Usage, message);
    }
    let wrong = |change: fn(&mut Oci)| {
        let mut settings = settings(&registry.url(), &own);
        change(&mut settings);
        settings
    };
    for settings in [
        wrong(|settings| settings.registry = "http://registry.example".to_owned()),
        wrong(|settings| settings.repository = "../x".to_owned()),
        wrong(|settings| settings.repository = "a//b".to_owned()),
        wrong(|settings| settings.repository = "A".to_owned()),
        wrong(|settings| settings.tags = vec!["a/b".to_owned()]),
        wrong(|settings| settings.tags = vec![String::new()]),
        wrong(|settings| settings.tags = Vec::new()),
        wrong(|settings| settings.tags = vec!["x".to_owned(), "-x".to_owned()]),
    ] {
        let error = fails(&settings, &nobody()).await;
        assert_eq!(error.kind, Kind::Usage, "{}", error.render());
    }
}
