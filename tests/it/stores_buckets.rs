//! Buckets: one meaning in a folder, in moto's S3 and in Azurite; and a cache in each of them.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use lockgate::stores::bucket::{Bucket, Condition, Opening};
use lockgate::stores::bucket_cache::BucketCache;
use lockgate::stores::fault::Fault;
use lockgate::stores::transfer::Options;
use lockgate::system::environment::Environment;
use lockgate::system::files::sha256;
use lockgate::system::http::Http;
use lockgate::system::http::retry::{Policy, SILENCE};
use lockgate::system::stop::Stop;

use serde_json::json;

use crate::support::peers::{self, AZURE_ACCOUNT, AZURE_KEY};

fn policy() -> Policy {
    Policy {
        attempts: 4,
        budget: Duration::from_mins(2),
        pause: Duration::from_millis(4),
    }
}

fn open(address: &str, variables: &[(&str, &str)]) -> lockgate::error::Result<Bucket> {
    open_with(address, variables, (SILENCE, SILENCE))
}

/// A bucket where a range may say nothing for the first time, and anything else for the second.
fn open_with(
    address: &str,
    variables: &[(&str, &str)],
    (stall, silence): (Duration, Duration),
) -> lockgate::error::Result<Bucket> {
    let environment: Environment = variables.iter().copied().collect();
    let http = Http::new(&environment, Vec::new(), Stop::never()).unwrap();
    Bucket::open(
        address,
        &Opening {
            input: "store",
            directory: Path::new("."),
            environment: &environment,
            renewable: None,
            http,
            conceal: &|_| {},
            policy: policy(),
            silence,
            stall,
        },
    )
}

fn s3(endpoint: &str) -> Vec<(&str, &str)> {
    vec![
        ("AWS_ACCESS_KEY_ID", "not-real-id"),
        ("AWS_SECRET_ACCESS_KEY", "not-real-secret"),
        ("AWS_ENDPOINT_URL", endpoint),
    ]
}

/// A bucket of moto's, made for the test.
fn in_moto(name: &str) -> Bucket {
    let endpoint = peers::moto();
    peers::make_bucket(name);
    open(&format!("s3://{name}/some/prefix"), &s3(endpoint)).unwrap()
}

/// A container of Azurite's, made for the test.
fn in_azurite(name: &str) -> Bucket {
    let endpoint = format!("{}/{AZURE_ACCOUNT}", peers::azurite());
    peers::make_container(name);
    let variables = [
        ("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT),
        ("AZURE_STORAGE_KEY", AZURE_KEY),
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
    ];
    open(&format!("az://{name}"), &variables).unwrap()
}

async fn send(bucket: &Bucket, name: &str, content: Vec<u8>) -> Result<u64, Fault> {
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    let pieces = async move {
        for piece in content.chunks(1 << 20) {
            if sender.send(Bytes::copy_from_slice(piece)).await.is_err() {
                break;
            }
        }
    };
    let (size, ()) = tokio::join!(bucket.upload(name, receiver, Options::default()), pieces);
    size
}

async fn take(bucket: &Bucket, name: &str) -> Result<Vec<u8>, Fault> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(2);
    let pieces = async {
        let mut all = Vec::new();
        while let Some(piece) = receiver.recv().await {
            all.extend_from_slice(&piece);
        }
        all
    };
    let (size, all) = tokio::join!(bucket.download(name, sender, Options::default()), pieces);
    assert_eq!(size?, all.len() as u64);
    Ok(all)
}

