//! The action with many tools at once: what all of them say fits into one step's annotations, one summary, one verdict.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::audits::{expect_valid, sarif_schema};
use crate::support::host_runner::{HostRun, HostRunner};
use crate::support::lockgate::Project;
use crate::support::tools;

/// The tools, and a rule that each reports in the faulty project.
const TOOLS: [(&str, &str); 12] = [
    ("ruff", "F401"),
    ("ruff-format", "unformatted"),
    ("isort", "unsorted-imports"),
    ("flake8", "F401"),
    ("pylint", "bare-except"),
    ("bandit", "B602"),
    ("vulture", "unused-import"),
    ("mypy", "return-value"),
    ("pyright", "reportReturnType"),
    ("codespell", "misspelling"),
    ("yamllint", "key-duplicates"),
    ("zizmor", "excessive-permissions"),
];

/// A module with a fault for every tool that reads Python, more of them than a step has annotations.
fn faulty() -> String {
    let mut text = String::from(
        "\"\"\"A service with a recieve function.\"\"\"\nimport subprocess\nimport os\n\n\ndef receive(command: str) -> int:\n    \"\"\"Run it.\"\"\"\n    try:\n        subprocess.run(command, shell=True, check=True)\n    except:\n        print( \"no\" )\n    return command\n",
    );
    for number in 0..15 {
        let _ = write!(
            text,
            "\n\ndef fault_{number}() -> int:\n    \"\"\"Return a number.\"\"\"\n    unused = {number}\n    return \"\"\n"
        );
    }
    text
}

const REPAIRED: &str = "\"\"\"A service with a receive function.\"\"\"\n\n\ndef receive(command: str) -> str:\n    \"\"\"Take it.\"\"\"\n    return command\n\n\nprint(receive(\"\"))\n";

const WORKFLOW: &str = "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.head_commit.message }}\n";
const SAFE_WORKFLOW: &str = "---\nname: build\n\"on\":\n  push:\npermissions: {}\njobs:\n  build:\n    name: Build\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo built\n";

fn project() -> Project {
    let project = Project::empty();
    project
        .write("service.py", faulty())
        .write("settings.yaml", "---\na: 1\na: 2\n")
        .write(".github/workflows/build.yml", WORKFLOW)
        .write(
            "pyproject.toml",
            "[project]\nname = \"service\"\nversion = \"0.1\"\n",
        );
    project
}

fn gate(project: &Project) -> HostRunner {
    let names: Vec<&str> = TOOLS.iter().map(|(name, _)| *name).collect();
    HostRunner::action("actions/lint-gate", &project.path())
        .input("tools", &names.join("\n"))
        .input("tool-source", "path")
        .input("scope", "everything")
        .input("tool-paths", "zizmor: .github\nyamllint: settings.yaml")
        .input("sarif-file", "gate.sarif")
        .path_first(&tools::environment().join("bin"))
        .event("push", &json!({}))
}

/// The tools and their rules in a list of findings.
fn rules(report: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut all = BTreeSet::new();
    for one in report["findings"].as_array().expect("findings") {
        all.insert((text(&one["tool"]), text(&one["rule"])));
        // What several tools say at once is one finding.
        for also in one["also"].as_array().into_iter().flatten() {
            if let Some((tool, rule)) = also.as_str().and_then(|also| also.split_once(':')) {
                all.insert((tool.to_owned(), rule.to_owned()));
            }
        }
    }
    all
}

fn statuses(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let checks = report["checks"].as_array().expect("checks");
    checks
        .iter()
        .map(|check| (text(&check["name"]), text(&check["status"])))
        .collect()
}

#[track_caller]
fn expect_every_tool_in(summary: &str) {
    for (name, _) in TOOLS {
        assert!(summary.contains(name), "no {name} in\n{summary}");
    }
}

fn levels(run: &HostRun) -> Vec<(String, usize)> {
    let annotations = run.annotations();
    ["error", "warning", "notice"]
        .iter()
        .map(|level| {
            let count = annotations.iter().filter(|one| one["level"] == *level);
            ((*level).to_owned(), count.count())
        })
        .collect()
}

