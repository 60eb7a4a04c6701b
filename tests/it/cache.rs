//! `cache` as a person and as a workflow run it: against a folder, and against the cache service with a real blob store and
//! the official client on the other side.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::cache_runs::{TOKEN, with_service};
use crate::support::expect::root;
use crate::support::host_runner::{HostRun, HostRunner, binary, binary_sha256};
use crate::support::lockgate::{Project, Run};
use crate::support::peers::{CacheService, cache_service, official_client};

/// A project with a folder worth keeping.
fn project() -> Project {
    let project = Project::empty();
    project
        .write("data/a.txt", "one\n")
        .write("data/deep/er/b.bin", vec![7; 300_000]);
    std::os::unix::fs::symlink("a.txt", project.path().join("data/link")).expect("a link");
    project
}

fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        for entry in std::fs::read_dir(&path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .expect("inside")
                .display()
                .to_string();
            let bytes = if path.is_symlink() {
                let target = std::fs::read_link(&path).expect("a link");
                target.display().to_string().into_bytes()
            } else {
                std::fs::read(&path).expect("a file")
            };
            files.push((name, bytes));
        }
    }
    files.sort();
    files
}

fn outputs(run: &Run) -> Value {
    run.json()["outputs"].clone()
}

const WHAT: [&str; 6] = [
    "--key",
    "linux-1",
    "--paths",
    "data",
    "--output-format",
    "json",
];

fn cache(project: &Project, operation: &str, more: &[&str]) -> Run {
    let arguments = [&["cache", operation], &WHAT[..], more].concat();
    project.run(&arguments)
}

#[test]
fn a_laptop_keeps_caches_in_a_folder() {
    let project = project();
    let store = project.beside("store").display().to_string();
    let store = ["--store", &store];
    let before = content(&project.path().join("data"));

    let missed = cache(&project, "restore", &store);
    missed.expect_code(0);
    assert_eq!(outputs(&missed)["outcome"], "miss");
    let saved = cache(&project, "save", &store);
    saved.expect_code(0);
    assert_eq!(outputs(&saved)["outcome"], "saved");
    assert_eq!(
        outputs(&cache(&project, "save", &store))["outcome"],
        "exists"
    );

    std::fs::remove_dir_all(project.path().join("data")).expect("removed");
    let seen = outputs(&cache(
        &project,
        "restore",
        &[&store[..], &["--lookup-only"]].concat(),
    ));
    assert_eq!(
        (&seen["outcome"], &seen["cache-hit"]),
        (&json!("hit"), &json!("true"))
    );
    assert!(!project.path().join("data").exists());
    let restored = outputs(&cache(&project, "restore", &store));
    assert_eq!(restored["cache-matched-key"], "linux-1");
    assert_eq!(content(&project.path().join("data")), before);

    let partial = project.run(&[
        "cache",
        "restore",
        "--key",
        "linux-2",
        "--restore-keys",
        "linux-",
        "--paths",
        "data",
        "--output-format",
        "json",
        store[0],
        store[1],
    ]);
    assert_eq!(outputs(&partial)["outcome"], "partial");
    assert_eq!(outputs(&partial)["cache-hit"], "false");

    project
        .run(&["cache", "list", store[0], store[1]])
        .expect_code(0)
        .expect_text("1 entry");
    project
        .run(&[
            "cache",
            "delete",
            "--key",
            "linux-1",
            "--dry-run",
            store[0],
            store[1],
        ])
        .expect_text("would delete 1 entry");
    project
        .run(&["cache", "delete", "--key", "linux-", store[0], store[1]])
        .expect_text("nothing is saved under `linux-`");
    project
        .run(&["cache", "delete", "--key", "linux-1", store[0], store[1]])
        .expect_text("deleted 1 entry");
    let gone = cache(
        &project,
        "restore",
        &[&store[..], &["--fail-on-cache-miss"]].concat(),
    );
    gone.expect_code(1);
}

#[test]
fn the_official_client_and_we_read_what_the_other_saves() {
    let service = cache_service();
    let project = with_service(project(), &service, "push");
    let before = content(&project.path().join("data"));
    assert_eq!(outputs(&cache(&project, "save", &[]))["outcome"], "saved");

    let theirs = Project::empty();
    let environment = service.environment(TOKEN);
    let restore =
        |key: &str| official_client("restore", key, &theirs.path(), &environment, &["data"]);
    let (key, log) = restore("linux-1");
    assert_eq!(key, "linux-1", "{log}");
    assert_eq!(content(&theirs.path().join("data")), before);

    theirs.write("data/new.txt", "theirs\n");
    let (_, log) = official_client("save", "theirs-1", &theirs.path(), &environment, &["data"]);
    assert!(!log.contains("Failed"), "{log}");
    std::fs::remove_dir_all(project.path().join("data")).expect("removed");
    let restored = project.run(&[
        "cache",
        "restore",
        "--key",
        "none",
        "--restore-keys",
        "theirs-",
        "--paths",
        "data",
        "--output-format",
        "json",
    ]);
    assert_eq!(outputs(&restored)["cache-matched-key"], "theirs-1");
    assert_eq!(
        content(&project.path().join("data")),
        content(&theirs.path().join("data"))
    );
}

