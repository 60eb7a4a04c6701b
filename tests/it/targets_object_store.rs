//! Deployments to a bucket: in a folder, in moto's S3, in Azurite; what Google's is asked, on the wire.

use std::path::Path;
use std::time::Duration;

use lockgate::error::{Error, Kind};
use lockgate::model::deploy::{Applied, ChangeKind, Release, Standing};
use lockgate::model::digest::hex;
use lockgate::stores::bucket::{Bucket, Condition, Opening};
use lockgate::system::http::Http;
use lockgate::system::http::retry::Policy;
use lockgate::system::stop::Stop;
use lockgate::targets::object_store::ObjectStore;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

use crate::fuzzing::campaign;
use crate::support::deployed::{Somewhere, release};
use crate::support::fake_index::FakeIndex;
use crate::support::http_server::{HttpServer, Told};
use crate::support::peers::{self, AZURE_ACCOUNT, AZURE_KEY};

fn policy() -> Policy {
    Policy {
        attempts: 4,
        budget: Duration::from_mins(2),
        pause: Duration::from_millis(4),
    }
}

fn store(address: &str) -> ObjectStore {
    ObjectStore {
        address: address.to_owned(),
        directory: "/".into(),
        environment: "prod/eu 1".to_owned(),
        role: None,
        policy: policy(),
    }
}