#[test]
fn twelve_tools_give_one_verdict_within_the_annotations_of_one_step() {
    assert!(TOOLS.len() >= 8);
    let project = project();
    let run = gate(&project).run();
    run.expect("failure").expect_step_code("action.posix", 1);
    let report = run.report();
    for (name, status) in statuses(&report) {
        assert_eq!(status, "findings", "{name}\n{}", run.log());
    }
    let rules = rules(&report);
    for (tool, rule) in TOOLS {
        assert!(
            rules.contains(&(tool.to_owned(), rule.to_owned())),
            "no {rule} of {tool} in {rules:#?}"
        );
    }
    assert_eq!(run.output("verdict"), "fail");
    let count = report["findings"].as_array().unwrap().len();
    assert_eq!(run.output("findings"), count.to_string());
    assert_eq!(report["exit-code"], 1);

    // The runner's own word on the failed step comes last: it is the only one that can be dropped.
    let all = run
        .get("annotations")
        .as_array()
        .expect("annotations")
        .len();
    let dropped = run.get("droppedAnnotations").as_u64().expect("a number");
    let theirs = all - run.annotations().len();
    assert_eq!(theirs as u64 + dropped, 1, "{}", run.log());
    let levels = levels(&run);
    let of_errors = levels
        .iter()
        .find(|(level, _)| level == "error")
        .map_or(0, |(_, count)| *count);
    assert!(of_errors >= 6, "{levels:?}");
    assert!(levels.iter().all(|(_, count)| *count <= 10), "{levels:?}");
    let shown: BTreeSet<&str> = run
        .annotations()
        .iter()
        .map(|one| one["title"].as_str().unwrap_or_default())
        .filter_map(|title| title.split(' ').next())
        .collect();
    assert!(shown.len() >= 6, "the budget is spread: {shown:?}");

    expect_every_tool_in(&run.summary());
    expect_sarif_of_every_finding(&project, &report);
}

/// The SARIF file fits its schema and has every finding, in a run of its tool, at a place below the root.
#[track_caller]
fn expect_sarif_of_every_finding(project: &Project, report: &Value) {
    let text = std::fs::read_to_string(project.path().join("gate.sarif")).expect("the SARIF file");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    expect_valid(&sarif_schema(), &document);
    let runs = document["runs"].as_array().expect("runs");
    assert!(runs.len() <= 20, "GitHub takes 20");
    let mut results = 0;
    let mut names = BTreeSet::new();
    for run in runs {
        names.insert(run["tool"]["driver"]["name"].as_str().expect("a name"));
        for result in run["results"].as_array().expect("results") {
            results += 1;
            assert!(result["message"]["text"].is_string(), "{result:#}");
            let location = &result["locations"][0]["physicalLocation"];
            let uri = location["artifactLocation"]["uri"].as_str();
            assert!(uri.is_some_and(|uri| !uri.starts_with('/')), "{location:#}");
        }
    }
    assert_eq!(results, report["findings"].as_array().unwrap().len());
    let shown: BTreeSet<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["tool"].as_str().unwrap())
        .collect();
    assert!(shown.is_subset(&names), "{shown:?} {names:?}");
}

#[test]
fn the_same_project_repaired_is_green() {
    let project = project();
    project
        .write("service.py", REPAIRED)
        .write("settings.yaml", "---\na: 1\nb: 2\n")
        .write(".github/workflows/build.yml", SAFE_WORKFLOW);
    let run = gate(&project).run();
    run.expect("success").expect_step_code("action.posix", 0);
    assert_eq!(run.output("verdict"), "pass");
    assert_eq!(run.output("errors"), "0");
    let report = run.report();
    assert_eq!(statuses(&report).len(), TOOLS.len());
    for (name, status) in statuses(&report) {
        assert_eq!(status, "clean", "{name}\n{}", run.log());
    }
    assert_eq!(run.get("annotations"), &json!([]));
    expect_every_tool_in(&run.summary());
}

#[test]
fn one_tool_that_cannot_read_its_configuration_is_no_verdict_and_is_named() {
    for (name, file, content) in [
        ("flake8", ".flake8", "[flake8]\nmax-line-length = wide\n"),
        ("ruff", "ruff.toml", "[lint\n"),
        ("mypy", "mypy.ini", "[mypy]\npython_version = four\n"),
    ] {
        let project = project();
        project.write("service.py", REPAIRED).write(file, content);
        let run = gate(&project).run();
        run.expect("failure").expect_step_code("action.posix", 3);
        assert_eq!(run.output("verdict"), "no-verdict", "{name}");
        let report = run.report();
        let failed: Vec<String> = statuses(&report)
            .into_iter()
            .filter(|(_, status)| status == "failed")
            .map(|(name, _)| name)
            .collect();
        // Ruff and its formatter read the same file.
        let expected: Vec<&str> = match name {
            "ruff" => vec!["ruff", "ruff-format"],
            name => vec![name],
        };
        assert_eq!(failed, expected, "{}", run.log());
        let first = run.annotations()[0]["title"].as_str().unwrap_or_default();
        assert!(first.contains(name), "{first}");
        assert!(
            run.summary().starts_with("### ⚠️ lint-gate: no verdict\n"),
            "{}",
            run.summary()
        );
        expect_every_tool_in(&run.summary());
    }
}
