//! The same for the lock of a script: `tool.py.lock`.

use std::sync::OnceLock;

use tempfile::TempDir;

use super::{between, line_of, uv};
use crate::support::lockgate::Project;

const SCRIPT: &str = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#     \"requests>=2.32\",\n#     \"iniconfig\",\n# ]\n# ///\nprint(1)\n";

/// The lock that uv makes of it.
fn lock() -> &'static str {
    static LOCK: OnceLock<String> = OnceLock::new();
    LOCK.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("tool.py"), SCRIPT).expect("a script");
        uv(folder.path(), &["lock", "--script", "tool.py"]);
        uv(
            folder.path(),
            &["lock", "--script", "tool.py", "--check", "--offline"],
        );
        std::fs::read_to_string(folder.path().join("tool.py.lock")).expect("a lock")
    })
}

/// Rules, files and lines.
fn found(script: &str, lock: &str) -> Vec<(String, String, u64)> {
    let project = Project::empty();
    project.write("tool.py", script);
    project.write("tool.py.lock", lock);
    let report = project
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    let findings = report["findings"].as_array().expect("findings");
    let text = |finding: &serde_json::Value, key: &str| {
        finding[key].as_str().unwrap_or_default().to_owned()
    };
    findings
        .iter()
        .map(|one| {
            let line = one["line"].as_u64().unwrap_or_default();
            (text(one, "rule"), text(one, "path"), line)
        })
        .collect()
}

#[test]
fn the_lock_of_a_script_as_uv_makes_it_gives_nothing() {
    for lock in [
        lock().to_owned(),
        lock().replace('\n', "\r\n"),
        format!("\u{feff}{}", lock()),
    ] {
        assert_eq!(found(SCRIPT, &lock), []);
    }
}

#[test]
fn the_lock_of_a_script_changed_in_one_place() {
    let start = lock()
        .find("[[package]]\nname = \"certifi\"\n")
        .expect("certifi");
    let end = lock()[start + 1..]
        .find("[[package]]")
        .expect("another one")
        + start
        + 1;
    let entry = &lock()[start..end];
    let wheel = between(entry, "wheels = [\n", "\n");
    let hash = between(wheel, "hash = \"", "\"");
    let version = between(entry, "version = \"", "\"");
    let wheel_at = line_of(lock(), wheel);
    let edge = "    { name = \"certifi\" },\n";
    let with = |from: &str, to: &str| lock().replacen(from, to, 1);
    let middle = lock()
        .find("[[package]]\nname = \"requests\"")
        .expect("requests")
        + 25;
    for (rule, changed, line) in [
        (
            "hash-missing",
            with(&format!(", hash = \"{hash}\""), ""),
            wheel_at,
        ),
        (
            "hash-weak",
            with(hash, &format!("md5:{}", &hash[7..39])),
            wheel_at,
        ),
        ("hash-length", with(hash, &hash[..hash.len() - 2]), wheel_at),
        (
            "hash-malformed",
            with(hash, &hash.replace("sha256", "SHA-256")),
            wheel_at,
        ),
        (
            "file-name-mismatch",
            with(wheel, &wheel.replace("/certifi-", "/certify-")),
            wheel_at,
        ),
        (
            "file-name-mismatch",
            with(&format!("version = \"{version}\""), "version = \"1.0\""),
            line_of(lock(), "name = \"certifi\"") + 1,
        ),
        ("dangling-edge", with(entry, ""), 0),
        (
            "duplicate-package",
            with(entry, &format!("{entry}{entry}")),
            0,
        ),
        ("orphan-package", with(edge, ""), 0),
        (
            "truncated",
            lock()[..middle].to_owned(),
            lock()[..middle].lines().count() as u64,
        ),
        (
            "conflict-marker",
            with("requires-python", "<<<<<<< HEAD\nrequires-python"),
            3,
        ),
        ("syntax", String::new(), 1),
        ("unknown-version", with("version = 1\n", "version = 2\n"), 1),
        ("unknown-revision", with("revision = ", "revision = 9"), 2),
        (
            "version-missing",
            with(&format!("version = \"{version}\"\n"), ""),
            line_of(lock(), "name = \"certifi\""),
        ),
        ("plain-http", with("https://files", "http://files"), 0),
    ] {
        assert_ne!(changed, lock(), "{rule}: nothing was changed");
        let found = found(SCRIPT, &changed);
        let is_there = found.iter().any(|(its, path, at)| {
            its == rule && path == "tool.py.lock" && (line == 0 || *at == line)
        });
        assert!(is_there, "{rule} on line {line}: {found:?}");
    }
}

#[test]
fn the_script_changed_and_its_lock_did_not() {
    for (from, to, rule, line) in [
        (">=2.32", ">=2.32.0.1", "sync-script", 5),
        (">=2.32", ">=99", "sync-script", 5),
        (
            "\"iniconfig\"",
            "\"iniconfig\", \"flask\"",
            "sync-script",
            6,
        ),
        (">=3.11", ">=3.12", "sync-requires-python", 3),
    ] {
        let script = SCRIPT.replacen(from, to, 1);
        let expected = (rule.to_owned(), "tool.py".to_owned(), line);
        assert_eq!(found(&script, lock()), [expected], "{to}");
    }
    let dropped = SCRIPT.replace("#     \"iniconfig\",\n", "");
    let line = line_of(lock(), "iniconfig");
    let expected = ("sync-script".to_owned(), "tool.py.lock".to_owned(), line);
    assert_eq!(found(&dropped, lock()), [expected]);
    let spelled = SCRIPT
        .replace("requests>=2.32", "Requests >= 2.32")
        .replace("print(1)", "print(2)");
    assert_eq!(found(&spelled, lock()), []);
}
