//! Baselines of other programs cover what the same tools find in the same files.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use lockgate::baseline::{Baseline, Foreign, Keyed, Matching, Outline, key, matching};
use lockgate::linters::Tool;
use lockgate::linters::position::{SourceLines, locate};
use lockgate::model::diagnostic::{Finding, Severity};
use lockgate::model::region::{Point, Span};
use serde_json::Value;

use crate::support::expect::root;
use crate::support::tools::tool;

fn folder() -> std::path::PathBuf {
    root().join("tests/fixtures/baselines")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// Runs a tool on the files of the fixture, in a folder of their own.
fn output(name: &str, arguments: &[&str]) -> String {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("pkg")).unwrap();
    for file in ["bad.py", "pkg/mod.py"] {
        std::fs::copy(folder().join(file), copy.path().join(file)).unwrap();
    }
    let mut command = Command::new(tool(name));
    command.args(arguments).args(["bad.py", "pkg/mod.py"]);
    let output = command
        .current_dir(&copy)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let root = copy.path().canonicalize().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .replace(&format!("{}/", root.display()), "")
}

fn keyed(findings: &[Finding]) -> Vec<Keyed> {
    let keyed = findings.iter().map(|finding| {
        let path = finding.path.as_deref().unwrap();
        let bytes = std::fs::read(folder().join(path)).unwrap();
        key(finding, Some(&Outline::new(path, &bytes)))
    });
    keyed.collect()
}

fn found(tool: &str, rule: Option<&str>, path: &str, message: &str) -> Finding {
    let mut finding = Finding::new(tool, "", Severity::Error, message);
    finding.rule = rule.map(Into::into);
    finding.path = Some(path.into());
    finding
}

/// The findings of mypy.
fn of_mypy() -> Vec<Finding> {
    let output = output(
        "mypy",
        &[
            "--strict",
            "--config-file=",
            "--cache-dir=/dev/null",
            "--output=json",
        ],
    );
    let mut findings = Vec::new();
    Tool::Mypy.read(output.as_bytes(), &mut |raw| {
        let path = raw.path.unwrap();
        let bytes = std::fs::read(folder().join(&path)).unwrap();
        let mut finding = found("mypy", raw.rule.as_deref(), &path, &raw.message);
        finding.severity = raw.severity;
        finding.span = locate(&raw.region, &SourceLines::new(&bytes)).0;
        findings.push(finding);
    });
    findings
}

fn span(source: &[u8], line: u32, column: u32, is_utf16: bool) -> Span {
    let lines = SourceLines::new(source);
    let line_text = String::from_utf8_lossy(lines.line(line).unwrap()).into_owned();
    let mut units = 0;
    let before = line_text.chars().take_while(|character| {
        let is_before = units < column;
        units += if is_utf16 {
            u32::try_from(character.len_utf16()).unwrap()
        } else {
            1
        };
        is_before
    });
    let before: String = before.collect();
    let point = Point {
        line,
        byte: Some(u32::try_from(before.len()).unwrap()),
        column: Some(u32::try_from(before.chars().count()).unwrap() + 1),
    };
    Span {
        start: point,
        end: point,
    }
}

fn of_basedpyright() -> Vec<Finding> {
    let output: Value =
        serde_json::from_str(output("basedpyright", &["--outputjson"]).trim()).unwrap();
    let found = output["generalDiagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let path = entry["file"].as_str().unwrap();
            let source = std::fs::read(folder().join(path)).unwrap();
            let start = &entry["range"]["start"];
            let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
            let mut finding = found(
                "basedpyright",
                entry["rule"].as_str(),
                path,
                entry["message"].as_str().unwrap(),
            );
            finding.span = Some(span(
                &source,
                number(&start["line"]) + 1,
                number(&start["character"]),
                true,
            ));
            finding
        });
    found.collect()
}

fn of_pyrefly() -> Vec<Finding> {
    let output: Value = serde_json::from_str(&output(
        "pyrefly",
        &["check", "--preset=strict", "--output-format=json"],
    ))
    .unwrap();
    // What is for information only does not go into its baseline.
    let entries = output["errors"].as_array().unwrap().iter();
    let entries = entries.filter(|entry| entry["severity"] != "info");
    let found = entries.map(|entry| {
        let path = entry["path"].as_str().unwrap();
        let source = std::fs::read(folder().join(path)).unwrap();
        let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
        let mut finding = found(
            "pyrefly",
            entry["name"].as_str(),
            path,
            entry["description"].as_str().unwrap(),
        );
        finding.span = Some(span(
            &source,
            number(&entry["line"]),
            number(&entry["column"]) - 1,
            false,
        ));
        finding
    });
    found.collect()
}

