//! Publishing: to pypiserver, a real index; to a strict one with the public index's rules and faults on demand; and beside uv
//! and twine, which send the same form.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockgate::error::{Error, Kind};
use lockgate::model::deploy::{ChangeKind, Release, Standing};
use lockgate::system::http::retry::Policy;
use lockgate::targets::pypi::{Credential, Pypi, TOKEN_USER, TOKEN_VARIABLE};
use serde_json::json;
use tempfile::TempDir;

use crate::lockfile_index::Served;
use crate::support::deployed::{METADATA, Somewhere, digest, release, sdist, wheel};
use crate::support::fake_index::{FakeIndex, Fault, chrono_now, form};
use crate::support::http_server::{HttpServer, Told};
use crate::support::lock_tools::lock_tool;
use crate::support::tools::tool;

const WHEEL: &str = "acme_app-1.2.0-py3-none-any.whl";
const SDIST: &str = "acme_app-1.2.0.tar.gz";

fn policy() -> Policy {
    Policy {
        attempts: 6,
        budget: Duration::from_mins(2),
        pause: Duration::from_millis(4),
    }
}

fn token() -> Credential {
    Credential::Token {
        user: TOKEN_USER.to_owned(),
        variable: TOKEN_VARIABLE.to_owned(),
    }
}

/// The strict index, with a token of it.
fn with_token(index: &FakeIndex) -> (Pypi, Somewhere) {
    let settings = Pypi {
        upload: index.upload(),
        simple: Some(index.simple()),
        credential: token(),
        project: Some("Acme.App".to_owned()),
        policy: policy(),
        ..Pypi::default()
    };
    (
        settings,
        Somewhere::with(&[(TOKEN_VARIABLE, "pypi-not-real")]),
    )
}

/// The strict index, as a job that it trusts.
fn trusted(index: &FakeIndex) -> (Pypi, Somewhere) {
    let (mut settings, _) = with_token(index);
    settings.credential = Credential::TrustedPublishing;
    let variables = index.identity();
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    (settings, Somewhere::with(&variables))
}

/// A wheel and a source distribution of the same version.
fn both(folder: &TempDir) -> Release {
    let wheel = wheel(folder.path(), WHEEL, METADATA, b"x = 1\n");
    let sdist = sdist(folder.path(), SDIST, METADATA);
    release(Some("1.2"), &[&sdist, &wheel])
}

fn one(folder: &TempDir) -> Release {
    release(None, &[&wheel(folder.path(), WHEEL, METADATA, b"x = 1\n")])
}

async fn kinds(settings: &Pypi, release: &Release, at: &Somewhere) -> Vec<(String, ChangeKind)> {
    let changes = settings.plan(release, &at.access()).await.unwrap();
    let pairs = changes.into_iter().map(|change| (change.what, change.kind));
    pairs.collect()
}

async fn fails(settings: &Pypi, release: &Release, at: &Somewhere) -> Error {
    let error = settings.apply(release, &at.access()).await.unwrap_err();
    let text = format!("{error:?}");
    for secret in at.heard.secrets() {
        assert!(!text.contains(&secret), "a secret is shown: {text}");
    }
    error
}

/// Whether it says no for this reason, and what to do.
fn says(error: &Error, kind: Kind, message: &str, hint: &str) {
    let text = error.render();
    assert_eq!(error.kind, kind, "{text}");
    assert!(text.contains(message), "`{message}`: {text}");
    let own = error.hint.as_deref().unwrap_or_default();
    assert!(own.contains(hint), "`{hint}`: {text}");
}

