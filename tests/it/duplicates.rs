//! Findings that several tools make of the same fault, on the real tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use lockgate::linters::duplicates::merge;
use lockgate::linters::equivalents::{CLASSES, NO_RULE, PYLINT_IN_RUFF};
use lockgate::model::diagnostic::{Finding, Severity};
use lockgate::model::region::{Point, Span};
use serde_json::Value;

use crate::support::expect;
use crate::support::tools::{python, tool};

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The rules that a tool says it has.
fn rules_of(name: &str) -> BTreeSet<String> {
    let names = |text: &str, key: &str| -> BTreeSet<String> {
        let rules: Vec<Value> = serde_json::from_str(text).unwrap();
        rules
            .iter()
            .filter_map(|rule| rule[key].as_str())
            .map(str::to_owned)
            .collect()
    };
    match name {
        "ruff" => {
            let text =
                output(Command::new(tool("ruff")).args(["rule", "--all", "--output-format=json"]));
            let mut rules = names(&text, "code");
            rules.extend(["invalid-syntax", "E999"].map(str::to_owned));
            rules
        }
        "ruff-format" => ["unformatted", "invalid-syntax"].map(str::to_owned).into(),
        "ty" => {
            let text =
                output(Command::new(tool("ty")).args(["explain", "rule", "--output-format=json"]));
            let mut rules = names(&text, "name");
            rules.insert("invalid-syntax".to_owned());
            rules
        }
        "mypy" => {
            let script = "import mypy.errorcodes as e; print(*e.error_codes)";
            let text = output(Command::new(python()).args(["-c", script]));
            text.split_whitespace().map(str::to_owned).collect()
        }
        "pylint" => pylint_rules().into_values().collect(),
        "pyrefly" => {
            // It names them all when one is wrong.
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("pyrefly.toml"), "[errors]\nzzz = true\n").unwrap();
            std::fs::write(folder.path().join("a.py"), "").unwrap();
            let output = Command::new(tool("pyrefly"))
                .args(["check", "a.py"])
                .current_dir(&folder)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout);
            let kinds = text.split("expected one of").nth(1).unwrap();
            kinds
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        }
        "bandit" => {
            let text = output(Command::new(tool("bandit")).arg("--help"));
            let words = text.split_whitespace();
            let is_rule = |word: &&str| word.len() == 4 && word.starts_with('B');
            let mut rules: BTreeSet<String> = words.filter(is_rule).map(str::to_owned).collect();
            rules.insert(NO_RULE.to_owned());
            rules
        }
        "pyright" => {
            // It warns of settings that it does not know; basedpyright knows more of them.
            let known = |name: &str, rules: &[&str]| -> BTreeSet<String> {
                let folder = tempfile::tempdir().unwrap();
                let settings: BTreeMap<&str, bool> =
                    rules.iter().map(|rule| (*rule, true)).collect();
                let settings = serde_json::to_string(&settings).unwrap();
                std::fs::write(folder.path().join("pyrightconfig.json"), settings).unwrap();
                std::fs::write(folder.path().join("a.py"), "").unwrap();
                let output = Command::new(tool(name))
                    .arg("a.py")
                    .current_dir(&folder)
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr);
                assert!(said.contains("\"reportNonsense\""), "{said}");
                let is_known = |rule: &&&str| !said.contains(&format!("\"{rule}\""));
                rules
                    .iter()
                    .filter(is_known)
                    .map(|rule| (*rule).to_owned())
                    .collect()
            };
            let mut asked: Vec<&str> = in_table("pyright").collect();
            asked.push("reportNonsense");
            let mut rules = known("pyright", &asked);
            rules.extend(known("basedpyright", &asked));
            rules.insert(NO_RULE.to_owned());
            rules
        }
        "vulture" => {
            let kinds =
                ["import", "variable", "function", "class"].map(|kind| format!("unused-{kind}"));
            kinds
                .into_iter()
                .chain(["unreachable-code".to_owned()])
                .collect()
        }
        "black" => ["unformatted".to_owned()].into(),
        "isort" => ["unsorted-imports".to_owned()].into(),
        "codespell" => ["misspelling".to_owned()].into(),
        "typos" => ["typo".to_owned()].into(),
        other => panic!("{other} is no tool"),
    }
}

fn in_table(tool: &str) -> impl Iterator<Item = &'static str> {
    let tools = CLASSES.iter().flat_map(|class| class.iter());
    tools
        .filter(move |(name, _)| *name == tool)
        .flat_map(|(_, rules)| rules.iter().copied())
}

/// pylint's rules by their numbers.
fn pylint_rules() -> BTreeMap<String, String> {
    let text = output(Command::new(tool("pylint")).args([
        "--load-plugins=pylint.extensions.mccabe,pylint.extensions.redefined_loop_name",
        "--list-msgs",
    ]));
    let rules = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix(':')?.split_once(" (")?;
        Some((rest.split_once(')')?.0.to_owned(), name.to_owned()))
    });
    rules.collect()
}

