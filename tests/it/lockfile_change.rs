//! What a change does to a lock that uv made: alarms on their lines, the table, the outputs, what the base had already.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::lockgate::{Project, Run};
use crate::support::tools::{network, tool};

/// A project that asks for one version of a package without dependencies.
pub(crate) fn pyproject(version: &str) -> String {
    format!(
        "[project]\nname = \"service\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [\"six=={version}\"]\n"
    )
}

/// The lock that uv makes of it.
pub(crate) fn locked(version: &'static str) -> String {
    static LOCKS: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    let lock = LOCKS[usize::from(version == "1.17.0")].get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("pyproject.toml"), pyproject(version)).expect("a file");
        let output = Command::new(tool("uv"))
            .args(["lock", "--quiet"])
            .current_dir(folder.path())
            .env_clear()
            .envs(network())
            .env("PATH", std::env::var_os("PATH").expect("a PATH"))
            .env("HOME", folder.path())
            .output()
            .expect("uv");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        std::fs::read_to_string(folder.path().join("uv.lock")).expect("a lock")
    });
    lock.clone()
}

/// A repository with the lock of 1.16.0.
pub(crate) fn repository() -> Project {
    let project = Project::empty();
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project
        .write("pyproject.toml", pyproject("1.16.0"))
        .write("uv.lock", locked("1.16.0"));
    project.commit("the base");
    project
}

/// The line of the wheel, 1-based, and its text.
pub(crate) fn wheel_line(lock: &str) -> (usize, &str) {
    let mut lines = lock.lines().zip(1..);
    let (line, number) = lines
        .find(|(line, _)| line.contains(".whl"))
        .expect("a wheel");
    (number, line)
}

/// Another digit in the hash of the wheel.
pub(crate) fn with_other_hash(lock: &str) -> String {
    let (_, line) = wheel_line(lock);
    let (head, tail) = line.split_once("sha256:").expect("a hash");
    let digit = if tail.starts_with('0') { '1' } else { '0' };
    lock.replace(line, &format!("{head}sha256:{digit}{}", &tail[1..]))
}

fn run(project: &Project) -> Run {
    project.run(&["lockfile-verify", "--base=HEAD", "--output-format=json"])
}

fn rules(report: &Value) -> Vec<(String, u64, bool)> {
    let findings = report["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| {
            let rule = finding["rule"].as_str().unwrap_or_default().to_owned();
            let line = finding["line"].as_u64().unwrap_or_default();
            (rule, line, finding["new"] == json!(true))
        })
        .collect()
}

#[track_caller]
fn expect_outputs(report: &Value, changed: &str, jump: &str, sources: &str, alarms: &str) {
    let outputs = &report["outputs"];
    for (name, value) in [
        ("changed", changed),
        ("max-jump", jump),
        ("new-sources", sources),
        ("alarms", alarms),
    ] {
        assert_eq!(outputs[name], json!(value), "{name}: {outputs}");
    }
}

#[test]
fn an_upgrade_is_a_row_and_no_finding() {
    let project = repository();
    let unchanged = run(&project);
    unchanged.expect_code(0);
    expect_outputs(&unchanged.json(), "false", "none", "0", "0");

    project
        .write("pyproject.toml", pyproject("1.17.0"))
        .write("uv.lock", locked("1.17.0"));
    let report = run(&project).json();
    assert!(rules(&report).is_empty(), "{report:#}");
    expect_outputs(&report, "true", "minor", "0", "0");

    let summary = project.beside("out").join("summary.md");
    let to_file = format!("--summary-file={}", summary.display());
    let human = project.run(&["lockfile-verify", "--base=HEAD", &to_file]);
    human
        .expect_code(0)
        .expect_text("uv.lock: 1 package changed");
    human.expect_text("six  1.16.0  1.17.0  upgraded, minor");
    let summary = std::fs::read_to_string(summary).expect("a summary");
    assert!(
        summary.contains("| six | 1.16.0 | 1.17.0 | upgraded, minor |"),
        "{summary}"
    );
    let jump = project.run(&["lockfile-verify", "--base=HEAD", "--rules=major-jump error"]);
    jump.expect_code(0);

    project.commit("the upgrade");
    project
        .write("pyproject.toml", pyproject("1.16.0"))
        .write("uv.lock", locked("1.16.0"));
    let report = run(&project).json();
    let found = rules(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].2), ("downgrade", true));
}

