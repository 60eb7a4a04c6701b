//! What goes wrong is told as what it is, by whole runs of `cache`: each answer of the service and of stores, archives of all
//! kinds, files of all kinds. Nothing is half written, and no job fails by it unless it asked to.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::archive_hostile::hostile;
use crate::support::archives::{compressed, file, tree};
use crate::support::cache_runs::{
    cache, expect_quiet, files, put, stages, told, with_service, write_old,
};
use crate::support::lockgate::Project;
use crate::support::peers::{self, cache_service};

/// The operation, what fails, and what is told: outcome, rule and a part of the message.
type Case = (
    &'static str,
    Value,
    &'static str,
    &'static str,
    &'static str,
);

/// A status of an answer, as often as it is asked for.
fn status(at: &str, status: u16, more: &Value) -> Value {
    let mut fault = json!({"at": at, "kind": "status", "status": status, "times": 99});
    let more = more.as_object().unwrap().clone();
    fault.as_object_mut().unwrap().extend(more);
    fault
}

fn kind(at: &str, kind: &str) -> Value {
    json!({"at": at, "kind": kind, "times": 99})
}

/// Each call of the service, and what it may answer.
fn cases() -> Vec<Case> {
    let none = json!({});
    let late = json!({"retryAfter": 9999});
    let mut cases = Vec::new();
    // What is the same for each of the three calls.
    for (operation, at) in [
        ("restore", "GetCacheEntryDownloadURL"),
        ("save", "GetCacheEntryDownloadURL"),
        ("save", "CreateCacheEntry"),
        ("save", "FinalizeCacheEntryUpload"),
    ] {
        let usage = json!({"code": "resource_exhausted", "msg": "insufficient usage to cache"});
        cases.extend::<[Case; 6]>([
            (
                operation,
                status(at, 429, &late),
                "unavailable",
                "rate-limited",
                "in 9999 s",
            ),
            (
                operation,
                status(at, 507, &usage),
                "unavailable",
                "quota",
                "insufficient usage",
            ),
            (
                operation,
                status(at, 400, &json!({"msg": "bad::x"})),
                "unavailable",
                "server",
                "answers 400",
            ),
            (
                operation,
                status(at, 503, &none),
                "unavailable",
                "server",
                "4 attempts",
            ),
            (
                operation,
                kind(at, "reset"),
                "unavailable",
                "network",
                "no answer in 4 attempts",
            ),
            (
                operation,
                status(at, 200, &json!({"body": "[]"})),
                "unavailable",
                "invalid-answer",
                "answer is none",
            ),
        ]);
    }
    let denied = json!({"code": "permission_denied", "msg": "cache write denied: read-only"});
    let no = |message: &str| json!({"ok": false, "message": message});
    let answer =
        |at: &str, body: Value| json!({"at": at, "kind": "answer", "body": body, "times": 9});
    let create = "CreateCacheEntry";
    let finalise = "FinalizeCacheEntryUpload";
    cases.extend::<[Case; 25]>([
        ("save", status(create, 409, &json!({"code": "already_exists"})), "exists", "exists", "another job"),
        ("save", answer(create, no("")), "exists", "exists", "another job"),
        ("save", answer(create, no("cache write denied: fork")), "denied", "denied", "fork"),
        ("save", status(create, 403, &denied), "denied", "denied", "read-only"),
        ("save", json!({"at": create, "kind": "lost"}), "exists", "exists", "perhaps by ourselves"),
        ("save", answer(create, json!({"ok": true, "signed_upload_url": "http://a.example/?sig=abcdef"})), "unavailable", "invalid-answer", "no `https` address"),
        ("save", answer(finalise, no("no such blob")), "unavailable", "invalid-answer", "no such blob"),
        ("save", status(finalise, 404, &json!({"code": "not_found"})), "unavailable", "missing", "reservation"),
        ("save", status("PUT", 403, &none), "unavailable", "server", "answers 403"),
        ("save", status("PUT", 404, &none), "unavailable", "missing", ""),
        ("save", status("PUT", 413, &none), "unavailable", "server", "answers 413"),
        ("save", status("PUT", 429, &late), "unavailable", "rate-limited", "9999"),
        ("save", kind("PUT", "reset"), "unavailable", "network", ""),
        ("restore", status("GetCacheEntryDownloadURL", 403, &json!({"msg": "cache read denied: no"})), "denied", "denied", "read"),
        ("restore", answer("GetCacheEntryDownloadURL", json!({"ok": true, "signed_download_url": "https://a.example/?sig=abcdef", "matched_key": "other"})), "unavailable", "invalid-answer", "nobody asked for"),
        ("restore", status("GET", 403, &json!({"headers": {"x-ms-error-code": "AuthenticationFailed"}})), "unavailable", "server", "AuthenticationFailed"),
        ("restore", status("GET", 404, &none), "unavailable", "missing", "archive of the entry"),
        ("restore", status("GET", 429, &late), "unavailable", "rate-limited", "9999"),
        ("restore", kind("GET", "reset"), "unavailable", "network", ""),
        ("restore", kind("GET", "cut"), "unavailable", "network", ""),
        ("restore", kind("GET", "short"), "unavailable", "network", "bytes came"),
        ("restore", kind("GET", "long"), "unavailable", "network", ""),
        ("restore", json!({"at": "GET", "kind": "pass", "headers": {"content-range": "bytes 7-9/10"}}), "unavailable", "invalid-answer", "another range"),
        ("restore", json!({"at": "GET", "kind": "flip", "where": 0.5, "times": 9}), "unavailable", "corrupt", "corrupt at"),
        ("restore", json!({"at": "GET", "kind": "flip", "where": 0.9999, "times": 9}), "unavailable", "corrupt", "inventory"),
    ]);
    cases
}

