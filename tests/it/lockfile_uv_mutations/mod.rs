//! A lock that uv makes here, changed in one place at a time: the right rule on the right line, and nothing for the lock
//! as it was made. uv itself accepts most of these.
//!
//! What only `pyproject.toml`, the sources or a base can show is in `beside.rs`, the lock of a script in `script.rs`. A version
//! that was swapped together with its files is a downgrade against the base.

mod beside;
mod script;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use lockgate::lockfiles::public_index::{FILE_HOST, SIMPLE_API};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::lockgate::Project;
use crate::support::tools::{network, tool};

/// The rules that are looked at here.
const RULES: [&str; 18] = [
    "syntax",
    "conflict-marker",
    "truncated",
    "unknown-version",
    "unknown-revision",
    "duplicate-package",
    "version-invalid",
    "dangling-edge",
    "ambiguous-edge",
    "orphan-package",
    "missing-edge",
    "file-name-mismatch",
    "file-conflict",
    "duplicate-file",
    "hash-missing",
    "hash-malformed",
    "hash-length",
    "hash-weak",
];

const PROJECT: &str = r#"[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["requests[socks]>=2.32", "sqlalchemy>=2.0"]

[project.optional-dependencies]
cli = ["click>=8", "pywin32-ctypes ; sys_platform == 'win32'"]

[dependency-groups]
dev = ["iniconfig>=2"]

[tool.uv]
package = false
"#;

/// The lock that uv makes of it.
fn lock() -> &'static str {
    static LOCK: OnceLock<String> = OnceLock::new();
    LOCK.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("pyproject.toml"), PROJECT).expect("a project");
        uv(folder.path(), &["lock"]);
        let lock = std::fs::read_to_string(folder.path().join("uv.lock")).expect("a lock");
        // The lock is what uv calls fresh.
        uv(folder.path(), &["lock", "--check", "--offline"]);
        lock
    })
}