#[tokio::test]
async fn a_release_is_published_to_pypiserver_once_and_never_changed() {
    let (folder, files) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let arguments = ["-P", ".", "-a", ".", "--hash-algo", "sha256"];
    let served = Served::pypiserver(files.path(), &arguments);
    let settings = Pypi {
        upload: served.index().replace("/simple", "/"),
        simple: Some(served.index()),
        credential: Credential::Nobody,
        project: Some("acme-app".to_owned()),
        policy: policy(),
        ..Pypi::default()
    };
    let at = Somewhere::with(&[]);
    let release = both(&folder);
    assert_eq!(settings.current(&at.access()).await.unwrap(), None);
    let create = |kind| vec![(WHEEL.to_owned(), kind), (SDIST.to_owned(), kind)];
    assert_eq!(
        kinds(&settings, &release, &at).await,
        create(ChangeKind::Create)
    );
    let applied = settings.apply(&release, &at.access()).await.unwrap();
    assert_eq!(applied.sent, release.size());
    assert_eq!(applied.previous, None);
    assert_eq!(applied.now.reference, "acme-app==1.2.0");
    assert_eq!(applied.now.digest, Some(release.digest()));
    for file in &release.files {
        let kept = std::fs::read(files.path().join(&file.name)).unwrap();
        assert_eq!(digest(&kept), file.digest, "{}", file.name);
    }
    // Again: nothing is sent.
    assert_eq!(
        kinds(&settings, &release, &at).await,
        create(ChangeKind::Keep)
    );
    let applied = settings.apply(&release, &at.access()).await.unwrap();
    assert_eq!(applied.sent, 0);
    let current = settings.current(&at.access()).await.unwrap();
    assert_eq!(current, applied.previous);
    assert_eq!(current.unwrap().version.as_deref(), Some("1.2.0"));
    // Other bytes of the same name.
    let other = wheel(folder.path(), WHEEL, METADATA, b"x = 2\n");
    let other = self::release(None, &[&other]);
    let changes = settings.plan(&other, &at.access()).await.unwrap();
    assert_eq!(changes[0].kind, ChangeKind::Refuse);
    let error = fails(&settings, &other, &at).await;
    says(
        &error,
        Kind::Refused,
        "nothing was sent",
        "make a new version",
    );
    for wanted in [&release.files[1].digest, &other.files[0].digest] {
        let digest = lockgate::model::digest::hex(wanted);
        assert!(error.render().contains(&digest), "{}", error.render());
    }
    let back = settings.back(&Standing::default(), &at.access()).await;
    says(&back.unwrap_err(), Kind::Refused, "cannot go back", "yank");
}

#[tokio::test]
async fn the_identity_of_the_job_publishes_and_is_shown_once() {
    let (folder, index) = (TempDir::new().unwrap(), FakeIndex::start());
    let (settings, at) = trusted(&index);
    index.state().mint_faults = [Told::new(503, ""), Told::nothing(), Told::new(502, "")].into();
    let applied = settings.apply(&both(&folder), &at.access()).await.unwrap();
    assert_eq!(applied.changes.len(), 2);
    {
        let state = index.state();
        assert_eq!(
            (state.identities, state.minted),
            (4, 1),
            "{:?}",
            state.paths
        );
        assert_eq!(state.forms.len(), 2);
        assert_eq!(state.files.len(), 2);
        let looks = |control: &Option<String>| control.as_deref() == Some("no-cache");
        assert!(state.cache_controls.iter().all(looks));
    }
    let secrets = at.heard.secrets();
    for wanted in ["not-real-bearer", "pypi-minted-1"] {
        assert!(secrets.iter().any(|secret| secret == wanted), "{wanted}");
    }
    assert_eq!(
        secrets
            .iter()
            .filter(|secret| secret.starts_with("e30."))
            .count(),
        4
    );
}

#[tokio::test]
async fn a_token_is_minted_anew_before_it_ends_whatever_our_clock_says() {
    let folder = TempDir::new().unwrap();
    // Two hours ahead of ours, and behind.
    for (lives, ahead, minted) in [(100, 0, 2), (900, 7200, 1), (900, -7200, 1), (100, 7200, 2)] {
        let index = FakeIndex::start();
        let (settings, at) = trusted(&index);
        index.state().lives = lives;
        index.state().ahead = ahead;
        settings.apply(&both(&folder), &at.access()).await.unwrap();
        assert_eq!(index.state().minted, minted, "{lives} {ahead}");
    }
    // One that ends sooner than was said.
    let index = FakeIndex::start();
    let (settings, at) = trusted(&index);
    index.state().faults = [Fault::Answer(Told::new(403, "expired"))].into();
    settings.apply(&both(&folder), &at.access()).await.unwrap();
    assert_eq!(index.state().minted, 2);
    assert_eq!(index.uploads(), 3);
    index.state().files.clear();
    index.state().faults = vec![Fault::Answer(Told::new(403, "no")); 2].into();
    let error = fails(&settings, &both(&folder), &at).await;
    says(&error, Kind::Refused, "403: no", "who may upload");
}