#[test]
fn each_answer_is_told_as_what_it_is_and_leaves_all_as_it_was() {
    let cases = cases();
    let (next, strict) = (AtomicUsize::new(0), std::sync::Mutex::new(BTreeSet::new()));
    // Most of the time is spent in pauses between attempts.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let service = cache_service();
                let project = with_service(Project::empty(), &service, "push");
                project.write("d/f0", "content\n".repeat(5_000));
                assert_eq!(told(&cache(&project, "save", "there", &[])).0, "saved");
                write_old(&project);
                let before = files(&project.path());
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((operation, fault, outcome, rule, part)) = cases.get(number) else {
                        return;
                    };
                    let key = if *operation == "save" {
                        format!("new-{number}")
                    } else {
                        "there".to_owned()
                    };
                    let run = |key: &str, more: &[&str]| {
                        service.fail(&json!([fault]));
                        let run = cache(&project, operation, key, more);
                        assert_eq!(files(&project.path()), before, "{fault}");
                        assert_eq!(
                            stages(&project.path()),
                            [""; 0].map(std::path::PathBuf::from)
                        );
                        expect_quiet(&project, &run);
                        run
                    };
                    let plain = run(&key, &[]);
                    plain.expect_code(0);
                    let found = told(&plain);
                    assert_eq!(
                        (found.0.as_str(), found.1.as_str()),
                        (*outcome, *rule),
                        "{fault}: {}",
                        plain.text()
                    );
                    plain.expect_text(part);
                    service.fail(&json!([]));
                    if *operation == "save" {
                        let seen = cache(&project, "restore", &key, &["--lookup-only"]);
                        assert_eq!(told(&seen).0, "miss", "{fault}");
                    }
                    if strict.lock().unwrap().insert((*operation, *rule)) && *outcome != "exists" {
                        let strict = if *operation == "save" {
                            format!("strict-{number}")
                        } else {
                            key.clone()
                        };
                        run(&strict, &["--required"]).expect_code(3);
                    }
                }
            });
        }
    });
}