/// In moto's S3, by the address of moto or of what stands in front of it.
fn at_s3(endpoint: &str, run: &str) -> Somewhere {
    Somewhere::with(&[
        ("AWS_ACCESS_KEY_ID", "not-real-id"),
        ("AWS_SECRET_ACCESS_KEY", "not-real-secret"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_RUN_ID", run),
    ])
}

fn at_azurite(run: &str) -> Somewhere {
    let endpoint = format!("{}/{AZURE_ACCOUNT}", peers::azurite());
    Somewhere::with(&[
        ("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT),
        ("AZURE_STORAGE_KEY", AZURE_KEY),
        ("AZURE_STORAGE_ENDPOINT", &endpoint),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_RUN_ID", run),
    ])
}

fn at_folder(run: &str) -> Somewhere {
    Somewhere::with(&[("GITHUB_REPOSITORY", "acme/app"), ("GITHUB_RUN_ID", run)])
}

/// Files of a version: a small one, and one of several parts.
fn version(folder: &TempDir, version: &str) -> Release {
    let folder = folder.path().join(version);
    std::fs::create_dir_all(&folder).unwrap();
    let (small, large) = (folder.join("app.conf"), folder.join(".hidden name"));
    std::fs::write(&small, version).unwrap();
    let mut content = vec![7; 20_000_003];
    content[..version.len()].copy_from_slice(version.as_bytes());
    std::fs::write(&large, content).unwrap();
    release(Some(version), &[&small, &large])
}

/// A version of one small file, for races.
fn small(folder: &TempDir, version: &str) -> Release {
    let path = folder.path().join(format!("small-{version}"));
    std::fs::write(&path, version).unwrap();
    release(Some(version), &[&path])
}

fn kinds(applied: &Applied) -> Vec<ChangeKind> {
    applied.changes.iter().map(|change| change.kind).collect()
}

/// What every store does.
async fn deploys(store: &ObjectStore, at: &Somewhere) {
    use ChangeKind::{Create, Keep, Replace};
    let folder = TempDir::new().unwrap();
    let (one, two) = (version(&folder, "1.0"), version(&folder, "2.0"));
    assert_eq!(store.current(&at.access()).await.unwrap(), None);
    let planned = store.plan(&one, &at.access()).await.unwrap();
    let planned: Vec<ChangeKind> = planned.iter().map(|change| change.kind).collect();
    assert_eq!(planned, [Create, Create, Create]);
    let applied = store.apply(&one, &at.access()).await.unwrap();
    assert_eq!(kinds(&applied), [Create, Create, Create]);
    assert_eq!((applied.sent, applied.previous), (one.size(), None));
    assert_eq!(applied.now.digest, Some(one.digest()));
    let first = applied.now;
    assert_eq!(
        store.current(&at.access()).await.unwrap(),
        Some(first.clone())
    );
    let whole = format!("sent .hidden name {0}/{0}", 20_000_003);
    assert!(at.heard.lines().contains(&whole), "{:?}", at.heard.lines());
    // Again: nothing is sent.
    let applied = store.apply(&one, &at.access()).await.unwrap();
    assert_eq!(kinds(&applied), [Keep, Keep, Keep]);
    assert_eq!(applied.sent, 0);
    // Another one, and back.
    let applied = store.apply(&two, &at.access()).await.unwrap();
    assert_eq!(kinds(&applied), [Create, Create, Replace]);
    assert_eq!(applied.previous.as_ref(), Some(&first));
    let applied = store.back(&first, &at.access()).await.unwrap();
    assert_eq!(applied.now, first);
    let previous = applied.previous.unwrap();
    assert_eq!(previous.version.as_deref(), Some("2.0"));
    assert_eq!(
        store.current(&at.access()).await.unwrap(),
        Some(first.clone())
    );
    for reference in [
        "",
        "../x",
        "sha256/x/release.json",
        "env/prod~2feu~201/current.json",
    ] {
        let to = Standing {
            reference: reference.to_owned(),
            ..Standing::default()
        };
        let error = store.back(&to, &at.access()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{}", error.render());
    }
    let gone = Standing {
        reference: format!("sha256/{}/release.json", "0".repeat(64)),
        ..Standing::default()
    };
    let error = store.back(&gone, &at.access()).await.unwrap_err();
    assert!(
        error.render().contains("not in the store"),
        "{}",
        error.render()
    );
}

/// Two that deploy at once, so many times: exactly one wins, and the other is told who.
#[expect(clippy::print_stderr, reason = "the figures of a campaign")]
async fn races(store: &ObjectStore, ours: &Somewhere, theirs: &Somewhere, times: u64) {
    let folder = TempDir::new().unwrap();
    let zero = small(&folder, "0");
    store.apply(&zero, &ours.access()).await.unwrap();
    let (mut won, mut lost, mut later) = (0, 0, 0);
    for round in 0..times {
        let (one, two) = (
            small(&folder, &format!("{round}.1")),
            small(&folder, &format!("{round}.2")),
        );
        let before = store.current(&ours.access()).await.unwrap();
        let (ours_access, theirs_access) = (ours.access(), theirs.access());
        let (left, right) = tokio::join!(
            store.apply(&one, &ours_access),
            store.apply(&two, &theirs_access)
        );
        let now = store.current(&ours.access()).await.unwrap().unwrap();
        let winners: Vec<&Applied> = [&left, &right].into_iter().flatten().collect();
        match winners.as_slice() {
            [winner] => {
                won += 1;
                assert_eq!(winner.now, now, "{round}");
                assert_eq!(winner.previous, before, "{round}");
                let error = [left.as_ref().err(), right.as_ref().err()];
                let error: &Error = error.into_iter().flatten().next().unwrap();
                lost += u64::from(error.kind == Kind::Refused);
                let run = now.version.as_deref().unwrap();
                let run = if run.ends_with(".1") {
                    "runs/111"
                } else {
                    "runs/222"
                };
                let text = error.render();
                assert!(text.contains("somebody else deployed"), "{round}: {text}");
                assert!(text.contains(run), "{round}: {run}: {text}");
            }
            // One read what the other had written already: no race, but one after the other.
            [first, second] => {
                later += 1;
                let follows = first.previous.as_ref() == Some(&second.now)
                    || second.previous.as_ref() == Some(&first.now);
                assert!(
                    follows,
                    "{round}: both replaced the same: {first:?} {second:?}"
                );
            }
            _ => panic!("{round}: nobody won: {left:?} {right:?}"),
        }
    }
    assert_eq!(won, lost, "who loses is refused");
    assert_eq!(won + later, times);
    assert!(won > 0 || times < 10, "there was no race");
    eprintln!("{times} races: {won} with one winner, {later} one after the other");
}

#[tokio::test]
async fn a_folder_has_releases() {
    let folder = TempDir::new().unwrap();
    let store = store(folder.path().join("a/b").to_str().unwrap());
    deploys(&store, &at_folder("111")).await;
    let (ours, theirs) = (at_folder("111"), at_folder("222"));
    Box::pin(races(&store, &ours, &theirs, 10 * campaign())).await;
    // What is there under the name of a content and is not it, is sent again; what was a record and is none, is not gone back to.
    let at = at_folder("111");
    let folder_of = TempDir::new().unwrap();
    let one = small(&folder_of, "x");
    let applied = store.apply(&one, &at.access()).await.unwrap();
    let root = folder.path().join("a/b");
    let key = &applied.changes[0].what;
    std::fs::write(root.join(key), "y").unwrap();
    let back = store.back(&applied.now, &at.access()).await.unwrap_err();
    assert!(
        back.render().contains("is not there as it was"),
        "{}",
        back.render()
    );
    let again = store.apply(&one, &at.access()).await.unwrap();
    assert_eq!(again.changes[0].kind, ChangeKind::Replace);
    assert_eq!(std::fs::read(root.join(key)).unwrap(), b"x");
    std::fs::write(root.join(&applied.now.reference), "{}").unwrap();
    let back = store.back(&applied.now, &at.access()).await.unwrap_err();
    assert!(back.render().contains("was changed"), "{}", back.render());
    // What the environment has, where somebody else wrote it.
    let pointer = root.join("env/prod~2feu~201/current.json");
    for (content, message) in [
        ("<html>", "none of ours"),
        (
            r#"{"schema": "other/1", "digest": "", "release": ""}"#,
            "its format is `other/1`",
        ),
    ] {
        std::fs::write(&pointer, content).unwrap();
        let error = store.apply(&one, &at.access()).await.unwrap_err();
        assert_eq!(error.kind, Kind::NoVerdict);
        assert!(error.render().contains(message), "{}", error.render());
        assert_eq!(std::fs::read_to_string(&pointer).unwrap(), content);
    }
}

#[tokio::test]
async fn what_changed_since_its_test_is_not_deployed() {
    let (folder, files) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = store(folder.path().to_str().unwrap());
    let at = at_folder("111");
    let changed = version(&files, "1.0");
    std::fs::write(&changed.files[1].path, vec![8; 20_000_003]).unwrap();
    let error = store.apply(&changed, &at.access()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(
        error.message.contains(&hex(&changed.files[1].digest)),
        "{error:?}"
    );
    std::fs::remove_file(&changed.files[0].path).unwrap();
    let gone = release_without_first(&changed);
    let error = store.apply(&gone, &at.access()).await.unwrap_err();
    assert!(error.message.contains("cannot be read"), "{error:?}");
    assert_eq!(store.current(&at.access()).await.unwrap(), None);
    let error = store
        .apply(&Release::default(), &at.access())
        .await
        .unwrap_err();
    assert!(error.message.contains("nothing to deploy"), "{error:?}");
}

/// The release whose first file is gone, by a name that is not in the store yet.
fn release_without_first(release: &Release) -> Release {
    let mut gone = release.clone();
    gone.files.truncate(1);
    gone.files[0].name = String::from("gone");
    gone
}

/// The conditions with which pointers were written.
type Conditions = Arc<Mutex<Vec<(Option<String>, Option<String>)>>>;

/// Passes requests on one at a time: moto looks at a condition first and writes then, with others in between, where a real store
/// does both at once. So the conditions themselves are kept too.
fn one_at_a_time(server: &str) -> (HttpServer, Conditions) {
    let server = server.to_owned();
    let turn = Mutex::new(());
    let conditions = Conditions::default();
    let kept = Arc::clone(&conditions);
    let front = HttpServer::start(move |asked| {
        let _turn = turn.lock().unwrap();
        if asked.method == "PUT" && asked.path.contains("current.json") {
            let header = |name: &str| asked.header(name).map(str::to_owned);
            let condition = (header("if-none-match"), header("if-match"));
            kept.lock().unwrap().push(condition);
        }
        peers::pass_on(&server, asked)
    });
    (front, conditions)
}

/// Two that read the same and write without a condition, so many times: that each overwrites the other shows that the store does
/// not keep them apart by itself. How often both were told that they had written.
async fn control(address: &str, at: &Somewhere, times: u64) -> u64 {
    let opening = Opening {
        input: "address",
        directory: Path::new("/"),
        environment: &at.environment,
        renewable: None,
        http: Http::new(&at.environment, Vec::new(), Stop::never()).unwrap(),
        conceal: &|_| {},
        policy: policy(),
        silence: Duration::from_secs(30),
        stall: Duration::from_secs(30),
    };
    let (one, two) = (
        Bucket::open(address, &opening).unwrap(),
        Bucket::open(address, &opening).unwrap(),
    );
    let mut both = 0;
    for round in 0..times {
        let before = one
            .read("control", 100)
            .await
            .unwrap()
            .map(|(bytes, _)| bytes);
        assert_eq!(
            two.read("control", 100)
                .await
                .unwrap()
                .map(|(bytes, _)| bytes),
            before
        );
        let (left, right) = tokio::join!(
            one.put("control", format!("{round}.1").into(), Condition::Always),
            two.put("control", format!("{round}.2").into(), Condition::Always),
        );
        both += u64::from(left.is_ok() && right.is_ok());
    }
    both
}

#[tokio::test]
async fn moto_has_releases() {
    peers::make_bucket("releases");
    let endpoint = peers::moto();
    deploys(&store("s3://releases/a/b"), &at_s3(endpoint, "111")).await;
    let (front, conditions) = one_at_a_time(endpoint);
    let (ours, theirs) = (at_s3(&front.url(), "111"), at_s3(&front.url(), "222"));
    let times = 10 * campaign();
    assert_eq!(control("s3://releases/race", &ours, times).await, times);
    Box::pin(races(&store("s3://releases/race"), &ours, &theirs, times)).await;
    let conditions = conditions.lock().unwrap();
    assert_eq!(conditions[0], (Some("*".to_owned()), None));
    assert!(conditions.len() as u64 > times);
    for condition in conditions.iter().skip(1) {
        assert!(
            matches!(condition, (None, Some(mark)) if mark.len() > 8),
            "{condition:?}"
        );
    }
}

/// Requests that put bytes to moto, of a release whose second file goes in parts: how many carried a checksum, and how many none.
async fn checksums(variables: &[(&str, &str)]) -> (usize, usize) {
    peers::make_bucket("checksums");
    let (files, seen) = (TempDir::new().unwrap(), Arc::new(Mutex::new((0, 0))));
    let counted = Arc::clone(&seen);
    let front = HttpServer::start(move |asked| {
        if asked.method == "PUT" {
            let mut seen = counted.lock().unwrap();
            match asked.header("x-amz-checksum-sha256") {
                Some(_) => seen.0 += 1,
                None => seen.1 += 1,
            }
        }
        peers::pass_on(peers::moto(), asked)
    });
    let mut at = at_s3(&front.url(), "111");
    for (name, value) in variables {
        at.environment.set(name, *value);
    }
    let release = version(&files, "1.0");
    let store = store(&format!("s3://checksums/{}", variables.len()));
    store.apply(&release, &at.access()).await.unwrap();
    assert!(store.current(&at.access()).await.unwrap().is_some());
    *seen.lock().unwrap()
}

#[tokio::test]
async fn s3_gets_a_checksum_with_all_bytes_unless_it_knows_none() {
    let (with, without) = checksums(&[]).await;
    assert!(with > 3 && without == 0, "{with}, {without}");
    let none = [("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")];
    let (with, without) = checksums(&none).await;
    assert!(with == 0 && without > 3, "{with}, {without}");
}

#[tokio::test]
async fn azurite_has_releases() {
    peers::make_container("releases");
    deploys(&store("az://releases/a"), &at_azurite("111")).await;
    let times = 10 * campaign();
    assert_eq!(
        control("az://releases/race", &at_azurite("111"), times).await,
        times
    );
    let (ours, theirs) = (at_azurite("111"), at_azurite("222"));
    Box::pin(races(
        &store("az://releases/race"),
        &ours,
        &theirs,
        10 * campaign(),
    ))
    .await;
}

#[tokio::test]
async fn parts_that_were_sent_are_taken_back_however_it_ends() {
    peers::make_bucket("strays");
    let files = TempDir::new().unwrap();
    let store = store("s3://strays");
    // The file changes.
    let changed = version(&files, "1.0");
    std::fs::write(&changed.files[1].path, vec![8; 20_000_003]).unwrap();
    let at = at_s3(peers::moto(), "111");
    store.apply(&changed, &at.access()).await.unwrap_err();
    assert_eq!(peers::uploads_in("strays"), 0);
    // A part is refused, and so is the end.
    for refused in ["partNumber=2", "uploadId="] {
        let behind = peers::moto().to_owned();
        let front = HttpServer::start(move |asked| {
            let is_end = asked.method == "POST" && asked.path.contains("uploadId=");
            let is_refused = match refused {
                "uploadId=" => is_end,
                part => asked.method == "PUT" && asked.path.contains(part),
            };
            if is_refused {
                return Told::new(400, "<Error><Code>Refused</Code></Error>");
            }
            peers::pass_on(&behind, asked)
        });
        let at = at_s3(&front.url(), "111");
        let error = store.apply(&version(&files, refused), &at.access()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind, Kind::NoVerdict, "{}", error.render());
        assert_eq!(peers::uploads_in("strays"), 0, "{refused}");
    }
    assert_eq!(store.current(&at.access()).await.unwrap(), None);
}

#[tokio::test]
async fn google_is_asked_to_write_over_nothing_but_what_was_read() {
    type Seen = Vec<(String, String, Option<String>)>;
    let seen = Arc::new(Mutex::new((Seen::new(), None::<Vec<u8>>, 0_u64)));
    let own = Arc::clone(&seen);
    let server = HttpServer::start(move |asked| {
        let mut state = own.lock().unwrap();
        let generation = asked
            .header("x-goog-if-generation-match")
            .map(str::to_owned);
        let path = percent_encoding::percent_decode_str(&asked.path).decode_utf8_lossy();
        let is_pointer = path.contains("current.json");
        // Somebody else writes after the third release was read.
        if path.contains("small-3") {
            state.2 = 8;
        }
        let line = (asked.method.clone(), path.into_owned(), generation.clone());
        state.0.push(line);
        match asked.method.as_str() {
            "PUT" if is_pointer && generation != Some(state.2.to_string()) => Told::new(412, ""),
            "PUT" => {
                if is_pointer {
                    state.1 = Some(asked.body.clone());
                    state.2 += 1;
                }
                Told::new(200, "")
                    .with("ETag", "\"e\"")
                    .with("x-goog-generation", state.2.to_string())
            }
            _ => match state.1.clone().filter(|_| is_pointer) {
                Some(body) => Told::new(200, body)
                    .with("ETag", "\"e\"")
                    .with("x-goog-generation", state.2.to_string())
                    .with("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
                None => Told::new(404, ""),
            },
        }
    });
    let at = Somewhere::with(&[
        ("GOOGLE_OAUTH_ACCESS_TOKEN", "not-real-token"),
        ("STORAGE_EMULATOR_HOST", &server.url()),
    ]);
    let files = TempDir::new().unwrap();
    let store = store("gs://releases/a");
    let first = store
        .apply(&small(&files, "1"), &at.access())
        .await
        .unwrap();
    let second = store
        .apply(&small(&files, "2"), &at.access())
        .await
        .unwrap();
    assert_eq!(second.previous, Some(first.now));
    let conditions: Vec<Option<String>> = seen
        .lock()
        .unwrap()
        .0
        .iter()
        .filter(|(method, path, _)| method == "PUT" && path.contains("current.json"))
        .map(|(_, _, generation)| generation.clone())
        .collect();
    assert_eq!(conditions, [Some("0".to_owned()), Some("1".to_owned())]);
    let third = small(&files, "3");
    let outcome = store.apply(&third, &at.access()).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.render().contains("version 2"), "{}", error.render());
}

#[tokio::test]
async fn a_role_is_taken_with_the_identity_of_the_job() {
    peers::make_bucket("by-role");
    let github = FakeIndex::start();
    let variables = github.identity();
    let mut all: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    all.push(("AWS_ENDPOINT_URL", peers::moto()));
    let files = TempDir::new().unwrap();
    let mut store = store("s3://by-role");
    store.role = Some("arn:aws:iam::123456789012:role/deploy".to_owned());
    let at = Somewhere::with(&all);
    let applied = store
        .apply(&small(&files, "1"), &at.access())
        .await
        .unwrap();
    assert_eq!(applied.changes.len(), 2);
    // The bearer, the identity, three parts of the credentials; those of the bucket again.
    let secrets = at.heard.secrets();
    assert!(secrets.len() >= 5, "{secrets:?}");
    assert!(
        github
            .state()
            .paths
            .iter()
            .any(|path| path.ends_with("audience=sts.amazonaws.com"))
    );
    // Who is nobody, and whom AWS does not trust.
    let nobody = Somewhere::with(&[("AWS_ENDPOINT_URL", peers::moto())]);
    let error = store.current(&nobody.access()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(
        error.render().contains("`id-token: write`"),
        "{}",
        error.render()
    );
    let sts = HttpServer::start(|_| {
        Told::new(
            403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>",
        )
    });
    let url = sts.url();
    all.push(("AWS_ENDPOINT_URL_STS", &url));
    let at = Somewhere::with(&all);
    let error = store.current(&at.access()).await.unwrap_err();
    let text = error.render();
    assert_eq!(error.kind, Kind::Refused, "{text}");
    for part in ["AccessDenied", "repository: acme/app", "trust policy"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for secret in at.heard.secrets() {
        assert!(!text.contains(&secret), "{text}");
    }
}

#[tokio::test]
async fn a_role_is_taken_again_before_its_credentials_end() {
    peers::make_bucket("renewed");
    let github = FakeIndex::start();
    let variables = github.identity();
    let mut all: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    // moto's credentials, but for two seconds.
    let given = Arc::new(Mutex::new(0_u32));
    let own = Arc::clone(&given);
    let sts = HttpServer::start(move |asked| {
        let told = peers::pass_on(peers::moto(), asked);
        let text = String::from_utf8(told.body().to_vec()).unwrap();
        let (head, rest) = text.split_once("<Expiration>").unwrap();
        let (_, tail) = rest.split_once("</Expiration>").unwrap();
        let end = chrono::Utc::now() + Duration::from_secs(2);
        let end = end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        *own.lock().unwrap() += 1;
        Told::new(200, format!("{head}<Expiration>{end}</Expiration>{tail}"))
    });
    // Who signs: the last of several parts comes only when there are other credentials than the first ones.
    let signers = Arc::new(Mutex::new(Vec::<String>::new()));
    let (seen, renewed) = (Arc::clone(&signers), Arc::clone(&given));
    let s3 = HttpServer::start(move |asked| {
        let signature = asked.header("authorization").unwrap_or_default();
        let by = signature.split("Credential=").nth(1).unwrap_or_default();
        let by = by.split('/').next().unwrap_or_default().to_owned();
        seen.lock().unwrap().push(by);
        if asked.path.contains("partNumber=1&") || asked.path.ends_with("partNumber=1") {
            let before = *renewed.lock().unwrap();
            while *renewed.lock().unwrap() == before {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        peers::pass_on(peers::moto(), asked)
    });
    let (sts, s3) = (sts.url(), s3.url());
    all.push(("AWS_ENDPOINT_URL_STS", &sts));
    all.push(("AWS_ENDPOINT_URL_S3", &s3));
    let files = TempDir::new().unwrap();
    let mut store = store("s3://renewed");
    store.role = Some("arn:aws:iam::123456789012:role/deploy".to_owned());
    let at = Somewhere::with(&all);
    let applied = store
        .apply(&version(&files, "1"), &at.access())
        .await
        .unwrap();
    assert_eq!(applied.changes.len(), 3);
    let mut signers = signers.lock().unwrap().clone();
    signers.dedup();
    assert!(signers.len() > 1, "{signers:?}");
    // Each of them is hidden.
    let secrets = at.heard.secrets();
    assert!(
        signers.iter().all(|signer| secrets.contains(signer)),
        "{signers:?}"
    );
}

#[tokio::test]
async fn where_a_store_is_not_what_it_should_be_it_is_said() {
    let files = TempDir::new().unwrap();
    let release = small(&files, "1");
    let at = at_s3(peers::moto(), "111");
    let cases: [(&str, Value); 3] = [
        ("s3://no-such-bucket", json!("does the bucket exist")),
        ("ftp://x/y", json!("no kind of store")),
        ("", json!("is no path")),
    ];
    for (address, message) in cases {
        let error = store(address)
            .apply(&release, &at.access())
            .await
            .unwrap_err();
        let message = message.as_str().unwrap();
        assert!(
            error.render().contains(message),
            "{address}: {}",
            error.render()
        );
    }
    let mut unnamed = store("s3://releases");
    unnamed.environment = String::new();
    let error = unnamed.current(&at.access()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    assert!(!Path::new("/env").exists());
}