fn cases() -> [(&'static str, Foreign, Vec<Finding>); 3] {
    [
        ("mypy-baseline.txt", Foreign::MypyBaseline, of_mypy()),
        (
            "basedpyright.json",
            Foreign::Basedpyright,
            of_basedpyright(),
        ),
        ("pyrefly.json", Foreign::Pyrefly, of_pyrefly()),
    ]
}

fn matched(text: &str, format: Foreign, findings: &[Keyed]) -> Matching {
    let entries = format.parse(text, "baseline", "").unwrap();
    matching(&entries, findings, &BTreeMap::new(), |path: &str| {
        let bytes = std::fs::read(folder().join(path)).ok()?;
        Some(Outline::new(path, &bytes).inventory())
    })
}

#[test]
fn what_a_program_put_into_its_baseline_is_known() {
    for (name, format, findings) in cases() {
        let baseline = text(name);
        assert_eq!(Foreign::of_text(&baseline), Some(format), "{name}");
        assert!(findings.len() > 2, "{name}: {}", findings.len());
        let matching = matched(&baseline, format, &keyed(&findings));
        for (finding, covered) in findings.iter().zip(&matching.covered) {
            assert!(
                covered.is_some(),
                "{name}: {} {}",
                finding.place().unwrap(),
                finding.id()
            );
        }
        assert_eq!(matching.stale, [], "{name}");
    }
}

#[test]
fn one_finding_more_of_a_kind_is_new() {
    for (name, format, findings) in cases() {
        let mut keyed = keyed(&findings);
        keyed.push(keyed.last().unwrap().clone());
        let matching = matched(&text(name), format, &keyed);
        let new = matching.covered.iter().filter(|covered| covered.is_none());
        assert_eq!(new.count(), 1, "{name}");
    }
}

#[test]
fn what_was_mended_is_out_of_date() {
    for (name, format, findings) in cases() {
        let mut keyed = keyed(&findings);
        keyed.pop();
        let matching = matched(&text(name), format, &keyed);
        assert_eq!(
            matching.stale.iter().map(|stale| stale.1).sum::<u32>(),
            1,
            "{name}"
        );
    }
}

#[test]
fn another_file_or_rule_is_new() {
    for (name, format, findings) in cases() {
        let mut findings = findings;
        let one = findings.first_mut().unwrap();
        one.path = Some("pkg/mod.py".into());
        one.span = None;
        let keyed = keyed(&findings);
        let matching = matched(&text(name), format, &keyed);
        assert_eq!(matching.covered[0], None, "{name}");
    }
}

#[test]
fn the_first_update_makes_entries_of_our_own() {
    for (_, _, findings) in cases() {
        let keys = keyed(&findings);
        let messages = findings.iter().map(|finding| &*finding.message);
        let rendered = Baseline::default().of(keys.iter().zip(messages)).render();
        let baseline = Baseline::parse(&rendered, "baseline").unwrap();
        let matching = matching(&baseline.entries, &keys, &BTreeMap::new(), |_| None);
        assert!(matching.covered.iter().all(Option::is_some) && matching.stale.is_empty());
    }
}

#[test]
fn a_folder_of_a_monorepo_comes_before_the_paths() {
    let entries = Foreign::Basedpyright
        .parse(&text("basedpyright.json"), "b.json", "services/api/")
        .unwrap();
    assert_eq!(
        entries[0].keyed.path.as_deref(),
        Some("services/api/bad.py")
    );
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (format, text, message, place) in [
        (
            Foreign::MypyBaseline,
            "a.py:0: error: x  [y]\nnonsense\n",
            "`b` has a line that is no finding of mypy",
            (2, 1),
        ),
        (
            Foreign::MypyBaseline,
            "../a.py:0: error: x  [y]\n",
            "`b` names `../a.py`, which is no file of the repository",
            (1, 1),
        ),
        (
            Foreign::Basedpyright,
            "{\"files\": {\n  \"./a.py\": 3}}",
            "`b` cannot be read",
            (2, 13),
        ),
        (
            Foreign::Basedpyright,
            "{\"files\": {\"/etc/passwd\": [{\"range\": {\"startColumn\": 1}}]}}",
            "`b` names `/etc/passwd`, which is no file of the repository",
            (1, 13),
        ),
        (
            Foreign::Pyrefly,
            "{\"errors\": [",
            "`b` cannot be read",
            (1, 12),
        ),
    ] {
        let error = format.parse(text, "b", "").unwrap_err();
        let place_of = error.place.as_ref().unwrap();
        assert_eq!(
            (error.message.as_str(), (place_of.line, place_of.column)),
            (message, place),
            "{}",
            error.render()
        );
        assert!(error.hint.is_some());
    }
    for nothing in ["", "hello", "{}", "[]", "{\"x\": 1}"] {
        assert_eq!(Foreign::of_text(nothing), None, "{nothing}");
    }
}