#[tokio::test]
async fn who_the_index_would_not_know_is_told_before_it_is_asked() {
    let folder = TempDir::new().unwrap();
    let release = one(&folder);
    let index = FakeIndex::start();
    let (settings, _) = trusted(&index);
    let nobody = Somewhere::with(&[]);
    let error = fails(&settings, &release, &nobody).await;
    says(
        &error,
        Kind::Usage,
        "no identity token",
        "`id-token: write`",
    );
    let cases = [
        (
            json!({"job_workflow_ref": "acme/shared/.github/workflows/publish.yml@refs/tags/v1"}),
            "acme/shared/.github/workflows/publish.yml@refs/tags/v1",
            "the workflow itself",
        ),
        (
            json!({"event_name": "pull_request_target"}),
            "pull_request_target",
            "on `push` of a tag",
        ),
    ];
    for (claims, message, hint) in cases {
        let index = FakeIndex::start();
        let (settings, at) = trusted(&index);
        index.state().claims = claims.as_object().unwrap().clone();
        let error = fails(&settings, &release, &at).await;
        says(&error, Kind::Refused, message, hint);
        let state = index.state();
        assert!(
            !state.paths.iter().any(|path| path.contains("mint")),
            "{:?}",
            state.paths
        );
        assert!(state.forms.is_empty());
    }
    // What only the index can tell.
    let (settings, at) = trusted(&index);
    index.state().claims = json!({"repository": "evil/app"})
        .as_object()
        .unwrap()
        .clone();
    let error = fails(&settings, &release, &at).await;
    says(
        &error,
        Kind::Refused,
        "invalid-publisher",
        "trusted publisher",
    );
    assert!(
        error.render().contains("repository: evil/app"),
        "{}",
        error.render()
    );
    index.state().has_no_publishing = true;
    let error = fails(&settings, &release, &at).await;
    says(&error, Kind::Usage, "no trusted publishing", "a token");
}

#[tokio::test]
async fn an_index_that_is_busy_or_hangs_up_gets_the_file_once() {
    let folder = TempDir::new().unwrap();
    let release = one(&folder);
    let busy = |status: u16| Fault::Answer(Told::new(status, "busy"));
    let later = Fault::Answer(Told::new(429, "").with("Retry-After", "1"));
    let date = chrono::DateTime::from_timestamp(chrono_now() + 1, 0).unwrap();
    let dated = Told::new(503, "").with("Retry-After", date.to_rfc2822());
    for (faults, uploads, at_least) in [
        (vec![busy(503), busy(503), later], 4, 1),
        (
            vec![busy(502), busy(500), busy(504), Fault::Answer(dated)],
            5,
            0,
        ),
        (vec![Fault::LostBefore, Fault::LostBefore], 3, 0),
        (vec![Fault::LostAfter], 1, 0),
        (vec![busy(502), Fault::LostAfter], 2, 0),
        // The same bytes are taken twice where the index does not show them yet.
        (vec![Fault::LostAndHidden(1)], 2, 0),
    ] {
        let index = FakeIndex::start();
        let (settings, at) = with_token(&index);
        let said = format!("{faults:?}");
        index.state().faults = faults.into();
        let started = std::time::Instant::now();
        let applied = settings.apply(&release, &at.access()).await.unwrap();
        assert!(started.elapsed().as_secs() >= at_least, "{said}");
        assert_eq!(applied.changes[0].kind, ChangeKind::Create, "{said}");
        assert_eq!(index.uploads(), uploads, "{said}");
        assert_eq!(index.state().files.len(), 1, "{said}");
        let retried = at
            .heard
            .lines()
            .iter()
            .filter(|line| line.starts_with("retried"))
            .count();
        assert_eq!(retried, uploads - 1, "{said}");
    }
    // For ever: no verdict, with what is known.
    let index = FakeIndex::start();
    let (settings, at) = with_token(&index);
    index.state().faults = vec![Fault::LostBefore; 9].into();
    let error = fails(&settings, &release, &at).await;
    says(&error, Kind::NoVerdict, "in 6 attempts", "run it again");
    assert_eq!(index.uploads(), 6);
    // Longer than may be waited for.
    index.state().faults = [Fault::Answer(
        Told::new(429, "").with("Retry-After", "3600"),
    )]
    .into();
    let error = fails(&settings, &release, &at).await;
    says(&error, Kind::NoVerdict, "it answers 429", "run it again");
}

