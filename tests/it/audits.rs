//! What auditors say of our own actions, workflows, scripts and reports.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use lockgate::model::diagnostic::{Finding, Fingerprints, Severity, Source};
use lockgate::model::fix::{Applicability, Edit, Fix};
use lockgate::model::region::{Point, Span};
use lockgate::model::report::{Report, Verdict};
use lockgate::report::sarif;
use serde_json::Value;

use crate::support::expect::{files_below, root};
use crate::support::host_runner::sha256;
use crate::support::lockgate::Project;
use crate::support::tools;

/// Runs a tool in the repository; it must find nothing.
#[track_caller]
fn expect_clean<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[S]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the tool");
    let text = shown(&output);
    assert!(output.status.success(), "{}\n{text}", output.status);
    text
}

fn shown(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("inside the repository");
    inside.to_str().expect("a plain name").to_owned()
}

fn all_files() -> Vec<PathBuf> {
    let mut all = vec![root().join("action.yml")];
    for folder in [".github", "actions", "examples"] {
        all.extend(files_below(folder));
    }
    all
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yml" || extension == "yaml")
}

fn is_workflow(path: &Path) -> bool {
    is_yaml(path)
        && path
            .parent()
            .is_some_and(|folder| folder.ends_with(".github/workflows"))
}

fn actions() -> Vec<String> {
    let found: Vec<String> = all_files()
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "action.yml"))
        .map(|path| relative(path))
        .collect();
    assert!(found.len() >= 2, "{found:?}");
    found
}

fn workflows() -> Vec<String> {
    let found: Vec<String> = all_files()
        .iter()
        .filter(|path| is_workflow(path))
        .map(|path| relative(path))
        .collect();
    assert!(found.len() >= 4, "{found:?}");
    found
}

fn yaml(relative: &str) -> serde_yaml::Value {
    let text = std::fs::read_to_string(root().join(relative)).expect("a file");
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// Calls `visit` with every key and value of every mapping.
fn each_entry<'y>(
    value: &'y serde_yaml::Value,
    visit: &mut impl FnMut(&'y str, &'y serde_yaml::Value),
) {
    match value {
        serde_yaml::Value::Mapping(mapping) => {
            for (key, value) in mapping {
                visit(key.as_str().unwrap_or_default(), value);
                each_entry(value, visit);
            }
        }
        serde_yaml::Value::Sequence(items) => {
            for item in items {
                each_entry(item, visit);
            }
        }
        _ => {}
    }
}

#[test]
fn zizmor_finds_nothing_in_what_we_publish() {
    let text = expect_clean(
        tools::tool("zizmor"),
        &[
            "--offline",
            "--persona",
            "auditor",
            "--no-progress",
            ".github",
            "actions",
            "action.yml",
            "examples",
        ],
    );
    for file in actions().iter().chain(&workflows()) {
        assert!(
            text.contains(&format!("completed {file}")),
            "`{file}` was not audited:\n{text}"
        );
    }
}

#[test]
fn an_exception_from_an_audit_says_why() {
    for path in all_files() {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut before = "";
        for line in text.lines() {
            let is_exception =
                line.contains("zizmor: ignore") || line.contains("shellcheck disable=");
            let has_reason = before.trim_start().starts_with('#')
                || line
                    .split("disable=")
                    .nth(1)
                    .is_some_and(|rest| rest.contains('#'));
            assert!(
                !is_exception || has_reason,
                "{}: `{line}` has no comment that says why",
                relative(&path)
            );
            before = line;
        }
    }
}

#[test]
fn shellcheck_finds_nothing_in_our_scripts() {
    let mut scripts: Vec<String> = files_below("")
        .iter()
        .filter(|path| {
            let start = std::fs::read(path).unwrap_or_default();
            start.starts_with(b"#!/bin/sh\n") || start.starts_with(b"#!/usr/bin/env bash\n")
        })
        .map(|path| relative(path))
        .filter(|path| !path.starts_with("tests/fixtures/"))
        .collect();
    scripts.sort();
    for known in [".ci/run", "actions/install.sh"] {
        assert!(scripts.iter().any(|script| script == known), "{scripts:?}");
    }
    expect_clean(tools::tool("shellcheck"), &scripts);
}