#[test]
fn every_rule_of_the_table_exists_and_stands_in_one_class() {
    let tools: BTreeSet<&str> = CLASSES
        .iter()
        .flat_map(|class| class.iter().map(|(tool, _)| *tool))
        .collect();
    for tool in tools {
        let rules = rules_of(tool);
        let mut met = BTreeSet::new();
        for rule in in_table(tool) {
            assert!(
                rules.contains(rule) || rule == "PLW0101",
                "{tool} has no rule `{rule}`"
            );
            assert!(met.insert(rule), "`{tool}:{rule}` is in two classes");
        }
    }
}

#[test]
fn pylints_rules_in_ruff_are_those_with_the_same_number() {
    let numbers = pylint_rules();
    let mut expected = String::new();
    let text = output(Command::new(tool("ruff")).args(["rule", "--all", "--output-format=json"]));
    let rules: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut lines = BTreeSet::new();
    for rule in rules
        .iter()
        .filter(|rule| rule["status"]["Removed"].is_null())
    {
        let code = rule["code"].as_str().unwrap_or_default();
        if let Some(number) = code.strip_prefix("PL")
            && let Some(name) = numbers.get(number)
        {
            lines.insert(format!("{number} {name} {code}"));
        }
    }
    for line in lines {
        writeln!(expected, "{line}").unwrap();
    }
    expect::file("src/linters/pylint-in-ruff.txt", &expected);
    assert!(PYLINT_IN_RUFF.lines().count() > 80);
}

/// Every tool on `faults.py`: which findings are left, and who else says so.
#[test]
fn faults_that_several_tools_find_are_one_finding_each() {
    let folder = tempfile::tempdir().unwrap();
    let source = include_str!("../fixtures/duplicates/faults.py");
    std::fs::write(folder.path().join("faults.py"), source).unwrap();
    let (mut findings, mut own) = (Vec::new(), BTreeMap::new());
    for (name, of_tool) in run_all(folder.path()) {
        own.insert(name, of_tool.len());
        findings.extend(of_tool);
    }
    let count = findings.len();
    let (left, merged) = merge(findings);
    assert_eq!(left.len() as u64 + merged, count as u64);
    for finding in &left {
        let mut tools: Vec<&str> = finding.also.iter().map(|source| &*source.tool).collect();
        tools.push(&finding.tool);
        let count = tools.len();
        tools.sort_unstable();
        tools.dedup();
        assert_eq!(tools.len(), count, "a tool twice: {finding:?}");
    }
    let mut shown = format!("{count} findings, {merged} of them said by another tool: {own:?}\n");
    let mut by_line: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for finding in left.iter().filter(|finding| !finding.also.is_empty()) {
        let also: Vec<String> = finding.also.iter().map(name_of).collect();
        let column = finding.span.unwrap().start.column.unwrap_or(0);
        let line = by_line.entry(finding.line().unwrap()).or_default();
        line.push(format!(
            "{column:>4} {} = {}",
            finding.id(),
            also.join(" = ")
        ));
    }
    for (line, mut said) in by_line {
        said.sort();
        writeln!(
            shown,
            "\n{line}: {}",
            source.lines().nth(line as usize - 1).unwrap().trim()
        )
        .unwrap();
        writeln!(shown, "{}", said.join("\n")).unwrap();
    }
    expect::file("tests/fixtures/duplicates/merged.txt", &shown);
}

fn name_of(source: &lockgate::model::diagnostic::Source) -> String {
    match &source.rule {
        Some(rule) => format!("{}:{rule}", source.tool),
        None => source.tool.to_string(),
    }
}

