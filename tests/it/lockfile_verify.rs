//! `lockfile-verify` as a whole: discovery, verdicts, outputs.

use serde_json::json;

use crate::support::lockgate::Project;

const HEALTHY: &str = r#"version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://index.example/simple" }
wheels = [
    { url = "https://files.example/six-1.17.0-py2.py3-none-any.whl", hash = "sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", size = 11050 },
]

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[package.metadata]
requires-dist = [{ name = "six" }]
"#;

const PROJECT: &str = r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six"]
"#;

/// A wheel of `six` without a hash, and another one with it.
fn without_hash() -> String {
    let (before, rest) = HEALTHY.split_once(", hash = ").unwrap();
    let (_, after) = rest.split_once(", size").unwrap();
    let wheel = HEALTHY.lines().find(|line| line.contains(".whl")).unwrap();
    let other = wheel.replace("py2.py3", "cp311");
    let (rest, after) = after.split_once('\n').unwrap();
    format!("{before}, size{rest}\n{other}\n{after}")
}

#[test]
fn a_healthy_lock_passes() {
    let project = Project::empty();
    project.write("uv.lock", HEALTHY);
    project.write("pyproject.toml", PROJECT);
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    let report = run.json();
    assert_eq!(report["schema"], json!("lockgate.lockfile-verify/1"));
    assert_eq!(report["verdict"], json!("pass"));
    assert_eq!(report["outputs"]["packages"], json!("1"));
    assert_eq!(report["checks"][0]["name"], json!("uv.lock"));
}

#[test]
fn a_hash_that_is_missing_is_found_on_its_line() {
    let project = Project::empty();
    project.write("services/api/uv.lock", without_hash());
    project.write("services/api/pyproject.toml", PROJECT);
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(1);
    let finding = &run.json()["findings"][0];
    assert_eq!(finding["rule"], json!("hash-missing"));
    assert_eq!(finding["path"], json!("services/api/uv.lock"));
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&json!(10), &json!(5))
    );

    let ignore = "--ignore=lockgate:hash-missing:six until 2999-01-01: a mirror";
    let run = project.run(&["lockfile-verify", ignore]);
    run.expect_code(0).expect_text("ignored");
    let run = project.run(&["lockfile-verify", "--rules=hash-missing warning"]);
    run.expect_code(0)
        .expect_text("warning[lockgate:hash-missing]");
}

#[test]
fn nothing_to_verify_is_no_verdict() {
    let project = Project::empty();
    project.write("tests/fixtures/uv.lock", "broken");
    let run = project.run(&["lockfile-verify"]);
    run.expect_code(3).expect_text("there is no lockfile in");
    project
        .run(&["lockfile-verify", "--allow-empty"])
        .expect_code(0);
}

#[test]
fn a_lock_that_cannot_be_read_is_a_finding_with_its_place() {
    let project = Project::empty();
    project.write("uv.lock", "version = 1\n<<<<<<< HEAD\n");
    let run = project.run(&["lockfile-verify"]);
    run.expect_code(1)
        .expect_text("error[lockgate:conflict-marker]")
        .expect_text("--> uv.lock:2:1");
    let run = project.run(&["lockfile-verify", "--rules=conflict-marker off"]);
    run.expect_code(3)
        .expect_text("the rule that says why is off");
}

#[test]
fn a_project_that_cannot_be_read_is_told_and_no_verdict_where_that_is_asked_for() {
    let project = Project::empty();
    project.write("pyproject.toml", "[project]\nname = \"root\"\n");
    project.write("svc/pyproject.toml", "[project\n");
    project.write(
        "svc/uv.lock",
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n",
    );
    let run = project.run(&["lockfile-verify", "--output-format=json"]);
    run.expect_code(0);
    let report = run.json();
    assert_eq!(report["findings"][0]["rule"], "sync-unverifiable");
    assert_eq!(report["findings"][0]["path"], "svc/pyproject.toml");
    project.run(&["lockfile-verify", "--strict"]).expect_code(3);
}

/// One lock of each kind that is made from one file, and that file.
const LOCKS: [(&str, &str, &str); 5] = [
    ("uv.lock", "version = 1\nrevision = 3\n", "pyproject.toml"),
    (
        "poetry.lock",
        "package = []\n\n[metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.11\"\n\
         content-hash = \"017cb2cd76e90ec8709f4c0a98f94b08dca03d174e741f6ac3ff445732ef29ac\"\n",
        "pyproject.toml",
    ),
    (
        "pdm.lock",
        "[metadata]\ngroups = [\"default\"]\nlock_version = \"4.5.1\"\n\
         content_hash = \"sha256:645a2b6e9289871db3a99f453743b20cb7669d8595435ea046caea2d6368e20a\"\n",
        "pyproject.toml",
    ),
    (
        "tool.py.lock",
        "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n",
        "tool.py",
    ),
    (
        "Pipfile.lock",
        "{\"_meta\": {\"hash\": {\"sha256\": \
         \"017cb2cd76e90ec8709f4c0a98f94b08dca03d174e741f6ac3ff445732ef29ac\"}, \"pipfile-spec\": 6, \
         \"requires\": {}, \"sources\": []}, \"default\": {}, \"develop\": {}}\n",
        "Pipfile",
    ),
];

#[test]
fn a_lock_without_what_it_was_made_from_is_told_and_no_verdict_where_that_is_asked_for() {
    for (lock, text, declared) in LOCKS {
        let project = Project::empty();
        project.write(&format!("svc/{lock}"), text);
        // That of another folder is none of its own.
        project.write(declared, "");
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        run.expect_code(0);
        let report = run.json();
        let finding = &report["findings"][0];
        assert_eq!(finding["rule"], "sync-unverifiable", "{lock}: {report}");
        assert_eq!(finding["path"], format!("svc/{lock}"));
        assert_eq!(finding["severity"], "warning");
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(&format!("`svc/{declared}`")), "{message}");
        assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
        project
            .run(&["lockfile-verify", "--strict"])
            .expect_code(3)
            .expect_text(&format!("`svc/{declared}`"));
    }
}

#[test]
fn a_lock_of_uv_beside_a_project_that_is_none_of_uv_s_is_told() {
    let project = Project::empty();
    project.write("uv.lock", HEALTHY);
    for declared in [
        "[tool.ruff]\nline-length = 99\n",
        "[tool.uv]\nmanaged = false\n",
    ] {
        project.write("pyproject.toml", declared);
        let run = project.run(&["lockfile-verify", "--output-format=json"]);
        let report = run.json();
        let findings = report["findings"].as_array().unwrap();
        let told = findings
            .iter()
            .find(|finding| finding["rule"] == "sync-unverifiable");
        assert_eq!(told.unwrap()["path"], "pyproject.toml", "{report}");
        project.run(&["lockfile-verify", "--strict"]).expect_code(3);
    }
}