#[test]
fn the_same_version_with_another_hash_is_an_alarm_on_its_line() {
    let project = repository();
    let lock = locked("1.16.0");
    let (line, _) = wheel_line(&lock);
    project.write("uv.lock", with_other_hash(&lock));
    let outcome = run(&project);
    outcome.expect_code(1);
    let report = outcome.json();
    let found = rules(&report);
    assert!(
        found.contains(&("hash-changed".to_owned(), line as u64, true)),
        "{found:?}"
    );
    expect_outputs(&report, "true", "none", "0", "1");

    // uv itself sees nothing in it.
    let folder: PathBuf = project.path();
    let uv = Command::new(tool("uv"))
        .args(["lock", "--check", "--offline", "--quiet"])
        .current_dir(folder)
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", project.beside("uv-home"))
        .status()
        .expect("uv");
    assert!(uv.success());

    // Without a base nothing is said of it, and the outputs are no permission.
    let report = project
        .run(&["lockfile-verify", "--output-format=json", "--base=HEAD~5"])
        .code;
    assert_ne!(report, 0);
    let outside = Project::empty();
    outside
        .write("pyproject.toml", pyproject("1.16.0"))
        .write("uv.lock", with_other_hash(&lock));
    let report = outside
        .run(&["lockfile-verify", "--output-format=json"])
        .json();
    expect_outputs(&report, "", "", "", "");
    assert!(rules(&report).is_empty(), "{report:#}");
}

#[test]
fn a_wheel_from_another_host_is_a_new_source_and_what_was_there_before_is_old() {
    let project = repository();
    let lock = locked("1.16.0");
    let (line, text) = wheel_line(&lock);
    let (_, rest) = text.split_once("https://").expect("a URL");
    let (host, _) = rest.split_once('/').expect("a host");
    let swapped = text.replace(host, "files.lookalike.example");
    project.write("uv.lock", lock.replace(text, &swapped));
    let report = run(&project).json();
    let found = rules(&report);
    for rule in ["new-source", "source-moved"] {
        assert!(
            found.contains(&(rule.to_owned(), line as u64, true)),
            "{rule}: {found:?}"
        );
    }
    expect_outputs(&report, "true", "none", "1", "0");

    // A finding that the base has as well is an old one, though its line moved.
    let bare = |lock: &str| {
        let (_, text) = wheel_line(lock);
        let (head, tail) = text.split_once(", hash = ").expect("a hash");
        let (_, tail) = tail.split_once(", size").expect("a size");
        lock.replace(text, &format!("{head}, size{tail}"))
    };
    project.write("uv.lock", bare(&lock));
    project.commit("a lock without a hash");
    project.write("uv.lock", format!("# moved\n{}", bare(&lock)));
    let found = rules(&run(&project).json());
    let missing: Vec<_> = found.iter().filter(|one| one.0 == "hash-missing").collect();
    assert_eq!(
        missing,
        [&("hash-missing".to_owned(), line as u64 + 1, false)]
    );
}

#[test]
fn explain_says_where_a_package_comes_from_and_who_needs_it() {
    let project = repository();
    let lock = locked("1.16.0");
    let (line, _) = wheel_line(&lock);
    let run = project.run(&["lockfile-verify", "--explain", "Six"]);
    run.expect_code(0)
        .expect_text("six 1.16.0  (uv.lock:")
        .expect_text("  from: index http")
        .expect_text("  needed by: service 0.1.0  (uv.lock:")
        .expect_text("  file: six-1.16.0-py2.py3-none-any.whl  http")
        .expect_text(&format!("(uv.lock:{line})"));
    let run = project.run(&["lockfile-verify", "--explain", "sixx"]);
    run.expect_code(2)
        .expect_text("`explain`: no lock pins `sixx`")
        .expect_text("--explain six");
}