#[test]
fn actions_and_workflows_fit_the_published_schemas() {
    let program = tools::tool("check-jsonschema");
    for (schema, files) in [
        ("vendor.github-actions", actions()),
        ("vendor.github-workflows", workflows()),
        (
            "vendor.dependabot",
            vec![".github/dependabot.yml".to_owned()],
        ),
    ] {
        let mut arguments = vec!["--builtin-schema".to_owned(), schema.to_owned()];
        arguments.extend(files);
        expect_clean(&program, &arguments);
    }
}

#[test]
fn actions_and_workflows_are_valid_for_the_parser_of_github() {
    let mut arguments = vec![
        tools::runner().join("main.mjs").display().to_string(),
        "validate".to_owned(),
    ];
    arguments.extend(actions());
    arguments.extend(workflows());
    let text = expect_clean("node", &arguments);
    assert_eq!(text, "");
}

#[test]
fn actions_of_others_are_pinned_by_commit_with_their_version() {
    let mut pinned = 0;
    let mut files = all_files();
    files.push(root().join("README.md"));
    // The page of the rules shows what is not pinned on purpose; its examples are judged by the rules themselves.
    files.extend(
        files_below("docs")
            .into_iter()
            .filter(|path| !path.ends_with("lockfile-verify-rules.md")),
    );
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for line in text.lines() {
            let entry = line.trim_start().trim_start_matches("- ");
            let Some(uses) = entry.strip_prefix("uses: ") else {
                continue;
            };
            if uses.starts_with("./") || uses.starts_with("$/") {
                continue;
            }
            // A page cannot name the commit of a release that is still to come.
            if path.extension().is_some_and(|extension| extension == "md")
                && uses.starts_with("lockgate/lockgate")
            {
                continue;
            }
            let (reference, comment) = uses.split_once(" # ").unwrap_or((uses, ""));
            let commit = reference.rsplit('@').next().unwrap_or_default();
            let is_commit =
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_version = comment
                .strip_prefix('v')
                .is_some_and(|rest| rest.split('.').all(|part| part.parse::<u32>().is_ok()));
            assert!(
                is_commit && is_version,
                "{}: `{line}` is not pinned as `@<commit> # v<version>`",
                relative(&path)
            );
            pinned += 1;
        }
    }
    assert!(pinned >= 10, "only {pinned} were seen");
}

#[test]
fn no_expression_stands_in_a_script() {
    let mut scripts = 0;
    for file in actions().iter().chain(&workflows()) {
        let document = yaml(file);
        each_entry(&document, &mut |key, value| {
            if let ("run", Some(script)) = (key, value.as_str()) {
                assert!(
                    !script.contains("${{"),
                    "{file}: pass it by `env:`, do not paste it:\n{script}"
                );
                scripts += 1;
            }
        });
    }
    assert!(scripts >= 10, "only {scripts} were seen");
}

#[test]
fn no_workflow_runs_with_the_rights_of_the_base_on_the_code_of_a_stranger() {
    for file in workflows() {
        let document = yaml(&file);
        let triggers = &document["on"];
        assert!(!triggers.is_null(), "{file} has no `on:`");
        let mut names: Vec<&str> = triggers.as_str().into_iter().collect();
        for name in triggers.as_sequence().into_iter().flatten() {
            names.extend(name.as_str());
        }
        for (name, _) in triggers.as_mapping().into_iter().flatten() {
            names.extend(name.as_str());
        }
        assert!(!names.is_empty(), "{file}");
        for name in names {
            assert!(
                !["pull_request_target", "workflow_run"].contains(&name),
                "{file}: `{name}`"
            );
        }
    }
}

/// A faulty project in a repository, and the tools on its PATH.
fn faulty_project() -> Project {
    let project = Project::empty().with_path_first(&tools::environment().join("bin"));
    project
        .write(
            "na ïve/app.py",
            "import os\n\nx: int = 'é😀'  # ☃\nprint( x )\n",
        )
        .write(
            "report.sarif",
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "hadolint", "rules": [
                {"id": "DL1", "helpUri": "not a URI \u0007 ]"}]}}, "results": [
                {"ruleId": "DL1", "message": {"text": "::error::<b>\u001b[31m"}, "locations": [{"physicalLocation":
                    {"artifactLocation": {"uri": "Dockerfile"}, "region": {"startLine": 3, "startColumn": 99}}}]},
                {"message": {"text": "no place"}}]}]}"#,
        );
    project
}

