//! What tests of whole runs of `cache` have in common: a workflow with a service, and what a run must not leave.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lockgate::steps::cache::version::{Compression, version};
use lockgate::stores::bucket::{Bucket, Opening};
use lockgate::stores::bucket_cache::BucketCache;
use lockgate::stores::transfer::Options;
use lockgate::system::environment::Environment;
use lockgate::system::http::Http;
use lockgate::system::http::retry::{Policy, SILENCE};
use lockgate::system::stop::Stop;
use serde_json::{Value, json};

use crate::support::archives::tree;
use crate::support::lockgate::{Project, Run};
use crate::support::peers::CacheService;

/// The runtime's token.
pub(crate) const TOKEN: &str = "not-a-real-token";

/// The same project in a workflow whose steps may talk to this service.
pub(crate) fn with_service(project: Project, service: &CacheService, event: &str) -> Project {
    let project = project
        .in_workflow(event, &json!({}))
        .with("GITHUB_SERVER_URL", "https://github.com");
    let variables = service.environment(TOKEN).into_iter();
    variables.fold(project, |project, (name, value)| project.with(name, &value))
}

/// `cache <operation>` for this key and the folder `d`.
pub(crate) fn cache(project: &Project, operation: &str, key: &str, more: &[&str]) -> Run {
    let arguments = arguments(operation, key, more);
    project.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The arguments of [`cache`].
pub(crate) fn arguments(operation: &str, key: &str, more: &[&str]) -> Vec<String> {
    [
        "cache",
        operation,
        "--key",
        key,
        "--paths",
        "d",
        "--output-format",
        "json",
    ]
    .iter()
    .chain(more)
    .map(|&text| text.to_owned())
    .collect()
}

/// The outcome that later steps see, and the rule of the first thing that a person should know.
pub(crate) fn told(run: &Run) -> (String, String) {
    let document = run.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (
        text(&document["outputs"]["outcome"]),
        text(&document["findings"][0]["rule"]),
    )
}

/// Files and links below a folder, with content, mode and time; none where it is not there.
pub(crate) fn files(top: &Path) -> BTreeMap<PathBuf, String> {
    if top.symlink_metadata().is_err() {
        return BTreeMap::new();
    }
    let mut files = tree(top);
    files.retain(|_, about| !about.starts_with("folder"));
    files
}

/// Stages of extractions that are still there.
pub(crate) fn stages(top: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(".lockgate-restore-") {
                found.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
    found
}

/// Neither a token nor a signature is in what a run printed or wrote.
#[track_caller]
pub(crate) fn expect_quiet(project: &Project, run: &Run) {
    let written = ["output", "summary"].map(|name| project.temp_file(name));
    let text = format!("{}{}", run.text(), written.concat());
    for secret in [TOKEN, "sig=", "not-real-secret"] {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}

/// The files of a job before it restores: one that no archive has, and one that all have.
pub(crate) fn write_old(project: &Project) {
    project.write("d/old", "old\n").write("d/f0", "of before\n");
}

/// Puts any bytes under a key, as somebody does who may write to the store.
pub(crate) fn put(store: &Path, key: &str, paths: &[&str], archive: Vec<u8>) {
    let environment = Environment::default();
    let opening = Opening {
        input: "store",
        directory: Path::new("/"),
        environment: &environment,
        renewable: None,
        http: Http::new(&environment, Vec::new(), Stop::never()).unwrap(),
        conceal: &|_| {},
        policy: Policy::default(),
        silence: SILENCE,
        stall: SILENCE,
    };
    let bucket = Bucket::open(store.to_str().unwrap(), &opening).unwrap();
    let cache = BucketCache::new(bucket);
    let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
    let version = version(&paths, Compression::Zstd);
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let reserved = cache.reserve(key, &version).await.unwrap();
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            sender.send(Bytes::from(archive)).await.unwrap();
            drop(sender);
            let size = cache
                .upload(&reserved, receiver, Options::default())
                .await
                .unwrap();
            cache.finalise(&reserved, size).await.unwrap();
        });
}