/// What every bucket does.
async fn behaves(bucket: &Bucket) {
    assert_eq!(bucket.head("a/one").await.unwrap(), None);
    assert_eq!(bucket.read("a/one", 10).await.unwrap(), None);
    assert_eq!(take(bucket, "a/one").await.unwrap_err().name(), "missing");
    assert!(bucket.list("").await.unwrap().is_empty());
    bucket.delete("a/one").await.unwrap();
    // Conditions.
    let (one, two) = (Bytes::from_static(b"one"), Bytes::from_static(b"two!"));
    let first = bucket
        .put("a/one", one.clone(), Condition::IfAbsent)
        .await
        .unwrap();
    let fault = bucket
        .put("a/one", two.clone(), Condition::IfAbsent)
        .await
        .unwrap_err();
    assert_eq!(fault.name(), "conflict", "{fault}");
    let (content, object) = bucket.read("a/one", 10).await.unwrap().unwrap();
    assert_eq!((content, object.size), (one.clone(), 3));
    let second = bucket
        .put("a/one", two.clone(), Condition::IfUnchanged(object.mark))
        .await
        .unwrap();
    assert_ne!(first, second);
    let fault = bucket
        .put("a/one", one.clone(), Condition::IfUnchanged(first.clone()))
        .await
        .unwrap_err();
    assert_eq!(fault.name(), "conflict", "{fault}");
    let fault = bucket
        .put("a/none", one.clone(), Condition::IfUnchanged(first))
        .await
        .unwrap_err();
    assert!(matches!(fault.name(), "conflict" | "missing"), "{fault}");
    bucket
        .put("a/one", one.clone(), Condition::IfUnchanged(second))
        .await
        .unwrap();
    // Large, small and empty ones; ranges; limits.
    let large: Vec<u8> = (0..20_000_003_u32).map(|at| (at % 251) as u8).collect();
    assert_eq!(
        send(bucket, "a/b/large", large.clone()).await.unwrap(),
        20_000_003
    );
    let back = take(bucket, "a/b/large").await.unwrap();
    assert_eq!(sha256(&*back).unwrap(), sha256(&*large).unwrap());
    let range = bucket.range("a/b/large", 250..255).await.unwrap();
    assert_eq!(&range[..], [250, 0, 1, 2, 3]);
    assert_eq!(send(bucket, "empty", Vec::new()).await.unwrap(), 0);
    assert_eq!(take(bucket, "empty").await.unwrap(), b"");
    assert_eq!(bucket.read("empty", 0).await.unwrap().unwrap().0, "");
    let fault = bucket.read("a/b/large", 1000).await.unwrap_err();
    assert!(
        fault.to_string().contains("more than 1000 bytes"),
        "{fault}"
    );
    // Lists go by folder.
    bucket.put("ab", one, Condition::Always).await.unwrap();
    let names = |listed: Vec<lockgate::stores::bucket::Object>| {
        let pairs = listed.into_iter().map(|object| (object.name, object.size));
        pairs.collect::<Vec<_>>()
    };
    let (a, large) = (
        ("a/one".to_owned(), 3),
        ("a/b/large".to_owned(), 20_000_003),
    );
    assert_eq!(
        names(bucket.list("a").await.unwrap()),
        [large.clone(), a.clone()]
    );
    let rest = [("ab".to_owned(), 3), ("empty".to_owned(), 0)];
    let all = [large, a].into_iter().chain(rest).collect::<Vec<_>>();
    assert_eq!(names(bucket.list("").await.unwrap()), all);
    bucket.delete("a/one").await.unwrap();
    assert_eq!(bucket.head("a/one").await.unwrap(), None);
    for name in ["../x", "a/../../x", "/etc/passwd", ".lock", "a//b", ""] {
        let fault = bucket.put(name, two.clone(), Condition::Always).await;
        assert_eq!(fault.unwrap_err().name(), "usage", "{name}");
    }
}

/// Of many who add one to a number, none is lost.
async fn counts(bucket: &Bucket) {
    let zero = Bytes::from_static(b"0");
    bucket
        .put("counter", zero, Condition::IfAbsent)
        .await
        .unwrap();
    let add = || async {
        let mut done = 0;
        while done < 5 {
            let (content, object) = bucket.read("counter", 20).await.unwrap().unwrap();
            let number: u32 = std::str::from_utf8(&content).unwrap().parse().unwrap();
            let next = (number + 1).to_string().into();
            match bucket
                .put("counter", next, Condition::IfUnchanged(object.mark))
                .await
            {
                Ok(_) => done += 1,
                Err(fault) => assert_eq!(fault.name(), "conflict", "{fault}"),
            }
        }
    };
    tokio::join!(add(), add(), add());
    let (content, _) = bucket.read("counter", 20).await.unwrap().unwrap();
    assert_eq!(content, "15");
}

