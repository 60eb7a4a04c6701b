//! What the lock alone cannot show: `pyproject.toml` changed and the lock did not, files from elsewhere, another digit of a hash.

use super::{PROJECT, between, entry, line_of, lock};
use crate::support::lockgate::Project;

/// A finding: rule, severity, file, line, what to do.
type Found = (String, String, String, u64, String);

/// What every rule says.
fn judged(project: &Project, arguments: &[&str]) -> Vec<Found> {
    let arguments = [&["lockfile-verify", "--output-format=json"], arguments].concat();
    let report = project.run(&arguments).json();
    let findings = report["findings"].as_array().expect("findings");
    let text = |finding: &serde_json::Value, key: &str| {
        finding[key].as_str().unwrap_or_default().to_owned()
    };
    findings
        .iter()
        .map(|finding| {
            let line = finding["line"].as_u64().unwrap_or_default();
            let [rule, severity, path, help] =
                ["rule", "severity", "path", "help"].map(|key| text(finding, key));
            (rule, severity, path, line, help)
        })
        .collect()
}

/// Both files, as they are.
fn project(declared: &str, lock: &str) -> Project {
    let project = Project::empty();
    project.write("pyproject.toml", declared);
    project.write("uv.lock", lock);
    project
}

/// The one finding, where it stands and what it says to do.
#[track_caller]
fn expect(found: &[Found], rule: &str, path: &str, line: u64, help: &str) {
    let [(its, severity, file, number, says)] = found else {
        panic!("{rule}: {found:?}");
    };
    assert_eq!(
        (its.as_str(), severity.as_str(), file.as_str(), *number),
        (rule, "error", path, line)
    );
    assert!(says.contains(help), "{rule}: {says}");
}

#[test]
fn the_project_changed_and_the_lock_did_not() {
    let requirement = "requests[socks]>=2.32";
    for (from, to, rule, path, at, help) in [
        (
            requirement,
            "requests[socks]>=2.32.0.1",
            "sync-requirements",
            "pyproject.toml",
            "requests",
            "no version must move",
        ),
        (
            requirement,
            "requests[socks]>=99",
            "sync-requirements",
            "pyproject.toml",
            "requests",
            "must move from",
        ),
        (
            requirement,
            "flask\", \"requests[socks]>=2.32",
            "sync-requirements",
            "pyproject.toml",
            "flask",
            "must be locked",
        ),
        (
            ", \"sqlalchemy>=2.0\"",
            "",
            "sync-requirements",
            "uv.lock",
            "name = \"sqlalchemy\", specifier",
            "no version must move",
        ),
        (
            "0.1.0",
            "0.1.1",
            "sync-version",
            "pyproject.toml",
            "0.1.1",
            "no version of a dependency moves",
        ),
        (
            ">=3.11",
            ">=3.12",
            "sync-requires-python",
            "pyproject.toml",
            ">=3.12",
            "versions may move",
        ),
        ("cli = [", "tui = [", "", "", "", ""),
    ] {
        let declared = PROJECT.replacen(from, to, 1);
        assert_ne!(declared, PROJECT, "{to}");
        let found = judged(&project(&declared, lock()), &[]);
        if rule.is_empty() {
            assert!(found.iter().any(|one| one.0 == "sync-extras"), "{found:?}");
            continue;
        }
        let text = if path == "uv.lock" { lock() } else { &declared };
        expect(&found, rule, path, line_of(text, at), help);
    }
    let spelled = PROJECT.replace("sqlalchemy>=2.0", "SQLAlchemy >= 2.0");
    assert_eq!(judged(&project(&spelled, lock()), &[]), []);
}

#[test]
fn files_and_packages_from_elsewhere() {
    let wheel = between(entry("certifi"), "wheels = [\n", "\n");
    let url = between(wheel, "url = \"", "\"");
    let elsewhere = lock().replace(url, &url.replacen("https://", "http://x.example/", 1));
    let found = judged(&project(PROJECT, &elsewhere), &[]);
    for rule in ["plain-http", "host-not-allowed"] {
        let line = line_of(lock(), wheel);
        assert!(
            found.iter().any(|one| one.0 == rule && one.3 == line),
            "{rule}: {found:?}"
        );
    }

    let index = between(entry("certifi"), "registry = \"", "\"");
    let other = entry("certifi").replacen(index, "https://index.example/simple", 1);
    let moved = lock().replace(entry("certifi"), &other);
    let found = judged(&project(PROJECT, &moved), &[]);
    let line = line_of(&moved, "https://index.example/simple");
    assert!(
        found
            .iter()
            .any(|one| one.0 == "index-not-allowed" && one.3 == line),
        "{found:?}"
    );

    let added = format!(
        "{}\n[[package]]\nname = \"zz-helper\"\nversion = \"1.0\"\nsource = {{ url = \"https://x.example/zz_helper-1.0-py3-none-any.whl\" }}\nwheels = [\n    {{ url = \"https://x.example/zz_helper-1.0-py3-none-any.whl\", hash = \"sha256:{}\" }},\n]\n",
        lock(),
        "0".repeat(64)
    );
    let found = judged(&project(PROJECT, &added), &[]);
    for rule in ["source-not-declared", "orphan-package"] {
        assert!(found.iter().any(|one| one.0 == rule), "{rule}: {found:?}");
    }
}

#[test]
fn another_digit_shows_against_the_base() {
    let wheel = between(entry("certifi"), "wheels = [\n", "\n");
    let hash = between(wheel, "hash = \"sha256:", "\"");
    let digit = if hash.starts_with('0') { "1" } else { "0" };
    let other = lock().replace(hash, &format!("{digit}{}", &hash[1..]));
    // The file alone does not show it.
    assert_eq!(judged(&project(PROJECT, &other), &[]), []);
    let project = project(PROJECT, lock());
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.commit("the base");
    project.write("uv.lock", &other);
    let found = judged(&project, &["--base", "HEAD"]);
    let line = line_of(
        &other,
        &wheel.replace(hash, &format!("{digit}{}", &hash[1..])),
    );
    assert!(
        found
            .iter()
            .any(|one| one.0 == "hash-changed" && one.1 == "error" && one.3 == line),
        "{found:?}"
    );
}