const FAULTY: &[&str] = &[
    "lint-gate",
    "--tools=ruff,ruff-format,mypy,pyright",
    "--tool-source=path",
    "--scope=everything",
    "--reports=report.sarif=sarif:1",
];

/// The document must fit the schema.
#[track_caller]
pub(crate) fn expect_valid(schema: &Value, document: &Value) {
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

#[test]
fn reports_of_every_verdict_fit_the_published_schema() {
    let text = std::fs::read_to_string(root().join("docs/schemas/report.schema.json"));
    let schema: Value = serde_json::from_str(&text.expect("the schema")).expect("JSON");
    let project = faulty_project();
    project.write("fine.py", "");
    let mut seen = Vec::new();
    for (code, arguments) in [
        (1, FAULTY),
        (
            0,
            &[
                "lint-gate",
                "--tools=ruff",
                "--tool-source=path",
                "--scope=everything",
                "fine.py",
            ],
        ),
        (
            3,
            &[
                "lint-gate",
                "--tools=ruff",
                "--tool-source=path",
                "--scope=everything",
                "--reports=missing.sarif=sarif",
                "missing.py",
            ],
        ),
    ] {
        let mut arguments = arguments.to_vec();
        arguments.push("--output-format=json");
        let run = project.run(&arguments);
        let document = run.expect_code(code).json();
        expect_valid(&schema, &document);
        assert_eq!(document["exit-code"], code);
        seen.push(document["verdict"].as_str().expect("a verdict").to_owned());
    }
    assert_eq!(seen, ["fail", "pass", "no-verdict"]);
}

/// The schema of the standard, as the crate `serde-sarif` carries it. Its digest is pinned here.
pub(crate) fn sarif_schema() -> Value {
    const CRATE: &str = "0.8.0";
    const SHA256: &str = "af47e7b67f24efe74076621fd3a5fbe7398add9e84fe820c971219a385895cea";
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sarif-schema");
    let kept = folder.join(format!("{SHA256}.json"));
    if !kept.is_file() {
        std::fs::create_dir_all(folder.join("src")).expect("a folder");
        std::fs::write(folder.join("src/lib.rs"), "").expect("a file");
        let manifest = format!(
            "[package]\nname = \"sarif-schema\"\nedition = \"2024\"\n[dependencies]\nserde-sarif = {{ version = \"={CRATE}\", default-features = false }}\n[workspace]\n"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
        // Cargo fetches the sources and verifies them by its registry; nothing is compiled.
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--quiet", "--format-version", "1"])
            .current_dir(&folder)
            .output()
            .expect("cargo");
        assert!(output.status.success(), "{}", shown(&output));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let packages = metadata["packages"].as_array().expect("packages");
        let package = packages
            .iter()
            .find(|package| package["name"] == "serde-sarif")
            .expect("the crate");
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        std::fs::copy(manifest.with_file_name("src").join("schema.json"), &kept)
            .expect("the schema");
    }
    let bytes = std::fs::read(&kept).expect("the schema");
    if sha256(&bytes) != SHA256 {
        std::fs::remove_file(&kept).expect("a file");
        panic!("not the schema that was pinned");
    }
    let mut schema: Value = serde_json::from_slice(&bytes).expect("JSON");
    // The standard's own pattern for a language has a bracket too many, which makes the schema itself invalid.
    for owner in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][owner]["properties"]["language"];
        language
            .as_object_mut()
            .expect("a property")
            .remove("pattern");
    }
    schema
}