#[test]
fn a_bucket_that_fails_is_told_as_what_it_is() {
    let peer = peers::in_front_of(peers::moto());
    peers::make_bucket("faults");
    let project = Project::empty()
        .with("AWS_ACCESS_KEY_ID", "not-real-id")
        .with("AWS_SECRET_ACCESS_KEY", "not-real-secret")
        .with("AWS_ENDPOINT_URL", peer.url().as_str());
    project.write("d/f0", "content\n".repeat(5_000));
    let store = ["--store", "s3://faults/x"];
    assert_eq!(told(&cache(&project, "save", "there", &store)).0, "saved");
    let saved = files(&project.path().join("d"));
    write_old(&project);
    let before = files(&project.path());
    let none = json!({});
    for (number, (operation, fault, outcome, rule)) in [
        ("restore", status("GET", 403, &none), "denied", "denied"),
        (
            "restore",
            status("GET", 503, &none),
            "unavailable",
            "server",
        ),
        (
            "restore",
            status("GET", 429, &json!({"retryAfter": 9999})),
            "unavailable",
            "rate-limited",
        ),
        ("restore", kind("GET", "reset"), "unavailable", "network"),
        (
            "restore",
            json!({"at": "GET", "kind": "flip", "after": 2, "times": 9}),
            "unavailable",
            "corrupt",
        ),
        ("save", status("PUT", 403, &none), "denied", "denied"),
        ("save", status("PUT", 507, &none), "unavailable", "quota"),
        (
            "save",
            json!({"at": "PUT", "kind": "status", "status": 400, "after": 1, "times": 9}),
            "unavailable",
            "server",
        ),
        (
            "save",
            json!({"at": "PUT", "kind": "status", "status": 400, "after": 2, "times": 9}),
            "unavailable",
            "server",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let key = if operation == "save" {
            format!("new-{number}")
        } else {
            "there".to_owned()
        };
        peer.fail(&json!([fault]));
        let run = cache(&project, operation, &key, &store);
        run.expect_code(0);
        let found = told(&run);
        assert_eq!(
            (found.0.as_str(), found.1.as_str()),
            (outcome, rule),
            "{fault}: {}",
            run.text()
        );
        assert_eq!(files(&project.path()), before, "{fault}");
        expect_quiet(&project, &run);
        peer.fail(&json!([]));
        // A key whose archive or record could not be written is given back.
        if operation == "save" {
            assert_eq!(told(&cache(&project, "restore", &key, &store)).0, "miss");
            assert_eq!(
                told(&cache(&project, "save", &key, &store)).0,
                "saved",
                "{fault}"
            );
        }
    }
    assert_eq!(told(&cache(&project, "restore", "there", &store)).0, "hit");
    assert_eq!(
        files(&project.path().join("d"))[Path::new("f0")],
        saved[Path::new("f0")]
    );
}

#[test]
fn hostile_archives_are_refused_by_the_step_and_change_nothing() {
    let project = Project::empty();
    let store = project.beside("store");
    let outside = project.beside("outside");
    std::fs::write(outside.join("secret"), "secret").unwrap();
    project
        .write("d/old", "old")
        .write("d/folder/inner", "inner")
        .write("other", "other");
    symlink("../../outside", project.path().join("d/out")).unwrap();
    symlink("../../outside/secret", project.path().join("d/leak")).unwrap();
    let top = project.path().join("..");
    let around = || {
        let mut around = tree(&top);
        around.retain(|path, about| !path.starts_with("store") && !about.starts_with("folder"));
        around
    };
    let before = around();
    // Those that only the limits of their own test refuse.
    let limits = ["too many entries", "far more than its size"];
    let cases = hostile()
        .into_iter()
        .filter(|(what, ..)| !limits.contains(what));
    let mut tried = 0;
    for (what, parts, expected) in cases {
        put(&store, what, &["d"], compressed(&parts));
        let store = store.display().to_string();
        let run = project.run(&[
            "cache",
            "restore",
            "--key",
            what,
            "--paths",
            "d",
            "--store",
            &store,
            "--output-format",
            "json",
        ]);
        run.expect_code(0);
        let (outcome, rule) = told(&run);
        assert_eq!(outcome, "unavailable", "{what}");
        assert!(
            matches!(
                &*rule,
                "refused" | "corrupt" | "truncated" | "too-large" | "in-the-way"
            ),
            "{what}: {rule}"
        );
        assert!(
            run.json()["findings"][0]["message"]
                .as_str()
                .unwrap()
                .contains(expected),
            "{what}: {}",
            run.text()
        );
        assert_eq!(around(), before, "{what}");
        tried += 1;
    }
    assert!(tried >= 60, "{tried}");
}

#[test]
fn archives_that_are_cut_off_or_garbage_are_told_and_change_nothing() {
    let project = Project::empty();
    let store = project.beside("store");
    let mut random = crate::fuzzing::Random(11);
    let noise: Vec<u8> = (0..300_000)
        .map(|_| u8::try_from(random.below(256)).unwrap())
        .collect();
    project.write("d/f0", &noise).write("d/f1", "x");
    let store_name = store.display().to_string();
    let with = ["--store", store_name.as_str()];
    assert_eq!(told(&cache(&project, "save", "whole", &with)).0, "saved");
    let data = tree(&store)
        .into_keys()
        .find(|path| path.starts_with("data") && store.join(path).is_file());
    let whole = std::fs::read(store.join(data.unwrap())).unwrap();
    write_old(&project);
    let before = files(&project.path());
    let plain = compressed(&[file("d/f0", "x")]);
    let mut cases: Vec<(String, Vec<u8>, &[&str])> = vec![
        ("nothing".into(), Vec::new(), &["truncated"]),
        ("text".into(), b"<html>login</html>".to_vec(), &["corrupt"]),
        ("zeros".into(), vec![0; 4_096], &["corrupt"]),
        ("noise".into(), noise, &["corrupt"]),
        (
            "gzip head".into(),
            vec![0x1f, 0x8b, 8, 0],
            &["truncated", "corrupt"],
        ),
        (
            "zstd head".into(),
            plain[..4].to_vec(),
            &["truncated", "corrupt"],
        ),
        (
            "no inventory".into(),
            whole[..whole.len() - 40].to_vec(),
            &["truncated", "corrupt"],
        ),
        (
            "garbage behind".into(),
            [&whole[..], b"garbage"].concat(),
            &["corrupt", "truncated"],
        ),
        (
            "twice".into(),
            [&whole[..], &whole[..]].concat(),
            &["corrupt", "refused"],
        ),
    ];
    for _ in 0..12 {
        let at = random.below(whole.len());
        cases.push((
            format!("cut at {at}"),
            whole[..at].to_vec(),
            &["truncated", "corrupt"],
        ));
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << random.below(8);
        cases.push((
            format!("flipped at {at}"),
            flipped,
            &["corrupt", "truncated", "refused", "too-large"],
        ));
    }
    for (key, archive, rules) in cases {
        put(&store, &key, &["d"], archive);
        let run = cache(&project, "restore", &key, &with);
        run.expect_code(0);
        let (outcome, rule) = told(&run);
        assert_eq!(outcome, "unavailable", "{key}");
        assert!(rules.contains(&&*rule), "{key}: {rule}");
        assert_eq!(files(&project.path()), before, "{key}");
    }
}

#[test]
fn odd_files_are_kept_or_told() {
    let project = Project::empty();
    let store = project.beside("store").display().to_string();
    let store = ["--store", store.as_str()];
    project.write("d/plain", "plain");
    let folder = project.path().join("d");
    for (name, target) in [
        ("loop", "loop"),
        ("here", "."),
        ("a", "b"),
        ("b", "a"),
        ("gone", "nowhere"),
    ] {
        symlink(target, folder.join(name)).unwrap();
    }
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"not \xff\xfe UTF-8\n");
    std::fs::create_dir(folder.join(odd)).unwrap();
    std::fs::write(folder.join(odd).join(odd), "odd").unwrap();
    let before = files(&folder);
    assert_eq!(
        told(&cache(&project, "save", "odd", &store)),
        ("saved".into(), String::new())
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(told(&cache(&project, "restore", "odd", &store)).0, "hit");
    assert_eq!(files(&folder), before);
    // What cannot be kept is told.
    let socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
    let run = cache(&project, "save", "special", &store);
    assert_eq!(told(&run), ("saved".into(), "left-out".into()));
    run.expect_text("d/socket` left out: a socket");
    drop(socket);
}

#[test]
fn what_nobody_may_read_is_left_out_and_told() {
    let project = Project::empty();
    let store = project.beside("store").display().to_string();
    project
        .write("d/open", "open")
        .write("d/secret", "s")
        .write("d/closed/x", "x");
    let set = |path: &str, mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(project.path().join(path), permissions).unwrap();
    };
    set("d/secret", 0);
    set("d/closed", 0);
    // Root reads all, and goes by another user.
    let as_nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let is_root = std::fs::read(project.path().join("d/secret")).is_ok();
    for path in [
        project.path().join(".."),
        project.path(),
        store.clone().into(),
    ] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let run = |key: &str, paths: &str| {
        let arguments = [
            "cache",
            "save",
            "--key",
            key,
            "--paths",
            paths,
            "--store",
            &store,
            "--output-format",
            "json",
        ];
        let mut command = project.command(&arguments);
        if is_root {
            let mut outer = std::process::Command::new(as_nobody[0]);
            outer
                .args(&as_nobody[1..])
                .arg(command.get_program())
                .args(command.get_args());
            let environment = command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?)));
            outer
                .env_clear()
                .envs(environment)
                .current_dir(project.path());
            command = outer;
        }
        let output = command.output().unwrap();
        crate::support::lockgate::Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    };
    for (key, paths) in [("folder", "d"), ("pattern", "d/**/*")] {
        let run = run(key, paths);
        run.expect_code(0);
        assert_eq!(
            told(&run),
            ("saved".into(), "left-out".into()),
            "{}",
            run.text()
        );
        run.expect_text("closed");
        assert!(!run.text().contains("d/open`"), "{}", run.text());
    }
    set("d/closed", 0o755);
}