#[tokio::test]
async fn a_file_that_changes_between_two_tries_is_never_published() {
    for is_lost in [false, true] {
        for change in [Change::Byte, Change::Longer, Change::Shorter, Change::Gone] {
            let folder = TempDir::new().unwrap();
            let release = one(&folder);
            let path = folder.path().join(WHEEL);
            let uploads = Arc::new(Mutex::new(0));
            let (count, file) = (Arc::clone(&uploads), path.clone());
            let index = HttpServer::start(move |asked| {
                if asked.method == "GET" {
                    return Told::new(404, "");
                }
                let mut uploads = count.lock().unwrap();
                *uploads += 1;
                if *uploads > 1 {
                    return Told::new(200, "OK");
                }
                change.happen_to(&file);
                if is_lost {
                    Told::nothing()
                } else {
                    Told::new(503, "busy")
                }
            });
            let settings = Pypi {
                upload: format!("{}/", index.url()),
                simple: Some(format!("{}/simple", index.url())),
                credential: Credential::Nobody,
                policy: policy(),
                ..Pypi::default()
            };
            let error = fails(&settings, &release, &Somewhere::with(&[])).await;
            // The one whole upload is that of the file which was tested.
            assert_eq!(*uploads.lock().unwrap(), 1, "{change:?} {}", error.render());
            if matches!(change, Change::Gone) {
                assert_eq!(error.kind, Kind::NoVerdict, "{}", error.render());
                continue;
            }
            says(
                &error,
                Kind::Refused,
                "was changed since it was tested",
                "between its test",
            );
            assert_eq!(error.render().contains("is not known"), is_lost);
        }
    }
}

/// What becomes of a file while it is published.
#[derive(Clone, Copy, Debug)]
enum Change {
    Byte,
    Longer,
    Shorter,
    Gone,
}

impl Change {
    fn happen_to(self, file: &std::path::Path) {
        let mut content = std::fs::read(file).unwrap();
        match self {
            Self::Byte => content[40] ^= 1,
            Self::Longer => content.push(0),
            Self::Shorter => {
                content.pop();
            }
            Self::Gone => return std::fs::remove_file(file).unwrap(),
        }
        std::fs::write(file, content).unwrap();
    }
}

#[tokio::test]
async fn what_an_index_refuses_is_told_with_its_reason_and_what_is_done() {
    let folder = TempDir::new().unwrap();
    let index = FakeIndex::start();
    let (settings, at) = with_token(&index);
    index.state().deleted = [SDIST.to_owned()].into();
    let error = fails(&settings, &both(&folder), &at).await;
    says(
        &error,
        Kind::Refused,
        "since been deleted",
        "make a new version",
    );
    assert!(
        error.render().contains(&format!("already: `{WHEEL}`")),
        "{}",
        error.render()
    );
    // Somebody else publishes other bytes between the look and the upload.
    let index = FakeIndex::start();
    let (settings, at) = with_token(&index);
    let theirs = wheel(folder.path(), WHEEL, METADATA, b"theirs");
    let theirs = release(None, &[&theirs]);
    let ours = one(&folder);
    let sha256 = lockgate::model::digest::hex(&theirs.files[0].digest);
    let now = chrono::DateTime::from_timestamp(chrono_now() - 20 * 86_400, 0).unwrap();
    let file = (sha256.clone(), String::new(), now.to_rfc3339());
    index.state().faults = [Fault::TakenBefore(WHEEL.to_owned(), file)].into();
    let found = settings.plan(&ours, &at.access()).await.unwrap();
    assert_eq!(found[0].kind, ChangeKind::Create);
    let error = fails(&settings, &ours, &at).await;
    says(&error, Kind::Refused, &sha256, "make a new version");
    // A release that is old takes no new files on the public index: told in the plan.
    let sdist = release(None, &[&sdist(folder.path(), SDIST, METADATA)]);
    let changes = settings.plan(&sdist, &at.access()).await.unwrap();
    assert!(changes[0].detail.contains("20 days old"), "{changes:?}");
    let error = fails(&settings, &sdist, &at).await;
    says(
        &error,
        Kind::Refused,
        "older than 14 days",
        "publish all files of a release at once",
    );
    let wrong = Somewhere::with(&[(TOKEN_VARIABLE, "pypi-of-another")]);
    index.state().files.clear();
    let error = fails(&settings, &sdist, &wrong).await;
    says(&error, Kind::Refused, "it answers 403", "who may upload");
    let error = fails(&settings, &sdist, &Somewhere::with(&[])).await;
    says(&error, Kind::Usage, TOKEN_VARIABLE, "secrets.");
}