/// A cache in it.
async fn caches(bucket: Bucket) {
    let cache = BucketCache::new(bucket.clone());
    for (key, content) in [("linux/uv-1", "one"), ("linux/uv-2", "two")] {
        let reserved = cache.reserve(key, "v1").await.unwrap();
        assert_eq!(cache.reserve(key, "v1").await.unwrap_err().name(), "exists");
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        sender
            .send(Bytes::from_static(content.as_bytes()))
            .await
            .unwrap();
        drop(sender);
        let size = cache
            .upload(&reserved, receiver, Options::default())
            .await
            .unwrap();
        cache.finalise(&reserved, size).await.unwrap();
    }
    let entry = cache
        .look_up(&["none", "linux/uv-1"], "v1")
        .await
        .unwrap()
        .unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
    assert_eq!(
        cache
            .download(&entry, sender, Options::default())
            .await
            .unwrap(),
        3
    );
    assert_eq!(receiver.recv().await.unwrap(), "one");
    assert!(cache.look_up(&["linux/"], "v2").await.unwrap().is_none());
    let newest = cache.look_up(&["linux/"], "v1").await.unwrap().unwrap();
    assert!(newest.key.starts_with("linux/uv-"), "{newest:?}");
    assert_eq!(cache.list("linux/uv").await.unwrap().len(), 2);
    cache.delete(&entry).await.unwrap();
    assert_eq!(cache.list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_folder_is_a_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/there/yet");
    let bucket = open(path.to_str().unwrap(), &[]).unwrap();
    behaves(&bucket).await;
    counts(&bucket).await;
    let address = format!("file://{}", folder.path().join("cache").display());
    caches(open(&address, &[]).unwrap()).await;
}

#[tokio::test]
async fn a_folder_is_left_by_no_link_and_shows_nothing_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("store"), folder.path().join("outside"));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret"), root.join("file")).unwrap();
    let bucket = open(root.to_str().unwrap(), &[]).unwrap();
    for name in ["link/secret", "file", "link/new"] {
        assert_eq!(
            bucket.read(name, 9).await.unwrap_err().name(),
            "disk",
            "{name}"
        );
    }
    let put = bucket
        .put("link/new", Bytes::new(), Condition::Always)
        .await;
    assert_eq!(put.unwrap_err().name(), "disk");
    assert!(!outside.join("new").exists());
    assert!(bucket.list("").await.unwrap().is_empty());
    assert!(bucket.list("link").await.unwrap().is_empty());
    // An upload whose sender fails is dropped, and leaves nothing.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    {
        let upload = bucket.upload("half", receiver, Options::default());
        tokio::pin!(upload);
        tokio::select! {
            biased;
            _ = &mut upload => panic!("it has not ended"),
            () = async { sender.send(Bytes::from_static(b"half")).await.unwrap() } => {}
        }
    }
    drop(sender);
    assert_eq!(bucket.head("half").await.unwrap(), None);
}

#[tokio::test]
async fn moto_is_a_bucket() {
    let bucket = in_moto("behaves");
    behaves(&bucket).await;
    // moto looks first and writes then, with others in between: who counts must not come at once.
    caches(in_moto("caches")).await;
}