/// Ends what others do, also where the test fails.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn files_that_change_while_they_are_saved_never_break_the_archive() {
    let project = Project::empty();
    let store = project.beside("store").display().to_string();
    let store = ["--store", store.as_str()];
    let folder = project.path().join("d");
    for number in 0..40_u8 {
        project.write(&format!("d/f{number}"), vec![b'0' + number; 200_000]);
    }
    let is_over = AtomicBool::new(false);
    let restored = Project::empty();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = crate::fuzzing::Random(3);
            while !is_over.load(Ordering::Relaxed) {
                let number = u8::try_from(random.below(40)).unwrap();
                let path = folder.join(format!("f{number}"));
                let size = random.below(400_000);
                let changed = match random.below(4) {
                    0 => std::fs::remove_file(&path),
                    1 => std::fs::File::options()
                        .write(true)
                        .open(&path)
                        .and_then(|file| file.set_len(size as u64 / 2)),
                    _ => std::fs::write(&path, vec![b'0' + number; size]),
                };
                // It may be gone by its own doing.
                let _ = changed;
            }
        });
        let _over = Over(&is_over);
        for round in 0..4 {
            let key = format!("k-{round}");
            let saved = cache(&project, "save", &key, &store);
            saved.expect_code(0);
            assert_eq!(told(&saved).0, "saved", "{}", saved.text());
            let again = cache(&restored, "restore", &key, &store);
            assert_eq!(told(&again).0, "hit", "{}", again.text());
        }
    });
    for number in 0..40_u8 {
        let Ok(bytes) = std::fs::read(restored.path().join(format!("d/f{number}"))) else {
            continue;
        };
        let is_own = |byte: &u8| *byte == b'0' + number || *byte == 0;
        assert!(bytes.iter().all(is_own), "{number}");
    }
}