#[test]
fn a_save_of_what_is_there_asks_once_and_sends_nothing() {
    let service = cache_service();
    let project = with_service(project(), &service, "push");
    cache(&project, "save", &[]).expect_code(0);
    service.seen();
    let again = cache(&project, "save", &[]);
    assert_eq!(outputs(&again)["outcome"], "exists");
    let (seen, _) = service.seen();
    assert!(seen.len() <= 2, "{seen:?}");
}

#[test]
fn faults_are_told_and_fail_no_job_unless_the_cache_is_required() {
    let service = cache_service();
    let project = with_service(project(), &service, "push");
    let denied = json!({"at": "CreateCacheEntry", "kind": "answer", "times": 9,
        "body": {"ok": false, "message": "cache write denied: read-only token"}});
    for (operation, fault, outcome, rule) in [
        ("save", denied, "denied", "denied"),
        (
            "restore",
            json!({"at": "GetCacheEntryDownloadURL", "kind": "status", "status": 429, "retryAfter": 9999, "times": 9}),
            "unavailable",
            "rate-limited",
        ),
        (
            "restore",
            json!({"at": "GetCacheEntryDownloadURL", "kind": "status", "status": 400, "times": 9}),
            "unavailable",
            "server",
        ),
    ] {
        service.fail(&json!([fault]));
        let run = cache(&project, operation, &[]);
        run.expect_code(0);
        assert_eq!(outputs(&run)["outcome"], outcome, "{}", run.text());
        assert_eq!(run.json()["findings"][0]["rule"], rule, "{}", run.text());
        service.fail(&json!([fault]));
        cache(&project, operation, &["--required"]).expect_code(3);
        assert!(!run.text().contains(TOKEN));
    }
}

#[test]
fn an_address_that_is_none_is_told_with_what_it_is() {
    let service = cache_service();
    let project = with_service(project(), &service, "push")
        .with("ACTIONS_RESULTS_URL", "http://results.example/");
    for operation in ["restore", "save"] {
        let run = cache(&project, operation, &[]);
        run.expect_code(0);
        let finding = &run.json()["findings"][0];
        assert_eq!(finding["rule"], "unavailable", "{}", run.text());
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains("`http://results.example/`"), "{message}");
        let help = finding["help"].as_str().unwrap();
        assert!(help.contains("the runner sets this variable"), "{help}");
    }
}

#[test]
fn a_store_that_is_a_plain_file_is_a_fault_for_all() {
    let project = project();
    project.write("store", "no folder\n");
    for operation in ["restore", "save"] {
        let run = cache(&project, operation, &["--store", "store"]);
        run.expect_code(0);
        assert_eq!(outputs(&run)["outcome"], "unavailable", "{}", run.text());
        assert_eq!(run.json()["findings"][0]["rule"], "disk");
        run.expect_text("it is no folder");
        cache(&project, operation, &["--store", "store", "--required"]).expect_code(3);
    }
    project
        .run(&["cache", "list", "--store", "store"])
        .expect_code(3)
        .expect_text("it is no folder");
}

#[test]
fn a_key_that_no_cache_takes_is_the_users_mistake() {
    let project = project();
    let store = project.beside("store").display().to_string();
    let long = "k".repeat(513);
    for (key, what) in [("a,b", "comma"), (long.as_str(), "512")] {
        for operation in ["restore", "save"] {
            project
                .run(&[
                    "cache", operation, "--key", key, "--paths", "data", "--store", &store,
                ])
                .expect_code(2)
                .expect_text(what);
        }
    }
}

#[test]
fn a_budget_without_a_lock_saves_all_and_says_so() {
    let project = project();
    let store = project.beside("store").display().to_string();
    let run = cache(&project, "save", &["--store", &store, "--max-size", "1MB"]);
    run.expect_code(0);
    assert_eq!(outputs(&run)["outcome"], "saved");
    assert_eq!(run.json()["findings"][0]["rule"], "prune");
}

#[test]
fn strangers_save_nothing_and_a_release_is_warned() {
    let service = cache_service();
    let project = with_service(project(), &service, "pull_request_target");
    let refused = cache(&project, "save", &[]);
    refused.expect_code(0);
    assert_eq!(outputs(&refused)["outcome"], "skipped");
    assert_eq!(service.seen().0, Vec::<Value>::new());

    let project = with_service(project, &service, "push");
    cache(&project, "save", &[]).expect_code(0);
    let project = with_service(project, &service, "release");
    let restored = cache(&project, "restore", &[]);
    restored.expect_code(0);
    assert_eq!(restored.json()["findings"][0]["rule"], "trust");
}