#[test]
fn sarif_of_every_verdict_fits_the_schema_of_the_standard() {
    let schema = sarif_schema();
    let project = faulty_project();
    let mut with_file = FAULTY.to_vec();
    with_file.extend(["--output-format=sarif", "--sarif-file=out.sarif"]);
    let document = project.run(&with_file).expect_code(1).json();
    expect_valid(&schema, &document);
    let runs = document["runs"].as_array().expect("runs");
    let results = |tool: &str| {
        let run = runs
            .iter()
            .find(|run| run["tool"]["driver"]["name"] == tool)
            .unwrap_or_else(|| panic!("no run of {tool} in {document:#}"));
        run["results"].as_array().expect("results").len()
    };
    for tool in ["ruff", "pyright", "hadolint"] {
        assert!(results(tool) > 0, "{tool}: {document:#}");
    }
    // What it says is part of what pyright says; its run is there all the same.
    assert_eq!(results("mypy"), 0, "{document:#}");
    let written = std::fs::read_to_string(project.path().join("out.sarif")).expect("a file");
    let written: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(written["runs"], document["runs"]);

    let nothing = project.run(&[
        "lint-gate",
        "--tools=ruff",
        "--tool-source=path",
        "--scope=everything",
        "--reports=missing.sarif=sarif",
        "--output-format=sarif",
        "missing.py",
    ]);
    expect_valid(&schema, &nothing.expect_code(3).json());
}

/// What no tool gives all at once: fixes, fingerprints, sources that agree, a finding about no file, runs without end.
#[test]
fn sarif_with_everything_fits_the_schema_of_the_standard() {
    let point = |line, column| Point {
        line,
        byte: Some(column - 1),
        column: Some(column),
    };
    let source = |tool: &str, rule: Option<&str>| Source {
        tool: tool.into(),
        rule: rule.map(Into::into),
    };
    let edit = |start, end, text: &str| Edit {
        place: Span { start, end },
        text: text.into(),
    };
    let full = Finding {
        path: Some("na ïve/a%.py".into()),
        span: Some(Span {
            start: point(3, 1),
            end: point(4, 1),
        }),
        url: Some("https://docs.astral.sh/ruff/rules/unused-import".into()),
        help: Some("Remove unused import".into()),
        new: Some(true),
        fix: Some(Box::new(Fix {
            message: Some("Remove it".into()),
            applicability: Applicability::Unsafe,
            edits: vec![
                edit(point(3, 1), point(4, 1), ""),
                edit(point(9, 5), point(9, 5), "x\n"),
            ],
        })),
        also: vec![source("pylint", Some("W0611")), source("vulture", None)],
        fingerprints: Some(Fingerprints {
            line: Some((u64::MAX, 1)),
            key: 0,
        }),
        ..Finding::new("ruff", "F401", Severity::Warning, "unused")
    };
    let mut findings = vec![
        full,
        Finding::new("mypy", "misc", Severity::Error, "no file"),
    ];
    findings.extend((0..30).map(|number| Finding {
        path: Some("b.py".into()),
        rule: None,
        ..Finding::new(format!("tool {number}"), "", Severity::Note, "x")
    }));
    let report = Report {
        step: "lint-gate",
        verdict: Verdict::Fail,
        headline: None,
        is_report_only: false,
        fail_on: None,
        findings,
        checks: Vec::new(),
        left_out: Vec::new(),
        facts: Vec::new(),
        tables: Vec::new(),
        max_annotations: 10,
        outputs: BTreeMap::new(),
        duration: Duration::ZERO,
    };
    let mut out = Vec::new();
    sarif::render(&report, &mut out).expect("memory takes everything");
    let log: Value = serde_json::from_slice(&out).expect("JSON");
    expect_valid(&sarif_schema(), &log);
    let runs = log["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 20);
    let ruff = runs
        .iter()
        .find(|run| run["tool"]["driver"]["name"] == "ruff")
        .expect("the best finding");
    let changes = &ruff["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(changes["replacements"].as_array().map(Vec::len), Some(2));
    // What GitHub's code scanning asks for, or it refuses the file.
    for run in runs {
        for result in run["results"].as_array().expect("results") {
            let place = &result["locations"][0]["physicalLocation"];
            assert!(place["artifactLocation"]["uri"].is_string(), "{result:#}");
        }
        for rule in run["tool"]["driver"]["rules"].as_array().expect("rules") {
            for text in ["shortDescription", "fullDescription", "help"] {
                assert!(rule[text]["text"].is_string(), "{rule:#}");
            }
        }
    }
}