#[tokio::test]
async fn an_answer_that_is_a_page_or_leads_elsewhere_is_no_success() {
    let folder = TempDir::new().unwrap();
    let release = one(&folder);
    let elsewhere = HttpServer::start(|_| panic!("nobody goes there"));
    let cases: Vec<(&str, Told, &str)> = vec![
        (
            "/legacy/",
            Told::new(200, "<!DOCTYPE html><title>Sign in</title>"),
            "HTML page",
        ),
        (
            "/legacy/",
            Told::new(308, "").with("Location", format!("{}/legacy/", elsewhere.url())),
            "sends us elsewhere",
        ),
        (
            "/simple/acme-app/",
            Told::new(200, "<html>Sign in</html>"),
            "no page of the simple API",
        ),
        (
            "/simple/acme-app/",
            Told::new(302, "").with("Location", "/simple/acme-app/"),
            "in a circle",
        ),
        (
            "/_/oidc/audience",
            Told::new(200, "<html>Sign in</html>"),
            "not what an index answers",
        ),
        (
            "/_/oidc/mint-token",
            Told::new(200, "<html>Sign in</html>"),
            "holds no token",
        ),
    ];
    for (path, answer, message) in cases {
        let index = FakeIndex::start();
        let (mut settings, at) = trusted(&index);
        let behind = index.server.url();
        let (path, told) = (path.to_owned(), answer);
        let front = HttpServer::start(move |asked| {
            if asked.path == path {
                return told.clone();
            }
            pass(
                asked.method.as_str(),
                &format!("{behind}{}", asked.path),
                &asked.body,
            )
        });
        settings.upload = format!("{}/legacy/", front.url());
        settings.simple = Some(format!("{}/simple/", front.url()));
        let error = fails(&settings, &release, &at).await;
        says(&error, Kind::NoVerdict, message, "");
    }
    for (upload, simple) in [
        (
            "http://index.example/legacy/",
            "https://index.example/simple/",
        ),
        (
            "https://index.example/legacy/",
            "http://index.example/simple/",
        ),
        ("ftp://127.0.0.1/", "https://index.example/simple/"),
    ] {
        let settings = Pypi {
            upload: upload.to_owned(),
            simple: Some(simple.to_owned()),
            credential: Credential::Nobody,
            ..Pypi::default()
        };
        let error = fails(&settings, &release, &Somewhere::with(&[])).await;
        says(
            &error,
            Kind::Usage,
            "no `https` address",
            "own machine only",
        );
    }
}

/// What is behind answers; without any credential.
fn pass(method: &str, url: &str, body: &[u8]) -> Told {
    use std::io::{Read as _, Write as _};
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "{method} /{path} HTTP/1.1\r\nAuthorization: Bearer not-real-bearer\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Told::new(status, body)
}

#[tokio::test]
async fn a_release_that_no_index_takes_is_refused_before_anybody_is_asked() {
    let folder = TempDir::new().unwrap();
    let index = FakeIndex::start();
    let (settings, at) = with_token(&index);
    let local = METADATA.replace("1.2.0", "1.2.0+local.1");
    let local = wheel(
        folder.path(),
        "acme_app-1.2.0+local.1-py3-none-any.whl",
        &local,
        b"",
    );
    let other = METADATA.replace("Acme.App", "other");
    let other = wheel(folder.path(), "other-1.2.0-py3-none-any.whl", &other, b"");
    let own = wheel(folder.path(), WHEEL, METADATA, b"");
    let lie = wheel(
        folder.path(),
        "acme_app-1.2.1-py3-none-any.whl",
        METADATA,
        b"",
    );
    let text = folder
        .path()
        .join("acme_app-1.2.0-py3-none-linux_x86_64.whl");
    std::fs::write(&text, "no archive").unwrap();
    let cases: Vec<(Release, &str)> = vec![
        (Release::default(), "nothing to publish"),
        (release(None, &[&local]), "local version"),
        (
            release(None, &[&own, &other]),
            "not of one version of one project",
        ),
        (release(None, &[&lie]), "say version `1.2.0`"),
        (release(None, &[&text]), "no zip archive"),
        (
            release(Some("1.2.1"), &[&own]),
            "the release is version `1.2.1`",
        ),
    ];
    for (release, message) in cases {
        let error = fails(&settings, &release, &at).await;
        says(&error, Kind::Refused, message, "");
    }
    let changed = release(None, &[&own]);
    wheel(folder.path(), WHEEL, METADATA, b"changed");
    let error = fails(&settings, &changed, &at).await;
    says(
        &error,
        Kind::Refused,
        "is not what was to be published",
        "between its test and here",
    );
    assert_eq!(index.state().paths, Vec::<String>::new());
}