#[tokio::test]
async fn azurite_is_a_bucket() {
    let bucket = in_azurite("behaves");
    behaves(&bucket).await;
    counts(&bucket).await;
    caches(in_azurite("caches")).await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_known_again_and_what_is_cut_off_is_asked_for_again() {
    // Azurite behind what can fail.
    let peer = peers::cache_service();
    peers::make_container("faults");
    let endpoint = format!("{}/{AZURE_ACCOUNT}", peer.url());
    let variables = [
        ("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT),
        ("AZURE_STORAGE_KEY", AZURE_KEY),
        ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
    ];
    let bucket = open("az://faults/x", &variables).unwrap();
    for kind in ["lost", "reset"] {
        peer.fail(&json!([{"at": "PUT", "kind": kind}]));
        let name = format!("{kind}-create");
        let content = Bytes::from(format!("by {kind}"));
        let mark = bucket
            .put(&name, content.clone(), Condition::IfAbsent)
            .await
            .unwrap();
        peer.fail(&json!([{"at": "PUT", "kind": kind}]));
        let next = Bytes::from(format!("again by {kind}"));
        bucket
            .put(&name, next.clone(), Condition::IfUnchanged(mark.clone()))
            .await
            .unwrap();
        assert_eq!(bucket.read(&name, 99).await.unwrap().unwrap().0, next);
        // Somebody else's is still somebody else's.
        peer.fail(&json!([{"at": "PUT", "kind": kind}]));
        let late = bucket
            .put(&name, content, Condition::IfUnchanged(mark))
            .await;
        assert_eq!(late.unwrap_err().name(), "conflict");
    }
    let large: Vec<u8> = (0..17_000_000_u32).map(|at| (at % 253) as u8).collect();
    peer.fail(&json!([
        {"at": "PUT", "kind": "status", "status": 503, "retryAfter": 0},
        {"at": "PUT", "kind": "reset", "after": 1},
        {"at": "PUT", "kind": "lost", "after": 4},
        {"at": "GET", "kind": "cut"},
        {"at": "GET", "kind": "long", "after": 2},
        {"at": "HEAD", "kind": "status", "status": 500},
    ]));
    assert_eq!(
        send(&bucket, "large", large.clone()).await.unwrap(),
        17_000_000
    );
    let back = take(&bucket, "large").await.unwrap();
    assert_eq!(sha256(&*back).unwrap(), sha256(&*large).unwrap());
    assert!(peer.seen().1.is_empty());
    for (status, expected) in [
        (403, "denied"),
        (400, "server"),
        (507, "quota"),
        (429, "rate-limited"),
    ] {
        peer.fail(&json!([{"at": "GET", "kind": "status", "status": status, "times": 9, "retryAfter": 999}]));
        let fault = bucket.range("large", 0..9).await.unwrap_err();
        assert_eq!(fault.name(), expected, "{fault}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_or_not_ours_is_told_without_the_secret() {
    let endpoint = peers::moto();
    let none = open("s3://nobody-made-this", &s3(endpoint)).unwrap();
    let fault = none
        .put("a", Bytes::new(), Condition::Always)
        .await
        .unwrap_err();
    assert_eq!(fault.name(), "missing", "{fault}");
    let azurite = format!("{}/{AZURE_ACCOUNT}", peers::azurite());
    peers::make_container("denied");
    let variables = [
        ("AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT),
        ("AZURE_STORAGE_KEY", "bm90LWEtcmVhbC1rZXk="),
        ("AZURE_STORAGE_ENDPOINT", azurite.as_str()),
    ];
    let foreign = open("az://denied", &variables).unwrap();
    let fault = foreign.list("").await.unwrap_err();
    assert_eq!(fault.name(), "denied", "{fault}");
    let down = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", socket.local_addr().unwrap())
    };
    let gone = open("s3://bucket", &s3(&down)).unwrap();
    let fault = gone.head("a").await.unwrap_err();
    assert!(
        matches!(fault, Fault::Network { attempts: 4, .. }),
        "{fault:?}"
    );
    for fault in [fault, gone.list("").await.unwrap_err()] {
        assert!(!format!("{fault:?}{fault}").contains("not-real"), "{fault}");
    }
}

#[test]
fn an_address_that_names_no_store_is_told_with_those_that_do() {
    for (address, variables, expected) in [
        ("", vec![], "`store`: `` is no path"),
        (
            "ftp://x/y",
            vec![],
            "`store`: `ftp://x/y` names no kind of store that we know",
        ),
        ("s3://", s3("http://127.0.0.1:1"), "names no bucket"),
        (
            "s3://me:pw@bucket/x",
            s3("http://127.0.0.1:1"),
            "`bucket/x` names no bucket",
        ),
        (
            "s3://bucket/../x",
            s3("http://127.0.0.1:1"),
            "names no bucket",
        ),
        (
            "s3://bucket?sig=pw",
            s3("http://127.0.0.1:1"),
            "`s3://bucket` names no bucket",
        ),
        ("file://host/x", vec![], "is no `file:///path`"),
        (
            "s3://bucket",
            vec![],
            "for which `AWS_ACCESS_KEY_ID` is not set",
        ),
        (
            "s3://bucket",
            s3("http://s3.example"),
            "`AWS_ENDPOINT_URL_S3` is no `https` address",
        ),
        (
            "gs://bucket",
            vec![],
            "for which `GOOGLE_APPLICATION_CREDENTIALS` is not set",
        ),
        (
            "gs://bucket",
            vec![("GOOGLE_APPLICATION_CREDENTIALS", "not-there.json")],
            "`not-there.json` cannot be read",
        ),
        (
            "az://container",
            vec![],
            "for which `AZURE_STORAGE_ACCOUNT` is not set",
        ),
        (
            "az://c",
            vec![("AZURE_STORAGE_ACCOUNT", "a")],
            "for which `AZURE_STORAGE_KEY` is not set",
        ),
        (
            "az://c",
            vec![
                ("AZURE_STORAGE_ACCOUNT", "a"),
                ("AZURE_STORAGE_KEY", "not base64 pw"),
            ],
            "cannot be used as its variables",
        ),
    ] {
        let error = open(address, &variables).unwrap_err();
        assert!(
            error.message.contains(expected),
            "{address}: {}",
            error.message
        );
        assert!(!error.render().contains("pw"), "{}", error.render());
        assert!(error.hint.is_some() || !error.allowed.is_empty());
    }
}

#[tokio::test]
async fn a_range_that_stalls_is_asked_for_again_long_before_another_request() {
    let behind = peers::in_front_of(peers::moto());
    peers::make_bucket("stalling-ranges");
    let times = (Duration::from_millis(300), Duration::from_mins(10));
    let bucket = open_with("s3://stalling-ranges", &s3(&behind.url()), times).unwrap();
    let content: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
    send(&bucket, "large", content.clone()).await.unwrap();
    behind.fail(&json!([{"at": "GET", "kind": "stall"}]));
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(8);
    // Whoever waits for as long as for another request does not get it within this.
    let options = Options {
        total: Duration::from_mins(2),
        ..Options::default()
    };
    let size = bucket.download("large", sender, options).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = receiver.recv().await {
        all.extend_from_slice(&piece);
    }
    assert_eq!((size, all), (1 << 20, content));
    assert!(behind.seen().1.is_empty(), "nothing stalled");
}

#[tokio::test]
async fn a_list_reads_each_record_once_and_asks_for_no_size() {
    let behind = peers::in_front_of(peers::moto());
    peers::make_bucket("listed-records");
    let cache = BucketCache::new(open("s3://listed-records", &s3(&behind.url())).unwrap());
    for number in 0..20 {
        let key = format!("key-{number}");
        let reserved = cache.reserve(&key, "v").await.unwrap();
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        sender.send(Bytes::from_static(b"x")).await.unwrap();
        drop(sender);
        let upload = cache.upload(&reserved, receiver, Options::default());
        assert_eq!(upload.await.unwrap(), 1);
        cache.finalise(&reserved, 1).await.unwrap();
    }
    cache.reserve("key-reserved", "v").await.unwrap();
    behind.seen();
    let mut entries = cache.list("key-").await.unwrap();
    assert!(entries.is_sorted_by(|left, right| left.created >= right.created));
    entries.sort_by(|left, right| left.key.cmp(&right.key));
    let mut expected: Vec<String> = (0..20).map(|number| format!("key-{number}")).collect();
    expected.sort();
    let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, expected);
    let methods: Vec<_> = behind.seen().0;
    let gets = methods.iter().filter(|asked| asked["method"] == "GET");
    assert_eq!(
        (gets.count(), methods.len()),
        (22, 22),
        "a list and 21 records"
    );
}
