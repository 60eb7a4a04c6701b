//! Ages: a lock that uv makes here, with its own times of upload.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::lockgate::Project;
use crate::support::tools::{network, tool};

fn lock(project: &Project) -> String {
    let output = Command::new(tool("uv"))
        .args(["lock", "--quiet"])
        .current_dir(project.path())
        .env_clear()
        .envs(network())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", project.beside("home"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read_to_string(project.path().join("uv.lock")).unwrap()
}

fn findings(project: &Project, arguments: &[&str]) -> Vec<Value> {
    let all = [&["lockfile-verify", "--output-format=json"], arguments].concat();
    let report = project.run(&all).json();
    report["findings"].as_array().unwrap().clone()
}

const PROJECT: &str = r#"[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["six", "idna"]

[tool.uv]
"#;

#[test]
fn files_are_held_against_min_age_and_against_the_limit_of_uv() {
    let project = Project::empty();
    for (limit, newer) in [
        (
            "exclude-newer = \"2025-06-01T00:00:00Z\"",
            "2025-06-02T00:00:00Z",
        ),
        ("exclude-newer = \"3 weeks\"", "2999-01-01T00:00:00Z"),
        (
            "exclude-newer-package = { six = \"2025-06-01T00:00:00Z\" }",
            "2025-06-02T00:00:00Z",
        ),
    ] {
        let _ = std::fs::remove_file(project.path().join("uv.lock"));
        project.write("pyproject.toml", format!("{PROJECT}{limit}\n"));
        let text = lock(&project);
        assert!(text.contains("[options"), "{text}");
        assert_eq!(
            findings(&project, &["--min-age=1d"]),
            [] as [Value; 0],
            "{limit}"
        );

        // A file of six that came later.
        let (before, six) = text.rsplit_once("name = \"six\"").unwrap();
        let time = six
            .split_once("upload-time = \"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap();
        let edited = format!("{before}name = \"six\"{}", six.replacen(time, newer, 1));
        project.write("uv.lock", &edited);
        let found = findings(&project, &[]);
        let line = edited[..edited.find(newer).unwrap()].matches('\n').count() + 1;
        let own: Vec<_> = found
            .iter()
            .filter(|finding| finding["rule"] == json!("exclude-newer"))
            .map(|finding| &finding["line"])
            .collect();
        assert_eq!(own, [&json!(line)], "{limit}: {found:?}");
    }

    project.write("pyproject.toml", PROJECT);
    let _ = std::fs::remove_file(project.path().join("uv.lock"));
    let text = lock(&project);
    let rules = |found: Vec<Value>| -> Vec<String> {
        let rules = found
            .iter()
            .map(|finding| finding["rule"].as_str().unwrap().to_owned());
        rules.collect()
    };
    assert_eq!(
        rules(findings(&project, &["--min-age=5000 weeks"])),
        ["min-age", "min-age"]
    );
    let exceptions = ["--min-age=5000w", "--min-age-exceptions=Six,id*"];
    assert!(findings(&project, &exceptions).is_empty());
    project.write("uv.lock", text.replace("upload-time", "x-time"));
    let found = findings(&project, &["--min-age=7d"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["severity"], json!("warning"));
    project
        .run(&["lockfile-verify", "--min-age=7 moons"])
        .expect_code(2)
        .expect_text("`7 moons`");
}
