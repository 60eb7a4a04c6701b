//! How runs of `cache` end that are told to, that take too long, that are not alone or that have no room.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::cache_runs::{
    arguments, cache, expect_quiet, files, stages, told, with_service, write_old,
};
use crate::support::lockgate::{BINARY, Project};
use crate::support::peers::cache_service;

fn spawn(project: &Project, operation: &str, key: &str, more: &[&str]) -> Child {
    let arguments = arguments(operation, key, more);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = project.command(&arguments);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

/// Bytes that do not compress.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut random = crate::fuzzing::Random(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend(random.next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[track_caller]
fn soon(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_restore_that_takes_too_long_is_a_miss_and_a_range_that_stalls_is_asked_for_again() {
    let service = cache_service();
    let project = with_service(Project::empty(), &service, "push");
    project.write("d/f0", noise(1, 300_000));
    assert_eq!(told(&cache(&project, "save", "k", &[])).0, "saved");
    let saved = files(&project.path().join("d"));
    write_old(&project);
    let before = files(&project.path());
    for at in ["GET", "GetCacheEntryDownloadURL"] {
        service.fail(&json!([{"at": at, "kind": "stall", "times": 99}]));
        let late = cache(&project, "restore", "k", &["--restore-timeout", "1s"]);
        late.expect_code(0);
        assert_eq!(
            told(&late),
            ("miss".into(), "too-slow".into()),
            "{}",
            late.text()
        );
        late.expect_text("it took longer than 1.0 s");
        assert_eq!(files(&project.path()), before);
        assert!(stages(&project.path()).is_empty());
        expect_quiet(&project, &late);
    }
    service.fail(&json!([{"at": "GET", "kind": "stall-within", "times": 99}]));
    let strict = ["--restore-timeout", "1s", "--fail-on-cache-miss"];
    cache(&project, "restore", "k", &strict).expect_code(3);
    service.fail(&json!([{"at": "GET", "kind": "stall-within"}, {"at": "GET", "kind": "stall"}]));
    let again = cache(&project, "restore", "k", &["--stall-timeout", "1s"]);
    assert_eq!(told(&again), ("hit".into(), String::new()));
    assert_eq!(service.seen().1.len(), 0, "both were met");
    let found = files(&project.path().join("d"));
    assert_eq!(found[Path::new("f0")], saved[Path::new("f0")]);
    for wrong in ["0s", "soon", "-1s"] {
        let refused = cache(
            &project,
            "restore",
            "k",
            &[&format!("--stall-timeout={wrong}")],
        );
        refused.expect_code(2).expect_text("`stall-timeout`");
    }
}

#[test]
fn a_save_that_is_told_to_stop_leaves_quickly_and_completes_nothing_else() {
    // Each waits for the seconds that it may still take.
    std::thread::scope(|scope| {
        for at in [
            "PUT",
            "FinalizeCacheEntryUpload",
            "GetCacheEntryDownloadURL",
        ] {
            scope.spawn(move || {
                let service = cache_service();
                let project = with_service(Project::empty(), &service, "push");
                project.write("d/f0", noise(1, 300_000));
                service.fail(&json!([{"at": at, "kind": "stall", "times": 99}]));
                let child = spawn(&project, "save", "k", &["--stall-timeout", "5m"]);
                soon("it asks", || {
                    let (seen, _) = service.seen();
                    seen.iter().any(|request| {
                        let path = request["path"].as_str().unwrap();
                        request["method"] == at || path.ends_with(at)
                    })
                });
                send(&child, Signal::TERM);
                let output = child.wait_with_output().unwrap();
                assert_eq!(output.status.code(), Some(143), "{at}");
                service.fail(&json!([]));
                let found = cache(&project, "restore", "k", &["--lookup-only"]);
                assert_eq!(told(&found).0, "miss", "{at}");
            });
        }
    });
}

#[test]
fn what_is_slow_may_end_when_a_save_is_told_to_stop() {
    let service = cache_service();
    let project = with_service(Project::empty(), &service, "push");
    project.write("d/f0", noise(1, 300_000));
    // The first attempt is refused, with a second's pause: then the signal has come.
    service.fail(&json!([{"at": "FinalizeCacheEntryUpload", "kind": "status", "status": 503, "retryAfter": 1}]));
    let child = spawn(&project, "save", "k", &[]);
    soon("it completes", || {
        let (seen, _) = service.seen();
        seen.iter().any(|request| {
            request["path"]
                .as_str()
                .unwrap()
                .ends_with("FinalizeCacheEntryUpload")
        })
    });
    send(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        told(&cache(&project, "restore", "k", &["--lookup-only"])).0,
        "hit"
    );
}

#[test]
fn what_a_killed_restore_leaves_is_removed_by_the_next() {
    let service = cache_service();
    let project = with_service(Project::empty(), &service, "push");
    for number in 0..9 {
        project.write(&format!("d/f{number}"), noise(number, 1 << 20));
    }
    assert_eq!(told(&cache(&project, "save", "k", &[])).0, "saved");
    let saved = files(&project.path().join("d"));
    for signal in [Signal::KILL, Signal::TERM, Signal::INT] {
        std::fs::remove_dir_all(project.path().join("d")).unwrap();
        write_old(&project);
        let before = files(&project.path().join("d"));
        // The first range comes, and no other.
        service.fail(&json!([{"at": "GET", "kind": "stall", "times": 99, "after": 1}]));
        let child = spawn(&project, "restore", "k", &["--stall-timeout", "5m"]);
        soon("it unpacks", || !stages(&project.path()).is_empty());
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(files(&project.path().join("d")), before);
        if signal == Signal::KILL {
            assert_eq!(stages(&project.path()).len(), 1);
        } else {
            assert_eq!(output.status.code(), Some(128 + signal.as_raw()));
            assert!(stages(&project.path()).is_empty());
        }
        service.fail(&json!([]));
        assert_eq!(told(&cache(&project, "restore", "k", &[])).0, "hit");
        assert!(stages(&project.path()).is_empty());
        let mut after = before;
        after.extend(saved.clone());
        assert_eq!(files(&project.path().join("d")), after);
    }
}

#[test]
fn jobs_that_restore_into_one_folder_at_once_do_not_disturb_each_other() {
    let project = Project::empty();
    let store = project.beside("store").display().to_string();
    let store = ["--store", store.as_str()];
    let mut trees = Vec::new();
    for key in ["one", "two"] {
        for number in 0..80 {
            project.write(
                &format!("d/g{}/f{number}", number % 9),
                key.repeat(number * 20),
            );
        }
        assert_eq!(told(&cache(&project, "save", key, &store)).0, "saved");
        trees.push(files(&project.path().join("d")));
    }
    for round in 0..4 {
        if round % 2 == 0 {
            std::fs::remove_dir_all(project.path().join("d")).unwrap();
        }
        // Something that a killed run left, which each of them wants to remove.
        let left = project
            .path()
            .join(format!(".lockgate-restore-{round:016x}"));
        std::fs::create_dir_all(left.join("item/a")).unwrap();
        let keys = ["one", if round < 2 { "one" } else { "two" }];
        let jobs: Vec<Child> = (0..4)
            .map(|job| spawn(&project, "restore", keys[job % 2], &store))
            .collect();
        for job in jobs {
            let output = job.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(0), "{text}");
            assert!(
                text.contains("\"outcome\":\"hit\"") || text.contains("\"outcome\": \"hit\""),
                "{round}: {text}"
            );
        }
        assert!(stages(&project.path()).is_empty(), "{round}");
        let found = files(&project.path().join("d"));
        assert_eq!(found.len(), 80);
        for (path, about) in &found {
            let is_whole = trees.iter().any(|tree| tree.get(path) == Some(about));
            assert!(is_whole, "{round}: {}", path.display());
        }
    }
}

#[expect(clippy::print_stderr, reason = "what was not tried is told")]
fn not_tried() {
    eprintln!("not tried here: this machine lets nobody mount a small disk");
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing() {
    let unshare = ["unshare", "--map-root-user", "--mount"];
    let allowed = Command::new(unshare[0])
        .args(&unshare[1..])
        .arg("true")
        .output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        not_tried();
        return;
    }
    let project = Project::empty();
    let store = project.beside("store").display().to_string();
    project.write("d/f0", noise(1, 6 << 20));
    assert_eq!(
        told(&cache(&project, "save", "k", &["--store", &store])).0,
        "saved"
    );
    let run = |script: &str, arguments: &[String]| {
        let mut command = Command::new(unshare[0]);
        let mut inner = project.command(&[]);
        inner.env_remove("LC_ALL");
        let environment = inner
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        command
            .args(&unshare[1..])
            .args(["sh", "-ec", script, "sh", BINARY])
            .args(arguments)
            .env_clear()
            .envs(environment)
            .current_dir(project.path());
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // The folder that is restored is a small disk of its own.
    let restore = arguments("restore", "k", &["--store", &store]);
    let text = run(
        "mount -t tmpfs -o size=2m none d; echo old >d/old; \"$@\"; echo; echo left; find d -mindepth 1",
        &restore,
    );
    let (document, left) = text.split_once("\nleft\n").unwrap();
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["outputs"]["outcome"], "unavailable", "{text}");
    assert_eq!(document["findings"][0]["rule"], "disk-full", "{text}");
    assert_eq!(left.trim(), "d/old");
    // The store is.
    let small = project.beside("small").display().to_string();
    let save = arguments("save", "k", &["--store", &small]);
    let script = format!(
        "mount -t tmpfs -o size=2m none {small}; \"$@\"; echo; echo left; find {small} -type f -size +0"
    );
    let text = run(&script, &save);
    let (document, left) = text.split_once("\nleft\n").unwrap();
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["outputs"]["outcome"], "unavailable", "{text}");
    assert_eq!(document["findings"][0]["rule"], "disk", "{text}");
    assert_eq!(left.trim(), "", "the key is given back");
}