#[test]
fn a_cache_that_the_workflow_turns_off_is_no_fault() {
    let service = cache_service();
    let project = with_service(project(), &service, "push").with("ACTIONS_CACHE_MODE", "none");
    for operation in ["restore", "save"] {
        let off = cache(&project, operation, &["--required"]);
        off.expect_code(0);
        assert_eq!(outputs(&off)["outcome"], "off", "{}", off.text());
        assert_eq!(off.json()["findings"][0]["severity"], "note");
    }
    // Whoever cannot do without what is restored can do nothing here.
    cache(&project, "restore", &["--fail-on-cache-miss"]).expect_code(3);
    assert_eq!(service.seen().0, Vec::<Value>::new());
}

#[test]
fn a_cache_of_uv_that_is_switched_off_is_no_fault() {
    let store = Project::empty().beside("store").display().to_string();
    let project = Project::empty().with("UV_NO_CACHE", "1");
    project.write("uv.lock", "version = 1\nrequires-python = \">=3.12\"\n");
    let run = |project: &Project, operation: &str, more: &[&str]| {
        let own = [
            "cache",
            operation,
            "--python-version=3.12",
            "--store",
            &store,
        ];
        project.run(&[&own[..], &["--output-format=json"], more].concat())
    };
    for operation in ["restore", "save"] {
        let off = run(&project, operation, &["--required"]);
        off.expect_code(0);
        assert_eq!(outputs(&off)["outcome"], "off", "{}", off.text());
        assert_eq!(off.json()["findings"][0]["severity"], "note");
        off.expect_text("`UV_NO_CACHE` switches the cache of uv off");
    }
    run(&project, "restore", &["--fail-on-cache-miss"]).expect_code(3);
    // Something else is kept all the same.
    let named = run(&project, "restore", &["--paths=data"]);
    assert_eq!(outputs(named.expect_code(0))["outcome"], "miss");
    let project = project.with("UV_NO_CACHE", "false");
    let on = run(&project, "restore", &[]);
    on.expect_code(0);
    assert_eq!(outputs(&on)["outcome"], "miss", "{}", on.text());
    assert_eq!(outputs(&on)["paths"], "~/.cache/uv");
}

#[test]
fn a_script_step_has_no_token_and_is_told_what_to_do() {
    let project = project()
        .in_workflow("push", &json!({}))
        .with("GITHUB_SERVER_URL", "https://github.com");
    let run = cache(&project, "restore", &[]);
    run.expect_code(0);
    assert_eq!(outputs(&run)["outcome"], "unavailable");
    run.expect_text("actions/cache");
}

/// One job with the action, which then does something and ends with this status.
fn job(service: &CacheService, workspace: &Path, work: &str) -> HostRun {
    let workflow = workspace.join(".github/workflows/ci.yml");
    let text = format!(
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    outputs:\n      hit: ${{{{ steps.cache.outputs.cache-hit }}}}\n    steps:\n      - id: cache\n        uses: lockgate/lockgate/actions/cache@main\n        with:\n          key: k-1\n          paths: made\n          binary-path: ${{{{ env.BINARY_PATH }}}}\n          binary-sha256: ${{{{ env.BINARY_SHA256 }}}}\n      - run: |\n          echo \"[$ACTIONS_RUNTIME_TOKEN]\"\n          {work}\n"
    );
    std::fs::create_dir_all(workflow.parent().expect("a folder")).expect("a folder");
    std::fs::write(&workflow, text).expect("a workflow");
    let runner = HostRunner::job(&workflow, "test", workspace)
        .env("BINARY_PATH", binary())
        .env("BINARY_SHA256", binary_sha256())
        .github("server_url", "https://github.com")
        .stand_in("lockgate/lockgate", root());
    let variables = service.environment(TOKEN).into_iter();
    variables
        .fold(runner, |runner, (name, value)| runner.runtime(name, &value))
        .run()
}

#[test]
fn the_action_restores_in_main_and_saves_in_post() {
    let service = cache_service();
    let workspace = tempfile::tempdir().expect("a folder");
    let make = "mkdir -p made && echo made >made/file";

    let failed = job(&service, workspace.path(), &format!("{make}; exit 1"));
    assert_eq!(failed.get("conclusion"), "failure");
    assert!(
        failed.log().contains("the job has failed"),
        "{}",
        failed.log()
    );
    std::fs::remove_dir_all(workspace.path().join("made")).expect("removed");

    let first = job(&service, workspace.path(), make);
    assert_eq!(first.get("conclusion"), "success", "{}", first.log());
    assert_eq!(first.output("hit"), "false");
    assert!(first.log().contains("saved `k-1`"), "{}", first.log());
    assert!(first.log().contains("[]"), "the token is for nobody else");
    assert!(!first.log().contains(TOKEN));

    std::fs::remove_dir_all(workspace.path().join("made")).expect("removed");
    let second = job(&service, workspace.path(), "cat made/file");
    assert_eq!(second.get("conclusion"), "success", "{}", second.log());
    assert_eq!(second.output("hit"), "true");
    assert!(
        second.log().contains("has something already"),
        "{}",
        second.log()
    );
    assert!(
        second.summary().contains("restored"),
        "{}",
        second.summary()
    );
}