/// What each tool says of the file, its columns 1-based.
fn run_all(folder: &Path) -> Vec<(&'static str, Vec<Finding>)> {
    let run = |name: &str, arguments: &[&str]| {
        output(
            Command::new(tool(name))
                .args(arguments)
                .arg("faults.py")
                .current_dir(folder),
        )
    };
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(0)).unwrap();
    let json = |text: &str| -> Value {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let mut all = Vec::new();
    std::fs::write(
        folder.join("pyrightconfig.json"),
        r#"{"typeCheckingMode": "strict", "reportUnreachable": true}"#,
    )
    .unwrap();

    let ruff = run(
        "ruff",
        &[
            "check",
            "--isolated",
            "--no-cache",
            "--preview",
            "--select=F,E,W,B,S,ARG,A,N,UP,C4,C90,RET,SIM,BLE,TRY,PL,ISC,FIX,D1",
            "--output-format=json",
        ],
    );
    let ruff = json(&ruff)
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let (start, end) = (&found["location"], &found["end_location"]);
            finding(
                "ruff",
                &found["code"],
                &found["message"],
                number(&start["row"]),
                number(&start["column"]),
                number(&end["row"]),
                number(&end["column"]),
            )
        })
        .collect();
    all.push(("ruff", ruff));

    let pylint = run(
        "pylint",
        &[
            "--enable=all",
            "--load-plugins=pylint.extensions.mccabe",
            "--output-format=json2",
        ],
    );
    let pylint = json(&pylint)["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let line = number(&found["line"]);
            let column = number(&found["column"]) + 1;
            let end = found["endColumn"]
                .as_u64()
                .map_or(column, |_| number(&found["endColumn"]) + 1);
            let end_line = found["endLine"]
                .as_u64()
                .map_or(line, |_| number(&found["endLine"]));
            finding(
                "pylint",
                &found["symbol"],
                &found["message"],
                line,
                column,
                end_line,
                end,
            )
        })
        .collect();
    all.push(("pylint", pylint));

    let mypy = run(
        "mypy",
        &[
            "--strict",
            "--warn-unreachable",
            "--enable-error-code=possibly-undefined",
            "--config-file=",
            "--cache-dir=/dev/null",
            "--output=json",
        ],
    );
    let mypy = mypy
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| {
            let found = json(line);
            let end_line = number(&found["end_line"]);
            finding(
                "mypy",
                &found["code"],
                &found["message"],
                number(&found["line"]),
                number(&found["column"]) + 1,
                end_line,
                number(&found["end_column"]) + 1,
            )
        })
        .collect();
    all.push(("mypy", mypy));

    for name in ["pyright", "basedpyright"] {
        let text = run(name, &["--outputjson"]);
        let found = json(text.trim())["generalDiagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| {
                let (start, end) = (&found["range"]["start"], &found["range"]["end"]);
                finding(
                    name,
                    &found["rule"],
                    &found["message"],
                    number(&start["line"]) + 1,
                    number(&start["character"]) + 1,
                    number(&end["line"]) + 1,
                    number(&end["character"]) + 1,
                )
            })
            .collect();
        all.push((name, found));
    }

    let ty = run("ty", &["check", "--output-format=gitlab"]);
    let ty = json(&ty)
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let places = &found["location"]["positions"];
            let (start, end) = (&places["begin"], &places["end"]);
            finding(
                "ty",
                &found["check_name"],
                &found["description"],
                number(&start["line"]),
                number(&start["column"]),
                number(&end["line"]),
                number(&end["column"]),
            )
        })
        .collect();
    all.push(("ty", ty));

    let pyrefly = run(
        "pyrefly",
        &["check", "--preset=strict", "--output-format=json"],
    );
    let pyrefly = json(&pyrefly)["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            finding(
                "pyrefly",
                &found["name"],
                &found["description"],
                number(&found["line"]),
                number(&found["column"]),
                number(&found["stop_line"]),
                number(&found["stop_column"]),
            )
        })
        .collect();
    all.push(("pyrefly", pyrefly));

    let flake8 = run("flake8", &["--isolated"]);
    let flake8 = flake8
        .lines()
        .map(|line| {
            let mut parts = line.splitn(4, ':').skip(1);
            let (line, column) = (
                parts.next().unwrap().parse().unwrap(),
                parts.next().unwrap().parse().unwrap(),
            );
            let (code, message) = parts.next().unwrap().trim().split_once(' ').unwrap();
            finding(
                "flake8",
                &code.into(),
                &message.into(),
                line,
                column,
                line,
                column,
            )
        })
        .collect();
    all.push(("flake8", flake8));

    let bandit = run("bandit", &["--quiet", "--format=json"]);
    let bandit = json(&bandit)["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            let line = number(&found["line_number"]);
            finding(
                "bandit",
                &found["test_id"],
                &found["issue_text"],
                line,
                number(&found["col_offset"]) + 1,
                line,
                number(&found["end_col_offset"]) + 1,
            )
        })
        .collect();
    all.push(("bandit", bandit));

    let vulture = run("vulture", &["--min-confidence=0"]);
    let vulture = vulture
        .lines()
        .map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let line = parts.next().unwrap().parse().unwrap();
            let message = parts.next().unwrap().trim();
            let kind = message
                .strip_prefix("unused ")
                .and_then(|rest| rest.split_once(' '));
            let rule = kind.map_or("unreachable-code".to_owned(), |(kind, _)| {
                format!("unused-{kind}")
            });
            let mut found = finding("vulture", &rule.into(), &message.into(), line, 1, line, 1);
            let bare = Point {
                line,
                byte: None,
                column: None,
            };
            found.span = Some(Span {
                start: bare,
                end: bare,
            });
            found
        })
        .collect();
    all.push(("vulture", vulture));
    all
}

fn finding(
    tool: &str,
    rule: &Value,
    message: &Value,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
) -> Finding {
    let point = |line, column: u32| Point {
        line,
        byte: Some(column - 1),
        column: Some(column),
    };
    let mut finding = Finding::new(tool, "", Severity::Error, message.as_str().unwrap());
    finding.rule = rule.as_str().map(Arc::from);
    finding.path = Some("faults.py".into());
    finding.span = Some(Span {
        start: point(line, column),
        end: point(end_line, end_column),
    });
    finding
}