type Form = BTreeMap<String, Vec<String>>;

/// The fields and values of a form, the file by its digest.
fn told(fields: &[(String, Vec<u8>)]) -> Form {
    let mut form = Form::new();
    for (name, value) in fields {
        let value = match name.split_once('\0') {
            Some((_, file)) => format!("{file}: {}", lockgate::model::digest::hex(&digest(value))),
            None => String::from_utf8(value.clone()).unwrap(),
        };
        let name = name.split('\0').next().unwrap().to_owned();
        form.entry(name).or_default().push(value);
    }
    for values in form.values_mut() {
        values.sort();
    }
    form
}

/// What a client sends to an index that takes everything.
fn sent_by(run: impl FnOnce(&str)) -> Vec<Form> {
    let forms = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&forms);
    let server = HttpServer::start(move |asked| {
        if asked.method == "POST" {
            own.lock().unwrap().push(told(&form(asked)));
        }
        Told::new(200, "")
    });
    run(&format!("{}/", server.url()));
    let forms = forms.lock().unwrap();
    forms.clone()
}

/// The same folder of files by a tool; it must be content.
fn by_tool(command: &mut Command, files: &[PathBuf]) {
    let output = command
        .args(files)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let log = [output.stdout, output.stderr].concat();
    let log = String::from_utf8_lossy(&log);
    assert!(output.status.success(), "{command:?}: {log}");
}

#[tokio::test]
async fn the_form_is_the_one_of_uv_and_twine() {
    let folder = TempDir::new().unwrap();
    let release = both(&folder);
    let files: Vec<PathBuf> = release.files.iter().map(|file| file.path.clone()).collect();
    let index = FakeIndex::start();
    let (settings, at) = with_token(&index);
    settings.apply(&release, &at.access()).await.unwrap();
    let mut ours: Vec<Form> = index.state().forms.iter().map(|form| told(form)).collect();
    let home = |command: &mut Command| {
        command
            .env("HOME", folder.path())
            .env("UV_NO_CONFIG", "1")
            .current_dir(folder.path());
    };
    let mut uv = sent_by(|url| {
        let mut uv = Command::new(tool("uv"));
        home(&mut uv);
        uv.args([
            "publish",
            "--publish-url",
            url,
            "--username=__token__",
            "--password=x",
        ])
        .args(["--trusted-publishing=never", "--no-attestations"]);
        by_tool(&mut uv, &files);
    });
    let mut twine = sent_by(|url| {
        let mut twine = Command::new(lock_tool("twine").join("bin/twine"));
        home(&mut twine);
        twine.args(["upload", "--non-interactive", "--disable-progress-bar"]);
        twine.args(["--repository-url", url, "-u", "__token__", "-p", "x"]);
        by_tool(&mut twine, &files);
    });
    // It writes the list anew.
    for form in &mut twine {
        let keywords = form.get_mut("keywords").expect("keywords");
        *keywords = keywords.iter().map(|all| all.replace(", ", ",")).collect();
    }
    for forms in [&mut ours, &mut uv, &mut twine] {
        assert_eq!(forms.len(), 2);
        forms.sort();
    }
    for ((ours, uv), twine) in ours.iter().zip(&uv).zip(&twine) {
        assert_eq!(ours, uv, "uv");
        assert_eq!(ours, twine, "twine");
    }
}