#[track_caller]
pub(crate) fn uv(folder: &Path, arguments: &[&str]) {
    let output = Command::new(tool("uv"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env(
            "UV_CACHE_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("uv-cache"),
        )
        .output()
        .expect("uv");
    assert!(
        output.status.success(),
        "uv {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What those rules say about a lock: rule, severity, line, in the order of the file.
fn found(lock: impl AsRef<[u8]>) -> Vec<(String, String, u64)> {
    let mut found = all_found(lock);
    found.retain(|(rule, ..)| RULES.contains(&rule.as_str()));
    found.sort_by_key(|(.., line)| *line);
    found
}

/// What every rule says about a lock.
fn all_found(lock: impl AsRef<[u8]>) -> Vec<(String, String, u64)> {
    let project = Project::empty();
    project.write("pyproject.toml", PROJECT);
    project.write("uv.lock", lock);
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .filter(|finding| finding["path"] == "uv.lock")
        .map(|finding| {
            assert!(finding["help"].is_string(), "{finding}");
            let line = finding["line"].as_u64().unwrap_or_default();
            (text(finding, "rule"), text(finding, "severity"), line)
        })
        .collect()
}

/// The number of the first line with this text.
#[track_caller]
fn line_of(text: &str, part: &str) -> u64 {
    let line = text.lines().position(|line| line.contains(part));
    line.unwrap_or_else(|| panic!("no `{part}`")) as u64 + 1
}

/// The entry of a package, from its head to the next one.
#[track_caller]
fn entry(name: &str) -> &'static str {
    let start = lock()
        .find(&format!("[[package]]\nname = \"{name}\"\n"))
        .unwrap_or_else(|| panic!("no {name}"));
    let rest = &lock()[start..];
    let end = rest[1..]
        .find("[[package]]")
        .map_or(rest.len(), |end| end + 1);
    &rest[..end]
}

/// What stands between two texts, for the first time.
#[track_caller]
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no `{start}`"));
    rest.split_once(end)
        .unwrap_or_else(|| panic!("no `{end}`"))
        .0
}

/// The changed lock must give this one finding of these rules.
#[track_caller]
fn expect(changed: &str, rule: &str, severity: &str, line: u64) {
    assert_ne!(changed, lock(), "{rule}: nothing was changed");
    assert_eq!(
        found(changed),
        [(rule.to_owned(), severity.to_owned(), line)]
    );
}

#[test]
fn the_lock_as_uv_makes_it_gives_nothing() {
    assert_eq!(all_found(lock()), []);
    // Line ends and a byte order mark are no matter to uv either.
    assert_eq!(found(lock().replace('\n', "\r\n")), []);
    assert_eq!(found(format!("\u{feff}{}", lock())), []);
}

#[test]
fn hashes() {
    let wheel = between(entry("certifi"), "wheels = [\n", "\n");
    let hash = between(wheel, "hash = \"", "\"");
    let line = line_of(lock(), wheel);

    let deleted = lock().replace(&format!(", hash = \"{hash}\""), "");
    expect(&deleted, "hash-missing", "error", line);
    // As long as an MD5 is: uv accepts it.
    let weak = format!("md5:{}", &hash["sha256:".len()..][..32]);
    let weak = lock().replace(hash, &weak);
    expect(&weak, "hash-weak", "error", line);
    let short = lock().replace(hash, &hash[..hash.len() - 2]);
    expect(&short, "hash-length", "error", line);
    let misspelt = lock().replace(hash, &hash.replace("sha256", "SHA-256"));
    expect(&misspelt, "hash-malformed", "error", line);
    let (_, digits) = hash.split_once(':').unwrap();
    let no_digits = lock().replace(
        digits,
        &digits.replace(|one: char| one.is_ascii_digit(), "x"),
    );
    expect(&no_digits, "hash-malformed", "error", line);
}

#[test]
fn all_hashes() {
    let mut without = String::new();
    for line in lock().lines() {
        match line.split_once(", hash = ") {
            Some((before, rest)) => {
                without.push_str(before);
                without.push_str(&rest[rest.find(',').unwrap()..]);
            }
            None => without.push_str(line),
        }
        without.push('\n');
    }
    let found = found(&without);
    assert!(!found.is_empty() && found.iter().all(|(rule, ..)| rule == "hash-missing"));
}

#[test]
fn files_of_another_package_or_version() {
    let wheel = between(entry("certifi"), "wheels = [\n", "\n");
    let version = between(entry("certifi"), "version = \"", "\"");
    let renamed = lock().replace(wheel, &wheel.replace("/certifi-", "/certify-"));
    let line = line_of(lock(), wheel);
    expect(&renamed, "file-name-mismatch", "error", line);

    let head = format!("name = \"certifi\"\nversion = \"{version}\"");
    let bumped = lock().replace(&head, "name = \"certifi\"\nversion = \"1.0\"");
    let line = line_of(lock(), "name = \"certifi\"") + 1;
    expect(&bumped, "file-name-mismatch", "error", line);
    let no_version = lock().replace(&head, "name = \"certifi\"\nversion = \"newest\"");
    expect(&no_version, "version-invalid", "error", line);

    let other = wheel.replace("sha256:", "sha256:00");
    let (end, _) = other.split_at(other.len() - 1);
    let digits = between(&other, "sha256:", "\"");
    let other = end.replace(digits, &digits[..64]);
    let twice = lock().replace(wheel, &format!("{wheel}\n{other},"));
    let line = line_of(&twice, wheel) + 1;
    expect(&twice, "file-conflict", "error", line);
    let twice = lock().replace(wheel, &format!("{wheel}\n{wheel}"));
    expect(&twice, "duplicate-file", "warning", line);
}

#[test]
fn the_graph() {
    // The package is gone, and what needs it is not.
    let dropped = lock().replace(entry("typing-extensions"), "");
    let line = line_of(&dropped, "{ name = \"typing-extensions\"");
    expect(&dropped, "dangling-edge", "error", line);

    let doubled = lock().replace(entry("idna"), &format!("{0}{0}", entry("idna")));
    let line = doubled[..doubled.rfind("name = \"idna\"\nversion").unwrap()]
        .lines()
        .count() as u64
        + 1;
    expect(&doubled, "duplicate-package", "error", line);

    // uv says of the next two that the lock is fresh.
    let edge = "    { name = \"urllib3\" },\n";
    let without = lock().replace(edge, "");
    let line = line_of(&without, "name = \"urllib3\"");
    expect(&without, "orphan-package", "warning", line);
    let added = format!(
        "{}\n[[package]]\nname = \"zz-helper\"\nversion = \"1.0\"\nsource = {{ registry = \"{}\" }}\nwheels = [\n    {{ url = \"https://{FILE_HOST}/zz_helper-1.0-py3-none-any.whl\", hash = \"sha256:{}\", size = 1 }},\n]\n",
        lock(),
        SIMPLE_API.trim_end_matches('/'),
        "0".repeat(64)
    );
    let line = line_of(&added, "name = \"zz-helper\"");
    expect(&added, "orphan-package", "warning", line);

    let shop = entry("shop");
    for (edge, package) in [
        ("    { name = \"sqlalchemy\" },\n", "sqlalchemy"),
        ("    { name = \"click\" },\n", "click"),
        ("    { name = \"iniconfig\" },\n", "iniconfig"),
        (
            "    { name = \"pywin32-ctypes\", marker = \"sys_platform == 'win32'\" },\n",
            "pywin32-ctypes",
        ),
    ] {
        assert!(shop.contains(edge), "{shop}");
        let without = lock().replace(shop, &shop.replacen(edge, "", 1));
        let rules: Vec<String> = found(&without).into_iter().map(|one| one.0).collect();
        assert!(
            rules.contains(&"missing-edge".to_owned()),
            "{package}: {rules:?}"
        );
        assert!(
            rules.contains(&"orphan-package".to_owned()),
            "{package}: {rules:?}"
        );
    }

    let other = entry("idna").replace("registry = \"https://", "registry = \"https://mirror.");
    let forked = lock().replace(entry("idna"), &format!("{}{other}", entry("idna")));
    let line = line_of(&forked, "    { name = \"idna\" },");
    expect(&forked, "ambiguous-edge", "error", line);
}

#[test]
fn the_file_as_a_whole() {
    let middle = lock().find("[[package]]\nname = \"requests\"").unwrap();
    let cut = &lock()[..middle + 25];
    expect(
        cut,
        "truncated",
        "error",
        line_of(lock(), "name = \"requests\""),
    );

    // Still TOML: what comes before needs what was cut off.
    let boundary = lock().find("[[package]]\nname = \"sqlalchemy\"").unwrap();
    let cut = &lock()[..boundary];
    let edge = |name: &str| line_of(cut, &format!("    {{ name = \"{name}\" }},"));
    let dangling = |line| ("dangling-edge".to_owned(), "error".to_owned(), line);
    assert_eq!(
        found(cut),
        [dangling(edge("urllib3")), dangling(edge("sqlalchemy"))]
    );

    let line = line_of(lock(), "requires-python");
    let marked = lock().replacen("requires-python", "<<<<<<< HEAD\nrequires-python", 1);
    expect(&marked, "conflict-marker", "error", line);
    expect("", "syntax", "error", 1);
    let other = lock().replacen("version = 1\n", "version = 2\n", 1);
    expect(&other, "unknown-version", "error", 1);
    let revision = format!("revision = {}", between(lock(), "revision = ", "\n"));
    let newer = lock().replacen(&revision, "revision = 99", 1);
    expect(&newer, "unknown-revision", "note", 2);
    // uv takes a key that it does not know as one of a later release.
    let unknown = lock().replacen("requires-python", "later = 1\nrequires-python", 1);
    assert_eq!(found(&unknown), []);

    let project = Project::empty();
    project.write("pyproject.toml", PROJECT);
    project.run(&["lockfile-verify"]).expect_code(3);
}
